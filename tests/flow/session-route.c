/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of several endpoints with one URI a request is for (RFC 3261 8.2.2.1, RFC 5627, MS-SIPRE).
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/registration.h"
#include "protocol/ua/session-view.h"
#include "tests/support/run.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"

#define SEC USEC_PER_SEC
#define AOR "sip:alice@example.com"
#define DESK "urn:uuid:00112233-4455-6677-8899-aabbccddeeff"
#define LAPTOP "urn:uuid:00112233-4455-6677-8899-aabbccddeef0"
#define PLAIN ""

struct route {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *desk, *laptop; /* the first one, the second one */
	unsigned n;
};

static struct endpoint *another(
	struct route *r, const char *id, const char *epid, const char *instance)
{
	struct endpoint_config c = {
		.id = id,
		.profile = r->desk->profile,
		.uri = AOR,
		.endpoint_id = epid,
		.instance_id = instance,
	};
	struct endpoint *ep;

	ck_assert_int_eq(endpoint_new(r->wu->ua, &c, &ep), 0);
	return ep;
}

/* A third endpoint, of somebody else, is there as well. */
static struct route route_of(const struct world_account *a)
{
	static const struct world_account carol = { .id = "carol", .domain = "example.com" };
	struct route r = { .w = world_new(1) };

	r.wu = world_ua(r.w, "192.0.2.10");
	(void)world_endpoint(r.wu, &carol);
	r.desk = world_endpoint(r.wu, a);
	r.desk = another(&r, "desk", "0123abcdef", DESK);
	endpoint_free(endpoint_find(r.wu->ua, SLICE("alice")));
	r.laptop = another(&r, "laptop", "0123abcde0", LAPTOP);
	return r;
}

static struct route route_new(void)
{
	return route_of(&(struct world_account){ .id = "alice", .domain = "example.com" });
}

static void route_free(struct route *r)
{
	world_expect_no_session(r->wu);
	world_free(r->w);
}

static void send(
	struct route *r, const char *method, const char *uri, const char *to, const char *lines)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"%s %s SIP/2.0\n"
		"Via: SIP/2.0/TCP {peer};branch=z9hG4bK-{n}\n"
		"Max-Forwards: 70\n"
		"From: <sip:bob@192.0.2.1>;tag=b\n"
		"To: %s\n"
		"Call-ID: c{n}\n"
		"CSeq: 1 %s\n"
		"Contact: <sip:bob@192.0.2.1;transport=tcp>\n"
		"%sContent-Length: 0\n\n",
		method, uri, to, method, lines);
	world_in(r->wu, "tcp:192.0.2.1:5060", text);
	world_settle(r->w);
}

/* The INVITE is for that endpoint, or for none: NULL is a 404. */
static void reaches(struct route *r, const char *uri, const char *to, const char *lines,
	const struct endpoint *ep)
{
	struct session *s;

	send(r, "INVITE", uri, to, lines);
	if (!ep) {
		(void)world_expect_out(r->w, "404");
		world_expect_no_session(r->wu);
		return;
	}
	s = world_expect_session(r->wu);
	ck_assert_str_eq(session_endpoint(s)->id, ep->id);
	session_pass(s);
	(void)world_expect_out(r->w, "480");
	(void)world_expect_terminated(r->wu, 480, ORIGIN_LOCAL);
}

/* RFC 3261 10.2.1: the Contact that it gave is one endpoint's own, whatever the rest says. */
START_TEST(contact_token)
{
	struct route r = route_new();
	struct endpoint *both[] = { r.desk, r.laptop };

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		char uri[128];

		(void)snprintf(uri, sizeof(uri), "sip:%s@192.0.2.10:5060", both[i]->token);
		reaches(&r, uri, "<" AOR ">", PLAIN, both[i]);
		(void)snprintf(
			uri, sizeof(uri), "sip:%s@203.0.113.9;transport=tcp", both[i]->token);
		reaches(&r, uri, "<" AOR ">;epid=0123abcdef", PLAIN, both[i]);
	}
	/* Of an earlier run. */
	reaches(&r, "sip:0011223344556677@192.0.2.10", "<" AOR ">", PLAIN, NULL);
	route_free(&r);
}
END_TEST

