/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NOTIFY that nobody asked for: whom it is believed, who hears of it, and what it says of a mailbox
 * (RFC 3842); BENOTIFY outside of dialogs.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/messages.h"
#include "protocol/ua/subscription.h"
#include "tests/flow/scene.h"
#include "tests/support/run.h"

#define SERVER "udp:192.0.2.1:5060"
#define BOUND "Contact: {contact};expires=600\n"
#define WAITING "Messages-Waiting: yes\r\nVoice-Message: 2/8 (1/0)\r\n"
#define SUMMARY "application/simple-message-summary"

static void receive(const struct scene *s, const char *from, const char *headers, const char *body)
{
	char text[1024];
	const char *method = strstr(headers, "X-Best-Effort") ? "BENOTIFY" : "NOTIFY";

	(void)snprintf(text, sizeof(text),
		"%s {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <sip:alice@example.com>;tag=v\n"
		"To: <sip:alice@example.com>\n"
		"Call-ID: v{n}\n"
		"CSeq: 1 %s\n"
		"%s"
		"Content-Length: {length}\n\n%s",
		method, method, headers, body);
	world_in(s->wu, from, text);
	world_settle(s->w);
}

#define MWI "Event: message-summary\nSubscription-State: active\nContent-Type: " SUMMARY "\n"

/* Nobody takes it but we. */
static void pass(const struct scene *s)
{
	incoming_pass(world_expect_incoming(s->wu));
	world_settle(s->w);
}

static struct scene registered(void)
{
	struct scene s = scene_new(&scene_alice);

	scene_registered(&s, BOUND);
	s.wu->changes = 0;
	return s;
}

static void expect_nothing_known(const struct scene *s)
{
	ck_assert_ptr_null(s->ep->messages);
	ck_assert(!(s->wu->changes & UA_CHANGE_MESSAGES));
}

/* 200 without any agent, and the endpoint knows. */
START_TEST(from_the_server)
{
	struct scene s = registered();
	const struct message_counts *voice;

	receive(&s, SERVER, MWI,
		"Messages-Waiting: yes\nMessage-Account: sip:alice@example.com\n"
		"Voice-Message: 2/8 (1/0)\n");
	ck_assert(s.wu->changes & UA_CHANGE_MESSAGES);
	ck_assert_ptr_nonnull(s.ep->messages);
	ck_assert(s.ep->messages->summary.waiting);
	ck_assert(slice_eq(s.ep->messages->summary.account, SLICE("sip:alice@example.com")));
	voice = &s.ep->messages->summary.counts[MESSAGE_VOICE];
	ck_assert(voice->told && voice->fresh == 2 && voice->old == 8 && voice->urgent_fresh == 1);
	ck_assert_uint_eq(world_skip_out(s.w), 0);
	pass(&s);
	(void)world_expect_out(s.w, "200");
	/* The next one replaces all of it. */
	receive(&s, SERVER, MWI, "Messages-Waiting: no\n");
	pass(&s);
	(void)world_expect_out(s.w, "200");
	ck_assert(!s.ep->messages->summary.waiting && !s.ep->messages->summary.account.n);
	ck_assert(!s.ep->messages->summary.counts[MESSAGE_VOICE].told);
	scene_finish(&s);
}
END_TEST

/* Servers differ in what they say of a subscription that there is not. */
START_TEST(whatever_its_state)
{
	static const char *const headers[] = { "Event: message-summary\nContent-Type: " SUMMARY
					       "\n",
		"Event: message-summary\nSubscription-State: terminated;reason=noresource\n"
		"Content-Type: " SUMMARY "\n",
		"o: Message-Summary\nSubscription-State: active;expires=0\nc: " SUMMARY
		";charset=utf-8\n" };

	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct scene s = registered();

		receive(&s, SERVER, headers[i], WAITING);
		ck_assert_msg(s.ep->messages != NULL, "%s", headers[i]);
		pass(&s);
		(void)world_expect_out(s.w, "200");
		scene_finish(&s);
	}
}
END_TEST

/* RFC 3261 26.2: anybody may send to our contact; nobody else is believed. */
START_TEST(from_a_stranger)
{
	static const char *const strangers[] = { "udp:203.0.113.5:5060", "udp:192.0.2.1:5062",
		"tcp:192.0.2.1:5060" };

	for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
		struct scene s = registered();

		receive(&s, strangers[i], MWI, WAITING);
		(void)world_expect_out(s.w, "481");
		ck_assert_uint_eq(world_count_news(s.wu, WORLD_INCOMING), 0);
		expect_nothing_known(&s);
		scene_finish(&s);
	}
}
END_TEST

