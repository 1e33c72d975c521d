/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GRUUs that a scripted registrar gives (RFC 5627). */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/limits.h"
#include "protocol/ua/page.h"
#include "tests/flow/scene.h"
#include "tests/support/run.h"
#include "tests/support/world-session.h"

#define PUBLIC "sip:alice@example.com;gr=hha9s8d-999a"
#define FIRST "sip:tgruu.7hs1@example.com;gr"
#define SECOND "sip:tgruu.7hs2@example.com;gr"
#define OFFER "v=0 offer"

static void on_page_done(void *owner, struct request *r, const struct outcome *o)
{
	(void)owner;
	(void)r;
	(void)o;
}
static const struct request_ops page_ops = { .done = on_page_done };

/* A 2xx that has our contact with these parameters; instance NULL: ours. */
static void grant(struct scene *s, const struct msg *m, const char *instance, const char *params)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"Contact: {contact};+sip.instance=\"<%s>\";expires=600%s\n",
		instance ? instance : s->ep->instance_id, params);
	world_reply(s->w, m, 200, text);
	world_settle(s->w);
	(void)world_expect_done(s->wu, UA_REGISTER, 200, 0);
}

static struct scene registered(const char *params)
{
	struct scene s = scene_new(&scene_alice);

	scene_start(&s);
	grant(&s, world_expect_out(s.w, "REGISTER"), NULL, params);
	return s;
}

static void refresh(struct scene *s, const char *params)
{
	grant(s, scene_next(s, 600 * SEC), NULL, params);
}

static void expect_shown(const struct scene *s, const char *public, const char *temporary)
{
	ck_assert_pstr_eq(gruu_get(s->ep, GRUU_PUBLIC), public);
	ck_assert_pstr_eq(gruu_get(s->ep, GRUU_TEMPORARY), temporary);
}

static void expect_contact(const struct msg *m, const char *uri)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(m->contact.uri.text));
	ck_assert_str_eq(text, uri);
}

/* The Contact says where we are, by no GRUU. */
static void expect_plain(const struct scene *s, const struct msg *m)
{
	ck_assert(slice_eq(m->contact.uri.user, slice_str(s->ep->token)));
	ck_assert(slice_eq(m->contact.uri.host, SLICE("192.0.2.10")));
	ck_assert(!gruu_is(&m->contact.uri));
}

/* ---- 4.1 and 4.2: asking and learning ---- */

#define BOTH(temporary) ";pub-gruu=\"" PUBLIC "\";temp-gruu=\"" temporary "\""

START_TEST(rfc5627_4_1_register)
{
	struct scene s = registered(BOTH(FIRST));
	const struct msg *m = scene_next(&s, 600 * SEC);
	struct slice value;

	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("gruu")));
	ck_assert(addr_param(&m->contact, SLICE("+sip.instance"), &value));
	/* Neither is offered back, and no GRUU is what is registered. */
	ck_assert(!addr_param(&m->contact, SLICE("pub-gruu"), &value));
	ck_assert(!addr_param(&m->contact, SLICE("temp-gruu"), &value));
	expect_plain(&s, m);
	world_free(s.w);
}
END_TEST

START_TEST(rfc5627_4_2_both)
{
	struct scene s = registered(BOTH(FIRST));

	expect_shown(&s, PUBLIC, FIRST);
	refresh(&s, BOTH(SECOND));
	expect_shown(&s, PUBLIC, SECOND);
	world_free(s.w);
}
END_TEST

/* "just a pub-gruu, just a temp-gruu, neither, or both", and the public one may change */
START_TEST(rfc5627_4_2_any_of_them)
{
	struct scene s = registered(";pub-gruu=\"" PUBLIC "\"");

	expect_shown(&s, PUBLIC, NULL);
	refresh(&s, ";temp-gruu=\"" FIRST "\"");
	expect_shown(&s, NULL, FIRST);
	refresh(&s, "");
	expect_shown(&s, NULL, FIRST);
	refresh(&s, ";Pub-Gruu=\"sip:alice@example.com;gr=other\"");
	expect_shown(&s, "sip:alice@example.com;gr=other", FIRST);
	/* Told again, an older one is the newest. */
	refresh(&s, BOTH(SECOND));
	refresh(&s, BOTH(FIRST));
	expect_shown(&s, PUBLIC, FIRST);
	ck_assert_uint_eq(s.ep->gruus.n_temporary, 2);
	world_free(s.w);
}
END_TEST

