/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many resources in one subscription: lists at the server (RFC 4662) and of our own (RFC 5367). */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "tests/flow/watch.h"
#include "tests/support/run.h"

#define LISTED                                                                           \
	"Require: eventlist\n"                                                           \
	"Content-Type: multipart/related;type=\"application/rlmi+xml\";start=\"<1@x>\";" \
	"boundary=b\nContent-Length: {length}\n\n--b"

static const struct slice targets[] = {
	SLICE_INIT("sip:carol@example.com"),
	SLICE_INIT("sip:dave@example.com;x=a&b"),
	SLICE_INIT("sip:CAROL@example.com"),
};

static struct subscription_spec wish(void)
{
	return (struct subscription_spec){
		.target = SLICE("sip:friends@example.com"),
		.event = SLICE("presence"),
		.expires = 7200,
		.list = SUBSCRIPTION_LIST,
	};
}

static struct subscription_spec wish_of_targets(void)
{
	struct subscription_spec spec = wish();

	spec.list = SUBSCRIPTION_NO_LIST;
	spec.targets = targets;
	spec.n_targets = 2;
	return spec;
}

static const struct msg *subscribe(struct watch *w, const struct subscription_spec *spec)
{
	watch_scene(w);
	w->event = "presence";
	return watch_subscribe(w, spec);
}

static void leave(struct watch *w)
{
	subscription_free(mem_take(&w->s));
	watch_leave(w);
}

static bool says_eventlist(const struct msg *m)
{
	return msg_has_token(m, HDR_SUPPORTED, SLICE("eventlist"));
}

/* 4.1: in every SUBSCRIBE, as what is supported and never as what is required. 4.3: the types. */
START_TEST(rfc4662_4_1_supported)
{
	struct watch w;
	struct subscription_spec spec = wish();
	const struct msg *m = subscribe(&w, &spec);

	ck_assert(says_eventlist(m));
	ck_assert(!msg_header(m, HDR_REQUIRE).p);
	call_expect_header(
		m, HDR_ACCEPT, "application/pidf+xml, application/rlmi+xml, multipart/related");
	ck_assert_uint_eq(m->body.n, 0);
	watch_grant(&w, m, 7200);
	watch_notify(&w, "bob", "active;expires=7200", LISTED);
	(void)world_expect_out(w.c.w, "200");
	ck_assert_str_eq(w.body, "--b");
	m = watch_refresh(&w, 7200 * SEC);
	ck_assert(says_eventlist(m));
	watch_grant(&w, m, 7200);
	ck_assert_int_eq(subscription_refresh(w.s, 600), 0);
	m = watch_refresh(&w, 0);
	ck_assert(says_eventlist(m));
	watch_grant(&w, m, 600);
	leave(&w);
}
END_TEST

/* 4.1 without it: nothing of lists is said. */
START_TEST(not_asked_for)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	m = watch_event(&w, "presence", 600);
	ck_assert(!says_eventlist(m));
	watch_grant(&w, m, 600);
	/* A notifier that sends a list all the same is understood: its body is as opaque as any. */
	watch_notify(&w, "bob", "active;expires=600", LISTED);
	(void)world_expect_out(w.c.w, "200");
	ck_assert_str_eq(w.body, "--b");
	leave(&w);
}
END_TEST

/* RFC 3261 8.2.2.3: but no extension beside it. */
START_TEST(rfc3261_8_2_2_3_require)
{
	struct watch w;
	struct subscription_spec spec = wish();
	const struct msg *m = subscribe(&w, &spec);

	watch_grant(&w, m, 600);
	watch_notify(&w, "bob", "active", "Require: eventlist, teleport\nContent-Length: 0\n\n");
	m = world_expect_out(w.c.w, "420");
	call_expect_header(m, HDR_UNSUPPORTED, "teleport");
	leave(&w);
}
END_TEST

/* 4.1: the URI is a list, and we did not say that we know of such. */
START_TEST(rfc4662_4_1_extension_required)
{
	struct watch w;
	const struct msg *m;

	watch_scene(&w);
	m = watch_event(&w, "presence", 600);
	world_reply(w.c.w, m, 421, "Require: eventlist\n");
	world_settle(w.c.w);
	watch_ended(&w, "Extension Required (Require: eventlist)");
	ck_assert_uint_eq(w.status, 421);
	watch_leave(&w);
}
END_TEST

