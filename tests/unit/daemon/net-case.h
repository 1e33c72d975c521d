/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Real sockets on loopback, time as the test says: what the tests of daemon/net* stand on. */
#include "daemon/net-flow.h"
#include "protocol/ua/host.h"

extern struct loop net_loop;
extern struct net *net;
extern struct ua *net_ua;

/* The fixture. */
void net_set_up(void);
void net_tear_down(void);
/* Lets sockets and deadlines run as they would now. */
void net_turn(void);
/* The deadlines of `later` microseconds from now have come. */
void net_skip(usec_t later);

/* A listening or bound socket of the peer's on 127.0.0.1. */
int net_peer_socket(int type, struct host_target *ret_target);
/* What comes within reason; "" if nothing does. Good until the next call. */
const char *net_hear(int fd);
/* A connection that we opened and the peer's end of it; the flow is the caller's to give back. */
struct flow *net_connection(const struct host_target *target, int listener, int *ret_fd);
/* A connection to us from that address, in host byte order. */
int net_stranger(uint16_t port, uint32_t source);
void net_say(int fd, const char *text);
bool net_is_closed(int fd);
