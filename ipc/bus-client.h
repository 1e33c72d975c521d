/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The peers of the bus: when they leave it, and which user they are. */
#include <sys/types.h>

struct bus;
struct bus_watch;

enum {
	BUS_HELD_PER_CLIENT = 64,            /* calls that wait for the caller's uid */
	BUS_HELD_BYTES_PER_CLIENT = 1 << 20, /* and their size */
	BUS_HELD_BYTES = 16 << 20,           /* of all clients together */
};

/* The client left the bus; the watch is freed after this returns. */
typedef void (*bus_left_fn)(void *ctx, const char *client);
/*
 * Tells when the unique name `client`, whose message is being handled or whose watch or kept call
 * still stands, leaves the bus. Several watches of one client are fine.
 */
struct bus_watch *bus_watch_client(
	struct bus *bus, const char *client, bus_left_fn left, void *ctx);
/* NULL in, NULL out. */
struct bus_watch *bus_unwatch(struct bus_watch *w);

/* The answer to bus_caller_uid(); (uid_t)-1: the client is gone or the bus would not say. */
typedef void (*bus_uid_fn)(void *ctx, const char *client, uid_t uid);
/*
 * Which user is behind a unique name, without blocking; remembered until the client leaves. fn runs
 * exactly once unless bus_free() comes first: at once when the answer is known already.
 */
void bus_caller_uid(struct bus *bus, const char *client, bus_uid_fn fn, void *ctx);