START_TEST(rfc5627_4_2_of_our_instance)
{
	struct scene s = scene_new(&scene_alice);
	char upper[64], text[1024];

	for (size_t i = 0; i <= strlen(s.ep->instance_id); i++) {
		char c = s.ep->instance_id[i];

		upper[i] = c >= 'a' && c <= 'f' ? (char)(c - 0x20) : c;
	}
	scene_start(&s);
	grant(&s, world_expect_out(s.w, "REGISTER"), "urn:uuid:somebody-else", BOTH(FIRST));
	expect_shown(&s, NULL, NULL);
	/* An URN of a UUID compares without regard to case, and other flows are ours as well. */
	(void)snprintf(text, sizeof(text),
		"Contact: {contact};expires=600, <sip:x@192.0.2.99>;expires=60;reg-id=2" BOTH(
			FIRST) ";+sip.instance=\"<%s>\"\n"
			       "Contact: <sip:y@192.0.2.99>;+sip.instance=\"<urn:uuid:1>\"" BOTH(
				       SECOND) "\n",
		upper);
	world_reply(s.w, scene_next(&s, 600 * SEC), 200, text);
	world_settle(s.w);
	expect_shown(&s, PUBLIC, FIRST);
	world_free(s.w);
}
END_TEST

/* What is no GRUU, or no URI, counts as none. */
START_TEST(malformed)
{
	static const char *const params[] = {
		";pub-gruu=\"sip:alice@example.com\";temp-gruu=\"sip:t@example.com\"",
		";pub-gruu=\"\";temp-gruu=\"\"",
		";pub-gruu;temp-gruu",
		";pub-gruu=\"tel:+1;gr\";temp-gruu=\"mailto:x;gr\"",
		";pub-gruu=\"sip:a@b;gr=1> <sip:x\";temp-gruu=\"sip:a@b;gr\\\"\"",
		/* Only with Microsoft's extensions. */
		";gruu=\"sip:alice@example.com;opaque=user:epid:x;gruu\"",
	};
	struct scene s = registered("");

	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		refresh(&s, params[i]);
		expect_shown(&s, NULL, NULL);
	}
	world_free(s.w);
}
END_TEST

START_TEST(too_long)
{
	struct scene s = registered("");
	char text[2048];

	(void)snprintf(
		text, sizeof(text), ";pub-gruu=\"sip:a@b;gr=%0*d\"", LIMITS_ENDPOINT_TEXT, 1);
	refresh(&s, text);
	expect_shown(&s, NULL, NULL);
	world_free(s.w);
}
END_TEST

/* A non-2xx takes none away; the end of the registration takes all. */
START_TEST(rfc5627_4_2_failure_and_end)
{
	struct scene s = registered(BOTH(FIRST));

	world_reply(s.w, scene_next(&s, 600 * SEC), 500, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 500, -EREMOTEIO);
	expect_shown(&s, PUBLIC, FIRST);
	refresh(&s, BOTH(SECOND));
	s.wu->changes = 0;
	scene_stop(&s, REGISTRATION_OWN);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, NULL);
	world_settle(s.w);
	expect_shown(&s, NULL, NULL);
	ck_assert(s.wu->changes & UA_CHANGE_CONTACT);
	ck_assert_uint_eq(s.wu->ua->gruus.n, 0);
	world_free(s.w);
}
END_TEST

START_TEST(rfc5627_4_2_expiry)
{
	struct scene s = registered(BOTH(FIRST));

	world_set_reach(s.w, "192.0.2.1", WORLD_SILENT);
	world_run(s.w, 601 * SEC);
	ck_assert_int_ne(s.r->state, REGISTRATION_REGISTERED);
	expect_shown(&s, NULL, NULL);
	world_free(s.w);
}
END_TEST

/* 3.2: they accumulate; as many as we keep. */
START_TEST(limit)
{
	struct scene s = registered("");
	char text[128], newest[64];

	for (unsigned i = 0; i <= LIMITS_TEMPORARY_GRUUS; i++) {
		(void)snprintf(newest, sizeof(newest), "sip:t%u@example.com;gr", i);
		(void)snprintf(text, sizeof(text), ";temp-gruu=\"%s\"", newest);
		refresh(&s, text);
	}
	expect_shown(&s, NULL, newest);
	ck_assert_uint_eq(s.ep->gruus.n_temporary, LIMITS_TEMPORARY_GRUUS);
	ck_assert_uint_eq(s.wu->ua->gruus.n, LIMITS_TEMPORARY_GRUUS);
	world_free(s.w);
}
END_TEST

/* ---- 4.4: using them ---- */

