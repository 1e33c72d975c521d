/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* More subscribers than may be told at a time: NOTIFYs take turns. */
#include <check.h>

#include "protocol/ua/limits.h"
#include "tests/flow/subscribed.h"
#include "tests/support/run.h"

struct crowd {
	struct subscribed c;
	struct world_subscriber_hooks hooks;
	bool is_silent;           /* to NOTIFY */
	unsigned n_busy, n_ended; /* NOTIFYs that it answered: with that body, terminated */
};

static bool hear(void *ctx, struct world_mail *mail)
{
	struct crowd *crowd = ctx;
	const struct msg *m = mail->msg;

	if (m->status) {
		free(crowd->c.to_tag);
		crowd->c.to_tag = slice_dup(m->to_tag);
		return true;
	}
	if (m->method == METHOD_NOTIFY && crowd->is_silent)
		return true;
	if (slice_eq(m->body, SLICE("busy")))
		crowd->n_busy++;
	if (slice_starts(msg_header(m, HDR_SUBSCRIPTION_STATE), SLICE("terminated")))
		crowd->n_ended++;
	world_mail_reply(mail, 200, m->method == METHOD_REGISTER ? "Contact: {contact}\n" : NULL);
	return true;
}

static void accept(struct world_ua *wu, struct subscriber *s)
{
	struct subscriber_body open = world_state(TYPE, "open");

	(void)wu;
	ck_assert_int_eq(subscriber_accept(s, SUBSCRIBER_ACCEPT, 0, &open), 0);
}

static void forget(struct world_ua *wu, struct subscriber *s, const struct subscriber_end *end)
{
	(void)wu;
	(void)s;
	(void)end;
}

/* n of them are subscribed, and heard "open". */
static void crowd_init(struct crowd *crowd, unsigned n)
{
	*crowd = (struct crowd){ .c = subscribed_new(),
		.hooks = { .incoming = accept, .removed = forget } };
	world_hush(crowd->c.w);
	crowd->c.wu->subscribers = &crowd->hooks;
	world_set_peer(crowd->c.w, hear, crowd);
	for (unsigned i = 0; i < n; i++)
		subscribed_asks(&crowd->c, "Event: presence\nExpires: 3600\n");
	ck_assert_uint_eq(crowd->c.wu->n_subscribers, n);
	ck_assert_uint_eq(crowd->c.ep->n_requests, 0);
}

static void crowd_deinit(struct crowd *crowd)
{
	world_free(crowd->c.w);
	free(crowd->c.to_tag);
	free(crowd->c.text);
}

static void tell_all(struct crowd *crowd, const char *body)
{
	struct subscriber_body state = world_state(TYPE, body);

	list_for_each (node, &crowd->c.ep->subscribers)
		ck_assert_int_eq(
			subscriber_notify(list_entry(node, struct subscriber, node), &state), 0);
}

/* The endpoint closes, all who are left are over in time, and nothing stays behind. */
static void close_endpoint(struct crowd *crowd)
{
	endpoint_close(crowd->c.ep);
	world_run(crowd->c.w, 64 * TIMER_T1);
	ck_assert_uint_eq(crowd->c.wu->n_subscribers, 0);
	ck_assert_uint_eq(crowd->c.wu->ua->n_endpoints, 0);
	world_run(crowd->c.w, 64 * TIMER_T1);
	world_expect_idle(crowd->c.wu);
}

START_TEST(limits_notifies_per_endpoint)
{
	enum { N = 1500 };
	struct crowd crowd;

	crowd_init(&crowd, N);
	tell_all(&crowd, "away");
	ck_assert_uint_eq(crowd.c.ep->n_requests, LIMITS_NOTIFIES_PER_ENDPOINT);
	tell_all(&crowd, "busy");
	ck_assert_uint_eq(crowd.c.ep->n_requests, LIMITS_NOTIFIES_PER_ENDPOINT);
	world_settle(crowd.c.w);
	ck_assert_uint_eq(crowd.n_busy, N);
	ck_assert_uint_eq(crowd.c.wu->n_subscribers, N);
	/* The last NOTIFYs take turns as well. */
	close_endpoint(&crowd);
	ck_assert_uint_eq(crowd.n_ended, N);
	crowd_deinit(&crowd);
}
END_TEST

