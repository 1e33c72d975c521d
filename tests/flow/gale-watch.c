/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/gale-watch.h"

#include <check.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/substate.h"
#include "protocol/ua/request-headers.h"

/* Those who subscribe. */

static unsigned number(const struct watch *w)
{
	return (unsigned)(w - w->g->watches);
}

/* ---- what is told ---- */

static uint64_t dialog_of(const struct msg *m)
{
	return slice_hash(m->call_id, slice_hash(m->from_tag, 1));
}

/* After the last NOTIFY of a dialog no other of it counts (RFC 6665 4.4.1). */
static void check_dialog(struct watch *w, const struct msg *m)
{
	uint64_t dialog = dialog_of(m);
	struct substate sub;

	for (unsigned i = 0; i < w->n_over; i++)
		ck_assert_msg(w->over[i] != dialog, "%u: told after the last NOTIFY", number(w));
	ck_assert_int_eq(substate_parse(msg_header(m, HDR_SUBSCRIPTION_STATE), &sub), 0);
	if (sub.state != SUBSTATE_TERMINATED)
		return;
	ck_assert_uint_lt(w->n_over, ROOM);
	w->over[w->n_over++] = dialog;
}

static void on_notified(void *owner, struct subscription *s, const struct msg *m)
{
	struct watch *w = owner;
	uint32_t version;

	ck_assert(w->s == s && w->n_terminated == 0);
	w->n_notified++;
	check_dialog(w, m);
	if (!m->body.n)
		return;
	ck_assert_msg(slice_to_u32(m->body, w->of->version, &version),
		"%u: a state that never was: %.*s", number(w), SLICE_ARGS(m->body));
	ck_assert_msg(w->dialog != dialog_of(m) || version >= w->version,
		"%u: the past came back, %u after %u", number(w), version, w->version);
	w->dialog = dialog_of(m);
	w->version = version;
}

static void on_changed(void *owner, struct subscription *s)
{
	struct watch *w = owner;

	ck_assert(w->s == s && w->n_terminated == 0);
	if (w->end_at != USEC_NEVER && gale_below(w->g, 200) == 0)
		gale_watch_end(w);
}

static void on_terminated(void *owner, struct subscription *s, const struct subscription_end *end)
{
	struct watch *w = owner;

	(void)end;
	ck_assert_msg(w->s == s && w->n_terminated++ == 0, "%u: ended twice", number(w));
	ck_assert_uint_eq(subscription_state(s), SUBSCRIPTION_TERMINATED);
	w->s = NULL;
}

static const struct subscription_ops ops = {
	.notified = on_notified,
	.changed = on_changed,
	.terminated = on_terminated,
};

/* ---- what owners do ---- */

void gale_watch_begin(struct gale *g)
{
	unsigned party = gale_below(g, PARTIES), k = gale_below(g, ENDPOINTS);
	struct watch *w = &g->watches[g->n_watches];
	struct endpoint *ep = g->resources[party * ENDPOINTS + k].ep;
	struct buf target = BUF_NULL;
	struct subscription_spec spec = { .event = SLICE("presence") };

	if (!ep)
		return;
	*w = (struct watch){ .g = g, .party = party, .of = gale_target(g, party, k), .seen = true };
	w->fetch = gale_below(g, 12) == 0;
	spec.expires = w->fetch ? 0 : EXPIRES_LEAST + gale_below(g, EXPIRES_SPAN);
	w->end_at = gale_below(g, STAY_ODDS)
			    ? world_now(g->w) + world_random_below(g->w, HASTE * SEC)
			    : USEC_NEVER;
	gale_append_uri(&target, w->of);
	spec.target = buf_slice(&target);
	ck_assert_int_eq(subscription_new(ep, &spec, &ops, w, &w->s), 0);
	g->n_watches++;
	buf_deinit(&target);
}

void gale_watch_end(struct watch *w)
{
	if (!w->s)
		return;
	w->ended_here = true;
	if (gale_below(w->g, 10)) {
		subscription_end(w->s);
		return;
	}
	w->freed = true;
	subscription_free(mem_take(&w->s));
}

void gale_watch_act(struct watch *w)
{
	int r = 0;

	switch (gale_below(w->g, 8)) {
	case 0:
		if (w->end_at != USEC_NEVER)
			gale_watch_end(w);
		break;
	case 1:
	case 2:
	case 3:
		r = subscription_update(w->s, SLICE("text/plain"), SLICE("filter"));
		break;
	default:
		r = subscription_refresh(w->s, EXPIRES_LEAST + gale_below(w->g, EXPIRES_SPAN));
		break;
	}
	ck_assert_msg(r == 0 || r == -ESTALE, "%d", r);
}
