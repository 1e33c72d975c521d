/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the storm of subscriptions found, each by itself. */
#include <check.h>

#include "protocol/base/err.h"
#include "tests/flow/watch.h"
#include "tests/support/run.h"

/* A refresh comes due while an update is under way: that is one, and no other goes beside it. */
START_TEST(refresh_while_one_is_under_way)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	watch_active(&w, "presence", 120);
	world_run(w.c.w, 56 * SEC); /* It is due between 57 and 86. */
	ck_assert_int_eq(subscription_update(w.s, SLICE("text/plain"), SLICE("x")), 0);
	m = watch_refresh(&w, 0);
	for (unsigned i = 0; i < 31; i++) {
		world_run(w.c.w, SEC);
		while (world_skip_out(w.c.w))
			;
		ck_assert_uint_eq(list_length(&w.c.ep->requests), 1);
	}
	watch_grant(&w, m, 120);
	watch_expect(&w, "active;expires=120", "200");
	ck_assert_uint_eq(list_length(&w.c.ep->requests), 0);
	subscription_free(mem_take(&w.s));
	watch_leave(&w);
}
END_TEST

RUN_TESTS("subscription-found", refresh_while_one_is_under_way)
