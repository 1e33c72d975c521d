/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/subscription-list.h"

#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/microsoft-private.h"
#include "protocol/ua/microsoft-subscribe.h"
#include "tests/support/run.h"
#include "tests/support/world.h"

static struct world *w;

static struct endpoint *endpoint(bool microsoft)
{
	const struct world_account a = { .id = "alice",
		.domain = "example.com",
		.registrar = "192.0.2.1",
		.microsoft = microsoft };

	w = world_new(1);
	return world_endpoint(world_ua(w, "192.0.2.10"), &a);
}

static void expect_accept(const char *accept, const char *event, const char *want)
{
	struct buf b = BUF_NULL;

	subscription_list_append_accept(&b, slice_str(accept), slice_str(event));
	ck_assert_msg(slice_eq(buf_slice(&b), slice_str(want)), "%.*s", SLICE_ARGS(buf_slice(&b)));
	buf_deinit(&b);
}

/* RFC 4662 4.3: the types of lists beside those of the package; what is there is not doubled. */
START_TEST(rfc4662_4_3_accept)
{
	expect_accept(
		"", "presence", "application/pidf+xml, application/rlmi+xml, multipart/related");
	expect_accept(" ", "dialog;sla",
		"application/dialog-info+xml, application/rlmi+xml, multipart/related");
	expect_accept("", "presence.winfo",
		"application/watcherinfo+xml, application/rlmi+xml, multipart/related");
	expect_accept("", "x-unknown", "*/*, application/rlmi+xml, multipart/related");
	expect_accept("application/pidf+xml;q=0.5", "presence",
		"application/pidf+xml;q=0.5, application/rlmi+xml, multipart/related");
	expect_accept("Multipart/Related ;q=1,application/pidf+xml", "presence",
		"Multipart/Related ;q=1,application/pidf+xml, application/rlmi+xml");
	/* A comma in quotes separates nothing. */
	expect_accept("a/b;x=\"\\\",multipart/related,\", application/rlmi+xml", "presence",
		"a/b;x=\"\\\",multipart/related,\", application/rlmi+xml, multipart/related");
}
END_TEST

static int targets(const struct endpoint *ep, const char *const *texts, size_t n, char **ret_body)
{
	struct slice uris[8];
	struct subscription_spec spec = { .targets = uris, .n_targets = n };
	struct subscription_targets t;
	int r;

	for (size_t i = 0; i < n; i++)
		uris[i] = slice_str(texts[i]);
	r = subscription_targets_init(&t, ep, &spec);
	if (r == 0 && ret_body)
		*ret_body = buf_take(&t.body);
	if (r == 0 && !ep->microsoft) {
		ck_assert(slice_eq(t.content_type, SLICE("application/resource-lists+xml")));
		ck_assert(slice_starts(t.lines, SLICE("Require: recipient-list-subscribe\r\n")));
		ck_assert(!t.repeated);
	}
	subscription_targets_deinit(&t);
	return r;
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	while ((text = strstr(text, part))) {
		n++;
		text += strlen(part);
	}
	return n;
}

/* RFC 5363 4.1: nobody twice, by the rules of RFC 3261 19.1.4; RFC 5367 4: escaped as XML wants. */
START_TEST(rfc5367_3_targets)
{
	static const char *const good[] = { "sip:a@example.com", "SIP:%61@EXAMPLE.com",
		"sips:a@example.com", "tel:+1234", "pres:b@example.com",
		"sip:c@example.com;x=a&b" };
	static const char *const bad[][1] = { { "" }, { "a@example.com" },
		{ "mailto:a@example.com" }, { "sip:a@example.com?Subject=x" },
		{ "sip:a@example.com\"/>" }, { "sip:a@ex\r\nample.com" } };
	struct endpoint *ep = endpoint(false);
	char *body;

	ck_assert_int_eq(targets(ep, good, ARRAY_LEN(good), &body), 0);
	ck_assert_uint_eq(count(body, "<entry "), ARRAY_LEN(good) - 1);
	ck_assert_ptr_nonnull(strstr(body, "x=a&amp;b\"/>"));
	free(body);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(targets(ep, bad[i], 1, NULL) == -EINVAL, "%s", bad[i][0]);
	world_free(w);
}
END_TEST

