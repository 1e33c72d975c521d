/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/tempest.h"

#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "protocol/ua/request-headers.h"
#include "protocol/ua/session-refer.h"

/* What the owners of sessions do. */

const char *const tempest_addresses[PARTIES] = { "192.0.2.10", "192.0.2.20", "192.0.2.30" };
const char *const tempest_names[PARTIES][ENDPOINTS] = { { "alice", "anna" }, { "bob", "ben" },
	{ "carol", "clara" } };

unsigned tempest_below(struct tempest *st, unsigned bound)
{
	return (unsigned)world_random_below(st->w, bound);
}

unsigned tempest_number(const struct call *c)
{
	return (unsigned)(c - c->storm->calls);
}

struct session_body tempest_body(struct tempest *st)
{
	static const char *const texts[] = { "v=0 a", "v=0 b", "v=0 c" };

	return world_sdp(texts[tempest_below(st, ARRAY_LEN(texts))]);
}

/* A URI of somebody who is not that party. */
void tempest_other_uri(struct tempest *st, unsigned party, struct buf *b)
{
	unsigned other = (party + 1 + tempest_below(st, PARTIES - 1)) % PARTIES;

	buf_printf(b, "sip:%s@%s", tempest_names[other][tempest_below(st, ENDPOINTS)],
		tempest_addresses[other]);
}

/* ---- verbs that wait ---- */

struct waiting {
	struct tempest *storm;
	unsigned text; /* number of what was written + 1; 0: nothing */
};

static void on_done(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct waiting *w = owner;

	(void)body;
	ck_assert_int_le(o->error, 0);
	ck_assert_msg(o->error || (o->status >= 200 && o->status < 300), "done with %u", o->status);
	if (o->error == 0 && w->text)
		ck_assert_msg(w->storm->written[w->text - 1] == 1, "answered, but not told");
	w->storm->n_verbs_ok += o->error == 0;
	w->storm->n_answered++;
	free(w);
}

static struct session_reply expect_done(struct tempest *st, struct waiting **ret)
{
	*ret = mem_new(struct waiting);
	(*ret)->storm = st;
	return (struct session_reply){ .done = on_done, .owner = *ret };
}

static void count(struct tempest *st, int r, struct waiting *w)
{
	if (r == 0)
		st->n_waiting++;
	else
		free(w);
}

static void do_offer(struct tempest *st, struct side *side)
{
	struct session_body b = tempest_body(st);
	struct waiting *w;
	struct session_reply reply = expect_done(st, &w);

	count(st, session_offer(side->s, &b, SLICE_NULL, &reply), w);
}

/* Each text is another, so that the far side can tell what came twice. */
static void write_text(struct tempest *st, struct side *side, bool info)
{
	struct buf text = BUF_NULL;
	struct session_body b = { .type = SLICE("text/plain") };
	struct waiting *w;
	struct session_reply reply = expect_done(st, &w);
	int r;

	ck_assert_uint_lt(st->n_written, WRITTEN_MAX);
	buf_u64(&text, st->n_written);
	b.bytes = buf_slice(&text);
	w->text = ++st->n_written;
	if (info)
		r = session_info(side->s, tempest_below(st, 2) ? SLICE("dtmf") : SLICE_NULL, &b,
			NULL, &reply);
	else
		r = session_message(side->s, &b, NULL, &reply);
	count(st, r, w);
	buf_deinit(&text);
}

static void do_message(struct tempest *st, struct side *side)
{
	write_text(st, side, false);
}

static void do_info(struct tempest *st, struct side *side)
{
	write_text(st, side, true);
}

/* ---- transfer ---- */

static struct session *another_session(struct tempest *st, const struct side *side)
{
	unsigned from = tempest_below(st, st->n_begun);

	for (unsigned i = 0; i < st->n_begun; i++) {
		struct call *c = &st->calls[(from + i) % st->n_begun];

		for (unsigned k = 0; k <= c->n_called; k++)
			if (c != side->call && c->sides[k].s && c->sides[k].party == side->party &&
				session_state(c->sides[k].s) == SESSION_ESTABLISHED)
				return c->sides[k].s;
	}
	return NULL;
}

