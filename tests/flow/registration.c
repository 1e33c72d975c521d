/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registration against a scripted registrar (RFC 3261 section 10, RFC 3608). */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/limits.h"
#include "protocol/ua/page.h"
#include "tests/flow/scene.h"
#include "tests/support/run.h"

/* RFC 3261 sections 10.2 and 22: challenged, answered, refreshed, removed */
START_TEST(life_with_digest)
{
	struct scene s = scene_new(&scene_alice);
	const struct msg *m;

	world_show(s.w, "Contact");
	world_show(s.w, "Expires");
	world_show(s.w, "CSeq");
	scene_start(&s);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERING);
	m = world_expect_out(s.w, "REGISTER");
	world_reply(s.w, m, 401,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n1\", qop=\"auth\", "
		"algorithm=SHA-256\n");
	m = world_expect_out(s.w, "REGISTER");
	world_expect_no_done(s.wu);
	world_reply(s.w, m, 200, "Contact: {contact};expires=3600\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	/* The refresh carries credentials at once, with the nonce counted up. */
	m = scene_next(&s, HOUR);
	ck_assert_ptr_nonnull(memmem(m->raw.p, m->raw.n, "nc=00000002", 11));
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	world_reply(s.w, m, 200, "Contact: {contact};expires=3600\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	scene_stop(&s, REGISTRATION_OWN);
	ck_assert_int_eq(s.r->state, REGISTRATION_UNREGISTERING);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 200, 0);
	ck_assert_int_eq(s.r->state, REGISTRATION_UNREGISTERED);
	world_log_golden(s.w, "registration-life");
	world_expect_silence(s.w, 24 * HOUR);
	scene_finish(&s);
}
END_TEST

/* RFC 3261 section 10.2: Request-URI, To, From, Call-ID, CSeq of all attempts */
START_TEST(identification)
{
	struct scene s = scene_new(&scene_alice);
	const struct msg *first, *second;

	scene_start(&s);
	first = world_expect_out(s.w, "REGISTER");
	ck_assert(slice_eq(first->request_uri, SLICE("sip:example.com")));
	ck_assert(slice_eq(first->to.uri.text, SLICE("sip:alice@example.com")));
	ck_assert(slice_eq(first->from.uri.text, SLICE("sip:alice@example.com")));
	ck_assert_ptr_null(first->to_tag.p);
	ck_assert(msg_has_token(first, HDR_SUPPORTED, SLICE("path"))); /* RFC 3327 5.1 */
	world_reply(s.w, first, 200, "Contact: {contact};expires=600\n");
	second = scene_next(&s, 600 * SEC);
	ck_assert(slice_eq(first->call_id, second->call_id));
	ck_assert(slice_eq(first->from_tag, second->from_tag));
	ck_assert_uint_eq(second->cseq, first->cseq + 1);
	ck_assert(!slice_eq(first->via.branch, second->via.branch));
	world_free(s.w);
}
END_TEST

/* RFC 3261 section 10.2.4: between 60 and 90 per cent, to the microsecond when it was planned */
START_TEST(refresh_instant)
{
	struct scene s = scene_new(&scene_alice);
	usec_t planned, granted = s.wu->ua->timers.now;

	scene_registered(&s, "Contact: {contact};expires=1000\n");
	ck_assert_uint_eq(s.r->expires, granted + 1000 * SEC);
	planned = s.r->next_attempt;
	ck_assert_uint_ge(planned, granted + 600 * SEC);
	ck_assert_uint_le(planned, granted + 900 * SEC);
	world_expect_silence(s.w, planned - granted - 1);
	world_run(s.w, 1);
	(void)world_expect_out(s.w, "REGISTER");
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	world_free(s.w);
}
END_TEST

/* RFC 3261 10.2.2: the client's headers go with every refresh; Expires is not a client's */
START_TEST(headers_are_kept)
{
	struct scene s = scene_new(&scene_alice);
	struct request_header h = { SLICE("Supported"), SLICE("ms-forking") };
	struct request_header e = { SLICE("Expires"), SLICE("5") };
	struct registration_options o = { .headers = &e, .n_headers = 1 };
	const struct msg *m;

	ck_assert_int_eq(registration_start(s.r, &o), -EINVAL);
	o.headers = &h;
	o.expires = 700;
	ck_assert_int_eq(registration_start(s.r, &o), 0);
	for (int i = 0; i < 2; i++) {
		m = scene_next(&s, HOUR);
		ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("ms-forking")));
		ck_assert(slice_eq(msg_header(m, HDR_EXPIRES), SLICE("700")));
		world_reply(s.w, m, 200, "Contact: {contact};expires=300\n");
	}
	o.expires = LIMITS_EXPIRES + 1;
	ck_assert_int_eq(registration_start(s.r, &o), -EINVAL);
	world_free(s.w);
}
END_TEST

