/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server side that is the same for every method: RFC 3261 sections 8.2, 9.2, 11.2 and 18.2. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/request.h"
#include "protocol/ua/uas.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

#define PEER "udp:192.0.2.9:5060"

static struct world *w;
static struct world_ua *alice;
static struct endpoint *ep;

static void setup(void)
{
	w = world_new(7);
	alice = world_ua(w, "192.0.2.1");
	ep = world_endpoint(alice, &(struct world_account){ .id = "alice",
					   .domain = "example.com",
					   .registrar = "192.0.2.9",
					   .password = "secret",
					   .transport = TRANSPORT_UDP });
}

static void teardown(void)
{
	world_free(w);
}

/* A request with the given start and extra headers; everything else as it should be. */
static void request(const char *method, const char *uri, const char *extra)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"%s %s SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <sip:bob@example.com>;tag=b\n"
		"To: <sip:alice@example.com>\n"
		"Call-ID: c{n}\n"
		"CSeq: 1 %s\n"
		"%s",
		method, uri, method, *extra ? extra : "Content-Length: 0\n\n");
	world_in(alice, PEER, text);
}

static struct incoming *arrived(void)
{
	world_settle(w);
	return world_expect_incoming(alice);
}

static const struct msg *answer(
	const char *method, const char *uri, const char *extra, const char *status)
{
	request(method, uri, extra);
	return world_expect_out(w, status);
}

/* The INVITE that came is nobody's. */
static const struct msg *pass_session(void)
{
	world_settle(w);
	session_pass(world_expect_session(alice));
	return world_expect_out(w, "480");
}

#define ALICE "sip:alice@example.com"
#define NOTHING ""
#define CONTACT "Contact: <sip:bob@192.0.2.9>\n"
#define WITH(headers) headers "Content-Length: 0\n\n"

/* 8.2.1: a method that is not known is 501 with Allow; one that is known but not served 405. */
START_TEST(rfc3261_8_2_1_method)
{
	const struct msg *m = answer("FROBNICATE", ALICE, NOTHING, "501");

	ck_assert(msg_has_token(m, HDR_ALLOW, SLICE("MESSAGE")));
	ck_assert_uint_gt(m->to_tag.n, 0);
	m = answer("REGISTER", "sip:example.com", NOTHING, "405");
	ck_assert(msg_has_token(m, HDR_ALLOW, SLICE("OPTIONS")));
}
END_TEST

/* 8.2.2.1: an unknown scheme is 416, whatever To says; nobody of that name 404. */
START_TEST(rfc3261_8_2_2_1_to_and_request_uri)
{
	answer("OPTIONS", "nobodyKnowsThisScheme:totallyopaquecontent", NOTHING, "416");
	answer("OPTIONS", "sip:carol@example.com", NOTHING, "404");
	answer("OPTIONS", "sip:alice@example.org", NOTHING, "404");
}
END_TEST

/* 8.2.2.2: the same request over two paths is answered once; the other copy is 482. */
START_TEST(rfc3261_8_2_2_2_merged)
{
	static const char text[] = "MESSAGE " ALICE " SIP/2.0\n"
				   "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKone%d;rport\n"
				   "From: <sip:bob@example.com>;tag=b\n"
				   "To: <sip:alice@example.com>\n"
				   "Call-ID: merged\n"
				   "CSeq: 1 MESSAGE\n"
				   "Content-Type: text/plain\n"
				   "Content-Length: 2\n\nhi";
	char copy[sizeof(text) + 8];

	for (int path = 1; path <= 2; path++) {
		(void)snprintf(copy, sizeof(copy), text, path);
		world_in(alice, PEER, copy);
	}
	(void)world_expect_out(w, "482");
	(void)arrived();
	ck_assert_uint_eq(world_count_news(alice, WORLD_INCOMING), 0);
}
END_TEST

