/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/gale-seat.h"

#include <check.h>

#include "protocol/base/err.h"

/* Those who are subscribed to. */

static struct gale *of_user(struct world_ua *wu)
{
	return wu->user;
}

static struct resource *resource_of(struct gale *g, const struct endpoint *ep)
{
	for (unsigned i = 0; i < RESOURCES; i++)
		if (g->resources[i].ep == ep)
			return &g->resources[i];
	ck_abort_msg("nobody's endpoint");
}

/* The state as it is now, in a text of the caller's. */
static struct subscriber_body state_of(const struct resource *r, struct buf *text)
{
	buf_u64(text, r->version);
	return (struct subscriber_body){
		.content_type = SLICE("text/plain"),
		.bytes = buf_slice(text),
		/* What is a change alone is asked for again after each refresh. */
		.partial = gale_below(r->g, 4) == 0,
	};
}

static void tell(struct seat *seat)
{
	struct buf text = BUF_NULL;
	struct subscriber_body body = state_of(seat->of, &text);
	int r = subscriber_notify(seat->s, &body);

	ck_assert_msg(r == 0 || r == -ESTALE, "%d", r);
	buf_deinit(&text);
}

void gale_changed(struct resource *r)
{
	r->version++;
	list_for_each (node, &r->g->seats) {
		struct seat *seat = list_entry(node, struct seat, node);

		if (seat->of == r && !seat->slow)
			tell(seat);
	}
}

static void let_in(struct seat *seat, enum subscriber_decision d)
{
	struct buf text = BUF_NULL;
	struct subscriber_body body = state_of(seat->of, &text);
	uint32_t most = gale_below(seat->of->g, 3) ? 0 : EXPIRES_LEAST + EXPIRES_SPAN / 2;
	int r;

	body.partial = false;
	r = subscriber_accept(seat->s, d, most, &body);
	ck_assert_msg(r == 0 || r == -ESTALE, "%d", r);
	seat->slow = false;
	buf_deinit(&text);
}

void gale_seat_welcome(struct seat *seat)
{
	enum subscriber_state state = subscriber_state(seat->s);

	if (state == SUBSCRIBER_INCOMING || state == SUBSCRIBER_PENDING)
		let_in(seat, SUBSCRIBER_ACCEPT);
}

/* Now and then for good. */
static void refuse(struct seat *seat)
{
	static const unsigned codes[] = { 480, 500, 503, 403, 404, 603 };
	unsigned code = codes[gale_below(seat->of->g, FOR_GOOD) ? gale_below(seat->of->g, 3)
								: 3 + gale_below(seat->of->g, 3)];
	int r = subscriber_reject(seat->s, code, SLICE_NULL);

	ck_assert_msg(r == 0 || r == -ESTALE, "%d", r);
}

static void decide(struct seat *seat)
{
	struct gale *g = seat->of->g;
	unsigned what = g->calm ? 0 : gale_below(g, 24);

	if (what < 15) {
		let_in(seat, SUBSCRIBER_ACCEPT);
	} else if (what < 18) {
		let_in(seat, SUBSCRIBER_LEAVE_PENDING);
	} else if (what < 19) {
		refuse(seat);
	} else if (what < 20) {
		subscriber_pass(
			seat->s, what % 2 ? SUBSCRIBER_NOBODY_THERE : SUBSCRIBER_NO_PACKAGE);
	} else {
		seat->slow = true;
	}
}

static void finish(struct seat *seat)
{
	static const struct {
		struct slice reason;
		uint32_t retry_after;
	} rows[] = {
		{ SLICE_INIT("deactivated"), 0 },
		{ SLICE_INIT("probation"), 7 },
		{ SLICE_INIT("giveup"), 3 },
		{ SLICE_INIT("timeout"), 0 },
		{ SLICE_INIT("noresource"), 0 },
		{ SLICE_INIT("rejected"), 0 },
	};
	unsigned last = ARRAY_LEN(rows) - 2;
	unsigned i = gale_below(seat->of->g, FOR_GOOD) ? gale_below(seat->of->g, last)
						       : last + gale_below(seat->of->g, 2);
	int r = subscriber_finish(seat->s, rows[i].reason, rows[i].retry_after);

	ck_assert_msg(r == 0 || r == -ESTALE, "%d", r);
}

void gale_seat_act(struct seat *seat)
{
	struct gale *g = seat->of->g;

	switch (subscriber_state(seat->s)) {
	case SUBSCRIBER_INCOMING:
		if (gale_below(g, 2))
			decide(seat);
		break;
	case SUBSCRIBER_PENDING:
		if (gale_below(g, 4))
			let_in(seat, SUBSCRIBER_ACCEPT);
		else
			refuse(seat);
		break;
	case SUBSCRIBER_ACTIVE:
		if (gale_below(g, 4) == 0)
			finish(seat);
		else
			tell(seat);
		break;
	case SUBSCRIBER_TERMINATED:
		break;
	}
}

/* ---- what is told ---- */

static void on_incoming(struct world_ua *wu, struct subscriber *s)
{
	struct gale *g = of_user(wu);
	struct seat *seat = mem_new(struct seat);

	seat->s = s;
	seat->of = resource_of(g, subscriber_endpoint(s));
	list_append(&g->seats, &seat->node);
	g->n_seats++;
	subscriber_set_user(s, seat);
	decide(seat);
}

static void on_event(struct world_ua *wu, struct subscriber *s, enum subscriber_news news)
{
	(void)wu;
	switch (news) {
	case SUBSCRIBER_WANTS_STATE:
		tell(subscriber_user(s));
		break;
	case SUBSCRIBER_NEW_BODY:
		break;
	}
}

static void on_removed(struct world_ua *wu, struct subscriber *s, const struct subscriber_end *end)
{
	struct gale *g = of_user(wu);
	struct seat *seat = subscriber_user(s);

	(void)end;
	ck_assert_msg(seat->s == s, "told twice of one end");
	g->n_removed++;
	list_remove(&seat->node);
	free(seat);
}

const struct world_subscriber_hooks gale_seat_hooks = {
	.incoming = on_incoming,
	.event = on_event,
	.removed = on_removed,
};