/* RFC 3261 section 10.2.2: "*" with Expires 0, and only then */
START_TEST(unregister_all)
{
	struct scene s = scene_new(&scene_alice);
	const struct msg *m;

	/* Not registered: all of them all the same. */
	scene_stop(&s, REGISTRATION_ALL);
	m = world_expect_out(s.w, "REGISTER");
	ck_assert_uint_eq(scene_count_contacts(m), 1);
	ck_assert(scene_has_contact(m, "*"));
	ck_assert(slice_eq(msg_header(m, HDR_EXPIRES), SLICE("0")));
	world_reply(s.w, m, 200, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 200, 0);
	/* Our own alone, without one: nothing is sent, the outcome is told all the same. */
	scene_stop(&s, REGISTRATION_OWN);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 0, 0);
	world_expect_silence(s.w, HOUR);
	scene_finish(&s);
}
END_TEST

/* RFC 3261 section 10.3 step 8: every binding is reported; other points of presence stay */
START_TEST(bindings_are_reported)
{
	struct scene s = scene_new(&scene_alice);
	const struct registration_binding *b;

	scene_registered(&s,
		"Contact: \"At \\\"home\\\"\" <sip:a@198.51.100.7:5070;transport=tcp>;q=0.25;"
		"expires=77;+sip.instance=\"<urn:uuid:1>\";reg-id=3\n"
		"Contact: {contact};expires=500, <sip:b@198.51.100.8>\n"
		"Expires: 99\n");
	ck_assert_uint_eq(s.r->n_bindings, 3);
	b = s.r->bindings;
	ck_assert_str_eq(b[0].uri, "sip:a@198.51.100.7:5070;transport=tcp");
	ck_assert_str_eq(b[0].display_name, "At \"home\"");
	ck_assert_str_eq(b[0].instance, "urn:uuid:1");
	ck_assert_uint_eq(b[0].q_thousandths, 250);
	ck_assert_uint_eq(b[0].reg_id, 3);
	ck_assert_uint_eq(scene_in_seconds(&s, b[0].expires), 77);
	ck_assert(!b[0].own && b[1].own && !b[2].own);
	ck_assert_uint_eq(scene_in_seconds(&s, b[1].expires), 500);
	ck_assert_uint_eq(scene_in_seconds(&s, b[2].expires), 99);
	ck_assert_uint_eq(b[2].q_thousandths, 1000);
	ck_assert_uint_eq(s.r->expires, b[1].expires);
	/* Ours goes, theirs are what is left. */
	scene_stop(&s, REGISTRATION_OWN);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200,
		"Contact: <sip:b@198.51.100.8>;expires=50\n");
	world_settle(s.w);
	ck_assert_uint_eq(s.r->n_bindings, 1);
	ck_assert(!s.r->bindings[0].own);
	ck_assert_ptr_null(s.r->contact);
	world_free(s.w);
}
END_TEST

/* RFC 3608 section 6.1: kept, replaced by the next answer, gone with the registration */
START_TEST(service_route)
{
	struct scene s = scene_new(&scene_alice);

	scene_registered(&s, "Contact: {contact};expires=600\n"
			     "Service-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\n"
			     "Service-Route: <sip:p3.example.com;lr>\n");
	ck_assert_uint_eq(s.r->n_service_route, 3);
	ck_assert_str_eq(s.r->service_route[0], "<sip:p1.example.com;lr>");
	ck_assert_str_eq(s.r->service_route[2], "<sip:p3.example.com;lr>");
	scene_registered(
		&s, "Contact: {contact};expires=600\nService-Route: <sip:p9.example.com;lr>\n");
	ck_assert_uint_eq(s.r->n_service_route, 1);
	scene_registered(&s, "Contact: {contact};expires=600\n");
	ck_assert_uint_eq(s.r->n_service_route, 0);
	world_free(s.w);
}
END_TEST

/* ---- the registrar's will ---- */

/* RFC 3261 sections 10.2.8 and 21.4.17 */
START_TEST(interval_too_brief)
{
	struct scene s = scene_new(&scene_alice);
	struct registration_options o = { .expires = 60 };
	const struct msg *m;

	world_show(s.w, "Expires");
	world_show(s.w, "Min-Expires");
	ck_assert_int_eq(registration_start(s.r, &o), 0);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 423, "Min-Expires: 900\n");
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(slice_eq(msg_header(m, HDR_EXPIRES), SLICE("900")));
	world_expect_no_done(s.wu);
	world_reply(s.w, m, 200, "Contact: {contact};expires=900\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	/* What was learnt holds for refreshes. */
	m = scene_next(&s, 900 * SEC);
	ck_assert(slice_eq(msg_header(m, HDR_EXPIRES), SLICE("900")));
	world_log_golden(s.w, "registration-423");
	world_free(s.w);
}
END_TEST