/* 8.2.2.3: what is required and not supported is named. */
START_TEST(rfc3261_8_2_2_3_require)
{
	const struct msg *m = answer(
		"OPTIONS", ALICE, WITH("Require: nothingSupportsThis\nRequire: norThis\n"), "420");

	ck_assert(msg_has_token(m, HDR_UNSUPPORTED, SLICE("nothingSupportsThis")));
	ck_assert(msg_has_token(m, HDR_UNSUPPORTED, SLICE("norThis")));
	/* What is supported is not named, and 100rel is for no MESSAGE (RFC 3262 section 4). */
	m = answer("INVITE", ALICE, WITH("Require: 100rel, Timer\nRequire: x\n"), "420");
	ck_assert(slice_eq(msg_header(m, HDR_UNSUPPORTED), SLICE("x")));
	m = answer("MESSAGE", ALICE, WITH("Require: 100rel\n"), "420");
	ck_assert(slice_eq(msg_header(m, HDR_UNSUPPORTED), SLICE("100rel")));
	/* RFC 5627 4.4: Supported says gruu, so whoever requires it may. */
	m = answer("MESSAGE", ALICE, WITH("Require: gruu, x\n"), "420");
	ck_assert(slice_eq(msg_header(m, HDR_UNSUPPORTED), SLICE("x")));
}
END_TEST

/* 8.2.3: what the body is must be known, in a coding that is known. */
START_TEST(rfc3261_8_2_3_content)
{
	const struct msg *m;

	/* What describes a session, the client knows. */
	request("INVITE", ALICE,
		CONTACT "Content-Type: application/unknownformat\nContent-Length: 2\n\nhi");
	pass_session();
	m = answer("MESSAGE", ALICE,
		"Content-Type: text/plain\nContent-Encoding: gzip\nContent-Length: 2\n\nhi", "415");
	ck_assert(msg_has_token(m, HDR_ACCEPT_ENCODING, SLICE("identity")));
	answer("MESSAGE", ALICE, "Content-Length: 2\n\nhi", "400");
	/* 20.11: a body that may be ignored is ignored. */
	request("INVITE", ALICE,
		CONTACT "Content-Type: x/y\nContent-Disposition: render;handling=optional\n"
			"Content-Length: 2\n\nhi");
	pass_session();
	request("INVITE", ALICE, WITH(CONTACT "Accept: text/nobodyKnowsThis\n"));
	pass_session();
}
END_TEST

/* 15.1.2, RFC 3262 section 3, RFC 3311 section 5.2: what belongs to a dialog names one. */
START_TEST(rfc3261_15_1_2_outside_of_dialogs)
{
	static const char *const methods[] = { "BYE", "PRACK", "UPDATE" };

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		answer(methods[i], ALICE, NOTHING, "481");
}
END_TEST

/* RFC 3891 section 3, RFC 3911 section 4: not for other methods than INVITE. */
START_TEST(rfc3891_3_replaces_is_for_invite)
{
	answer("MESSAGE", ALICE, WITH("Replaces: a;to-tag=b;from-tag=c\n"), "400");
	answer("OPTIONS", ALICE, WITH("Join: a;to-tag=b;from-tag=c\n"), "400");
}
END_TEST

/* 12.2.2: a To tag means a dialog, and there is none. */
START_TEST(rfc3261_12_2_2_no_dialog)
{
	world_in(alice, PEER,
		"MESSAGE " ALICE " SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{n};rport\n"
		"From: <sip:bob@example.com>;tag=b\n"
		"To: <sip:alice@example.com>;tag=lost\n"
		"Call-ID: d\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n");
	(void)world_expect_out(w, "481");
}
END_TEST

/* 11.2: OPTIONS tells what is possible; the contact token and the address of record both lead here.
 */
START_TEST(rfc3261_11_2_options)
{
	const struct msg *m;

	request("OPTIONS", ALICE, NOTHING);
	incoming_pass(arrived());
	m = world_expect_out(w, "200");
	ck_assert(msg_header(m, HDR_ALLOW).n > 0);
	ck_assert(msg_header(m, HDR_ACCEPT).n > 0);
	ck_assert(msg_header(m, HDR_SUPPORTED).p != NULL);
	request("OPTIONS", "{contact}", NOTHING);
	incoming_pass(arrived());
	(void)world_expect_out(w, "200");
}
END_TEST