/* What cannot be read changes nothing. */
START_TEST(unreadable)
{
	static const struct {
		const char *type, *body, *status;
	} rows[] = {
		{ "Content-Type: text/xml\n", "<x/>", "415" },
		{ "Content-Type: " SUMMARY "\n", "Voice-Message: 1/0\n", "400" },
		{ "", "", "200" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = registered();
		char headers[120];
		const struct msg *m;

		(void)snprintf(
			headers, sizeof(headers), "Event: message-summary\n%s", rows[i].type);
		receive(&s, SERVER, headers, rows[i].body);
		pass(&s);
		m = world_expect_out(s.w, rows[i].status);
		ck_assert_int_eq(m->status == 415, msg_header(m, HDR_ACCEPT).n > 0);
		expect_nothing_known(&s);
		scene_finish(&s);
	}
}
END_TEST

/* Other packages are for agents alone: an agent's word, or 481 (RFC 6665 4.1.3). */
START_TEST(other_packages)
{
	static const struct incoming_reply ok = { .status = 200 };
	struct scene s = registered();

	receive(&s, SERVER, "Event: check-sync\nSubscription-State: terminated\n", "");
	pass(&s);
	(void)world_expect_out(s.w, "481");
	receive(&s, SERVER, "Event: check-sync\nSubscription-State: terminated\n", "");
	ck_assert_int_eq(incoming_reply(world_expect_incoming(s.wu), &ok), 0);
	world_settle(s.w);
	(void)world_expect_out(s.w, "200");
	expect_nothing_known(&s);
	scene_finish(&s);
}
END_TEST

/* ---- BENOTIFY ---- */

static const struct world_account lync_alice = {
	.id = "alice",
	.domain = "example.com",
	.registrar = "192.0.2.1",
	.password = "secret",
	.microsoft = true,
};

#define BEST_EFFORT "X-Best-Effort: yes\n" MWI

/* It is heard, by agents too, and never answered. */
START_TEST(best_effort)
{
	struct scene s = scene_new(&lync_alice);

	scene_registered(&s, BOUND);
	receive(&s, SERVER, BEST_EFFORT, WAITING);
	ck_assert_ptr_nonnull(s.ep->messages);
	pass(&s);
	receive(&s, SERVER, BEST_EFFORT, "Messages-Waiting: no\n");
	ck_assert_int_eq(incoming_reply(world_expect_incoming(s.wu),
				 &(struct incoming_reply){ .status = 603 }),
		0);
	world_settle(s.w);
	ck_assert(!s.ep->messages->summary.waiting);
	receive(&s, "udp:203.0.113.5:5060", BEST_EFFORT, WAITING);
	receive(&s, SERVER, BEST_EFFORT "Content-Type: text/plain\n", "x");
	ck_assert(!s.ep->messages->summary.waiting);
	world_run(s.w, 40 * SEC);
	ck_assert_uint_eq(world_skip_out(s.w), 0);
	/* One that waits for an agent when the endpoint closes. */
	receive(&s, SERVER, BEST_EFFORT, WAITING);
	scene_finish(&s);
}
END_TEST

START_TEST(best_effort_is_microsofts)
{
	struct scene s = registered();

	receive(&s, SERVER, BEST_EFFORT, WAITING);
	expect_nothing_known(&s);
	ck_assert_uint_eq(world_count_news(s.wu, WORLD_INCOMING), 0);
	ck_assert_uint_eq(world_skip_out(s.w), 0);
	scene_finish(&s);
}
END_TEST

/* ---- a subscription of ours ---- */

static void on_notified(void *owner, struct subscription *sub, const struct msg *m)
{
	(void)sub;
	(void)m;
	++*(unsigned *)owner;
}

static void on_changed(void *owner, struct subscription *sub)
{
	(void)owner;
	(void)sub;
}

static void on_terminated(void *owner, struct subscription *sub, const struct subscription_end *end)
{
	(void)owner;
	(void)sub;
	(void)end;
}

static const struct subscription_ops ops = {
	.notified = on_notified,
	.changed = on_changed,
	.terminated = on_terminated,
};

static void notify(const struct scene *s, const struct msg *subscribe)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"NOTIFY {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <sip:alice@example.com>;tag=n\n"
		"To: <sip:alice@example.com>;tag=%.*s\n"
		"Call-ID: %.*s\n"
		"CSeq: 1 NOTIFY\n"
		"Contact: <sip:192.0.2.1>\n" MWI "Content-Length: {length}\n\n" WAITING,
		SLICE_ARGS(subscribe->from_tag), SLICE_ARGS(subscribe->call_id));
	world_in(s->wu, SERVER, text);
	world_settle(s->w);
	(void)world_expect_out(s->w, "200");
}

/* To the own mailbox, it tells the endpoint; to somebody else's, who asked alone. */
START_TEST(asked_for)
{
	static const char *const targets[] = { "sip:alice@EXAMPLE.com", "sip:bob@example.com" };

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct scene s = registered();
		unsigned n = 0;
		struct subscription_spec spec = {
			.target = slice_str(targets[i]),
			.event = SLICE("message-summary"),
			.expires = 600,
		};
		struct subscription *sub;
		const struct msg *m;

		ck_assert_int_eq(subscription_new(s.ep, &spec, &ops, &n, &sub), 0);
		m = world_expect_out(s.w, "SUBSCRIBE");
		world_reply_as(s.w, m, 200, "n", "Expires: 600\nContact: <sip:192.0.2.1>\n");
		world_settle(s.w);
		notify(&s, m);
		ck_assert_uint_eq(n, 1);
		ck_assert_int_eq(s.ep->messages != NULL, i == 0);
		subscription_free(sub);
		scene_finish(&s);
	}
}
END_TEST

RUN_TESTS("unsolicited", from_the_server, whatever_its_state, from_a_stranger, unreadable,
	other_packages, best_effort, best_effort_is_microsofts, asked_for)
