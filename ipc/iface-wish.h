/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a client asks Endpoint.Subscribe for. Clients that ask one endpoint for the same share what
 * comes of it: URIs are the same by RFC 3261 19.1.4, all else by its bytes. How long is no part of
 * it, for what is wanted is kept up.
 */
#include "ipc/bus-table.h"
#include "protocol/base/buf.h"
#include "protocol/base/map.h"
#include "protocol/ua/subscription.h"

struct bus_call;
struct iface;
struct iface_endpoint;
struct iface_subscription;

enum {
	IFACE_WISH_EXPIRES = 3600, /* seconds, when nothing else is asked for */
	IFACE_WISH_ACCEPT = 64,    /* elements of Accept */
};

extern const struct bus_option iface_subscribe_options[];

struct iface_wish {
	struct subscription_spec spec; /* borrows from the call, and from what is below */
	char *accept;
	struct request_header *headers;
	struct slice *targets;
	bool alone;   /* shared with nobody */
	bool silent;  /* no replay of what is known already */
	bool summary; /* tell what is in it, too */
};

/*
 * The arguments and options of Endpoint.Subscribe. On failure the call is answered, and *ret has to
 * be given up all the same.
 */
int iface_wish_read(struct bus_call *c, struct iface_wish *ret);
void iface_wish_deinit(struct iface_wish *w);
/* 0, or the call is answered: nothing lasts that long. */
int iface_wish_check_expires(struct bus_call *c, uint32_t seconds);

/* What makes an object one that others may join. */
struct iface_share {
	struct map_node node; /* in iface->shares; unlinked: nobody joins any more */
	struct buf key;       /* all but the target's finer points */
};

/* The object of that endpoint that serves that wish already, or NULL. */
struct iface_subscription *iface_wish_find(
	const struct iface_endpoint *ie, const struct iface_wish *w);
/* From now on sub serves whoever has that wish; unless it wants to be alone. */
void iface_wish_share(struct iface_subscription *sub, const struct iface_wish *w);
/* Nobody joins it any more. */
void iface_wish_unshare(struct iface_subscription *sub);
