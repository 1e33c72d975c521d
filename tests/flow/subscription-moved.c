/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscriptions when the network, or whether the server is there, changes. */
#include <check.h>
#include <stdlib.h>

#include "protocol/ua/registration.h"
#include "tests/flow/watch.h"
#include "tests/support/run.h"

#define ELSEWHERE "192.0.2.77"

static void register_now(struct watch *w)
{
	struct registration_options o = { .haste = REGISTRATION_AT_ONCE };

	w->c.ep->auto_refresh = true;
	ck_assert_int_eq(registration_start(w->c.ep->registration, &o), 0);
}

static void answer_register(struct watch *w)
{
	world_reply(w->c.w, world_wait_out(w->c.w, "REGISTER", 5 * SEC), 200,
		"Contact: {contact};expires=3600\n");
	world_settle(w->c.w);
}

static bool names(const struct msg *m, const char *host)
{
	return slice_eq(m->contact.uri.host, slice_str(host));
}

/* RFC 3261 12.2: the notifier hears where we are now, once we are registered there. */
START_TEST(target_refresh)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	register_now(&w);
	answer_register(&w);
	watch_active(&w, "presence", 3600);
	world_move(w.c.wu, ELSEWHERE);
	answer_register(&w);
	m = watch_refresh(&w, 0);
	ck_assert(names(m, ELSEWHERE));
	watch_grant(&w, m, 3600);
	watch_expect(&w, "active;expires=3600", "200");
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	ck_assert_uint_eq(world_skip_out(w.c.w), 0);
	subscription_free(w.s);
	world_free(w.c.w);
}
END_TEST

/* Nobody answered, and then somebody does: it is not waited for any longer. */
START_TEST(server_is_back)
{
	struct watch w;

	watch_scene(&w);
	(void)watch_event(&w, "presence", 3600);
	world_run(w.c.w, 33 * SEC);
	(void)world_skip_out(w.c.w);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_WAITING);
	register_now(&w);
	answer_register(&w);
	watch_grant(&w, watch_again(&w, 0), 3600);
	watch_expect(&w, "active;expires=3600", "200");
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	subscription_free(w.s);
	world_free(w.c.w);
}
END_TEST

/* Who said when to come again meant it. */
START_TEST(server_said_when)
{
	struct watch w;

	watch_scene(&w);
	world_reply(w.c.w, watch_event(&w, "presence", 3600), 480, "Retry-After: 600\n");
	world_settle(w.c.w);
	register_now(&w);
	answer_register(&w);
	world_expect_silence(w.c.w, 60 * SEC);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_WAITING);
	subscription_free(w.s);
	world_free(w.c.w);
}
END_TEST

RUN_TESTS("subscription-moved", target_refresh, server_is_back, server_said_when)
