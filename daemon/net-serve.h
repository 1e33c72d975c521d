/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct flow_addr;
struct host_listen;
struct host_listener;
struct net;
struct net_socket;

/*
 * Sockets on behalf of endpoints that are to be met (struct host_ops' listen). What the
 * configuration lists serves where it fits; what is opened for an endpoint, in both families, goes
 * with the last one that it serves.
 */
int net_serve(struct net *net, const struct host_listen *where, struct flow_addr *ret_at,
	struct host_listener **ret_listener);
void net_serve_end(struct host_listener *l);
/* Does s serve that pool? */
bool net_serve_is_for(const struct net_socket *s, const char *pool);