static struct session *call(struct scene *s, const char *privacy, const char *target)
{
	struct session_spec spec = {
		.target = slice_str(target),
		.offer = world_sdp(OFFER),
		.privacy = privacy ? slice_str(privacy) : SLICE_NULL,
	};
	struct session *session;
	const char *why;

	ck_assert_int_eq(session_new(s->ep, &spec, &session, &why), 0);
	return session;
}

START_TEST(rfc5627_4_4_invite)
{
	struct scene s = registered(BOTH(FIRST));
	struct session *session = call(&s, NULL, "sip:bob@example.net");
	const struct msg *m = world_expect_out(s.w, "INVITE");

	expect_contact(m, PUBLIC);
	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("gruu")));
	ck_assert(slice_eq(session_gruu(session), SLICE(PUBLIC)));
	world_free(s.w);
}
END_TEST

/* RFC 5627 10.3, RFC 3323 4.1: who hides gives no name away, and an address only if it must */
START_TEST(rfc5627_10_3_anonymous)
{
	static const char *const levels[] = { "id", "user", "header;user", "none", "session" };
	static const char *const contacts[] = { FIRST, FIRST, FIRST, PUBLIC, PUBLIC };
	struct scene s = registered(BOTH(FIRST));

	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		(void)call(&s, levels[i], "sip:bob@example.net");
		expect_contact(world_expect_out(s.w, "INVITE"), contacts[i]);
	}
	world_free(s.w);
	s = registered(";pub-gruu=\"" PUBLIC "\"");
	(void)call(&s, "id", "sip:bob@example.net");
	expect_plain(&s, world_expect_out(s.w, "INVITE"));
	world_free(s.w);
}
END_TEST

static const struct msg *page(struct scene *s, const char *method, struct request_header *h)
{
	struct page_spec p = {
		.target = SLICE("sip:bob@192.0.2.1"),
		.method = slice_str(method),
		.headers = h,
		.n_headers = h ? 1 : 0,
		.ops = &page_ops,
	};
	struct request *r;
	const char *why;

	ck_assert_int_eq(page_send(s->ep, &p, &r, &why), 0);
	return world_expect_out(s->w, method);
}

/* A client's Privacy header says the same as the option. */
START_TEST(privacy_header_of_a_request)
{
	struct scene s = registered(BOTH(FIRST));
	struct request_header h = { SLICE("privacy"), SLICE("id") };

	expect_contact(page(&s, "OPTIONS", NULL), PUBLIC);
	expect_contact(page(&s, "OPTIONS", &h), FIRST);
	h.value = SLICE("none");
	expect_contact(page(&s, "OPTIONS", &h), PUBLIC);
	world_free(s.w);
}
END_TEST

/* "MUST have an active registration prior to using a GRUU" */
START_TEST(rfc5627_4_4_without_registration)
{
	struct scene s = registered(BOTH(FIRST));

	scene_stop(&s, REGISTRATION_OWN);
	(void)world_expect_out(s.w, "REGISTER");
	expect_plain(&s, page(&s, "OPTIONS", NULL));
	world_free(s.w);
}
END_TEST

/* RFC 3261 8.1.1.8: a GRUU of the other scheme would not do. */
START_TEST(rfc5627_4_4_scheme)
{
	struct scene s = registered(";pub-gruu=\"sips:alice@example.com;gr=1\"");

	expect_shown(&s, "sips:alice@example.com;gr=1", NULL);
	expect_plain(&s, page(&s, "OPTIONS", NULL));
	world_free(s.w);
}
END_TEST

static const char answer[] = "Contact: <sip:bob@192.0.2.1>\n"
			     "Content-Type: application/sdp\n\nv=0 answer";

static struct session *established(struct scene *s, const char *privacy)
{
	struct session *session = call(s, privacy, "sip:bob@example.net");

	world_reply_as(s->w, world_expect_out(s->w, "INVITE"), 200, "b", answer);
	world_settle(s->w);
	(void)world_expect_out(s->w, "ACK");
	ck_assert_int_eq(session_state(session), SESSION_ESTABLISHED);
	return session;
}

static const struct msg *offered(struct scene *s, struct session *session)
{
	struct session_body body = world_sdp(OFFER);
	static struct world_reply reply;
	struct session_reply verb;

	reply = (struct world_reply){ 0 };
	verb = world_reply_of(&reply);
	ck_assert_int_eq(session_offer(session, &body, SLICE_NULL, &verb), 0);
	return world_expect_out(s->w, "INVITE");
}