/* RFC 5627 3.1.1: the instance and no other; characters escaped and in either case. */
START_TEST(rfc5627_public_gruu)
{
	struct route r = route_new();

	reaches(&r, AOR ";gr=" DESK, "<" AOR ">", PLAIN, r.desk);
	reaches(&r, AOR ";gr=" LAPTOP, "<" AOR ">", PLAIN, r.laptop);
	reaches(&r, "sip:alice@EXAMPLE.com;gr=urn%3auuid:00112233-4455-6677-8899-AABBCCDDEEF0",
		"<" AOR ">", PLAIN, r.laptop);
	reaches(&r, AOR ";gr=urn:uuid:00112233-4455-6677-8899-000000000000", "<" AOR ">", PLAIN,
		NULL);
	/* Somebody else's instance, or somebody else's name, is none. */
	reaches(&r, "sip:carol@example.com;gr=" DESK, "<" AOR ">", PLAIN, NULL);
	reaches(&r, "sip:dave@example.com;gr=" DESK, "<" AOR ">", PLAIN, NULL);
	route_free(&r);
}
END_TEST

/* draft-ietf-sip-gruu-10 as Microsoft's servers write it: base64url of the GUID. */
START_TEST(microsoft_gruu)
{
	struct route r = route_new();

	reaches(&r, AOR ";opaque=user:epid:MyIRAFVEd2aImaq7zN3u_wAA;gruu", "<" AOR ">", PLAIN,
		r.desk);
	reaches(&r, AOR ";opaque=user:epid:MyIRAFVEd2aImaq7zN3u8AAA;gruu", "<" AOR ">", PLAIN,
		r.laptop);
	reaches(&r, AOR ";opaque=user:epid:AAAAAAAAAAAAAAAAAAAAAAAA;gruu", "<" AOR ">", PLAIN,
		NULL);
	/* What names no endpoint is for whoever has the URI. */
	reaches(&r, AOR ";opaque=app:voicemail;gruu", "<" AOR ">", PLAIN, r.desk);
	reaches(&r, AOR ";opaque=user:epid:not*base64*at*all*here", "<" AOR ">", PLAIN, r.desk);
	reaches(&r, AOR ";opaque=user:epid:", "<" AOR ">", PLAIN, r.desk);
	route_free(&r);
}
END_TEST

/* MS-SIPRE 3.2: the endpoint id stands in the Request-URI or in To. It is a wish, no more. */
START_TEST(endpoint_id)
{
	struct route r = route_new();

	reaches(&r, AOR ";epid=0123ABCDE0", "<" AOR ">", PLAIN, r.laptop);
	reaches(&r, AOR, "<" AOR ">;epid=0123abcde0", PLAIN, r.laptop);
	reaches(&r, AOR, "<" AOR ">;epid=0123abcdef", PLAIN, r.desk);
	reaches(&r, AOR ";epid=0123abcdef", "<" AOR ">;epid=0123abcde0", PLAIN, r.desk);
	reaches(&r, AOR, "<" AOR ">;epid=ffffffffff", PLAIN, r.desk);
	reaches(&r, "sip:carol@example.com", "<sip:carol@example.com>;epid=0123abcde0", PLAIN,
		endpoint_find(r.wu->ua, SLICE("carol")));
	route_free(&r);
}
END_TEST

/* RFC 3840 section 9, RFC 3841 9.2. */
START_TEST(rfc3841_9_2_preferred_instance)
{
	struct route r = route_new();

	reaches(&r, AOR, "<" AOR ">", "Accept-Contact: *;+sip.instance=\"<" LAPTOP ">\"\n",
		r.laptop);
	reaches(&r, AOR, "<" AOR ">",
		"Accept-Contact: *;audio, *;+sip.instance=\"<urn:x>\"\n"
		"a: *;+sip.instance=\"<" LAPTOP ">\";explicit\n",
		r.laptop);
	reaches(&r, AOR, "<" AOR ">", "Accept-Contact: *;+sip.instance=\"" LAPTOP "\"\n", r.desk);
	reaches(&r, AOR, "<" AOR ">", "Accept-Contact: *;+sip.instance=\"<>\"\n", r.desk);
	route_free(&r);
}
END_TEST

