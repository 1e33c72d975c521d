/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"

/* The network of a world (world.h), which loses, delays and refuses as it is told. */

struct flow;
struct world;
struct world_ua;

struct world_net {
	usec_t delay, jitter;              /* one way; UDP may overtake itself by jitter */
	unsigned loss, duplicate, reorder; /* per cent, UDP only */
	usec_t dns_delay;
	unsigned drop_next; /* that many datagrams from now on vanish */
	/* A connection that nobody uses closes after that: ours, and those of others; 0: never. */
	usec_t linger, idle;
};
struct world_net *world_net(struct world *w);
enum world_reach {
	WORLD_UP,
	WORLD_REFUSED,  /* TCP: reset; UDP: port unreachable */
	WORLD_NO_TCP,   /* TCP: reset; UDP works */
	WORLD_MUTE_TCP, /* connections time out; UDP works */
	WORLD_SILENT,   /* everything vanishes, connections time out */
};
/* Of connections, TLS is one more: what is said of TCP holds for it. */
void world_set_reach(struct world *w, const char *address, enum world_reach reach);
/*
 * TLS handshakes with that address fail from now on, and ua_flow_down() names the reason, which
 * begins with the failure's name as the daemon's do ("expired: ..."); NULL: they succeed.
 */
void world_set_tls(struct world *w, const char *address, const char *reason);
/* Every TCP and TLS connection of that user agent breaks. */
void world_cut(struct world_ua *wu);
/* That connection alone; a datagram way is told to be unreachable. */
void world_cut_flow(struct world_ua *wu, struct flow *f);
/*
 * The user agent is known under another address from now on, and is told so; its flows break. "":
 * it has none, and no way to anywhere.
 */
void world_move(struct world_ua *wu, const char *address);