/* 3 and 4: the list goes with the first SUBSCRIBE; 3.2: not with others in its dialog. */
START_TEST(rfc5367_3_list)
{
	static const char *const shown[] = { "Require", "Supported", "Accept", "Content-Type",
		"Content-Disposition", "Expires" };
	struct watch w;
	struct subscription_spec spec = wish_of_targets();
	const struct msg *m;

	spec.accept = SLICE("application/pidf+xml, text/plain");
	watch_scene(&w);
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		world_show(w.c.w, shown[i]);
	w.event = "presence";
	m = watch_subscribe(&w, &spec);
	call_expect_header(m, HDR_REQUIRE, "recipient-list-subscribe");
	call_expect_header(m, HDR_CONTENT_TYPE, "application/resource-lists+xml");
	call_expect_header(m, HDR_CONTENT_DISPOSITION, "recipient-list");
	ck_assert(says_eventlist(m));
	world_note(w.c.w, "%.*s", SLICE_ARGS(m->body));
	watch_grant(&w, m, 600);
	watch_notify(&w, "bob", "active;expires=600", LISTED);
	(void)world_expect_out(w.c.w, "200");
	ck_assert_int_eq(subscription_update(w.s, SLICE("text/plain"), SLICE("x")), -EINVAL);
	m = watch_refresh(&w, 600 * SEC);
	ck_assert(!msg_header(m, HDR_REQUIRE).p && !m->body.n);
	ck_assert(says_eventlist(m));
	watch_grant(&w, m, 600);
	watch_expect(&w, "active;expires=600", "200");
	/* Another dialog knows nothing of what was said in this one. */
	watch_expect(&w, "terminated;reason=deactivated", "200");
	m = watch_again(&w, SEC);
	call_expect_header(m, HDR_REQUIRE, "recipient-list-subscribe");
	ck_assert(m->body.n > 0);
	watch_grant(&w, m, 600);
	watch_notify(&w, "bob", "active;expires=600", LISTED);
	(void)world_expect_out(w.c.w, "200");
	subscription_end(w.s);
	m = watch_refresh(&w, 0);
	ck_assert(!m->body.n);
	watch_grant(&w, m, 0);
	watch_expect(&w, "terminated", "200");
	world_settle(w.c.w);
	watch_ended(&w, "unsubscribed");
	world_log_golden(w.c.w, "subscription-list");
	watch_leave(&w);
}
END_TEST

/* RFC 5363 4.1: nobody twice. */
START_TEST(rfc5363_4_1_nobody_twice)
{
	struct watch w;
	struct subscription_spec spec = wish_of_targets();
	const struct slice twice[] = { targets[0], SLICE_INIT("sip:carol@EXAMPLE.com") };
	const struct msg *m;

	spec.targets = twice;
	m = subscribe(&w, &spec);
	ck_assert(slice_find(m->body, '@') < m->body.n);
	ck_assert_uint_eq(slice_find(slice_skip(m->body, slice_find(m->body, '@') + 1), '@'),
		m->body.n - slice_find(m->body, '@') - 1);
	watch_grant(&w, m, 600);
	leave(&w);
}
END_TEST

/* A server that knows of no such lists. */
START_TEST(rfc5367_3_refused)
{
	struct watch w;
	struct subscription_spec spec = wish_of_targets();
	const struct msg *m = subscribe(&w, &spec);

	world_reply(w.c.w, m, 420, "Unsupported: recipient-list-subscribe\n");
	world_settle(w.c.w);
	watch_ended(&w, "Bad Extension (Unsupported: recipient-list-subscribe)");
	ck_assert_uint_eq(w.status, 420);
	watch_leave(&w);
}
END_TEST

static void expect_refusal(struct watch *w, const struct subscription_spec *spec, int error)
{
	static const struct subscription_ops none = { 0 };
	struct subscription *s = NULL;

	ck_assert_int_eq(subscription_new(w->c.ep, spec, &none, w, &s), error);
	ck_assert_ptr_null(s);
	ck_assert_uint_eq(w->c.ep->n_subscriptions, 0);
}

START_TEST(bad_wishes)
{
	struct watch w;
	struct subscription_spec spec = wish_of_targets();
	const struct slice bad[] = { targets[0], SLICE_INIT("carol") };
	struct slice many[LIMITS_LIST_TARGETS + 1];

	watch_scene(&w);
	spec.content_type = SLICE("text/plain");
	spec.body = SLICE("filter");
	expect_refusal(&w, &spec, -EINVAL);
	spec = wish_of_targets();
	spec.targets = bad;
	expect_refusal(&w, &spec, -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = targets[0];
	spec.targets = many;
	spec.n_targets = ARRAY_LEN(many);
	expect_refusal(&w, &spec, -ENOSPC);
	watch_leave(&w);
}
END_TEST

RUN_TESTS("subscription-list", rfc4662_4_1_supported, not_asked_for, rfc3261_8_2_2_3_require,
	rfc4662_4_1_extension_required, rfc5367_3_list, rfc5363_4_1_nobody_twice, rfc5367_3_refused,
	bad_wishes)