/* Nothing tells them apart: the oldest that does not close. RFC 3261 8.2.2.1: else 404. */
START_TEST(rfc3261_8_2_2_1_plain)
{
	struct route r = route_new();

	reaches(&r, AOR, "<sip:somebody@else.example>", PLAIN, r.desk);
	reaches(&r, "sip:Alice@example.com", "<" AOR ">", PLAIN, NULL); /* 19.1.4 */
	reaches(&r, "sip:alice@example.org", "<" AOR ">", PLAIN, NULL);
	reaches(&r, "sip:example.com", "<" AOR ">", PLAIN, NULL);
	endpoint_free(r.desk);
	reaches(&r, AOR, "<" AOR ">", PLAIN, r.laptop);
	reaches(&r, AOR ";gr=" DESK, "<" AOR ">", PLAIN, NULL);
	endpoint_free(r.laptop);
	reaches(&r, AOR, "<" AOR ">", PLAIN, NULL);
	route_free(&r);
}
END_TEST

/* 21.4.18: it is somebody's who is about to go. */
START_TEST(rfc3261_21_4_18_closing)
{
	struct route r = route_new();
	struct session_body answer = world_sdp("v=0 answer");
	struct session *s;

	send(&r, "INVITE", AOR, "<" AOR ">", "Content-Type: application/sdp\nContent-Length: 0\n");
	s = world_expect_session(r.wu);
	ck_assert_int_eq(session_accept(s, &answer, NULL), 0);
	world_run(r.w, 2 * SEC);
	(void)world_skip_out(r.w);           /* the 2xx, again and again */
	endpoint_close(session_endpoint(s)); /* waits for the ACK, to say BYE */
	reaches(&r, AOR, "<" AOR ">", PLAIN, r.laptop);
	send(&r, "INVITE", AOR ";gr=" DESK, "<" AOR ">", PLAIN);
	(void)world_expect_out(r.w, "480");
	world_expect_no_session(r.wu);
	route_free(&r);
}
END_TEST

/* 12.2.2: what claims to be inside a dialog goes to that dialog or nowhere. */
START_TEST(rfc3261_12_2_2_no_dialog)
{
	static const char *const methods[] = { "INVITE", "BYE", "INFO", "UPDATE", "OPTIONS" };
	struct route r = route_new();

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		send(&r, methods[i], AOR ";gr=" DESK, "<" AOR ">;tag=gone", PLAIN);
		(void)world_expect_out(r.w, "481");
		world_expect_no_session(r.wu);
	}
	route_free(&r);
}
END_TEST

static void registers(struct route *r, struct endpoint *ep)
{
	ck_assert_int_eq(
		registration_start(ep->registration, &(struct registration_options){ 0 }), 0);
	world_reply(
		r->w, world_expect_out(r->w, "REGISTER"), 200, "Contact: {contact};expires=3600\n");
	world_run(r->w, SEC);
	(void)world_expect_done(r->wu, UA_REGISTER, 200, 0);
}

/* Of those that nothing else tells apart, who registered over this connection, the last of them. */
START_TEST(registered_over_this_connection)
{
	static const struct world_account alice = {
		.id = "alice",
		.domain = "example.com",
		.registrar = "192.0.2.1",
		.transport = TRANSPORT_TCP,
	};
	struct route r = route_of(&alice);

	reaches(&r, AOR, "<" AOR ">", PLAIN, r.desk);
	registers(&r, r.laptop);
	reaches(&r, AOR, "<" AOR ">", PLAIN, r.laptop);
	registers(&r, r.desk);
	reaches(&r, AOR, "<" AOR ">", PLAIN, r.desk);
	reaches(&r, AOR ";gr=" LAPTOP, "<" AOR ">", PLAIN, r.laptop);
	route_free(&r);
}
END_TEST

RUN_TESTS("session-route", contact_token, rfc5627_public_gruu, microsoft_gruu, endpoint_id,
	rfc3841_9_2_preferred_instance, rfc3261_8_2_2_1_plain, rfc3261_21_4_18_closing,
	rfc3261_12_2_2_no_dialog, registered_over_this_connection)
