/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Microsoft's servers do of themselves: lead elsewhere, end a registration, want keep-alives.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/limits.h"
#include "protocol/ua/microsoft-redirect.h"
#include "protocol/ua/page.h"
#include "tests/flow/scene.h"
#include "tests/support/run.h"
#include "tests/support/world-net.h"

#define FIRST "192.0.2.1"  /* sip.example.com */
#define SECOND "192.0.2.2" /* pool2.example.com */
#define THIRD "192.0.2.3"  /* pool3.example.com */

static struct scene scene_over(enum transport transport)
{
	const struct world_account a = {
		.id = "alice",
		.domain = "example.com",
		.registrar = "sip.example.com",
		.password = "secret",
		.transport = transport,
		.auto_refresh = true,
		.microsoft = true,
	};
	struct scene s = scene_new(&a);

	world_set_name(s.w, "sip.example.com", FIRST);
	world_set_name(s.w, "pool2.example.com", SECOND);
	world_set_name(s.w, "pool3.example.com", THIRD);
	world_set_name(s.w, "example.org", THIRD);
	return s;
}

static const struct msg *expect_at(struct scene *s, const char *method, const char *address)
{
	const struct msg *m = world_expect_out(s->w, method);

	ck_assert_ptr_nonnull(s->ep->flow);
	ck_assert_str_eq(s->ep->flow->peer.host, address);
	return m;
}

static void grant(struct scene *s, const struct msg *m, const char *headers)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"Contact: {contact};+sip.instance=\"<%s>\";expires=600\n%s", s->ep->instance_id,
		headers);
	world_reply(s->w, m, 200, text);
	world_settle(s->w);
	(void)world_expect_done(s->wu, UA_REGISTER, 200, 0);
	ck_assert_int_eq(s->r->state, REGISTRATION_REGISTERED);
}

static struct scene registered(const char *headers)
{
	struct scene s = scene_over(TRANSPORT_TCP);

	scene_start(&s);
	grant(&s, expect_at(&s, "REGISTER", FIRST), headers);
	return s;
}

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	(void)owner;
	(void)r;
	(void)o;
}
static const struct request_ops page_ops = { .done = on_done };

static const struct msg *page(struct scene *s, const char *address)
{
	struct page_spec p = {
		.target = SLICE("sip:bob@example.net"),
		.content_type = SLICE("text/plain"),
		.body = SLICE("x"),
		.ops = &page_ops,
	};
	struct request *r;
	const char *why;

	ck_assert_int_eq(page_send(s->ep, &p, &r, &why), 0);
	return expect_at(s, "MESSAGE", address);
}

/* ---- led elsewhere, [MS-SIPREGE] 3.1 ---- */

/* There the client registers, answers challenges, and sends everything else. */
START_TEST(redirected)
{
	struct scene s = scene_over(TRANSPORT_TCP);
	const struct msg *m;

	world_show(s.w, "Contact");
	world_show(s.w, "Call-ID");
	world_show(s.w, "CSeq");
	world_show(s.w, "Authorization");
	scene_start(&s);
	world_reply(s.w, expect_at(&s, "REGISTER", FIRST), 301,
		"Contact: <sip:pool2.example.com:5070;transport=tcp>;q=0.5\n"
		"Contact: <sip:pool3.example.com;transport=tcp>\n");
	m = expect_at(&s, "REGISTER", THIRD);
	world_expect_no_done(s.wu);
	world_reply(s.w, m, 401,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n1\", qop=\"auth\"\n");
	m = expect_at(&s, "REGISTER", THIRD);
	ck_assert(msg_header(m, HDR_AUTHORIZATION).p);
	grant(&s, m, "");
	world_reply(s.w, page(&s, THIRD), 200, NULL);
	/* The refresh goes there, too, and is led on from there. */
	(void)scene_next(&s, 600 * SEC);
	world_log_golden(s.w, "microsoft-redirected");
	world_free(s.w);
}
END_TEST

