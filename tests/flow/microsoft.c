/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registration in the dialect of Microsoft's servers ([MS-SIPREGE], [MS-SIPRE], [MS-OCER]). */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/microsoft.h"
#include "protocol/ua/page.h"
#include "tests/flow/scene.h"
#include "tests/support/run.h"
#include "tests/support/world-session.h"

#define GRUU "sip:alice@example.com;opaque=user:epid:21nYNIVlkV-jtN6FPBU0fQAA;gruu"
#define OFFER "v=0 offer"

static const struct world_account alice = {
	.id = "alice",
	.domain = "example.com",
	.registrar = "192.0.2.1",
	.password = "secret",
	.transport = TRANSPORT_TCP,
	.auto_refresh = true,
	.microsoft = true,
};

static void grant(struct scene *s, const struct msg *m, const char *params, const char *headers)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"Contact: {contact};+sip.instance=\"<%s>\";expires=600%s\n%s", s->ep->instance_id,
		params, headers);
	world_reply(s->w, m, 200, text);
	world_settle(s->w);
}

static struct scene registered(const char *params)
{
	struct scene s = scene_new(&alice);

	scene_start(&s);
	grant(&s, world_expect_out(s.w, "REGISTER"), params, "");
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	return s;
}

static void expect_header(const struct msg *m, const char *name, const char *value)
{
	struct slice got = msg_header_named(m, slice_str(name));

	ck_assert_msg(slice_eq(got, slice_str(value)), "%s: %.*s", name, SLICE_ARGS(got));
}

static void expect_param(const struct addr *a, const char *name, const char *value)
{
	struct slice got = SLICE_NULL;

	ck_assert_msg(addr_param(a, slice_str(name), &got) == (value != NULL), "%s", name);
	if (value)
		ck_assert_msg(slice_eq(got, slice_str(value)), "%.*s", SLICE_ARGS(got));
}

/* ---- who we are ---- */

/* [MS-SIPRE] 4.2, and the endpoint id of its examples */
START_TEST(instance_vectors)
{
	static const char *const rows[][2] = {
		{ "01010101", "urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697" },
		{ "c8ca638a15", "urn:uuid:34d859db-6585-5f91-a3b4-de853c15347d" },
	};
	struct scene s = scene_new(&alice);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *id = microsoft_instance(s.ep->ua->host, rows[i][0]);

		ck_assert_str_eq(id, rows[i][1]);
		free(id);
	}
	world_free(s.w);
}
END_TEST

/* The derived id is ten digits, the same after each start; what is given counts before it. */
START_TEST(instance_of_endpoint)
{
	struct scene s = scene_new(&alice);
	struct endpoint_config c = { .id = "given", .profile = s.ep->profile };
	struct endpoint *ep;
	char *derived = microsoft_instance(s.ep->ua->host, s.ep->endpoint_id);

	ck_assert_uint_eq(strspn(s.ep->endpoint_id, "0123456789abcdef"), 10);
	ck_assert_uint_eq(strlen(s.ep->endpoint_id), 10);
	ck_assert_str_eq(s.ep->instance_id, derived);
	free(derived);
	c.endpoint_id = "01010101";
	ck_assert_int_eq(endpoint_new(s.wu->ua, &c, &ep), 0);
	ck_assert_str_eq(ep->instance_id, "urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697");
	endpoint_free(ep);
	c.instance_id = "urn:uuid:00112233-4455-6677-8899-aabbccddeeff";
	ck_assert_int_eq(endpoint_new(s.wu->ua, &c, &ep), 0);
	ck_assert_str_eq(ep->endpoint_id, "01010101");
	ck_assert_str_eq(ep->instance_id, c.instance_id);
	world_free(s.w);
}
END_TEST

/* ---- REGISTER ---- */