/* 18.2.1 and RFC 3581 section 4: received and rport say where the request came from. */
START_TEST(rfc3581_4_received_and_rport)
{
	const struct msg *m;

	world_in(alice, "udp:192.0.2.9:40000",
		"OPTIONS sip:nobody@example.com SIP/2.0\n"
		"Via: SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bKr;received=1.2.3.4, "
		"SIP/2.0/UDP far.example.com;branch=z9hG4bKs\n"
		"From: <sip:bob@example.com>;tag=b\nTo: <sip:alice@example.com>\n"
		"Call-ID: v\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n");
	m = world_expect_out(w, "404");
	ck_assert(slice_eq(m->via.received, SLICE("192.0.2.9")));
	ck_assert(slice_eq(m->via.rport, SLICE("40000")));
	ck_assert(slice_eq(m->via.branch, SLICE("z9hG4bKr")));
	ck_assert(slice_eq(m->via.host, SLICE("10.0.0.1")));
	/* What follows in the same line stays. */
	ck_assert(slice_eq(msg_header(m, HDR_VIA),
		SLICE("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKr;received=192.0.2.9;rport=40000, "
		      "SIP/2.0/UDP far.example.com;branch=z9hG4bKs")));
}
END_TEST

static uint16_t port_reached;

static bool note_port(void *ctx, struct world_mail *mail)
{
	(void)ctx;
	port_reached = mail->to.port;
	return false;
}

/* 18.2.2: without rport the answer goes to the port of sent-by, at the address of the source. */
START_TEST(rfc3261_18_2_2_sent_by_port)
{
	const struct msg *m;

	world_set_peer(w, note_port, NULL);
	world_in(alice, "udp:192.0.2.9:40000",
		"OPTIONS sip:nobody@example.com SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKr\n"
		"From: <sip:bob@example.com>;tag=b\nTo: <sip:alice@example.com>\n"
		"Call-ID: v\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n");
	m = world_expect_out(w, "404");
	ck_assert_ptr_null(m->via.received.p);
	ck_assert_uint_eq(port_reached, 5070);
}
END_TEST

/* 18.2.1: received is the peer's address; on which of our links it is, is our own matter. */
START_TEST(rfc3261_18_2_1_received_without_scope)
{
	struct flow f = { .transport = TRANSPORT_UDP, .peer = { "fe80::9%eth0", 5062 } };
	struct buf via = BUF_NULL;
	struct msg *m = NULL;

	ck_assert_int_ge(msg_parse(SLICE("OPTIONS sip:a@example.com SIP/2.0\r\n"
					 "Via: SIP/2.0/UDP b.example.com;branch=z9hG4bKx;rport\r\n"
					 "From: <sip:b@example.com>;tag=b\r\n"
					 "To: <sip:a@example.com>\r\nCall-ID: v\r\n"
					 "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"),
				 MSG_STREAM, &m),
		0);
	uas_append_via(&via, m, &f);
	ck_assert(slice_eq(buf_slice(&via),
		SLICE("SIP/2.0/UDP b.example.com;branch=z9hG4bKx;received=fe80::9;rport=5062")));
	buf_deinit(&via);
	msg_unref(m);
}
END_TEST

/* 8.2.7: a fault is answered without memory, and each copy with the same tag. */
START_TEST(rfc3261_8_2_7_stateless)
{
	static const char bad[] = "OPTIONS " ALICE " SIP/2.0\n"
				  "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbad;rport\n"
				  "From: <sip:bob@example.com>;tag=b\n"
				  "To: <sip:alice@example.com>\n"
				  "Call-ID: v\nCSeq: 1 INVITE\nContent-Length: 0\n\n";
	const struct msg *first, *second;

	world_in(alice, PEER, bad);
	first = world_expect_out(w, "400");
	world_in(alice, PEER, bad);
	second = world_expect_out(w, "400");
	ck_assert_uint_gt(first->to_tag.n, 0);
	ck_assert(slice_eq(first->to_tag, second->to_tag));
	ck_assert_uint_eq(alice->ua->txns.n, 0);
}
END_TEST