/* The one that goes to a dead server is the profile's again the next time. */
START_TEST(back_home)
{
	struct scene s = scene_over(TRANSPORT_TCP);

	world_set_reach(s.w, SECOND, WORLD_REFUSED);
	scene_start(&s);
	world_reply(s.w, expect_at(&s, "REGISTER", FIRST), 302,
		"Contact: <sip:pool2.example.com;transport=tcp>\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 0, -ECONNREFUSED);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	(void)scene_next(&s, 120 * SEC);
	ck_assert_str_eq(s.ep->flow->peer.host, FIRST);
	world_free(s.w);
}
END_TEST

/* After an Unregister at the server that had us. */
START_TEST(unregistered_there)
{
	struct scene s = scene_over(TRANSPORT_TCP);

	scene_start(&s);
	world_reply(s.w, expect_at(&s, "REGISTER", FIRST), 302,
		"Contact: <sip:pool2.example.com;transport=tcp>\n");
	grant(&s, expect_at(&s, "REGISTER", SECOND), "");
	scene_stop(&s, REGISTRATION_OWN);
	world_reply(s.w, expect_at(&s, "REGISTER", SECOND), 200, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 200, 0);
	scene_start(&s);
	(void)expect_at(&s, "REGISTER", FIRST);
	world_free(s.w);
}
END_TEST

static void expect_refused(struct scene *s, unsigned status, const char *why)
{
	world_settle(s->w);
	(void)world_expect_done(s->wu, UA_REGISTER, status, -EREMOTEIO);
	ck_assert_int_eq(s->r->state, REGISTRATION_FAILED);
	ck_assert_str_eq(s->r->last_reason, why);
	ck_assert_uint_eq(s->r->last_status, status);
	ck_assert_uint_eq(world_skip_out(s->w), 0);
}

#define OUT "redirected out of the domain of the profile, to "

/* Whoever is asked gets credentials: nobody leads them out of the domain, or to the clear. */
START_TEST(not_to_be_trusted)
{
	static const struct {
		enum transport transport;
		const char *headers, *why;
	} rows[] = {
		{ TRANSPORT_TCP, "Contact: <sip:example.org;transport=tcp>\n", OUT "example.org" },
		{ TRANSPORT_TCP, "Contact: <sip:evilexample.com;transport=tcp>\n",
			OUT "evilexample.com" },
		{ TRANSPORT_TCP, "Contact: <sip:example.com.example.org;transport=tcp>\n",
			OUT "example.com.example.org" },
		{ TRANSPORT_TCP, "Contact: <sip:192.0.2.3;transport=tcp>\n", OUT "192.0.2.3" },
		{ TRANSPORT_TCP, "Contact: <sip:pool2.example.com;maddr=192.0.2.3;transport=tcp>\n",
			OUT "192.0.2.3" },
		{ TRANSPORT_TLS, "Contact: <sips:example.org>\n", OUT "example.org" },
		{ TRANSPORT_TLS, "Contact: <sip:pool2.example.com;transport=tcp>\n",
			"redirected to a weaker transport, to pool2.example.com" },
		{ TRANSPORT_TLS, "Contact: <sip:pool2.example.com;transport=udp>\n",
			"redirected to a weaker transport, to pool2.example.com" },
		{ TRANSPORT_TCP, "", "redirected nowhere" },
		{ TRANSPORT_TCP, "Contact: <tel:+1>, <sip:a;transport=sctp>\n",
			"redirected nowhere" },
		{ TRANSPORT_TCP, "Contact: <sip:sip.example.com;transport=tcp>\n",
			"redirected in a circle, to sip.example.com" },
		{ TRANSPORT_TCP, "Contact: <sip:SIP.Example.com:5060>\n",
			"redirected in a circle, to SIP.Example.com" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = scene_over(rows[i].transport);

		scene_start(&s);
		world_reply(s.w, expect_at(&s, "REGISTER", FIRST), 302, rows[i].headers);
		expect_refused(&s, 302, rows[i].why);
		ck_assert_str_eq(microsoft_home(s.ep)->host, "sip.example.com");
		world_free(s.w);
	}
}
END_TEST

/* From TCP to TLS, and to the domain itself; without a transport it is the one before. */
START_TEST(to_be_trusted)
{
	static const struct {
		enum transport from, to;
		const char *headers, *address;
	} rows[] = {
		{ TRANSPORT_TCP, TRANSPORT_TLS, "Contact: <sips:pool2.example.com>\n", SECOND },
		{ TRANSPORT_TLS, TRANSPORT_TLS, "Contact: <sip:pool2.example.com>\n", SECOND },
		{ TRANSPORT_TCP, TRANSPORT_TCP, "Contact: <sip:pool2.example.com:5066>\n", SECOND },
		{ TRANSPORT_TCP, TRANSPORT_TCP, "Contact: <sip:sip.example.com:5066>\n", FIRST },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = scene_over(rows[i].from);

		scene_start(&s);
		world_reply(s.w, expect_at(&s, "REGISTER", FIRST), 301, rows[i].headers);
		(void)expect_at(&s, "REGISTER", rows[i].address);
		ck_assert_int_eq(s.ep->flow->transport, rows[i].to);
		world_free(s.w);
	}
}
END_TEST

/* A certificate for another name ends it, whoever led there. */
START_TEST(wrong_certificate)
{
	struct scene s = scene_over(TRANSPORT_TLS);

	world_set_tls(s.w, SECOND, "wrong-name: not pool2.example.com");
	scene_start(&s);
	world_reply(s.w, expect_at(&s, "REGISTER", FIRST), 302,
		"Contact: <sip:pool2.example.com;transport=tls>\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 0, -ECONNREFUSED);
	ck_assert(!strncmp(s.r->last_reason, "wrong-name: ", 12));
	world_free(s.w);
}
END_TEST

/* MaximumRegisterRedirections: so many in one attempt, and each server once. */
START_TEST(limit)
{
	static const char contact[] = "Contact: <sip:p%u.example.com:50%02u;transport=tcp>\n";
	struct scene s = scene_over(TRANSPORT_TCP);
	const struct msg *m;
	char text[128];

	world_set_name(s.w, "p2.example.com", SECOND);
	for (unsigned max = 0; max <= LIMITS_REGISTER_REDIRECTIONS; max++) {
		s.ep->profile->register_redirections = max;
		scene_start(&s);
		m = world_wait_out(s.w, "REGISTER", HOUR);
		for (unsigned i = 0; i < max; i++) {
			(void)snprintf(text, sizeof(text), contact, 2U, 10 + i);
			world_reply(s.w, m, 302, text);
			m = world_expect_out(s.w, "REGISTER");
		}
		(void)snprintf(text, sizeof(text), contact, 2U, 90U);
		world_reply(s.w, m, 302, text);
		expect_refused(&s, 302, "redirected too often, to p2.example.com");
	}
	world_free(s.w);
}
END_TEST

START_TEST(circle)
{
	struct scene s = scene_over(TRANSPORT_TCP);

	scene_start(&s);
	world_reply(s.w, expect_at(&s, "REGISTER", FIRST), 302,
		"Contact: <sip:pool2.example.com;transport=tcp>\n");
	world_reply(s.w, expect_at(&s, "REGISTER", SECOND), 302,
		"Contact: <sip:sip.example.com;transport=tcp>\n");
	expect_refused(&s, 302, "redirected in a circle, to sip.example.com");
	/* The next attempt begins at the profile's, and may be led there again. */
	scene_start(&s);
	world_reply(s.w, expect_at(&s, "REGISTER", FIRST), 302,
		"Contact: <sip:pool2.example.com;transport=tcp>\n");
	grant(&s, expect_at(&s, "REGISTER", SECOND), "");
	world_free(s.w);
}
END_TEST

/* Without MicrosoftExtensions a registrar leads nowhere. */
START_TEST(off)
{
	struct scene s = scene_new(&scene_alice);

	scene_start(&s);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 302, "Contact: <sip:192.0.2.1:5070>\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 302, -EREMOTEIO);
	ck_assert_int_eq(s.r->state, REGISTRATION_FAILED);
	world_free(s.w);
}
END_TEST

/* ---- the server ends it, [MS-SIPREGE] 3.2 ---- */

struct notice {
	const char *from, *call_id, *to_tag, *type, *lines, *body;
};

static void notified(struct scene *s, const struct notice *n, const char *status)
{
	char text[2048], from[80];

	(void)snprintf(text, sizeof(text),
		"NOTIFY sip:%s@{ua} SIP/2.0\n"
		"Via: SIP/2.0/TCP {peer};branch=z9hG4bK-{n}\n"
		"Max-Forwards: 70\n"
		"From: <sip:alice@example.com>;tag=server\n"
		"To: <sip:alice@example.com>%s%s\n"
		"Call-ID: %s\n"
		"CSeq: {n} NOTIFY\n"
		"Event: registration-notify\n"
		"Subscription-State: terminated;expires=0\n"
		"%s"
		"Content-Type: %s\n"
		"Content-Length: {length}\n\n%s",
		s->ep->token, n->to_tag ? ";tag=" : "", n->to_tag ? n->to_tag : "",
		n->call_id ? n->call_id : s->r->call_id, n->lines ? n->lines : "",
		n->type ? n->type : "text/registration-event", n->body);
	(void)snprintf(from, sizeof(from), "tcp:%s:%u>%u", s->ep->flow->peer.host,
		(unsigned)s->ep->flow->peer.port, (unsigned)s->ep->flow->local.port);
	world_in(s->wu, n->from ? n->from : from, text);
	world_settle(s->w);
	(void)world_expect_out(s->w, status);
}

/* rejected, unregistered: it is over, with the reason, until somebody asks */
START_TEST(ended)
{
	static const char *const rows[][3] = {
		{ "deregistered;event=rejected",
			"ms-diagnostics-public: 4141;reason=\"User disabled\"\n",
			"the registrar ended it: rejected; ms-diagnostics 4141: User disabled" },
		{ "deregistered;event=unregistered\n", NULL,
			"the registrar ended it: unregistered" },
		{ "Deregistered ; event=\"unregistered\"", NULL,
			"the registrar ended it: unregistered" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = registered("");
		struct notice n = { .body = rows[i][0], .lines = rows[i][1] };

		n.to_tag = i ? s.r->from_tag : NULL;
		notified(&s, &n, "200");
		ck_assert_int_eq(s.r->state, REGISTRATION_FAILED);
		ck_assert_str_eq(s.r->last_reason, rows[i][2]);
		ck_assert_int_eq(s.r->last_origin, ORIGIN_REMOTE);
		ck_assert_uint_eq(s.r->next_attempt, 0);
		ck_assert_ptr_null(s.r->contact);
		world_expect_silence(s.w, 3 * HOUR);
		scene_start(&s);
		world_settle(s.w);
		grant(&s, world_expect_out(s.w, "REGISTER"), "");
		world_free(s.w);
	}
}
END_TEST

/* deactivated: the user lives elsewhere now, and the profile's server knows where */
START_TEST(deactivated)
{
	struct scene s = scene_over(TRANSPORT_TCP);
	struct notice n = { .body = "deregistered;event=deactivated" };

	scene_start(&s);
	world_reply(s.w, expect_at(&s, "REGISTER", FIRST), 302,
		"Contact: <sip:pool2.example.com:5060;transport=tcp>\n");
	grant(&s, expect_at(&s, "REGISTER", SECOND), "");
	notified(&s, &n, "200");
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	(void)scene_next(&s, 3 * SEC);
	ck_assert_str_eq(s.ep->flow->peer.host, FIRST);
	world_free(s.w);
}
END_TEST

/* To the one that it names, if that is to be trusted; else as the profile says. */
START_TEST(preferred_registrar)
{
	static const char *const rows[][2] = {
		{ "P-Preferred-Registrar: sip:pool2.example.com:5060;transport=tcp\n", SECOND },
		{ "P-Preferred-Registrar: <sip:pool2.example.com;transport=tcp>\n", SECOND },
		{ "P-Preferred-Registrar: pool2.example.com\n", SECOND },
		{ "P-Preferred-Registrar: sip:example.org;transport=tcp\n", FIRST },
		{ "P-Preferred-Registrar: ,\n", FIRST },
		{ "", FIRST },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = registered("");
		struct notice n = { .body = "deregistered;event=preferred-registrar-change",
			.lines = rows[i][0] };

		notified(&s, &n, "200");
		ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
		(void)scene_next(&s, 3 * SEC);
		ck_assert_str_eq(s.ep->flow->peer.host, rows[i][1]);
		world_free(s.w);
	}
}
END_TEST

/* What no document names is a failure that passes. */
START_TEST(ended_for_reasons_unknown)
{
	struct scene s = registered("");

	notified(&s, &(struct notice){ .body = "deregistered;event=new" }, "200");
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	ck_assert_uint_ge(scene_in_seconds(&s, s.r->next_attempt), 29);
	grant(&s, scene_next(&s, 61 * SEC), "");
	notified(&s, &(struct notice){ .body = "deregistered" }, "200");
	ck_assert_str_eq(s.r->last_reason, "the registrar ended it: no reason given");
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	world_free(s.w);
}
END_TEST

/* Not over another connection, of another registration, or in another dialog. */
START_TEST(forged)
{
	static const struct {
		struct notice n;
		const char *status;
	} rows[] = {
		{ { .from = "tcp:192.0.2.66:5060" }, "481" },
		{ { .from = "udp:" FIRST ":5060" }, "481" },
		{ { .call_id = "other" }, "481" },
		{ { .to_tag = "other" }, "481" },
		{ { .type = "text/plain" }, "415" },
		{ { .body = "registered;event=created" }, "400" },
		{ { .body = "" }, "400" },
	};
	struct scene s = registered("");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct notice n = rows[i].n;

		if (!n.body)
			n.body = "deregistered;event=rejected";
		notified(&s, &n, rows[i].status);
		ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
		ck_assert_ptr_null(s.r->last_reason);
	}
	world_free(s.w);
}
END_TEST

/* A refresh that is under way decides for itself. */
START_TEST(ended_while_refreshing)
{
	struct scene s = registered("");
	const struct msg *m = scene_next(&s, 600 * SEC);

	notified(&s, &(struct notice){ .body = "deregistered;event=rejected" }, "200");
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	world_reply(s.w, m, 403, NULL);
	world_settle(s.w);
	ck_assert_int_eq(s.r->state, REGISTRATION_FAILED);
	/* What is over cannot end. */
	notified(&s, &(struct notice){ .body = "deregistered;event=deactivated" }, "200");
	ck_assert_int_eq(s.r->state, REGISTRATION_FAILED);
	world_free(s.w);
}
END_TEST

/* ---- keep-alives, [MS-CONMGMT] ---- */

static uint64_t sent(const struct scene *s)
{
	return s->ep->flow->n_sent;
}

/* Silent for three quarters of the time at most; nothing of it while there is other traffic. */
START_TEST(keep_alive)
{
	struct scene s =
		registered("ms-keep-alive: UAS; tcp=no; hop-hop=yes; end-end=no; timeout=100\n");
	uint64_t before = sent(&s);

	ck_assert(s.ep->flow->kept);
	for (unsigned i = 0; i < 6; i++) {
		world_run(s.w, 50 * SEC - 1);
		ck_assert_uint_eq(sent(&s), before);
		world_run(s.w, 1);
		ck_assert_uint_eq(sent(&s), ++before);
	}
	/* Every ten seconds something goes anyway. */
	for (unsigned i = 0; i < 10; i++) {
		world_reply(s.w, page(&s, FIRST), 200, NULL);
		world_run(s.w, 10 * SEC);
		ck_assert_uint_eq(sent(&s), ++before);
	}
	world_free(s.w);
}
END_TEST

/* What the next 2xx says counts; nothing, or not for this hop: none. */
START_TEST(no_keep_alive)
{
	static const char *const rows[] = {
		"",
		"ms-keep-alive: UAS; tcp=no; hop-hop=no; end-end=no; timeout=100\n",
		"ms-keep-alive: UAS; hop-hop=yes\n",
		"ms-keep-alive: UAS; hop-hop=yes; timeout=0\n",
		"ms-keep-alive: UAS; hop-hop=yes; timeout=soon\n",
		"ms-keep-alive:\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = registered("ms-keep-alive: UAS;hop-hop=yes;timeout=60\n");
		uint64_t before;

		grant(&s, scene_next(&s, 600 * SEC), rows[i]);
		ck_assert(!s.ep->flow->kept); /* The host pings again. */
		before = sent(&s);
		world_run(s.w, 120 * SEC);
		ck_assert_uint_eq(sent(&s), before);
		world_free(s.w);
	}
}
END_TEST

/* A connection that is gone is not kept, and its successor has what the next 2xx says. */
START_TEST(keep_alive_after_a_cut)
{
	struct scene s = registered("ms-keep-alive: UAS;hop-hop=yes;timeout=60\n");
	uint64_t before;

	world_cut(s.wu);
	world_settle(s.w);
	world_set_reach(s.w, FIRST, WORLD_REFUSED);
	world_run(s.w, 60 * SEC);
	world_set_reach(s.w, FIRST, WORLD_UP);
	(void)world_skip_out(s.w);
	while (s.wu->news.next != &s.wu->news) {
		struct world_news n;

		if (!world_pop_news(s.wu, WORLD_DONE, &n))
			break;
	}
	grant(&s, scene_next(&s, HOUR), "ms-keep-alive: UAS;hop-hop=yes;timeout=60\n");
	before = sent(&s);
	world_run(s.w, 31 * SEC);
	ck_assert_uint_gt(sent(&s), before);
	world_free(s.w);
}
END_TEST

RUN_TESTS("microsoft-server", redirected, back_home, unregistered_there, not_to_be_trusted,
	to_be_trusted, wrong_certificate, limit, circle, off, ended, deactivated,
	preferred_registrar, ended_for_reasons_unknown, forged, ended_while_refreshing, keep_alive,
	no_keep_alive, keep_alive_after_a_cut)