/* A dialog that is older than the GRUU has it from the next target refresh on (12.2). */
START_TEST(target_refresh)
{
	struct scene s = registered("");
	struct session *open = established(&s, NULL), *hidden = established(&s, "id");

	ck_assert_uint_eq(session_gruu(open).n, 0);
	grant(&s, scene_next(&s, 600 * SEC), NULL, BOTH(FIRST));
	expect_contact(offered(&s, open), PUBLIC);
	/* Whoever hid at first does not show itself afterwards. */
	expect_contact(offered(&s, hidden), FIRST);
	world_free(s.w);
}
END_TEST

static void sends(struct scene *s, const char *method, const char *uri, const char *more)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"%s %s SIP/2.0\n"
		"Via: SIP/2.0/UDP {peer};branch=z9hG4bK-{n}\n"
		"Max-Forwards: 70\n"
		"From: <sip:bob@example.net>;tag=b\n"
		"To: <sip:alice@example.com>\n"
		"Call-ID: c{n}\n"
		"CSeq: 1 %s\n"
		"Contact: <sip:bob@192.0.2.1>\n"
		"%sContent-Length: 0\n\n",
		method, uri, method, more);
	world_in(s->wu, "udp:192.0.2.1:5060", text);
	world_settle(s->w);
}

/* 4.4: "a 2xx or 18x response to an INVITE which contains a To tag" */
START_TEST(rfc5627_4_4_answers)
{
	struct scene s = registered(BOTH(FIRST));
	struct request_header privacy = { SLICE("Privacy"), SLICE("id") };
	struct session_headers hidden = { &privacy, 1 };
	struct session_body body = world_sdp(OFFER);
	struct session *session;

	sends(&s, "INVITE", "sip:alice@example.com", "");
	session = world_expect_session(s.wu);
	ck_assert_int_eq(session_ring(session, &(struct session_ring){ 0 }), 0);
	expect_contact(world_expect_out(s.w, "180"), PUBLIC);
	ck_assert_int_eq(session_accept(session, &body, &(struct session_headers){ 0 }), 0);
	expect_contact(world_expect_out(s.w, "200"), PUBLIC);
	ck_assert(slice_eq(session_gruu(session), SLICE(PUBLIC)));
	(void)world_skip_out(s.w);
	sends(&s, "INVITE", "sip:alice@example.com", "");
	session = world_expect_session(s.wu);
	ck_assert_int_eq(session_accept(session, &body, &hidden), 0);
	expect_contact(world_expect_out(s.w, "200"), FIRST);
	world_free(s.w);
}
END_TEST

/* ---- requests to one of ours ---- */

static void expect_found(struct scene *s, const char *uri)
{
	sends(s, "OPTIONS", uri, "");
	incoming_pass(world_expect_incoming(s->wu));
	(void)world_expect_out(s->w, "200");
}

static void expect_not_found(struct scene *s, const char *uri)
{
	sends(s, "OPTIONS", uri, "");
	(void)world_expect_out(s->w, "404");
}

/* RFC 3261 19.1.4: escapes, and the case of host and parameters, do not tell URIs apart. */
START_TEST(request_to_public)
{
	struct scene s = registered(BOTH(FIRST));

	expect_found(&s, PUBLIC);
	expect_found(&s, "sip:%61lice@EXAMPLE.com;GR=HHA9s8d-999%61");
	expect_found(&s, "sip:alice@example.com;x-new=1;gr=hha9s8d-999a");
	/* A sips URI is answered where we are, like the sip one (RFC 5630 section 3.1.3). */
	expect_found(&s, "sips:alice@example.com;gr=hha9s8d-999a");
	expect_not_found(&s, "sip:alice@example.com;gr=hha9s8d-999b");
	expect_not_found(&s, "sip:Alice@example.com;gr=hha9s8d-999a");
	expect_not_found(&s, "sip:alice@example.com:5062;gr=hha9s8d-999a");
	expect_not_found(&s, "sip:alice@example.com;gr=hha9s8d-999a;user=phone");
	world_free(s.w);
}
END_TEST

/* All temporary ones of a registration, and none after it. */
START_TEST(request_to_temporary)
{
	struct scene s = registered(BOTH(FIRST));

	refresh(&s, BOTH(SECOND));
	expect_found(&s, FIRST);
	expect_found(&s, SECOND);
	expect_found(&s, "sip:tgruu.7hs2@example.com;gr;lr");
	expect_not_found(&s, "sip:tgruu.7hs2@example.com");
	expect_not_found(&s, "sip:tgruu.7hs2@example.com;gr=1");
	expect_not_found(&s, "sip:tgruu.7HS2@example.com;gr");
	scene_stop(&s, REGISTRATION_OWN);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, NULL);
	world_settle(s.w);
	expect_not_found(&s, FIRST);
	expect_not_found(&s, SECOND);
	/* The name without the rest is still ours. */
	expect_found(&s, "sip:alice@example.com");
	world_free(s.w);
}
END_TEST

