/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subscriptions in the dialect of Microsoft's servers ([MS-SIP] 3.3 to 3.5, [MS-PRES] 2.2.2). */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/registration.h"
#include "tests/flow/watch.h"
#include "tests/support/run.h"

#define SELF "vnd-microsoft-roaming-self"
#define PIGGYBACK                                                                            \
	"Contact: " WATCH_CONTACT "\nEvent: presence\nSupported: ms-benotify, "              \
	"ms-piggyback-first-notify\nms-piggyback-cseq: 1\nRequire: eventlist\n"              \
	"subscription-state: active;expires=7200\nExpires: 7200\nContent-Type: text/plain\n" \
	"\nfirst"

static void scene(struct watch *w, bool microsoft)
{
	const struct world_account alice = { .id = "alice",
		.domain = "example.com",
		.registrar = "192.0.2.20",
		.microsoft = microsoft };

	*w = (struct watch){ .event = "presence" };
	w->c.w = world_new(1);
	w->c.wu = world_ua(w->c.w, "192.0.2.10");
	w->c.ep = world_endpoint(w->c.wu, &alice);
}

static void answer(struct watch *w, const struct msg *m, const char *headers)
{
	world_reply_as(w->c.w, m, 200, "bob", headers);
	(void)snprintf(w->c.theirs, sizeof(w->c.theirs), "bob");
	world_settle(w->c.w);
}

/* The server has that number as its next. */
static void benotify(struct watch *w, unsigned cseq, const char *state, const char *rest)
{
	char text[400];

	(void)snprintf(
		text, sizeof(text), "Event: presence\nSubscription-State: %s\n%s", state, rest);
	w->c.cseq = cseq - 1;
	call_send(&w->c, "BENOTIFY", text);
	world_settle(w->c.w);
	ck_assert_uint_eq(world_skip_out(w->c.w), 0);
}

static void piggybacked(struct watch *w)
{
	scene(w, true);
	answer(w, watch_event(w, "presence", 7200), PIGGYBACK);
}

static void leave(struct watch *w)
{
	subscription_free(mem_take(&w->s));
	watch_leave(w);
}

static void expect_said(const struct msg *m, bool said)
{
	static const struct slice tags[] = { SLICE_INIT("com.microsoft.autoextend"),
		SLICE_INIT("ms-benotify"), SLICE_INIT("ms-piggyback-first-notify") };

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		ck_assert(msg_has_token(m, HDR_SUPPORTED, tags[i]) == said);
	call_expect_header(m, HDR_PROXY_REQUIRE, said ? "ms-benotify" : "");
}

static bool has_text(struct slice text, const char *part)
{
	for (size_t i = 0; i < text.n; i++)
		if (slice_starts(slice_skip(text, i), slice_str(part)))
			return true;
	return false;
}

/* Nothing of it goes to a server whose profile does not speak it, and nothing of it is taken. */
START_TEST(off)
{
	struct slice target = SLICE("sip:carol@example.com");
	struct subscription_spec spec = {
		.target = SLICE("sip:alice@example.com"),
		.event = SLICE("presence"),
		.expires = 7200,
		.accept = SLICE("text/plain, application/msrtc-event-categories+xml"),
		.targets = &target,
		.n_targets = 1,
	};
	struct watch w;
	const struct msg *m;

	scene(&w, false);
	m = watch_subscribe(&w, &spec);
	expect_said(m, false);
	ck_assert(!has_text(slice_skip(m->raw, slice_find(m->raw, '\n')), "ms-"));
	ck_assert(!has_text(m->raw, "adhoclist") && !has_text(m->raw, "epid"));
	call_expect_header(m, HDR_REQUIRE, "recipient-list-subscribe");
	answer(&w, m, PIGGYBACK);
	ck_assert_uint_eq(w.n_notified, 0);
	watch_expect(&w, "active;expires=7200", "200");
	ck_assert_uint_eq(w.n_notified, 1);
	benotify(&w, 500, "active;expires=60", WATCH_TUPLE);
	ck_assert_uint_eq(w.n_notified, 1);
	leave(&w);
}
END_TEST