/* LIMITS_LIST_TARGETS */
START_TEST(too_many)
{
	char texts[LIMITS_LIST_TARGETS + 1][32];
	struct slice uris[LIMITS_LIST_TARGETS + 1];
	struct subscription_spec spec = { .targets = uris, .n_targets = ARRAY_LEN(uris) };
	struct subscription_targets t;
	struct endpoint *ep = endpoint(false);

	for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "sip:%zu@example.com", i);
		uris[i] = slice_str(texts[i]);
	}
	ck_assert_int_eq(subscription_targets_init(&t, ep, &spec), -ENOSPC);
	spec.n_targets--;
	ck_assert_int_eq(subscription_targets_init(&t, ep, &spec), 0);
	subscription_targets_deinit(&t);
	world_free(w);
}
END_TEST

/* [MS-SIP] 3.3.4.1 and [MS-PRES] 2.2.2.4: two forms of the same. */
START_TEST(ms_batches)
{
	static const char *const uris[] = { "sip:a@example.com", "sip:b@example.com;x=a&b" };
	struct slice slices[] = { slice_str(uris[0]), slice_str(uris[1]) };
	struct subscription_spec spec = { .targets = slices, .n_targets = 2 };
	struct endpoint *ep = endpoint(true);
	struct subscription_targets t;
	char *body;

	ck_assert_int_eq(subscription_targets_init(&t, ep, &spec), 0);
	ck_assert(slice_eq(t.content_type, SLICE("application/adrl+xml")));
	ck_assert(slice_eq(t.lines, SLICE("Require: adhoclist\r\n")));
	ck_assert(t.repeated);
	body = buf_take(&t.body);
	ck_assert_str_eq(body, "<adhoclist xmlns=\"urn:ietf:params:xml:ns:adrl\" "
			       "uri=\"sip:alice@example.com\" name=\"sip:alice@example.com\">\r\n"
			       "<create xmlns=\"\">\r\n"
			       "<resource uri=\"sip:a@example.com\"/>\r\n"
			       "<resource uri=\"sip:b@example.com;x=a&amp;b\"/>\r\n"
			       "</create>\r\n</adhoclist>\r\n");
	free(body);
	spec.accept = SLICE("text/plain, Application/MSRTC-Event-Categories+xml");
	ck_assert_int_eq(subscription_targets_init(&t, ep, &spec), 0);
	ck_assert(slice_eq(t.content_type, SLICE("application/msrtc-adrl-categorylist+xml")));
	ck_assert(slice_eq(t.lines, SLICE("Require: adhoclist, categoryList\r\n")));
	body = buf_take(&t.body);
	ck_assert_uint_eq(count(body, "<resource uri=\"sip:"), 2);
	ck_assert_uint_eq(count(body, "<category name="), 5);
	free(body);
	/* What the registrar does not take is not sent to it. */
	ep->microsoft->no_batches = true;
	ck_assert_int_eq(subscription_targets_init(&t, ep, &spec), 0);
	ck_assert(slice_eq(t.content_type, SLICE("application/resource-lists+xml")));
	subscription_targets_deinit(&t);
	world_free(w);
}
END_TEST

/* UCMA's SipSubscription: 15 minutes before the end; what is short is refreshed at its half. */
START_TEST(ms_refresh_delay)
{
	static const uint32_t rows[][2] = { { 7200, 6300 }, { 1802, 902 }, { 1800, 900 },
		{ 900, 450 }, { 60, 30 }, { 0, 0 } };
	struct endpoint *ep = endpoint(true);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_uint_eq(
			microsoft_refresh_delay(ep, rows[i][0]), rows[i][1] * USEC_PER_SEC);
	world_free(w);
	ck_assert_uint_eq(microsoft_refresh_delay(endpoint(false), 7200), 0);
	world_free(w);
}
END_TEST

RUN_TESTS("ua-subscription-list", rfc4662_4_3_accept, rfc5367_3_targets, too_many, ms_batches,
	ms_refresh_delay)
