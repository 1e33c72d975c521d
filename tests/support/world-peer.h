/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "tests/support/world.h"

/*
 * The scripted peer: whatever has no user agent at its address. Messages of user agents to it
 * queue up until the test expects them. Returned messages live as long as the world.
 */

/* A message together with the way it came. */
struct world_mail {
	struct list node;
	struct world *w;
	struct msg *msg;
	enum transport transport;
	struct flow_addr from, to;
};

/*
 * The next message that a user agent sent: a request with that method, or a response if what is
 * a number. Lets what is in flight arrive; fails if there is none or another.
 */
const struct msg *world_expect_out(struct world *w, const char *what);
/* The same, but lets time pass until one comes, at most limit. */
const struct msg *world_wait_out(struct world *w, const char *what, usec_t limit);
/* Time passes and nothing comes. */
void world_expect_silence(struct world *w, usec_t duration);
/* Throws away what nobody expected; says how many. */
size_t world_skip_out(struct world *w);

/*
 * Answers a request that came by world_expect_out(). headers: lines that end with "\n", or NULL; an
 * empty line starts the body. {contact} stands for the request's first Contact URI in its
 * brackets, {n} for a number that is new each time, {length} for the length of the body.
 */
void world_reply(struct world *w, const struct msg *request, unsigned status, const char *headers);
/* The same with that To tag, so that several answers are one dialog's; "": none. */
void world_reply_as(struct world *w, const struct msg *request, unsigned status, const char *tag,
	const char *headers);
/*
 * A message from "udp:192.0.2.1:5060" ("tcp:[2001:db8::1]:5060") to the user agent, where it
 * listens or, with ">49152" behind, to that port of a connection of its own. Lines end with "\n".
 * Beside the above: {ua} and {peer} are the two addresses with port, {contact} the contact URI of
 * its first endpoint.
 */
void world_in(struct world_ua *wu, const char *from, const char *text);

/*
 * Instead of queueing, an automatic peer sees each message; true: it took it. It answers by
 * world_mail_reply().
 */
typedef bool world_peer_fn(void *ctx, struct world_mail *mail);
void world_set_peer(struct world *w, world_peer_fn *fn, void *ctx);
void world_mail_reply(struct world_mail *mail, unsigned status, const char *headers);
