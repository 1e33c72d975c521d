/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"
#include "protocol/base/timer.h"

struct event;
struct log_sink;
struct loop;

/*
 * Whether the machine's addresses and routes change: rtnetlink says that something did, and the
 * system's own list says what is there now. A change rarely comes alone, so that all of a second
 * are told as one.
 */

enum {
	NET_WATCH_MAX_ADDRESSES =
		1024,               /* told apart; changes beyond them are told by routes alone */
	NET_WATCH_DATAGRAM = 32768, /* what the kernel sends at once, at most */
	NET_WATCH_ROUNDS = 16,      /* datagrams before others have their turn */
};
#define NET_WATCH_SETTLE (USEC_PER_SEC)

/* What one datagram of the kernel is about. */
enum net_watch_news {
	NET_WATCH_NOTHING,   /* nothing that concerns anybody here */
	NET_WATCH_ADDRESSES, /* an address or interface: the list says whether it matters */
	NET_WATCH_ROUTES,    /* where packets go has changed */
	NET_WATCH_LOST,      /* malformed, or an overrun: anything may have happened */
};
enum net_watch_news net_watch_parse(struct slice bytes);

struct net_watch {
	struct loop *loop;
	const struct log_sink *log;
	/* Addresses or routes are others now. Called from the loop, outside of the core. */
	void (*changed)(void *ctx);
	void *ctx;
	int fd;
	struct event *readable;
	struct timer settle;
	bool routes; /* since the last time that it was told */
	char *known; /* the addresses, as text in order */
};

/* 0, or a negative errno that has been logged: then nothing is ever told. changed is set before. */
int net_watch_init(struct net_watch *w, struct loop *loop, const struct log_sink *log);
/* Does nothing to a zeroed one. */
void net_watch_deinit(struct net_watch *w);