#define INVITE_LINES(method)                                                        \
	method " " ALICE " SIP/2.0\n"                                               \
	       "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKinv;rport\n"               \
	       "From: <sip:bob@example.com>;tag=b\nTo: <sip:alice@example.com>%s\n" \
	       "Call-ID: i\nCSeq: 1 " method "\n" CONTACT "Content-Length: 0\n\n"

/* 9.2: a CANCEL for nothing is 481; for an INVITE that has its answer already 200 and no more. */
START_TEST(rfc3261_9_2_cancel)
{
	char text[512];

	(void)snprintf(text, sizeof(text), INVITE_LINES("CANCEL"), "");
	world_in(alice, PEER, text);
	(void)world_expect_out(w, "481");
	/* Another transaction: the branch of the first CANCEL is taken for a while. */
	world_run(w, 40 * USEC_PER_SEC);
	(void)snprintf(text, sizeof(text), INVITE_LINES("INVITE"), "");
	world_in(alice, PEER, text);
	pass_session();
	(void)snprintf(text, sizeof(text), INVITE_LINES("CANCEL"), "");
	world_in(alice, PEER, text);
	(void)world_expect_out(w, "200");
	ck_assert_uint_eq(world_skip_out(w), 0);
}
END_TEST

/* 9.2: the answers to a CANCEL and to the INVITE that it means have one To tag. */
START_TEST(rfc3261_9_2_cancel_shares_to_tag)
{
	const struct msg *m;
	char text[512], tag[64];

	(void)snprintf(text, sizeof(text), INVITE_LINES("INVITE"), "");
	world_in(alice, PEER, text);
	m = pass_session();
	ck_assert_uint_gt(m->to_tag.n, 0);
	(void)snprintf(tag, sizeof(tag), "%.*s", SLICE_ARGS(m->to_tag));
	(void)snprintf(text, sizeof(text), INVITE_LINES("CANCEL"), "");
	world_in(alice, PEER, text);
	m = world_expect_out(w, "200");
	ck_assert(slice_eq(m->to_tag, slice_str(tag)));
}
END_TEST

/* 9.2: also when nothing but the CANCEL was answered before. */
START_TEST(rfc3261_9_2_cancel_knows_the_tag_to_come)
{
	const struct msg *ok, *gone;
	char text[512];

	(void)snprintf(text, sizeof(text), INVITE_LINES("INVITE"), "");
	world_in(alice, PEER, text);
	world_settle(w);
	(void)world_expect_session(alice);
	(void)snprintf(text, sizeof(text), INVITE_LINES("CANCEL"), "");
	world_in(alice, PEER, text);
	ok = world_expect_out(w, "200");
	gone = world_expect_out(w, "487");
	ck_assert_uint_gt(ok->to_tag.n, 0);
	ck_assert(slice_eq(ok->to_tag, gone->to_tag));
}
END_TEST

/* 17.2.1: an INVITE that nobody takes is refused, the refusal repeated until its ACK comes. */
START_TEST(rfc3261_17_2_1_refusal_repeats_until_ack)
{
	const struct msg *m;
	char text[512], tag[64];

	(void)snprintf(text, sizeof(text), INVITE_LINES("INVITE"), "");
	world_in(alice, PEER, text);
	m = pass_session();
	(void)snprintf(tag, sizeof(tag), ";tag=%.*s", SLICE_ARGS(m->to_tag));
	world_run(w, 600 * USEC_PER_MSEC);
	(void)world_expect_out(w, "480");
	(void)snprintf(text, sizeof(text), INVITE_LINES("ACK"), tag);
	world_in(alice, PEER, text);
	world_expect_silence(w, 60 * USEC_PER_SEC);
	world_expect_idle(alice);
}
END_TEST