static void do_refer(struct tempest *st, struct side *side)
{
	struct session_refer r = { .no_subscription = tempest_below(st, 4) == 0 };
	struct buf target = BUF_NULL;

	if (tempest_below(st, 2))
		r.replaces = another_session(st, side);
	if (!r.replaces) {
		tempest_other_uri(st, side->party, &target);
		r.target = buf_slice(&target);
	}
	if (session_refer(side->s, &r) == 0)
		side->n_refers++;
	buf_deinit(&target);
}

struct call *tempest_call(struct tempest *st, unsigned party)
{
	struct call *c = &st->calls[st->n_begun];

	c->storm = st;
	c->sides[0].party = party;
	c->long_lived = tempest_below(st, LONG_ODDS) == 0;
	c->end_at = world_now(st->w) +
		    world_random_below(st->w, (c->long_lived ? LONG_LIFE : LIFE) * SEC);
	for (unsigned i = 0; i <= ATTEMPTS; i++)
		c->sides[i].call = c;
	return c;
}

void tempest_begun(struct call *c)
{
	c->sides[0].seen = true;
	session_set_user(c->sides[0].s, &c->sides[0]);
	c->storm->n_begun++;
}

/* Does what the peer asked for. */
static void follow(struct tempest *st, struct side *side, uint32_t id)
{
	struct call *c = tempest_call(st, side->party);
	struct buf text = BUF_NULL;
	struct request_header header = { .name = SLICE("X-Number") };
	struct session_spec spec = { .headers = { &header, 1 } };
	const char *why = NULL;

	if (st->n_begun == st->n_room)
		return;
	if (tempest_below(st, 4))
		spec.offer = tempest_body(st);
	buf_u64(&text, st->n_begun);
	header.value = buf_slice(&text);
	if (session_follow_refer(side->s, id, &spec, &c->sides[0].s, &why) == 0)
		tempest_begun(c);
	buf_deinit(&text);
}

void tempest_referred(struct tempest *st, struct side *side, uint32_t id)
{
	switch (tempest_below(st, 5)) {
	case 0:
		(void)session_reject_refer(side->s, id, 603);
		break;
	case 1:
		if (session_accept_refer(side->s, id) == 0)
			side->refer = id;
		break;
	case 2: /* nobody answers */
		break;
	default:
		follow(st, side, id);
		break;
	}
}

static void do_refer_answer(struct tempest *st, struct side *side)
{
	uint32_t id = side->refer;

	if (tempest_below(st, 2)) {
		(void)session_notify_refer(side->s, id, 180, SLICE_NULL);
		return;
	}
	(void)session_notify_refer(side->s, id, 200, SLICE_NULL);
	side->refer = 0;
}

/* ---- the other verbs ---- */

static void say_why(struct side *side, const char *what)
{
	(void)snprintf(side->why, sizeof(side->why), "%s %u", what, tempest_number(side->call));
}

void tempest_end(struct tempest *st, struct side *side)
{
	static const unsigned codes[] = { 486, 603, 480, 404 };
	unsigned code = codes[tempest_below(st, ARRAY_LEN(codes))];
	struct buf value = BUF_NULL;
	struct request_header header = { .name = SLICE("Reason") };
	struct session_end end = { .status = code, .headers = { &header, 1 } };
	bool refuses =
		!session_is_outgoing(side->s) && session_state(side->s) < SESSION_ESTABLISHED;

	if (session_state(side->s) >= SESSION_TERMINATING)
		return;
	say_why(side, "gone");
	end.reason = slice_str(side->why);
	buf_printf(&value, "SIP;cause=%u;text=\"%s\"", code, side->why);
	header.value = buf_slice(&value);
	side->ended_here = true;
	side->why_status = code;
	if (refuses)
		side->rejected = code;
	ck_assert_int_eq(session_terminate(side->s, &end), 0);
	buf_deinit(&value);
}

void tempest_answer(struct tempest *st, struct side *side)
{
	struct session_body b = tempest_body(st);

	side->offer_waits = false;
	if (tempest_below(st, 8) > 0)
		(void)session_answer(side->s, &b);
	else if (session_reject_offer(side->s, 488) == 0)
		side->offer_refused = true;
}