/* 4.5: somebody else's GRUU is called as it stands. */
START_TEST(rfc5627_4_5_remote)
{
	struct scene s = registered("");
	const struct msg *m;

	(void)call(
		&s, NULL, "sip:bob@example.net;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
	m = world_expect_out(s.w, "INVITE");
	ck_assert(slice_eq(m->request_uri,
		SLICE("sip:bob@example.net;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6")));
	world_free(s.w);
}
END_TEST

/* 4.3: what does not register may have one all the same, which leads to it. */
START_TEST(rfc5627_4_3_given)
{
	static const char *const bad[] = { "sip:alice@example.com", "tel:+1;gr", "x", "",
		"sip:alice@example.com;gr=1?Subject=x" };
	struct scene s =
		scene_new(&(struct world_account){ .id = "alice", .domain = "192.0.2.10" });
	struct endpoint_config c = { .id = "given",
		.profile = s.ep->profile,
		.gruu = PUBLIC,
		.listen = ENDPOINT_LISTEN_YES };
	struct request_header h = { SLICE("Privacy"), SLICE("id") };
	struct endpoint *ep;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		c.gruu = bad[i];
		ck_assert_int_eq(endpoint_new(s.wu->ua, &c, &ep), -EINVAL);
	}
	c.gruu = PUBLIC;
	ck_assert_int_eq(endpoint_new(s.wu->ua, &c, &ep), 0);
	ck_assert_str_eq(gruu_get(ep, GRUU_PUBLIC), PUBLIC);
	s.ep = ep;
	expect_found(&s, PUBLIC);
	expect_contact(page(&s, "OPTIONS", NULL), PUBLIC);
	expect_plain(&s, page(&s, "OPTIONS", &h));
	/* Nobody takes what is another's. */
	c.id = "thief";
	ck_assert_int_eq(endpoint_new(s.wu->ua, &c, &(struct endpoint *){ NULL }), -EEXIST);
	c.gruu = "sip:carol@192.0.2.10;gr=1";
	(void)world_endpoint(
		s.wu, &(struct world_account){ .id = "carol", .domain = "192.0.2.10" });
	ck_assert_int_eq(endpoint_new(s.wu->ua, &c, &(struct endpoint *){ NULL }), -EEXIST);
	endpoint_free(ep);
	ck_assert_uint_eq(s.wu->ua->gruus.n, 0);
	world_free(s.w);
	/* Who registers has its registrar's. */
	s = scene_new(&scene_alice);
	c.profile = s.ep->profile;
	ck_assert_int_eq(endpoint_new(s.wu->ua, &c, &ep), -EOPNOTSUPP);
	world_free(s.w);
}
END_TEST

/* A registrar that gives two endpoints the same one: each keeps its own, nothing dangles. */
START_TEST(shared_by_mistake)
{
	struct scene s = registered(BOTH(FIRST));
	struct endpoint *other = world_endpoint(
		s.wu, &(struct world_account){
			      .id = "bob", .domain = "example.com", .registrar = "192.0.2.1" });
	char text[512];

	ck_assert_int_eq(
		registration_start(other->registration, &(struct registration_options){ 0 }), 0);
	(void)snprintf(text, sizeof(text),
		"Contact: {contact};expires=600;+sip.instance=\"<%s>\"" BOTH(FIRST) "\n",
		other->instance_id);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, text);
	world_settle(s.w);
	ck_assert_str_eq(gruu_get(other, GRUU_TEMPORARY), FIRST);
	endpoint_free(other);
	expect_found(&s, FIRST);
	expect_shown(&s, PUBLIC, FIRST);
	world_free(s.w);
}
END_TEST

RUN_TESTS("gruu", rfc5627_4_1_register, rfc5627_4_2_both, rfc5627_4_2_any_of_them,
	rfc5627_4_2_of_our_instance, malformed, too_long, rfc5627_4_2_failure_and_end,
	rfc5627_4_2_expiry, limit, rfc5627_4_4_invite, rfc5627_10_3_anonymous,
	privacy_header_of_a_request, rfc5627_4_4_without_registration, rfc5627_4_4_scheme,
	target_refresh, rfc5627_4_4_answers, request_to_public, request_to_temporary,
	rfc5627_4_5_remote, shared_by_mistake, rfc5627_4_3_given)