/* [MS-SIPREGE] 3.1 and 4.1 */
START_TEST(life)
{
	static const char *const shown[] = { "From", "To", "Contact", "Supported", "Event",
		"Allow-Events", "ms-keep-alive", "CSeq" };
	struct scene s = scene_new(&alice);
	const struct msg *m;

	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		world_show(s.w, shown[i]);
	scene_start(&s);
	m = world_expect_out(s.w, "REGISTER");
	expect_param(&m->from, "epid", s.ep->endpoint_id);
	expect_param(&m->to, "epid", NULL);
	grant(&s, m, ";gruu=\"" GRUU "\"",
		"ms-keep-alive: UAS; tcp=no; hop-hop=yes; timeout=300\n");
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	ck_assert_str_eq(gruu_get(s.ep, GRUU_PUBLIC), GRUU);
	grant(&s, scene_next(&s, 600 * SEC), ";gruu=\"" GRUU "\"",
		"presence-state: register-action=\"refreshed\"\n");
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	scene_stop(&s, REGISTRATION_OWN);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 200, 0);
	ck_assert_ptr_null(gruu_get(s.ep, GRUU_PUBLIC));
	world_log_golden(s.w, "microsoft-life");
	scene_finish(&s);
}
END_TEST

/* "Supported: ms-forking" is what UCMA's applications add themselves; what they say counts. */
START_TEST(headers_of_the_client)
{
	struct request_header h[] = {
		{ SLICE("Supported"), SLICE("ms-forking") },
		{ SLICE("Event"), SLICE("registration;id=1") },
		{ SLICE("MS-Keep-Alive"), SLICE("UAC;hop-hop=no") },
	};
	struct registration_options o = { .headers = h, .n_headers = ARRAY_LEN(h) };
	struct scene s = scene_new(&alice);
	const struct msg *m;

	scene_start(&s);
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(!msg_has_token(m, HDR_SUPPORTED, SLICE("ms-forking")));
	grant(&s, m, "", "");
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	ck_assert_int_eq(registration_start(s.r, &o), 0);
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("ms-forking")));
	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("gruu-10")));
	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("adhoclist")));
	expect_header(m, "Event", "registration;id=1");
	expect_header(m, "ms-keep-alive", "UAC;hop-hop=no");
	world_free(s.w);
}
END_TEST

static const struct msg *calls(struct scene *s, const char *target, const char *privacy)
{
	struct session_spec spec = {
		.target = slice_str(target),
		.offer = world_sdp(OFFER),
		.privacy = slice_str(privacy),
	};
	struct session *session;
	const char *why;

	ck_assert_int_eq(session_new(s->ep, &spec, &session, &why), 0);
	return world_expect_out(s->w, "INVITE");
}

static void expect_no_trace(const struct msg *m)
{
	static const char *const traces[] = { "ms-", "epid", "MS-", "gruu-10", "adhoclist",
		"proxy=replace", "methods=", "Event: registration" };

	for (size_t i = 0; i < ARRAY_LEN(traces); i++)
		ck_assert_msg(!memmem(m->raw.p, m->raw.n, traces[i], strlen(traces[i])),
			"%s in %.*s", traces[i], SLICE_ARGS(m->raw));
}

static const char answer[] = "Contact: <sip:bob@192.0.2.1;transport=tcp>\n"
			     "Content-Type: application/sdp\n\nv=0 answer";

/* Without MicrosoftExtensions nothing of all this goes out, whatever the server says. */
START_TEST(off)
{
	struct world_account plain = alice;
	const struct msg *m;
	struct scene s;

	plain.microsoft = false;
	s = scene_new(&plain);
	scene_start(&s);
	m = world_expect_out(s.w, "REGISTER");
	expect_no_trace(m);
	grant(&s, m, ";gruu=\"" GRUU "\"",
		"ms-keep-alive: UAS; hop-hop=yes; timeout=60\nms-diagnostics: 1;reason=\"x\"\n");
	ck_assert_ptr_null(gruu_get(s.ep, GRUU_PUBLIC));
	m = scene_next(&s, 600 * SEC);
	expect_no_trace(m);
	/* A refresh that is called an addition is none of our business. */
	grant(&s, m, "", "presence-state: register-action=\"added\"\n");
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	m = calls(&s, "sip:bob@example.net", "");
	expect_no_trace(m);
	world_reply_as(s.w, m, 200, "b;epid=0123456789", answer);
	expect_no_trace(world_expect_out(s.w, "ACK"));
	endpoint_close(s.ep);
	m = world_expect_out(s.w, "BYE");
	expect_no_trace(m);
	world_reply(s.w, m, 200, NULL);
	expect_no_trace(world_expect_out(s.w, "REGISTER"));
	world_free(s.w);
}
END_TEST