/* In each SUBSCRIBE, the last included. */
START_TEST(ms_sip_3_5_4_supported)
{
	struct watch w;
	const struct msg *m;

	scene(&w, true);
	m = watch_event(&w, "presence", 7200);
	expect_said(m, true);
	answer(&w, m, PIGGYBACK);
	ck_assert_int_eq(subscription_refresh(w.s, 7200), 0);
	m = watch_refresh(&w, 0);
	expect_said(m, true);
	watch_grant(&w, m, 7200);
	watch_expect(&w, "active;expires=7200", "200");
	subscription_end(w.s);
	m = watch_refresh(&w, 0);
	expect_said(m, true);
	watch_grant(&w, m, 0);
	watch_expect(&w, "terminated", "200");
	world_settle(w.c.w);
	watch_ended(&w, "unsubscribed");
	watch_leave(&w);
}
END_TEST

/* A proxy that does not know what it must. */
START_TEST(proxy_require_refused)
{
	struct watch w;

	scene(&w, true);
	world_reply(w.c.w, watch_event(&w, "presence", 600), 420, "Unsupported: ms-benotify\n");
	world_settle(w.c.w);
	watch_ended(&w, "Bad Extension (Unsupported: ms-benotify)");
	watch_leave(&w);
}
END_TEST

/* [MS-SIP] 3.4.5.1: the 200 is the first NOTIFY as well, and none is waited for. */
START_TEST(ms_sip_3_4_5_1_piggyback)
{
	struct watch w;

	piggybacked(&w);
	ck_assert_uint_eq(w.n_notified, 1);
	ck_assert_str_eq(w.body, "first");
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	ck_assert_uint_eq(subscription_dialogs(w.s), 1);
	ck_assert_uint_eq((subscription_expires(w.s) - w.c.wu->ua->timers.now) / SEC, 7200);
	world_expect_silence(w.c.w, 3600 * SEC);
	/* Its number counts as that NOTIFY's would. */
	benotify(&w, 1, "active;expires=3600", WATCH_TUPLE);
	ck_assert_uint_eq(w.n_notified, 1);
	benotify(&w, 2, "active;expires=3600", WATCH_TUPLE);
	ck_assert_uint_eq(w.n_notified, 2);
	/* A regular NOTIFY is as good. */
	w.c.cseq = 2;
	watch_expect(&w, "active;expires=3600", "200");
	ck_assert_uint_eq(w.n_notified, 3);
	ck_assert_uint_eq(w.n_terminated, 0);
	leave(&w);
}
END_TEST

/* 3.4.5.1 without the number: what the header says is enough, if there is something to tell. */
START_TEST(ms_sip_3_4_5_1_supported)
{
	struct watch w;

	scene(&w, true);
	answer(&w, watch_event(&w, "presence", 600),
		"Contact: " WATCH_CONTACT "\nSupported: ms-piggyback-first-notify\nExpires: 600\n"
		"Content-Type: text/plain\n\nfirst");
	ck_assert_uint_eq(w.n_notified, 1);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_ACTIVE);
	leave(&w);
	/* Nothing in it: the NOTIFY comes by itself. */
	scene(&w, true);
	answer(&w, watch_event(&w, "presence", 600),
		"Contact: " WATCH_CONTACT "\nSupported: ms-piggyback-first-notify\nExpires: 600\n");
	ck_assert_uint_eq(w.n_notified, 0);
	ck_assert_uint_eq(subscription_state(w.s), SUBSCRIPTION_PENDING);
	watch_expect(&w, "active;expires=600", "200");
	ck_assert_uint_eq(w.n_notified, 1);
	leave(&w);
}
END_TEST

/* A NOTIFY that overtook the 200 has made the dialog: it is the same. */
START_TEST(piggyback_after_notify)
{
	struct watch w;
	const struct msg *m;

	scene(&w, true);
	w.c.cseq = 4;
	m = watch_event(&w, "presence", 7200);
	watch_notify(&w, "bob", "active;expires=7200", WATCH_TUPLE);
	(void)world_expect_out(w.c.w, "200");
	answer(&w, m, PIGGYBACK);
	ck_assert_uint_eq(subscription_dialogs(w.s), 1);
	/* What is older than what was heard is not told. */
	ck_assert_uint_eq(w.n_notified, 1);
	ck_assert_str_eq(w.body, "state");
	leave(&w);
}
END_TEST

/* A fetch ends with the 200, for no dialog was made. */
START_TEST(ms_fetch)
{
	struct watch w;

	scene(&w, true);
	answer(&w, watch_event(&w, "presence", 0),
		"Event: presence\nSupported: ms-piggyback-first-notify\nms-piggyback-cseq: 1\n"
		"Expires: 0\nContent-Type: text/plain\n\nfirst");
	ck_assert_uint_eq(w.n_notified, 1);
	ck_assert_str_eq(w.body, "first");
	ck_assert_uint_eq(w.n_terminated, 1);
	ck_assert_uint_eq(w.origin, ORIGIN_REMOTE);
	watch_leave(&w);
}
END_TEST

