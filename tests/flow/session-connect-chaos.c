/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Carol connects Anna with Bob again and again, over a network that loses, doubles and reorders,
 * while all three do what they like when they like. Whoever is joined in the end agrees on what was
 * described, and nothing is left when they are gone.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/ua/connect-private.h"
#include "tests/support/run.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

#define SEC USEC_PER_SEC
#define MSEC USEC_PER_MSEC

enum {
	WORLDS = 12,
	CONNECTIONS = 40, /* in each */
	VERBS = 12,       /* for each of them, on the average */
	LIVE = 256,
};

struct live {
	struct session *list[LIVE];
	size_t n;
};

struct chaos {
	struct world *w;
	struct world_ua *carol, *anna, *bob;
	struct endpoint *eps[3];
	struct live calls, parties;
	unsigned version;
	unsigned n_joined;
	bool gentle; /* offers are answered and nothing is begun */
};

static unsigned below(struct chaos *c, unsigned bound)
{
	return (unsigned)world_random_below(c->w, bound);
}

static void add(struct live *l, struct session *s)
{
	ck_assert_uint_lt(l->n, LIVE);
	l->list[l->n++] = s;
}

static void drop(struct live *l, const struct session *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i] == s)
			l->list[i] = l->list[--l->n];
}

/* ---- what parties say ---- */

/* No two are the same: who heard what can be told. */
static struct session_body describe(struct chaos *c, char *text, size_t n)
{
	c->version++;
	(void)snprintf(text, n,
		"v=0\r\no=p 1 %u IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio %u RTP/AVP 0\r\n", c->version,
		1024 + c->version);
	return world_sdp(text);
}

static void answer(struct chaos *c, struct session *s)
{
	char text[128];
	struct session_body body = describe(c, text, sizeof(text));

	(void)session_answer(s, &body);
}

static void accept(struct chaos *c, struct session *s)
{
	char text[128];
	struct session_body body = describe(c, text, sizeof(text));

	(void)session_accept(s, &body, NULL);
}

static void offer(struct chaos *c, struct session *s)
{
	char text[128];
	struct session_body body = describe(c, text, sizeof(text));

	(void)session_offer(s, &body, SLICE_NULL, NULL);
}

/* A re-INVITE without offer brought one. */
static void on_wished(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct session *s = owner;

	(void)body;
	/* A session that ended first is gone. */
	if (!o->error)
		answer(session_endpoint(s)->user, s);
}

static void wish(struct session *s)
{
	const struct session_reply reply = { .done = on_wished, .owner = s };

	(void)session_offer(s, &(struct session_body){ 0 }, SLICE_NULL, &reply);
}

static void act(struct chaos *c, struct session *s)
{
	static const struct session_ring ring = { 0 };

	switch (below(c, 12)) {
	case 0:
		(void)session_ring(s, &ring);
		break;
	case 1:
	case 2:
	case 3:
	case 4:
		accept(c, s);
		break;
	case 5: /* rarely, or nothing would come of anything */
		if (below(c, 6) == 0)
			(void)session_terminate(s, NULL);
		break;
	case 6:
	case 7:
	case 8:
		offer(c, s);
		break;
	case 9:
	case 10:
		wish(s);
		break;
	case 11:
		(void)session_info(s, SLICE_NULL, &(struct session_body){ 0 }, NULL, NULL);
		break;
	}
}

/* ---- what they hear ---- */

static void on_incoming(struct world_ua *wu, struct session *s)
{
	struct chaos *c = wu->user;

	add(&c->parties, s);
}

static void on_party(struct world_ua *wu, struct session *s, const struct ua_session_event *e)
{
	struct chaos *c = wu->user;

	if (e->news == UA_SESSION_OFFER && (c->gentle || below(c, 5)))
		answer(c, s);
	else if (e->news == UA_SESSION_OFFER)
		(void)session_reject_offer(s, 488);
}

static void on_carol(struct world_ua *wu, struct session *s, const struct ua_session_event *e)
{
	struct chaos *c = wu->user;

	(void)s;
	ck_assert_int_ne(e->news, UA_SESSION_OFFER);
	c->n_joined += e->news == UA_SESSION_ESTABLISHED;
}

static void on_removed(struct world_ua *wu, struct session *s)
{
	struct chaos *c = wu->user;

	drop(wu == c->carol ? &c->calls : &c->parties, s);
}

static const struct world_session_hooks hooks_of_party = { on_incoming, on_party, on_removed };
static const struct world_session_hooks hooks_of_carol = { on_incoming, on_carol, on_removed };