/* RFC 3261 section 10.2.8: a registrar that is never content, or does not say what it wants */
START_TEST(interval_never_right)
{
	static const char *const second[] = { "Min-Expires: 1800\n", "Min-Expires: 1\n", NULL,
		"Min-Expires: 4294967295\n" };

	for (size_t i = 0; i < ARRAY_LEN(second); i++) {
		struct scene s = scene_new(&scene_alice);
		struct registration_options o = { .expires = 60 };

		ck_assert_int_eq(registration_start(s.r, &o), 0);
		if (i == 0) {
			world_reply(
				s.w, world_expect_out(s.w, "REGISTER"), 423, "Min-Expires: 900\n");
		}
		world_reply(s.w, world_expect_out(s.w, "REGISTER"), 423, second[i]);
		world_settle(s.w);
		(void)world_expect_done(s.wu, UA_REGISTER, 423, -EREMOTEIO);
		ck_assert_int_eq(s.r->state, REGISTRATION_FAILED);
		world_expect_silence(s.w, 44 * 60 * SEC);
		world_free(s.w);
	}
}
END_TEST

/* RFC 3261 sections 10.2.4 and 20.19: whatever the registrar grants, and however it says so */
START_TEST(granted_otherwise)
{
	static const struct {
		const char *headers;
		usec_t seconds;
	} rows[] = {
		{ "Contact: {contact};expires=120\n", 120 },
		{ "Contact: {contact};expires=86400\n", 86400 },
		{ "Contact: {contact}\nExpires: 240\n", 240 },
		{ "Contact: {contact};expires=120\nExpires: 240\n", 120 },
		{ "Contact: {contact}\n", 3600 },
		{ "Contact: {contact};expires=never\n", 3600 },
		{ "Contact: {contact};expires=4294967295\n", LIMITS_EXPIRES },
		{ "Contact: {contact};expires=99999999999999999999\n", 3600 },
		{ "Expires: 300\n", 300 },
		{ NULL, 3600 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = scene_new(&scene_alice);
		usec_t planned;

		scene_registered(&s, rows[i].headers);
		ck_assert_uint_eq(scene_in_seconds(&s, s.r->expires), rows[i].seconds);
		planned = scene_in_seconds(&s, s.r->next_attempt);
		ck_assert_uint_ge(planned, rows[i].seconds / 2);
		ck_assert_uint_le(planned + 34, rows[i].seconds);
		world_free(s.w);
	}
}
END_TEST

/* A 2xx that does not register us: it passes, so it is tried again, and not at once. */
START_TEST(granted_nothing)
{
	static const char *const rows[] = {
		"Contact: <sip:somebody@198.51.100.1>;expires=60\n",
		"Contact: {contact};expires=0\n",
		"Contact: {contact}\nExpires: 0\n",
		"Expires: 0\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = scene_new(&scene_alice);

		scene_start(&s);
		world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, rows[i]);
		world_settle(s.w);
		(void)world_expect_done(s.wu, UA_REGISTER, 200, -EBADMSG);
		ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
		ck_assert_ptr_null(s.r->contact);
		world_expect_silence(s.w, 29 * SEC);
		(void)scene_next(&s, 31 * SEC);
		world_free(s.w);
	}
}
END_TEST

/* The registrar sits behind a translator and rewrites us; +sip.instance tells (RFC 5626 4.1). */
START_TEST(own_by_instance)
{
	struct scene s = scene_new(&scene_alice);
	char headers[256];

	(void)snprintf(headers, sizeof(headers),
		"Contact: <sip:x@203.0.113.9:1024>;+sip.instance=\"<%s>\";expires=200, "
		"<sip:y@203.0.113.9:1025>;expires=100\n",
		s.ep->instance_id);
	scene_registered(&s, headers);
	ck_assert_uint_eq(scene_in_seconds(&s, s.r->expires), 200);
	ck_assert(s.r->bindings[0].own && !s.r->bindings[1].own);
	world_free(s.w);
}
END_TEST

/* LIMITS_BINDINGS and LIMITS_ROUTES: a registrar cannot make us hold what it likes. */
START_TEST(long_lists)
{
	struct scene s = scene_new(&scene_alice);
	struct buf b = BUF_NULL;
	char *text;

	for (int i = 0; i < LIMITS_BINDINGS + 20; i++)
		buf_printf(&b, "Contact: <sip:p%d@198.51.100.1>;expires=60\n", i);
	buf_str(&b, "Contact: {contact};expires=800\n");
	for (int i = 0; i < LIMITS_ROUTES + 1; i++)
		buf_printf(&b, "Service-Route: <sip:r%d.example.com;lr>\n", i);
	text = buf_take(&b);
	scene_registered(&s, text);
	free(text);
	ck_assert_uint_eq(s.r->n_bindings, LIMITS_BINDINGS);
	/* Ours counts though there was no room for it. */
	ck_assert_uint_eq(scene_in_seconds(&s, s.r->expires), 800);
	/* Half a route leads nowhere. */
	ck_assert_uint_eq(s.r->n_service_route, 0);
	world_free(s.w);
}
END_TEST

