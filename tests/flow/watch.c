/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/watch.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void copy(char *to, size_t size, struct slice from)
{
	(void)snprintf(to, size, "%.*s", SLICE_ARGS(from));
}

static void leave_early(struct watch *w, struct subscription *s)
{
	if (!w->frees)
		return;
	w->s = NULL;
	subscription_free(s);
}

static void on_notified(void *owner, struct subscription *s, const struct msg *m)
{
	struct watch *w = owner;

	ck_assert_ptr_eq(subscription_last(s), m);
	w->n_notified++;
	copy(w->body, sizeof(w->body), m->body);
	leave_early(w, s);
}

static void on_changed(void *owner, struct subscription *s)
{
	struct watch *w = owner;

	w->n_changed++;
	leave_early(w, s);
}

static void on_terminated(void *owner, struct subscription *s, const struct subscription_end *end)
{
	struct watch *w = owner;

	ck_assert_ptr_eq(s, w->s);
	ck_assert_uint_eq(subscription_state(s), SUBSCRIPTION_TERMINATED);
	ck_assert_uint_eq(subscription_dialogs(s), 0);
	w->s = NULL;
	w->n_terminated++;
	copy(w->reason, sizeof(w->reason), end->reason);
	w->status = end->status;
	w->origin = end->origin;
	w->retry_after = end->retry_after;
	if (w->frees)
		subscription_free(s);
}

static const struct subscription_ops ops = {
	.notified = on_notified, .changed = on_changed, .terminated = on_terminated
};

void watch_scene(struct watch *w)
{
	static const struct world_account alice = {
		.id = "alice", .domain = "example.com", .registrar = "192.0.2.20"
	};

	*w = (struct watch){ .c = { .cseq = 100 } };
	w->c.w = world_new(1);
	w->c.wu = world_ua(w->c.w, "192.0.2.10");
	w->c.ep = world_endpoint(w->c.wu, &alice);
}

static const struct msg *learn(struct watch *w, const struct msg *m)
{
	ck_assert(!m->to_tag.p);
	copy(w->c.call_id, sizeof(w->c.call_id), m->call_id);
	copy(w->c.ours, sizeof(w->c.ours), m->from_tag);
	return m;
}

const struct msg *watch_subscribe(struct watch *w, const struct subscription_spec *spec)
{
	ck_assert_int_eq(subscription_new(w->c.ep, spec, &ops, w, &w->s), 0);
	ck_assert_uint_eq(subscription_state(w->s), SUBSCRIPTION_PENDING);
	return learn(w, world_expect_out(w->c.w, "SUBSCRIBE"));
}

const struct msg *watch_event(struct watch *w, const char *event, uint32_t expires)
{
	struct subscription_spec spec = {
		.target = SLICE("sip:bob@example.com"),
		.event = slice_str(event),
		.expires = expires,
	};

	w->event = event;
	return watch_subscribe(w, &spec);
}

const struct msg *watch_again(struct watch *w, usec_t limit)
{
	char old[sizeof(w->c.call_id)], tag[sizeof(w->c.ours)];
	const struct msg *m = world_wait_out(w->c.w, "SUBSCRIBE", limit);

	(void)snprintf(old, sizeof(old), "%s", w->c.call_id);
	(void)snprintf(tag, sizeof(tag), "%s", w->c.ours);
	learn(w, m);
	/* RFC 6665 4.1.2.2 */
	ck_assert_str_ne(old, w->c.call_id);
	ck_assert_str_ne(tag, w->c.ours);
	return m;
}

const struct msg *watch_refresh(struct watch *w, usec_t limit)
{
	const struct msg *m = limit ? world_wait_out(w->c.w, "SUBSCRIBE", limit)
				    : world_expect_out(w->c.w, "SUBSCRIBE");

	ck_assert(slice_eq(m->call_id, slice_str(w->c.call_id)));
	ck_assert(slice_eq(m->from_tag, slice_str(w->c.ours)));
	ck_assert(slice_eq(m->to_tag, slice_str(w->c.theirs)));
	return m;
}

void watch_grant(struct watch *w, const struct msg *subscribe, uint32_t expires)
{
	char headers[80];

	(void)snprintf(headers, sizeof(headers), "Contact: " WATCH_CONTACT "\nExpires: %u\n",
		(unsigned)expires);
	world_reply(w->c.w, subscribe, 200, headers);
	world_settle(w->c.w);
}

void watch_notify(struct watch *w, const char *tag, const char *state, const char *rest)
{
	char text[400];

	(void)snprintf(w->c.theirs, sizeof(w->c.theirs), "%s", tag);
	(void)snprintf(text, sizeof(text),
		"Contact: " WATCH_CONTACT "\nEvent: %s\nSubscription-State: %s\n%s", w->event,
		state, rest);
	call_send(&w->c, "NOTIFY", text);
}

void watch_expect(struct watch *w, const char *state, const char *answer)
{
	watch_notify(w, "bob", state, WATCH_TUPLE);
	(void)world_expect_out(w->c.w, answer);
}

void watch_active(struct watch *w, const char *event, uint32_t expires)
{
	char state[40];

	watch_grant(w, watch_event(w, event, expires), expires);
	(void)snprintf(state, sizeof(state), "active;expires=%u", (unsigned)expires);
	watch_expect(w, state, "200");
	ck_assert_uint_eq(subscription_state(w->s), SUBSCRIPTION_ACTIVE);
}

void watch_ended(struct watch *w, const char *reason)
{
	world_settle(w->c.w);
	ck_assert_uint_eq(w->n_terminated, 1);
	ck_assert_str_eq(w->reason, reason);
}

void watch_leave(struct watch *w)
{
	ck_assert_uint_eq(w->c.ep->n_subscriptions, 0);
	ck_assert_uint_eq(w->c.wu->ua->subscriptions.n, 0);
	endpoint_close(w->c.ep);
	world_run(w->c.w, 2 * 64 * TIMER_T1);
	ck_assert_uint_eq(world_skip_out(w->c.w), 0);
	world_expect_idle(w->c.wu);
	world_free(w->c.w);
}