/* ---- the endpoint id ---- */

/* [MS-SIPRE] 3.2: in From of every request, and in To where one endpoint is meant */
START_TEST(epid)
{
	struct scene s = registered(";gruu=\"" GRUU "\"");
	const struct msg *m = calls(&s, "sip:bob@example.net;epid=0a0b0c0d0e;x=1", "");

	expect_param(&m->from, "epid", s.ep->endpoint_id);
	expect_param(&m->to, "epid", "0a0b0c0d0e");
	ck_assert(slice_eq(m->to.uri.text, SLICE("sip:bob@example.net;x=1")));
	ck_assert(slice_eq(m->contact.uri.text, SLICE(GRUU)));
	world_reply(s.w, m, 486, NULL);
	(void)world_expect_out(s.w, "ACK");
	/* The callee says which one of its endpoints it is. */
	m = calls(&s, "sip:bob@example.net", "");
	expect_param(&m->to, "epid", NULL);
	world_reply_as(s.w, m, 200, "b;epid=0a0b0c0d0f", answer);
	m = world_expect_out(s.w, "ACK");
	expect_param(&m->from, "epid", s.ep->endpoint_id);
	expect_param(&m->to, "epid", "0a0b0c0d0f");
	ck_assert(slice_eq(m->to_tag, SLICE("b")));
	world_free(s.w);
}
END_TEST

/* Who hides is not told apart by an id of its endpoint. */
START_TEST(epid_of_nobody)
{
	struct scene s = registered(";gruu=\"" GRUU "\"");
	const struct msg *m = calls(&s, "sip:bob@example.net", "user");

	expect_param(&m->from, "epid", NULL);
	ck_assert(!gruu_is(&m->contact.uri));
	world_reply_as(s.w, m, 200, "b", answer);
	m = world_expect_out(s.w, "ACK");
	expect_param(&m->from, "epid", NULL);
	world_free(s.w);
}
END_TEST

static void sends(struct scene *s, const char *method, const char *uri, const char *headers)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"%s %s SIP/2.0\n"
		"Via: SIP/2.0/TCP {peer};branch=z9hG4bK-{n}\n"
		"Max-Forwards: 70\n"
		"From: <sip:bob@example.net>;tag=b;epid=0a0b0c0d0e\n"
		"Call-ID: c{n}\n"
		"CSeq: 1 %s\n"
		"Contact: <sip:bob@192.0.2.1;transport=tcp>\n"
		"%s",
		method, uri, method, headers);
	world_in(s->wu, "tcp:192.0.2.1:5060", text);
	world_settle(s->w);
}

/* Called, we have the caller's id in To and ours in From as well. */
START_TEST(epid_of_a_caller)
{
	struct scene s = registered("");
	struct session_body body = world_sdp(OFFER);
	struct session *session;
	const struct msg *m;

	sends(&s, "INVITE", "sip:alice@example.com",
		"To: <sip:alice@example.com>\nContent-Length: 0\n\n");
	session = world_expect_session(s.wu);
	ck_assert_int_eq(session_accept(session, &body, &(struct session_headers){ 0 }), 0);
	(void)world_expect_out(s.w, "200");
	/* No ACK comes (RFC 3261 13.3.1.4). */
	world_run(s.w, 64 * TIMER_T1 - SEC / 4);
	(void)world_skip_out(s.w);
	m = world_wait_out(s.w, "BYE", SEC);
	expect_param(&m->from, "epid", s.ep->endpoint_id);
	expect_param(&m->to, "epid", "0a0b0c0d0e");
	world_free(s.w);
}
END_TEST

/* ---- the ways to an endpoint ---- */

static void expect_found(struct scene *s, const char *uri, const struct endpoint *ep)
{
	struct incoming *in;

	sends(s, "OPTIONS", uri, "To: <sip:alice@example.com>\nContent-Length: 0\n\n");
	in = world_expect_incoming(s->wu);
	ck_assert_str_eq(in->ep->id, ep->id);
	incoming_pass(in);
	(void)world_expect_out(s->w, "200");
}