/* They swallow what we send: the endpoint's own requests go all the same. */
START_TEST(silent_ones)
{
	enum { N = LIMITS_REQUESTS_PER_ENDPOINT + 100 };
	struct crowd crowd;

	crowd_init(&crowd, N);
	crowd.is_silent = true;
	tell_all(&crowd, "busy");
	ck_assert_uint_eq(crowd.c.ep->n_requests, LIMITS_NOTIFIES_PER_ENDPOINT);
	ck_assert_int_eq(
		registration_start(crowd.c.ep->registration, &(struct registration_options){ 0 }),
		0);
	world_settle(crowd.c.w);
	(void)world_expect_done(crowd.c.wu, UA_REGISTER, 200, 0);
	/* Who does not answer is over, and lets the next ones go (RFC 6665 4.2.2). */
	world_run(crowd.c.w, 64 * TIMER_T1);
	ck_assert_uint_eq(crowd.c.wu->n_subscribers, N - LIMITS_NOTIFIES_PER_ENDPOINT);
	crowd.is_silent = false;
	world_run(crowd.c.w, 64 * TIMER_T1);
	ck_assert_uint_eq(crowd.n_busy, N - LIMITS_NOTIFIES_PER_ENDPOINT);
	close_endpoint(&crowd);
	crowd_deinit(&crowd);
}
END_TEST

/* Those that got no turn until then are over without a word. */
START_TEST(silent_ones_when_it_closes)
{
	struct crowd crowd;

	crowd_init(&crowd, LIMITS_NOTIFIES_PER_ENDPOINT + 44);
	crowd.is_silent = true;
	tell_all(&crowd, "busy");
	world_run(crowd.c.w, 10 * SEC);
	close_endpoint(&crowd);
	crowd_deinit(&crowd);
}
END_TEST

/* One unsubscribes while it waits, and then all of them go at once. */
START_TEST(freed_while_waiting)
{
	struct crowd crowd;

	crowd_init(&crowd, LIMITS_NOTIFIES_PER_ENDPOINT + 2);
	crowd.is_silent = true;
	tell_all(&crowd, "away");
	/* The last that came, which waits. */
	subscribed_sends(&crowd.c, "SUBSCRIBE", "Event: presence\nExpires: 0\n");
	world_run(crowd.c.w, 10 * SEC);
	ck_assert_uint_eq(crowd.c.ep->n_requests, LIMITS_NOTIFIES_PER_ENDPOINT);
	ck_assert_uint_eq(crowd.c.wu->n_subscribers, LIMITS_NOTIFIES_PER_ENDPOINT + 2);
	endpoint_free(crowd.c.ep);
	ck_assert_uint_eq(crowd.c.wu->ua->n_subscribers, 0);
	world_run(crowd.c.w, 64 * TIMER_T1);
	world_expect_idle(crowd.c.wu);
	crowd_deinit(&crowd);
}
END_TEST

/* The endpoint's requests are all under way: it is told a little after one of them is over. */
START_TEST(limits_requests_per_endpoint)
{
	struct subscribed c = subscribed_new();

	subscribed_active(&c, "open");
	c.ep->n_requests += LIMITS_REQUESTS_PER_ENDPOINT;
	subscribed_tell(&c, "busy");
	world_expect_silence(c.w, 1 * SEC);
	ck_assert_int_eq(subscriber_finish(c.s, SLICE_NULL, 0), 0);
	world_expect_subscriber_changed(c.wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_silence(c.w, 9 * SEC);
	c.ep->n_requests -= LIMITS_REQUESTS_PER_ENDPOINT;
	world_run(c.w, 1 * SEC); /* it is tried every 5 s */
	subscribed_heard(&c, "terminated;reason=noresource", "busy");
	world_expect_subscriber_removed(c.wu, "noresource", ORIGIN_LOCAL);
	subscribed_finish(&c);
}
END_TEST

RUN_TESTS("subscriber-many", limits_notifies_per_endpoint, silent_ones, silent_ones_when_it_closes,
	freed_while_waiting, limits_requests_per_endpoint)