/* RFC 3428 section 7: the answer to a page has no body and no Contact. */
START_TEST(rfc3428_7_page)
{
	const struct msg *m;
	struct incoming *in;

	request("MESSAGE", ALICE, "Content-Type: text/plain\nContent-Length: 2\n\nhi");
	in = arrived();
	ck_assert_ptr_eq(in->ep, ep);
	ck_assert(slice_eq(in->request->body, SLICE("hi")));
	/* Nothing is answered before somebody decides. */
	ck_assert_uint_eq(world_skip_out(w), 0);
	ck_assert_int_eq(incoming_reply(in, &(struct incoming_reply){ .status = 99 }), -EINVAL);
	ck_assert_int_eq(incoming_reply(in, &(struct incoming_reply){ .status = 200,
						    .reason = SLICE("a\r\nb") }),
		-EINVAL);
	ck_assert_int_eq(incoming_reply(in, &(struct incoming_reply){ .status = 202,
						    .content_type = SLICE("text/plain"),
						    .body = SLICE("no") }),
		0);
	m = world_expect_out(w, "202");
	ck_assert_uint_eq(m->body.n, 0);
	ck_assert_ptr_null(msg_header(m, HDR_CONTACT).p);
	ck_assert(slice_eq(m->reason, SLICE("Accepted")));
}
END_TEST

