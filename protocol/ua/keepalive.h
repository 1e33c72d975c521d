/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"
#include "protocol/msg/stun.h"
#include "protocol/msg/transport.h"

struct flow;
struct ua;

/*
 * Keeps a flow alive and notices when it is dead, RFC 5626 section 4.4: over a connection two CRLF
 * that want one back within ten seconds, over datagrams STUN Binding requests, repeated as RFC 8489
 * section 6.2.1 says. What is not answered, is answered by an error, or comes back with another
 * address of ours than before, ends the flow by flow_close().
 *
 * One for each flow (flow->keepalive), however many registrations are made over it. Only where the
 * far end has said that it supports that: nobody else is sent STUN.
 */
enum keepalive_state {
	KEEPALIVE_IDLE,
	KEEPALIVE_ASKED, /* waits for the answer */
};

struct keepalive {
	struct ua *ua;
	struct flow *flow;
	enum keepalive_state state;
	struct timer timer;
	uint32_t seconds; /* as the far end wants it; 0: as we like */
	bool proven;      /* answered once */
	unsigned n_sent;  /* STUN: of this request */
	uint8_t id[STUN_ID_BYTES];
	struct stun_addr mapped;
};

/* Until the next one: section 4.4.1, 4.4.2 and 4.4 for what the far end wants. */
usec_t keepalive_interval(enum transport transport, uint32_t seconds, uint64_t random);
/* After the n-th transmission of a STUN request, 1 to KEEPALIVE_SENDS, until what follows. */
usec_t keepalive_patience(unsigned n_sent);
enum { KEEPALIVE_SENDS = 7 };

/* Begins, or goes on at another pace. seconds: Flow-Timer, or keep of RFC 6223; 0: neither. */
void keepalive_start(struct ua *ua, struct flow *f, uint32_t seconds);
/* The host may take over. Does nothing if none is running. */
void keepalive_stop(struct flow *f);
/* Whether an answer came: then the flow was a success (section 4.5). */
bool keepalive_is_proven(const struct flow *f);
/* A single CRLF between messages. */
void keepalive_pong(struct flow *f);
/* A datagram that begins as STUN. Requests of others are answered, whoever asks (section 8). */
void keepalive_stun(struct flow *f, struct slice datagram);
