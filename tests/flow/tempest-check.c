/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/tempest.h"

#include <check.h>
#include <string.h>

/* What is true when all is over. */

static bool timed_out(const struct side *side)
{
	return side->origin == ORIGIN_TIMEOUT || side->origin == ORIGIN_NETWORK ||
	       side->status == 504 || (side->origin == ORIGIN_REMOTE && side->status == 408);
}

/* Nobody has ended it but who says so. */
static void check_own_end(const struct side *side)
{
	unsigned n = tempest_number(side->call);

	if (side->origin == ORIGIN_LOCAL && !timed_out(side))
		ck_assert_msg(side->ended_here || side->rejected || side->redirected ||
				      side->replaced || side->offer_refused || side->status == 488,
			"%u: ended here (%u %s), but nobody did", n, side->status, side->reason);
}

/* What `side` says that the other did is what it did. */
static void check_claim(const struct side *side, const struct side *other)
{
	unsigned n = tempest_number(side->call);

	if (side->origin != ORIGIN_REMOTE || timed_out(side) || timed_out(other))
		return;
	ck_assert_msg(other->origin != ORIGIN_REMOTE,
		"%u: each says it was the other (%u %s, %u %s)", n, side->status, side->reason,
		other->status, other->reason);
	/* What is asked of a session that has ended gets 481 (RFC 3261 12.2.2), and who ends one
	 * while an answer is due sends an ACK without it: either may be heard before the BYE. */
	if (side->status == 481 || strcmp(side->reason, "our offer was not answered") == 0)
		return;
	if (other->ended_here && !other->replaced)
		ck_assert_msg(strncmp(side->reason, other->why, strlen(other->why)) == 0,
			"%u: told '%s', but it was '%s'", n, side->reason, other->why);
	if (other->ended_here && !other->replaced && side->n_established)
		ck_assert_uint_eq(side->status, other->why_status);
	if (other->rejected && side->call->sides == side)
		ck_assert_msg(side->status == other->rejected, "%u: refused with %u, told as %u", n,
			other->rejected, side->status);
}

/* Both know whether there was a session. */
static void check_established(const struct side *a, const struct side *b)
{
	unsigned n = tempest_number(a->call);

	if (a->n_established || b->n_established)
		ck_assert_msg(b->accepted, "%u: established, but never accepted", n);
	if (a->n_established && !b->n_established)
		ck_assert_msg(b->ended_here || b->replaced || a->ended_here || a->replaced ||
				      timed_out(b) || timed_out(a) || a->offer_refused,
			"%u: established for the caller alone", n);
	if (b->n_established && !a->n_established)
		ck_assert_msg(a->ended_here || a->replaced || timed_out(a),
			"%u: established for the called alone", n);
}

static void check_call(struct tempest *st, const struct call *c)
{
	const struct side *a = &c->sides[0], *b = &c->sides[c->n_called];
	bool unheard = timed_out(a);

	check_own_end(a);
	st->n_established += a->n_established > 0;
	if (c->n_called == 0 || b->redirected) {
		ck_assert_msg(a->ended_here || timed_out(a) || a->origin == ORIGIN_REMOTE,
			"%u: the called never saw it", tempest_number(c));
		ck_assert_uint_eq(a->n_established, 0);
	} else {
		unheard = unheard || timed_out(b);
		check_own_end(b);
		check_established(a, b);
		check_claim(a, b);
		check_claim(b, a);
	}
	st->n_unheard += unheard;
}

static void check_side(const struct side *side)
{
	unsigned n = tempest_number(side->call);

	ck_assert_msg(side->n_terminated == side->seen, "%u: a side ended %u times", n,
		side->n_terminated);
	ck_assert_uint_le(side->n_established, 1);
	ck_assert_msg(side->n_refers == side->n_refers_finished,
		"%u: referred %u times, heard of %u", n, side->n_refers, side->n_refers_finished);
}

void tempest_check(struct tempest *st)
{
	for (unsigned i = 0; i < st->n_begun; i++) {
		for (unsigned k = 0; k <= st->calls[i].n_called; k++)
			check_side(&st->calls[i].sides[k]);
		check_call(st, &st->calls[i]);
	}
	ck_assert_uint_eq(st->n_answered, st->n_waiting);
	if (st->weather != WEATHER_ROUGH)
		return;
	/* Silence is no way to agree: the network lets nearly all of them through. */
	ck_assert_uint_ge(st->n_established, st->n_own / 10);
	ck_assert_uint_le(st->n_unheard, st->n_begun / 5);
}