static void do_ring(struct tempest *st, struct side *side)
{
	struct session_ring r = { .status = tempest_below(st, 2) ? 180 : 183 };

	if (tempest_below(st, 3) == 0)
		r.reliable = SESSION_RELIABLE;
	if (tempest_below(st, 3) == 0)
		r.body = tempest_body(st);
	(void)session_ring(side->s, &r);
}

static void do_accept(struct tempest *st, struct side *side)
{
	struct session_body b = tempest_body(st), none = { 0 };
	struct session *replaced = session_replaced(side->s);
	struct side *other = replaced ? session_user(replaced) : NULL;
	int r = session_accept(side->s, &b, NULL);

	if (r < 0)
		r = session_accept(side->s, &none, NULL);
	if (r < 0)
		return;
	side->accepted = true;
	if (other)
		other->replaced = true;
}

static void do_reject(struct tempest *st, struct side *side)
{
	static const unsigned codes[] = { 486, 480, 603, 404, 500, 488 };
	unsigned code = codes[tempest_below(st, ARRAY_LEN(codes))];

	say_why(side, "no");
	if (session_reject(side->s, code, slice_str(side->why), NULL) == 0)
		side->rejected = code;
}

static void do_redirect(struct tempest *st, struct side *side)
{
	struct buf uri = BUF_NULL;
	struct slice target;

	if (side->call->n_called == ATTEMPTS)
		return;
	buf_printf(&uri, "sip:%s@%s", tempest_names[side->party][tempest_below(st, ENDPOINTS)],
		tempest_addresses[side->party]);
	target = buf_slice(&uri);
	if (session_redirect(side->s, &target, 1, NULL) == 0)
		side->redirected = true;
	buf_deinit(&uri);
}

static void within(struct tempest *st, struct side *side)
{
	static void (*const verbs[])(struct tempest *, struct side *) = {
		do_offer,
		do_offer,
		do_message,
		do_info,
		do_refer,
		tempest_end,
	};

	if (side->offer_waits && tempest_below(st, 4))
		tempest_answer(st, side);
	else if (side->refer && tempest_below(st, 4))
		do_refer_answer(st, side);
	else
		verbs[tempest_below(st, ARRAY_LEN(verbs))](st, side);
}

static void called_decides(struct tempest *st, struct side *side)
{
	unsigned what = tempest_below(st, 12);

	if (side->accepted || side->rejected || side->redirected)
		return;
	if (what < 4)
		do_ring(st, side);
	else if (what < 8)
		do_accept(st, side);
	else if (what < 9)
		do_reject(st, side);
	else if (what < 10)
		do_redirect(st, side);
	else if (what < 11)
		do_offer(st, side);
	else
		tempest_end(st, side);
}

void tempest_act(struct side *side)
{
	struct tempest *st = side->call->storm;

	if (!side->s)
		return;
	switch (session_state(side->s)) {
	case SESSION_INCOMING:
	case SESSION_TRYING:
	case SESSION_RINGING:
	case SESSION_EARLY:
		if (side->offer_waits)
			tempest_answer(st, side);
		else if (!session_is_outgoing(side->s))
			called_decides(st, side);
		else if (tempest_below(st, 4) == 0)
			tempest_end(st, side);
		else
			do_offer(st, side);
		break;
	case SESSION_ESTABLISHED:
		within(st, side);
		break;
	case SESSION_TERMINATING:
	case SESSION_TERMINATED:
		break;
	}
}

/* The same verb on both sides in the same instant. */
void tempest_collide(struct call *c)
{
	static void (*const verbs[])(
		struct tempest *, struct side *) = { do_offer, tempest_end, do_refer, do_message };
	void (*verb)(struct tempest *, struct side *) =
		verbs[tempest_below(c->storm, ARRAY_LEN(verbs))];

	for (unsigned i = 0; i <= c->n_called; i++)
		if (c->sides[i].s && session_state(c->sides[i].s) == SESSION_ESTABLISHED)
			verb(c->storm, &c->sides[i]);
}