/* The state in the answer to a refresh. */
START_TEST(piggyback_refresh)
{
	struct watch w;
	const struct msg *m;

	piggybacked(&w);
	ck_assert_int_eq(subscription_refresh(w.s, 7200), 0);
	m = watch_refresh(&w, 0);
	world_reply(w.c.w, m, 200,
		"Contact: " WATCH_CONTACT "\nExpires: 7200\nms-piggyback-cseq: 2\n"
		"Content-Type: text/plain\n\nsecond");
	world_settle(w.c.w);
	ck_assert_uint_eq(w.n_notified, 2);
	ck_assert_str_eq(w.body, "second");
	/* No NOTIFY has to follow. */
	world_expect_silence(w.c.w, 3600 * SEC);
	ck_assert_uint_eq(w.n_terminated, 0);
	leave(&w);
}
END_TEST

/* The answer to the end has what was heard already: the last word is waited for. */
START_TEST(piggyback_stale_end)
{
	struct watch w;

	piggybacked(&w);
	benotify(&w, 2, "active;expires=7200", WATCH_TUPLE);
	subscription_end(w.s);
	answer(&w, watch_refresh(&w, 0),
		"Contact: " WATCH_CONTACT "\nExpires: 0\nms-piggyback-cseq: 1\n");
	world_run(w.c.w, 65 * TIMER_T1);
	watch_ended(&w, "unsubscribed");
	watch_leave(&w);
}
END_TEST

/* [MS-SIP] 3.5: never answered; what cannot be taken, or comes again, is as if it were lost. */
START_TEST(ms_sip_3_5_benotify)
{
	struct watch w;

	piggybacked(&w);
	benotify(&w, 7, "active;expires=7200", WATCH_TUPLE);
	ck_assert_uint_eq(w.n_notified, 2);
	benotify(&w, 7, "active;expires=7200", WATCH_TUPLE);
	benotify(&w, 6, "terminated", WATCH_TUPLE);
	benotify(&w, 8, "active", "Require: teleport\nContent-Length: 0\n\n");
	benotify(&w, 9, "", WATCH_EMPTY);
	ck_assert_uint_eq(w.n_notified, 2);
	benotify(&w, 10, "active;expires=7200", "Require: eventlist\n" WATCH_TUPLE);
	ck_assert_uint_eq(w.n_notified, 3);
	/* Another's. */
	(void)snprintf(w.c.theirs, sizeof(w.c.theirs), "other");
	benotify(&w, 11, "terminated", WATCH_EMPTY);
	(void)snprintf(w.c.theirs, sizeof(w.c.theirs), "bob");
	ck_assert_uint_eq(w.n_terminated, 0);
	benotify(&w, 12, "terminated;reason=rejected", WATCH_EMPTY);
	watch_ended(&w, "rejected");
	watch_leave(&w);
}
END_TEST

/* com.microsoft.autoextend: the end moves as the server says, and the refresh with it. */
START_TEST(ms_autoextend)
{
	struct watch w;

	piggybacked(&w);
	for (unsigned i = 2; i < 6; i++) {
		world_expect_silence(w.c.w, 6000 * SEC);
		benotify(&w, i, "active;expires=7200", WATCH_TUPLE);
	}
	ck_assert_uint_eq((subscription_expires(w.s) - w.c.wu->ua->timers.now) / SEC, 7200);
	leave(&w);
}
END_TEST

/* UCMA's SipSubscription: 15 minutes before the end. */
START_TEST(ucma_refresh)
{
	struct watch w;

	piggybacked(&w);
	world_expect_silence(w.c.w, (7200 - 15 * 60 - 1) * SEC);
	watch_grant(&w, watch_refresh(&w, 2 * SEC), 7200);
	watch_expect(&w, "active;expires=7200", "200");
	leave(&w);
}
END_TEST