/* ---- the world ---- */

static struct world_ua *join(struct chaos *c, const char *id, const char *address, size_t i)
{
	const struct world_account a = { .id = id, .domain = address };
	struct world_ua *wu = world_ua(c->w, address);

	wu->user = c;
	wu->sessions = i ? &hooks_of_party : &hooks_of_carol;
	c->eps[i] = world_endpoint(wu, &a);
	c->eps[i]->user = c;
	return wu;
}

static void set_weather(struct chaos *c, unsigned per_cent)
{
	struct world_net *net = world_net(c->w);

	net->delay = 20 * MSEC;
	net->jitter = per_cent ? 100 * MSEC : 0;
	net->loss = net->duplicate = net->reorder = per_cent;
}

static void connect_again(struct chaos *c)
{
	static const struct connect_spec spec = {
		.first = SLICE_INIT("sip:anna@192.0.2.20"),
		.second = SLICE_INIT("sip:bob@192.0.2.30"),
	};
	struct session *s;
	const char *why;

	ck_assert_int_eq(connect_new(c->eps[0], &spec, &s, &why), 0);
	add(&c->calls, s);
}

static void rage(struct chaos *c)
{
	set_weather(c, 10);
	for (int i = 0; i < CONNECTIONS; i++) {
		connect_again(c);
		for (int k = 0; k < VERBS; k++) {
			world_run(c->w, below(c, 2000) * MSEC);
			if (c->parties.n)
				act(c, c->parties.list[below(c, (unsigned)c->parties.n)]);
			if (c->calls.n && below(c, 40) == 0)
				(void)session_terminate(
					c->calls.list[below(c, (unsigned)c->calls.n)], NULL);
		}
	}
}

/* ---- the end ---- */

static struct session *find(const struct live *l, const struct session *peer)
{
	for (size_t i = 0; i < l->n; i++)
		if (slice_eq(session_call_id(l->list[i]), session_call_id(peer)))
			return l->list[i];
	return NULL;
}

/* But for the origin line, which is another for who was held. */
static struct slice essence(const struct leg_body *b)
{
	struct slice text = leg_body_get(b).bytes, line;

	for (int i = 0; i < 2; i++)
		(void)slice_cut(text, '\n', &line, &text);
	return text;
}

static void check_heard(const struct session *from, const struct session *to)
{
	struct slice said = essence(&from->leg->local), heard = essence(&to->leg->remote);

	ck_assert_msg(slice_eq(said, heard), "said %.*s\nheard %.*s", SLICE_ARGS(said),
		SLICE_ARGS(heard));
}

static size_t check_agreement(const struct chaos *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->calls.n; i++) {
		const struct connect_side *side = c->calls.list[i]->observer_owner;
		const struct session *first, *second;

		ck_assert_int_ne(side->c->phase, CONNECT_MATCH); /* nothing is left open */
		if (side->c->phase != CONNECT_JOINED)
			continue;
		first = find(&c->parties, side->c->first.s);
		second = find(&c->parties, side->c->second.s);
		ck_assert(first && second);
		check_heard(first, second);
		check_heard(second, first);
		n++;
	}
	return n;
}

static void leave(struct chaos *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->eps); i++)
		endpoint_close(c->eps[i]);
	world_run(c->w, 300 * SEC);
	world_expect_idle(c->carol);
	world_expect_idle(c->anna);
	world_expect_idle(c->bob);
	world_free(c->w);
}

START_TEST(who_is_joined_agrees)
{
	unsigned joined = 0;
	size_t agreed = 0;

	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		struct chaos c = { .w = world_new(seed) };

		world_hush(c.w);
		c.carol = join(&c, "carol", "192.0.2.10", 0);
		c.anna = join(&c, "anna", "192.0.2.20", 1);
		c.bob = join(&c, "bob", "192.0.2.30", 2);
		rage(&c);
		c.gentle = true;
		set_weather(&c, 0);
		world_run(c.w, 150 * SEC);
		agreed += check_agreement(&c);
		joined += c.n_joined;
		leave(&c);
	}
	/* The test is worth something. */
	printf("# %u joined, %zu in the end\n", joined, agreed);
	ck_assert_uint_gt(joined, WORLDS * CONNECTIONS / 8);
	ck_assert_uint_gt(agreed, WORLDS);
}
END_TEST

RUN_TESTS("session-connect-chaos", who_is_joined_agrees)
