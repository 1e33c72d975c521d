/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the user agent tells: the core's one voice to the outside. */

struct endpoint;
struct incoming;
struct outcome;

/* What changed about an endpoint, as a mask, so that its watcher re-reads only that. */
enum ua_change {
	UA_CHANGE_REGISTRATION = 1 << 0, /* state, expiry, next attempt, last error */
	UA_CHANGE_BINDINGS = 1 << 1,
	UA_CHANGE_CONTACT = 1 << 2, /* contact, server, flow */
	UA_CHANGE_AUTH = 1 << 3,    /* scheme in use */
};

/* What a registration verb asked for. */
enum ua_verb {
	UA_REGISTER,
	UA_UNREGISTER,
};

/*
 * News, delivered when the outermost input or verb returns: a listener may call any verb, free
 * functions included. Every member must be set. Endpoints are told as added before anything else
 * and as removed after everything else.
 */
struct ua_listener {
	void (*endpoint_added)(void *ctx, struct endpoint *ep);
	/* The pointer is dead when this returns. */
	void (*endpoint_removed)(void *ctx, struct endpoint *ep);
	void (*endpoint_changed)(void *ctx, struct endpoint *ep, unsigned changes);
	/* A registration or un-registration that somebody asked for, or a refresh, ended. */
	void (*registration_done)(
		void *ctx, struct endpoint *ep, enum ua_verb verb, const struct outcome *o);
	/*
	 * A request outside any dialog waits for somebody's decision. The listener answers by
	 * incoming_reply() or incoming_pass(), now or later, exactly once (incoming.h).
	 */
	void (*incoming)(void *ctx, struct incoming *in);
	/*
	 * Nobody waits for the decision any more (the transaction ended, the endpoint closes): the
	 * pointer is dead after.
	 */
	void (*incoming_gone)(void *ctx, struct incoming *in);
};