/* [MS-PRES] 3.3.5.1: one for each endpoint; UCMA refuses the second. */
START_TEST(roaming_self_once)
{
	static const struct subscription_ops none = { 0 };
	struct subscription_spec spec = {
		.target = SLICE("sip:alice@example.com"), .event = SLICE(SELF), .expires = 600
	};
	struct subscription *s;
	struct watch w;

	scene(&w, true);
	answer(&w, watch_event(&w, SELF, 600),
		"Contact: " WATCH_CONTACT "\nms-piggyback-cseq: 1\nExpires: 600\n");
	ck_assert_int_eq(subscription_new(w.c.ep, &spec, &none, NULL, &s), -EBUSY);
	spec.event = SLICE("VND-Microsoft-Roaming-Self;id=2");
	ck_assert_int_eq(subscription_new(w.c.ep, &spec, &none, NULL, &s), -EBUSY);
	subscription_free(mem_take(&w.s));
	answer(&w, watch_event(&w, SELF, 600),
		"Contact: " WATCH_CONTACT "\nms-piggyback-cseq: 1\nExpires: 600\n");
	leave(&w);
}
END_TEST

/* [MS-SIP] 3.3.4.1 and 4.3: as the document has it, and again with each refresh. */
START_TEST(ms_sip_4_3_batched)
{
	static const struct slice targets[] = { SLICE_INIT("sip:user2@example.com"),
		SLICE_INIT("sip:user3@example.com") };
	static const char *const shown[] = { "Require", "Supported", "Proxy-Require", "Accept",
		"Event", "Content-Type", "ms-piggyback-cseq", "Expires" };
	struct subscription_spec spec = {
		.target = SLICE("sip:alice@example.com"),
		.event = SLICE("presence"),
		.expires = 28800,
		.accept = SLICE("text/xml+msrtc.pidf, text/plain"),
		.targets = targets,
		.n_targets = 2,
	};
	struct watch w;
	const struct msg *m;

	scene(&w, true);
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		world_show(w.c.w, shown[i]);
	m = watch_subscribe(&w, &spec);
	ck_assert(has_text(m->body, "<resource uri=\"sip:user3@example.com\"/>"));
	answer(&w, m, PIGGYBACK);
	ck_assert_str_eq(w.body, "first");
	benotify(&w, 2, "active;expires=7200", WATCH_TUPLE);
	m = watch_refresh(&w, 7200 * SEC);
	call_expect_header(m, HDR_REQUIRE, "adhoclist");
	ck_assert(has_text(m->body, "<resource uri=\"sip:user3@example.com\"/>"));
	watch_grant(&w, m, 7200);
	watch_expect(&w, "active;expires=7200", "200");
	world_log_golden(w.c.w, "subscription-microsoft-batched");
	leave(&w);
}
END_TEST

static void answer_register(struct watch *w, const char *headers)
{
	world_reply(w->c.w, world_expect_out(w->c.w, "REGISTER"), 200, headers);
	world_settle(w->c.w);
}

static void expect_form(const char *registered, const char *content_type)
{
	static const struct slice target = SLICE_INIT("sip:user2@example.com");
	struct subscription_spec spec = {
		.target = SLICE("sip:alice@example.com"),
		.event = SLICE("presence"),
		.expires = 600,
		.targets = &target,
		.n_targets = 1,
	};
	struct watch w;
	const struct msg *m;

	scene(&w, true);
	ck_assert_int_eq(
		registration_start(w.c.ep->registration, &(struct registration_options){ 0 }), 0);
	answer_register(&w, registered);
	m = watch_subscribe(&w, &spec);
	call_expect_header(m, HDR_CONTENT_TYPE, content_type);
	answer(&w, m, PIGGYBACK);
	subscription_free(mem_take(&w.s));
	ck_assert_int_eq(registration_stop(w.c.ep->registration, REGISTRATION_OWN), 0);
	answer_register(&w, NULL);
	leave(&w);
}

/* [MS-SIPREGE] 2.2.1.5: whether the registrar takes batches stands in its answer. */
START_TEST(registrar_takes_batches)
{
	expect_form("Contact: {contact};expires=600\nSupported: gruu-10, adhoclist\n",
		"application/adrl+xml");
	expect_form("Contact: {contact};expires=600\n", "application/resource-lists+xml");
}
END_TEST

RUN_TESTS("subscription-microsoft", off, ms_sip_3_5_4_supported, proxy_require_refused,
	ms_sip_3_4_5_1_piggyback, ms_sip_3_4_5_1_supported, piggyback_after_notify, ms_fetch,
	piggyback_refresh, piggyback_stale_end, ms_sip_3_5_benotify, ms_autoextend, ucma_refresh,
	roaming_self_once, ms_sip_4_3_batched, registrar_takes_batches)