/* Nobody takes it: each method has its own last word. */
START_TEST(nobody_takes_it)
{
	static const struct {
		const char *method, *status;
	} rows[] = {
		{ "MESSAGE", "480" },
		{ "PUBLISH", "489" }, /* RFC 3903 section 6 */
		{ "INFO", "481" },    /* RFC 6086 section 4.2.2 */
		{ "REFER", "603" },
		{ "SERVICE", "405" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		request(rows[i].method, ALICE, NOTHING);
		incoming_pass(arrived());
		(void)world_expect_out(w, rows[i].status);
	}
	/* RFC 6665 section 4.1.3; who registers hears its own server alone (unsolicited.h). */
	request("NOTIFY", ALICE, NOTHING);
	(void)world_expect_out(w, "481");
	/* A BENOTIFY is never answered, be it malformed. */
	request("BENOTIFY", ALICE, NOTHING);
	request("BENOTIFY", ALICE, WITH("Contact: <\n"));
	ck_assert_uint_eq(world_count_news(alice, WORLD_INCOMING), 0);
	world_expect_silence(w, USEC_PER_SEC);
}
END_TEST

/* A request that waits longer than its transaction lives is told gone, and its answer is not owed.
 */
START_TEST(waiting_requests_are_bounded)
{
	for (unsigned i = 0; i < LIMITS_INCOMING_PER_ENDPOINT; i++)
		request("MESSAGE", ALICE, NOTHING);
	world_settle(w);
	ck_assert_uint_eq(ep->n_incoming, LIMITS_INCOMING_PER_ENDPOINT);
	ck_assert_uint_eq(world_skip_out(w), 0);
	ck_assert(msg_header(answer("MESSAGE", ALICE, NOTHING, "503"), HDR_RETRY_AFTER).n > 0);
	/* Closing answers all of them. */
	endpoint_close(ep);
	ck_assert_uint_eq(world_skip_out(w), LIMITS_INCOMING_PER_ENDPOINT);
}
END_TEST

static void free_endpoint(struct world_ua *wu, struct incoming *in)
{
	(void)wu;
	endpoint_free(in->ep);
}

/* Closing answers what waits and says so, once, to those who know of it. */
START_TEST(closing_takes_requests_away)
{
	struct incoming *in;

	request("MESSAGE", ALICE, NOTHING);
	(void)arrived();
	request("MESSAGE", ALICE, NOTHING);
	in = arrived();
	endpoint_close(ep);
	(void)world_expect_out(w, "480");
	(void)world_expect_out(w, "480");
	ck_assert_uint_eq(world_count_news(alice, WORLD_GONE), 2);

	/* Who answers before the news came answers nobody, and hears of it no more. */
	ep = world_endpoint(
		alice, &(struct world_account){ .id = "alice2", .domain = "example.com" });
	request("MESSAGE", "sip:alice2@example.com", NOTHING);
	in = arrived();
	{
		UA_SCOPE(alice->ua);
		endpoint_close(ep);
		ck_assert_int_eq(incoming_reply(in, &(struct incoming_reply){ .status = 200 }), 0);
	}
	(void)world_expect_out(w, "480");
	world_expect_silence(w, USEC_PER_SEC);
	ck_assert_uint_eq(world_count_news(alice, WORLD_GONE), 2);
}
END_TEST

/* A listener may free the endpoint when it hears that a request is gone. */
START_TEST(gone_and_the_endpoint_with_it)
{
	request("MESSAGE", ALICE, NOTHING);
	(void)arrived();
	alice->on_gone = free_endpoint;
	world_run(w, 64 * TIMER_T1 + USEC_PER_SEC);
	ck_assert_uint_eq(world_count_news(alice, WORLD_GONE), 1);
	ck_assert_ptr_null(endpoint_find(alice->ua, SLICE("alice")));
}
END_TEST

/* 17.2.2 with RFC 4320: after 64*T1 the far end has given up, and no decision is owed any more. */
START_TEST(rfc4320_undecided_request_goes)
{
	request("MESSAGE", ALICE, NOTHING);
	(void)arrived();
	world_run(w, 64 * TIMER_T1 - USEC_PER_SEC);
	ck_assert_uint_eq(world_count_news(alice, WORLD_GONE), 0);
	world_run(w, 2 * USEC_PER_SEC);
	ck_assert_uint_eq(world_count_news(alice, WORLD_GONE), 1);
	ck_assert_uint_eq(ep->n_incoming, 0);
}
END_TEST

/* 8.1.3.3: a response with more than one Via is not ours. RFC 4475 3.1.1.12: noise is dropped. */
START_TEST(rfc3261_8_1_3_3_foreign_responses)
{
	uint64_t bad = alice->ua->n_bad_messages;

	world_in(alice, PEER,
		"SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx, SIP/2.0/UDP "
		"255.255.255.255;branch=z9hG4bKy\nFrom: <sip:a@b>;tag=1\nTo: <sip:a@b>;tag=2\n"
		"Call-ID: x\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n");
	world_in(alice, PEER, "this is not SIP\n\n");
	world_expect_silence(w, USEC_PER_SEC);
	ck_assert_uint_eq(alice->ua->n_bad_messages, bad + 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("uas");
	TCase *tc = tcase_create("uas");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, rfc3261_8_2_1_method);
	tcase_add_test(tc, rfc3261_8_2_2_1_to_and_request_uri);
	tcase_add_test(tc, rfc3261_8_2_2_2_merged);
	tcase_add_test(tc, rfc3261_8_2_2_3_require);
	tcase_add_test(tc, rfc3261_8_2_3_content);
	tcase_add_test(tc, rfc3261_15_1_2_outside_of_dialogs);
	tcase_add_test(tc, rfc3891_3_replaces_is_for_invite);
	tcase_add_test(tc, rfc3261_12_2_2_no_dialog);
	tcase_add_test(tc, rfc3261_11_2_options);
	tcase_add_test(tc, rfc3581_4_received_and_rport);
	tcase_add_test(tc, rfc3261_18_2_2_sent_by_port);
	tcase_add_test(tc, rfc3261_18_2_1_received_without_scope);
	tcase_add_test(tc, rfc3261_8_2_7_stateless);
	tcase_add_test(tc, rfc3261_9_2_cancel);
	tcase_add_test(tc, rfc3261_9_2_cancel_shares_to_tag);
	tcase_add_test(tc, rfc3261_9_2_cancel_knows_the_tag_to_come);
	tcase_add_test(tc, rfc3261_17_2_1_refusal_repeats_until_ack);
	tcase_add_test(tc, rfc3428_7_page);
	tcase_add_test(tc, nobody_takes_it);
	tcase_add_test(tc, waiting_requests_are_bounded);
	tcase_add_test(tc, closing_takes_requests_away);
	tcase_add_test(tc, gone_and_the_endpoint_with_it);
	tcase_add_test(tc, rfc4320_undecided_request_goes);
	tcase_add_test(tc, rfc3261_8_1_3_3_foreign_responses);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
