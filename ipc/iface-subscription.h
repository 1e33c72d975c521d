/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * org.sipbus1.Subscription, what its files share:
 *
 *   iface-subscription.c        an object's life, its verbs and its table
 *   iface-subscription-props.c  what can be read of it
 *   iface-subscription-news.c   what its clients hear
 *   iface-digest.c              what that comes to when it is read
 *   iface-clients.c             who they are
 *   iface-subscribe.c           Endpoint.Subscribe
 *   iface-wish.c                what it asks for, and who shares what
 *   iface-refer.c               Endpoint.Refer
 */
#include "ipc/bus-table.h"
#include "ipc/iface-clients.h"
#include "ipc/iface-wish.h"

struct bus_object;
struct endpoint;
struct msg;

extern const struct bus_interface iface_subscription;

/* What an object stands on, which is what `of` points to. */
struct iface_feed {
	const char *(*state)(const void *of);
	usec_t (*expires)(const void *of);
	usec_t (*next_attempt)(const void *of);
	size_t (*dialogs)(const void *of);
	/* Why there is no dialog at the moment: false: there is one, or was none yet. */
	bool (*trouble)(const void *of, struct subscription_end *ret);
	const struct msg *(*last)(const void *of);
	int (*refresh)(void *of, uint32_t expires);
	/* NULL: it takes no bodies. */
	int (*update)(void *of, struct slice content_type, struct slice body);
	/*
	 * Wants no more: its news end with its last word. A failure: nothing can be sent. Outside
	 * of a UA_SCOPE that word, and the object's end, may come before this, refresh or update
	 * return.
	 */
	int (*end)(void *of);
	/* At once, without a word. */
	void (*free)(void *of);
};

enum { IFACE_TOLD = 5 }; /* properties that a feed changes */

struct iface_subscription {
	struct list node; /* in iface->subscriptions */
	struct iface *iface;
	struct endpoint *ep;
	const struct iface_feed *feed;
	void *of; /* NULL: over */
	struct bus_object *object;
	struct iface_clients clients;
	struct iface_share share;
	uint64_t told[IFACE_TOLD];   /* what everybody was told last: digests */
	struct iface_digest *digest; /* NULL: nobody has anything read */
	char *target, *event;
	uint32_t expires; /* seconds, asked for last */
	bool is_list;     /* what is told of each resource is told apart */
	bool ending;      /* nobody wants it any more, and nobody can join */
};

/* ---- iface-subscription.c ---- */

/* Not on the bus before its feed is there: that is the caller's to set. */
struct iface_subscription *iface_subscription_new(const struct iface_endpoint *ie,
	const struct iface_feed *feed, struct slice target, struct slice event);
/* Puts it on the bus, where it is nobody's. */
void iface_subscription_show(struct iface_subscription *sub);
/* The caller is one of its clients from now on, and gets its path; or the call is answered. */
int iface_subscription_give(struct iface_subscription *sub, struct bus_call *c);
/* At once, without a word to anybody on the network. */
void iface_subscription_free(struct iface_subscription *sub);
void iface_subscription_drop_all(struct iface *i);

/* ---- iface-subscription-props.c ---- */

extern const struct bus_property iface_subscription_properties[];

/* ---- iface-subscription-news.c ---- */

/* What a feed knows may be another. */
void iface_subscription_changed(struct iface_subscription *sub);
/* To all of its clients. */
void iface_subscription_notified(struct iface_subscription *sub, const struct msg *m);
/*
 * What is known already, if anything is, to one who comes late. If that is but a change, everybody
 * is told all there is as soon as that came.
 */
void iface_subscription_replay(struct iface_subscription *sub, const char *client);
/* One who left hears that this was all, while it goes on for others. */
void iface_subscription_dismiss(struct iface_subscription *sub, const char *client);
/* Its feed is over, and dead: so is the object. */
void iface_subscription_over(
	struct iface_subscription *sub, struct slice reason, uint32_t retry_after);
/* (s content_type, ay body, a(ss) headers) */
void iface_subscription_write(struct bus_writer *w, const struct msg *m);

/* ---- iface-subscribe.c ---- */

int iface_subscribe(struct bus_call *c, void *object);

/* ---- iface-refer.c ---- */

extern const struct bus_option iface_refer_options[];
int iface_refer(struct bus_call *c, void *object);