struct page_end {
	unsigned status;
	int error;
	char reason[128];
};

static void on_page_done(void *owner, struct request *r, const struct outcome *o)
{
	struct page_end *end = owner;

	(void)r;
	end->status = o->status;
	end->error = o->error;
	(void)snprintf(end->reason, sizeof(end->reason), "%.*s", SLICE_ARGS(o->reason));
}

static void send_page(const struct scene *s, struct page_end *end)
{
	static const struct request_ops ops = { .done = on_page_done };
	const struct page_spec spec = {
		.target = SLICE("sip:mallory@example.org"),
		.content_type = SLICE("text/plain"),
		.body = SLICE("hi"),
		.ops = &ops,
		.owner = end,
	};
	struct request *r;
	const char *why;

	ck_assert_int_eq(page_send(s->ep, &spec, &r, &why), 0);
}

/*
 * RFC 3261 22.3 lets a 401 of the callee travel back through our own proxy. Once the registrar has
 * proved its realm, another one gets no answer to guess the password from, unless the profile says
 * that any realm will do.
 */
START_TEST(a_strangers_realm_gets_no_answer)
{
	static const char challenge[] =
		"WWW-Authenticate: Digest realm=\"example.org\", nonce=\"m\", qop=\"auth\"\n";
	struct scene s = scene_new(&scene_alice);
	struct page_end end = { 0 };

	scene_start(&s);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 401,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\"\n");
	scene_registered(&s, "Contact: {contact};expires=3600\n");
	send_page(&s, &end);
	world_reply(s.w, world_expect_out(s.w, "MESSAGE"), 401, challenge);
	world_expect_silence(s.w, 40 * SEC);
	ck_assert_uint_eq(end.status, 401);
	ck_assert_int_eq(end.error, -EACCES);
	ck_assert_ptr_nonnull(strstr(end.reason, "realm is not the registrar's"));
	/* The same with Realm=* goes on. */
	s.ep->profile->realm = mem_strdup("*");
	send_page(&s, &end);
	world_reply(s.w, world_expect_out(s.w, "MESSAGE"), 401, challenge);
	world_reply(s.w, world_expect_out(s.w, "MESSAGE"), 200, NULL);
	world_settle(s.w);
	ck_assert_uint_eq(end.status, 200);
	world_free(s.w);
}
END_TEST

/* RFC 3261 17.1.2.2: the request is lost, then the answer; Timer E repairs both */
START_TEST(lost_on_the_way)
{
	struct scene s = scene_new(&scene_alice);
	const struct msg *m;

	world_show(s.w, "CSeq");
	world_net(s.w)->delay = 10 * USEC_PER_MSEC;
	world_net(s.w)->drop_next = 1;
	scene_start(&s);
	world_expect_silence(s.w, TIMER_E - 1);
	m = world_wait_out(s.w, "REGISTER", 20 * USEC_PER_MSEC);
	world_net(s.w)->drop_next = 1;
	world_reply(s.w, m, 200, "Contact: {contact};expires=600\n");
	m = world_wait_out(s.w, "REGISTER", 2 * TIMER_E);
	world_expect_no_done(s.wu);
	world_reply(s.w, m, 200, "Contact: {contact};expires=600\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	ck_assert_uint_eq(m->cseq, 1);
	world_log_golden(s.w, "registration-lost");
	scene_finish(&s);
}
END_TEST

/* RFC 3261 25.1: brackets in Via, Contact and the binding that comes back */
START_TEST(over_ipv6)
{
	struct world_account a = scene_alice;
	struct scene s = { .w = world_new(1) };
	const struct msg *m;

	a.registrar = "2001:db8::1";
	s.wu = world_ua(s.w, "2001:db8::10");
	s.ep = world_endpoint(s.wu, &a);
	s.r = s.ep->registration;
	scene_start(&s);
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(slice_eq(m->via.host, SLICE("[2001:db8::10]")));
	world_reply(s.w, m, 200, "Contact: {contact};expires=600\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	ck_assert_ptr_nonnull(strstr(s.r->contact, "@[2001:db8::10]:5060"));
	ck_assert(s.r->bindings[0].own);
	scene_finish(&s);
}
END_TEST

RUN_TESTS("registration", life_with_digest, identification, refresh_instant, headers_are_kept,
	unregister_all, bindings_are_reported, service_route, interval_too_brief,
	interval_never_right, granted_otherwise, granted_nothing, own_by_instance, long_lists,
	a_strangers_realm_gets_no_answer, lost_on_the_way, over_ipv6)
