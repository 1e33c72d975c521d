/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dialog/offer.h"

/* When a message may bring a new offer. */
enum opening {
	NEVER,
	WHEN_IDLE,   /* nothing pends */
	WHEN_STABLE, /* nothing pends, and there was an exchange already (RFC 6337 table 1, "Ini")
		      */
	WHEN_WANTED, /* the INVITE had none */
};

/* RFC 6337 section 2.2, table 1, read by message: each line of that table is an answer here. */
static const struct {
	enum offer_carrier answers; /* the offer that a body in it answers */
	enum offer_carrier carries; /* what an offer in it counts as */
	enum opening opening;
} kinds[] = {
	[OFFER_IN_INVITE] = { OFFER_BY_NONE, OFFER_BY_INVITE, WHEN_IDLE },
	[OFFER_IN_1XX] = { OFFER_BY_INVITE, OFFER_BY_NONE, NEVER },
	[OFFER_IN_RELIABLE] = { OFFER_BY_INVITE, OFFER_BY_RELIABLE, WHEN_WANTED },
	[OFFER_IN_2XX] = { OFFER_BY_INVITE, OFFER_BY_2XX, WHEN_WANTED },
	[OFFER_IN_ACK] = { OFFER_BY_2XX, OFFER_BY_NONE, NEVER },
	[OFFER_IN_PRACK] = { OFFER_BY_RELIABLE, OFFER_BY_PRACK, WHEN_STABLE },
	[OFFER_IN_PRACK_2XX] = { OFFER_BY_PRACK, OFFER_BY_NONE, NEVER },
	[OFFER_IN_UPDATE] = { OFFER_BY_NONE, OFFER_BY_UPDATE, WHEN_STABLE },
	[OFFER_IN_UPDATE_2XX] = { OFFER_BY_UPDATE, OFFER_BY_NONE, NEVER },
};

/* The offer of whoever gets the message is answered by it. */
static bool answers(const struct offer *o, enum offer_message in, enum offer_state receivers)
{
	return o->state == receivers && o->by == kinds[in].answers;
}

static bool is_busy(const struct offer *o)
{
	return o->state == OFFER_LOCAL || o->state == OFFER_REMOTE || o->wanted;
}

static enum offer_meaning meaning_of_offer(const struct offer *o, enum opening opening)
{
	switch (opening) {
	case NEVER:
		return OFFER_MEANS_NOTHING;
	case WHEN_WANTED:
		return o->wanted ? OFFER_MEANS_OFFER : OFFER_MEANS_NOTHING;
	case WHEN_IDLE:
		return is_busy(o) ? OFFER_MEANS_GLARE : OFFER_MEANS_OFFER;
	case WHEN_STABLE:
		if (is_busy(o))
			return OFFER_MEANS_GLARE;
		return o->state == OFFER_STABLE ? OFFER_MEANS_OFFER : OFFER_MEANS_FAULT;
	}
	return OFFER_MEANS_FAULT;
}

/* NOTHING stands for a body that is one too many. */
static enum offer_meaning meaning_of_body(
	const struct offer *o, enum offer_message in, enum offer_state receivers)
{
	if (!answers(o, in, receivers))
		return meaning_of_offer(o, kinds[in].opening);
	return in == OFFER_IN_1XX ? OFFER_MEANS_PREVIEW : OFFER_MEANS_ANSWER;
}

/* A provisional response may leave its part to a later one; not so a reliable one of ours, if the
 * INVITE asked for an offer (RFC 3261 13.2.1: the first reliable one has it). */
static enum offer_meaning meaning_of_none(
	const struct offer *o, enum offer_message in, enum offer_state receivers)
{
	if (in == OFFER_IN_INVITE)
		return is_busy(o) ? OFFER_MEANS_GLARE : OFFER_MEANS_WANTED;
	if (in == OFFER_IN_1XX)
		return OFFER_MEANS_NOTHING;
	if (o->wanted && kinds[in].opening == WHEN_WANTED)
		return OFFER_MEANS_WANTED;
	return in != OFFER_IN_RELIABLE && answers(o, in, receivers) ? OFFER_MEANS_WANTED
								    : OFFER_MEANS_NOTHING;
}

enum offer_meaning offer_meaning(const struct offer *o, enum offer_message in, bool has_body)
{
	enum offer_meaning what;

	if (has_body)
		return meaning_of_body(o, in, OFFER_LOCAL);
	what = meaning_of_none(o, in, OFFER_LOCAL);
	/* A peer that forgets the offer in its first reliable 1xx may still bring it in the 2xx. */
	return in == OFFER_IN_RELIABLE ? OFFER_MEANS_NOTHING : what;
}

enum offer_meaning offer_sendable(const struct offer *o, enum offer_message in, bool has_body)
{
	enum offer_meaning what = has_body ? meaning_of_body(o, in, OFFER_REMOTE)
					   : meaning_of_none(o, in, OFFER_REMOTE);

	if (what == OFFER_MEANS_GLARE || (has_body && what == OFFER_MEANS_NOTHING))
		return OFFER_MEANS_FAULT;
	return what;
}

static void settle(struct offer *o, enum offer_state state, enum offer_carrier by)
{
	o->state = state;
	o->by = by;
	o->wanted = false;
	o->ever = o->ever || state == OFFER_STABLE;
}

static void take(
	struct offer *o, enum offer_message in, enum offer_meaning what, enum offer_state senders)
{
	switch (what) {
	case OFFER_MEANS_OFFER:
		settle(o, senders, kinds[in].carries);
		return;
	case OFFER_MEANS_ANSWER:
		settle(o, OFFER_STABLE, OFFER_BY_NONE);
		return;
	case OFFER_MEANS_WANTED:
		o->wanted = o->wanted || in == OFFER_IN_INVITE;
		return;
	case OFFER_MEANS_NOTHING:
	case OFFER_MEANS_PREVIEW:
	case OFFER_MEANS_GLARE:
	case OFFER_MEANS_FAULT:
		return;
	}
}

void offer_received(struct offer *o, enum offer_message in, enum offer_meaning what)
{
	take(o, in, what, OFFER_REMOTE);
}

void offer_sent(struct offer *o, enum offer_message in, enum offer_meaning what)
{
	take(o, in, what, OFFER_LOCAL);
}

/* Does the exchange that pends stand or fall with that request? */
static bool pends_in(const struct offer *o, enum offer_message in)
{
	switch (o->by) {
	case OFFER_BY_NONE:
		return false;
	case OFFER_BY_INVITE:
	case OFFER_BY_2XX:
		return in == OFFER_IN_INVITE;
	case OFFER_BY_RELIABLE:
	case OFFER_BY_PRACK: /* both are part of the INVITE's business */
		return in == OFFER_IN_INVITE || in == OFFER_IN_PRACK;
	case OFFER_BY_UPDATE:
		return in == OFFER_IN_UPDATE;
	}
	return false;
}

void offer_failed(struct offer *o, enum offer_message in)
{
	if (in == OFFER_IN_INVITE)
		o->wanted = false;
	if (!pends_in(o, in))
		return;
	o->state = o->ever ? OFFER_STABLE : OFFER_NONE;
	o->by = OFFER_BY_NONE;
}

const char *offer_state_name(enum offer_state s)
{
	switch (s) {
	case OFFER_NONE:
		return "none";
	case OFFER_LOCAL:
		return "local-offer";
	case OFFER_REMOTE:
		return "remote-offer";
	case OFFER_STABLE:
		return "stable";
	}
	return "none";
}