/* ms-opaque tells endpoints of one user apart; so does the GRUU as their server makes it. */
START_TEST(dispatching)
{
	struct scene s = registered(";gruu=\"" GRUU "\"");
	struct endpoint_config c = { .id = "second", .profile = s.ep->profile };
	struct endpoint *second;
	char uri[256];

	ck_assert_int_eq(endpoint_new(s.wu->ua, &c, &second), 0);
	expect_found(&s, GRUU, s.ep);
	expect_found(
		&s, "sip:alice@EXAMPLE.COM;gruu;opaque=user:epid:21nYNIVlkV-jtN6FPBU0fQAA", s.ep);
	for (unsigned i = 0; i < 2; i++) {
		const struct endpoint *ep = i ? second : s.ep;
		struct slice opaque = microsoft_opaque(ep);

		ck_assert_uint_eq(opaque.n, 10);
		(void)snprintf(uri, sizeof(uri),
			"sip:alice@example.com;gruu;opaque=x;ms-opaque=%.*s", SLICE_ARGS(opaque));
		expect_found(&s, uri, ep);
		(void)snprintf(uri, sizeof(uri), "sip:192.0.2.10;transport=tcp;ms-opaque=%.*s",
			SLICE_ARGS(opaque));
		expect_found(&s, uri, ep);
	}
	/* Of somebody else it means nothing. */
	(void)snprintf(uri, sizeof(uri), "sip:carol@example.com;ms-opaque=%.*s",
		SLICE_ARGS(microsoft_opaque(second)));
	sends(&s, "OPTIONS", uri, "To: <sip:carol@example.com>\nContent-Length: 0\n\n");
	(void)world_expect_out(s.w, "404");
	world_free(s.w);
}
END_TEST

/* ---- what the server says ---- */

/* [MS-SIPREGE] 3.1.1.5.1: who refreshes and is added was not there any more. */
START_TEST(lost)
{
	static const char *const actions[] = { "\"added\"", "\"fixed\"", "added" };
	char text[128];

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		struct scene s = scene_new(&alice);

		(void)snprintf(text, sizeof(text), "presence-state: register-action=%s; x=1\n",
			actions[i]);
		scene_start(&s);
		/* At first it is what is meant. */
		grant(&s, world_expect_out(s.w, "REGISTER"), ";gruu=\"" GRUU "\"", text);
		(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
		ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
		grant(&s, scene_next(&s, 600 * SEC), ";gruu=\"" GRUU "\"", text);
		ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
		ck_assert_str_eq(s.r->last_reason, "the registrar had lost our registration");
		ck_assert_ptr_null(gruu_get(s.ep, GRUU_PUBLIC));
		(void)world_expect_done(s.wu, UA_REGISTER, 200, -EBADMSG);
		grant(&s, scene_next(&s, 3 * SEC), ";gruu=\"" GRUU "\"", text);
		ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
		ck_assert_str_eq(gruu_get(s.ep, GRUU_PUBLIC), GRUU);
		world_free(s.w);
	}
}
END_TEST

/* [MS-OCER] 2.2.1 */
START_TEST(diagnostics)
{
	static const char *const rows[][2] = {
		{ "ms-diagnostics: 4004;reason=\"Credentials provided are not \\\"authorized\\\"\";"
		  "source=\"ocs.contoso.com\"\n"
		  "ms-diagnostics-public: 1;reason=\"x\"\n",
			"Forbidden; ms-diagnostics 4004: Credentials provided are not "
			"\"authorized\"" },
		{ "ms-diagnostics-public: 4141 ;reason=\"User disabled\"\n",
			"Forbidden; ms-diagnostics 4141: User disabled" },
		{ "ms-diagnostics: 10000\n", "Forbidden; ms-diagnostics 10000" },
		{ "ms-diagnostics:\n", "Forbidden" },
		{ "", "Forbidden" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = scene_new(&alice);

		scene_start(&s);
		world_reply(s.w, world_expect_out(s.w, "REGISTER"), 403, rows[i][0]);
		world_settle(s.w);
		ck_assert_str_eq(s.r->last_reason, rows[i][1]);
		ck_assert_uint_eq(s.r->last_status, 403);
		world_free(s.w);
	}
}
END_TEST

RUN_TESTS("microsoft", instance_vectors, instance_of_endpoint, life, headers_of_the_client, off,
	epid, epid_of_nobody, epid_of_a_caller, dispatching, lost, diagnostics)
