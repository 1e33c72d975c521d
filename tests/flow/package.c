/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The packages that the daemon serves by itself: dialog (RFC 4235) and reg (RFC 3680). */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/package-private.h"
#include "protocol/ua/session-view.h"
#include "tests/flow/subscribed.h"
#include "tests/support/run.h"
#include "tests/support/world-session.h"

#define OWN "P-Asserted-Identity: <sip:alice@192.0.2.1>\n"
#define DIALOG(version, rest)                                                                \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                       \
	"<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"" version "\" " \
	"state=\"full\" entity=\"sip:alice@192.0.2.1\">\n" rest "</dialog-info>\n"

static struct subscribed begin(unsigned own_packages)
{
	struct subscribed c = subscribed_new();

	c.from = "udp:192.0.2.1:5060";
	c.ep->profile->own_packages = own_packages;
	return c;
}

/* Subscribed, nobody else serves it, and the first document came. */
static const struct msg *watch(struct subscribed *c, const char *lines, const char *status)
{
	subscribed_comes(c, lines);
	subscriber_pass(c->s, SUBSCRIBER_NO_PACKAGE);
	return subscribed_expect(c, status);
}

static void taken(struct subscribed *c)
{
	world_expect_subscriber_removed(c->wu, "served by ourselves", ORIGIN_LOCAL);
}

static void refused(struct subscribed *c, const char *reason)
{
	world_expect_subscriber_changed(c->wu, SUBSCRIBER_CHANGE_STATE);
	world_expect_subscriber_removed(c->wu, reason, ORIGIN_LOCAL);
}

static void unsubscribe(struct subscribed *c, const char *event, const char *last)
{
	char lines[80];

	(void)snprintf(lines, sizeof(lines), "Event: %s\nExpires: 0\n", event);
	subscribed_sends(c, "SUBSCRIBE", lines);
	(void)subscribed_expect(c, "200");
	subscribed_heard(c, "terminated;reason=timeout", last);
	ck_assert_uint_eq(c->wu->ua->n_subscribers, 0);
}

/* ---- who may ---- */

static void may(struct subscribed *c, const char *identity, const char *status)
{
	char lines[160];

	(void)snprintf(lines, sizeof(lines), "Event: dialog\nExpires: 0\n%s", identity);
	(void)watch(c, lines, status);
	if (strcmp(status, "200") != 0) {
		refused(c, "Forbidden");
		return;
	}
	subscribed_heard(c, "terminated;reason=timeout", DIALOG("0", ""));
	taken(c);
}

/* Off unless the profile says so; what is served is named in the 489 (RFC 6665 4.4.4). */
START_TEST(off_by_default)
{
	struct subscribed c = begin(0);

	subscribed_check(watch(&c, "Event: dialog\n" OWN, "489"), HDR_ALLOW_EVENTS, "refer");
	refused(&c, "Bad Event");
	c.ep->profile->own_packages = PROFILE_PACKAGE_DIALOG | PROFILE_PACKAGE_REG;
	subscriber_allow(c.wu->ua, SLICE("presence"));
	subscribed_check(watch(&c, "Event: foo\n" OWN, "489"), HDR_ALLOW_EVENTS,
		"refer, presence, dialog, reg");
	refused(&c, "Bad Event");
	subscriber_allow(c.wu->ua, SLICE_NULL);
	subscribed_finish(&c);
}
END_TEST

/* RFC 4235 3.6, RFC 3680 4.6: nobody but the user itself, as its own server says. */
START_TEST(rfc4235_3_6_who_may_see_it)
{
	static const struct {
		const char *from, *identity, *status;
	} t[] = {
		{ "udp:192.0.2.1:5060", "P-Asserted-Identity: <sip:alice@192.0.2.1>\n", "200" },
		{ "udp:192.0.2.1:5060", "P-Asserted-Identity: <sip:carol@192.0.2.1>\n", "200" },
		{ "udp:192.0.2.1:5060", "P-Asserted-Identity: <sip:mallory@192.0.2.1>\n", "403" },
		{ "udp:192.0.2.1:5060", "P-Asserted-Identity: <<\n", "403" },
		{ "udp:192.0.2.1:5060", "", "403" }, /* Bob, by From */
		{ "udp:192.0.2.20:5060", "P-Asserted-Identity: <sip:alice@192.0.2.1>\n", "403" },
	};
	static char carol[] = "sip:carol@192.0.2.1";
	char *watchers[] = { carol };
	struct subscribed c = begin(PROFILE_PACKAGE_DIALOG);

	c.ep->profile->package_watchers = watchers;
	c.ep->profile->n_package_watchers = 1;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		c.from = t[i].from;
		may(&c, t[i].identity, t[i].status);
	}
	c.ep->profile->package_watchers = NULL;
	c.ep->profile->n_package_watchers = 0;
	subscribed_finish(&c);
}
END_TEST

/* RFC 3325 section 8: From counts only where nothing is asserted, well or ill. */
START_TEST(rfc3325_8_nothing_asserted)
{
	static char bob[] = "sip:bob@192.0.2.20";
	char *watchers[] = { bob };
	struct subscribed c = begin(PROFILE_PACKAGE_DIALOG);

	c.ep->profile->package_watchers = watchers;
	c.ep->profile->n_package_watchers = 1;
	may(&c, "", "200");
	may(&c, "P-Asserted-Identity: <<\n", "403");
	may(&c, "P-Asserted-Identity: \n", "403");
	may(&c, "P-Asserted-Identity: ,\n", "403");
	c.ep->profile->package_watchers = NULL;
	c.ep->profile->n_package_watchers = 0;
	subscribed_finish(&c);
}
END_TEST

/* RFC 3325 section 5: the server it came from counts, not the one there is when agents passed. */
START_TEST(rfc3325_5_as_it_came)
{
	struct subscribed c = begin(PROFILE_PACKAGE_DIALOG);

	subscribed_comes(&c, "Event: dialog\nExpires: 0\n" OWN);
	ck_assert(subscriber_is_vouched_for(c.s));
	endpoint_set_flow(c.ep, NULL);
	subscriber_pass(c.s, SUBSCRIBER_NO_PACKAGE);
	(void)subscribed_expect(&c, "200");
	subscribed_heard(&c, "terminated;reason=timeout", DIALOG("0", ""));
	taken(&c);

	c.from = "udp:192.0.2.20:5060";
	subscribed_comes(&c, "Event: dialog\nExpires: 0\n" OWN);
	ck_assert(!subscriber_is_vouched_for(c.s));
	endpoint_set_flow(c.ep, c.s->flow);
	subscriber_pass(c.s, SUBSCRIBER_NO_PACKAGE);
	(void)subscribed_expect(&c, "403");
	refused(&c, "Forbidden");
	endpoint_set_flow(c.ep, NULL);
	subscribed_finish(&c);
}
END_TEST

/* ---- dialog ---- */

static void call_comes(struct subscribed *c, const char *lines)
{
	struct buf b = BUF_NULL;

	buf_printf(&b,
		"INVITE {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP {peer};branch=z9hG4bKcall;rport\n"
		"Max-Forwards: 70\n"
		"%s"
		"To: <sip:alice@192.0.2.1>\n"
		"Call-ID: a\"<b>&'c\n"
		"CSeq: 1 INVITE\n"
		"Contact: <sip:dave@192.0.2.30>\n"
		"Content-Type: application/sdp\n\nv=0",
		lines);
	buf_putc(&b, '\0');
	world_in(c->wu, "udp:192.0.2.30:5060", b.p);
	buf_deinit(&b);
	world_settle(c->w);
}

static void hang_up(struct subscribed *c, struct session *s)
{
	ck_assert_int_eq(session_reject(s, 486, SLICE_NULL, NULL), 0);
	(void)world_expect_out(c->w, "486");
	world_in(c->wu, "udp:192.0.2.30:5060",
		"ACK sip:alice@192.0.2.10 SIP/2.0\n"
		"Via: SIP/2.0/UDP {peer};branch=z9hG4bKcall;rport\n"
		"From: <sip:dave@192.0.2.30>;tag=dave\n"
		"To: <sip:alice@192.0.2.1>;tag=x\n"
		"Call-ID: a\"<b>&'c\n"
		"CSeq: 1 ACK\n\n");
}

/* 3.7.1: trying, early, and gone; 4.1: each document has a version of its own. */
START_TEST(rfc4235_4_1_sessions)
{
	struct subscribed c = begin(PROFILE_PACKAGE_DIALOG);
	struct session *s;
	const struct msg *m;

	world_hush(c.w);
	(void)watch(&c, "Event: dialog\nExpires: 600\n" OWN, "200");
	subscribed_heard(&c, "active;expires=600", DIALOG("0", ""));
	taken(&c);
	call_comes(&c, "From: \"Dave \\\"D\\\" & Co\" <sip:dave@192.0.2.30>;tag=dave\n");
	s = world_expect_session(c.wu);
	ck_assert_uint_eq(session_state(s), SESSION_INCOMING);
	m = world_expect_out(c.w, "NOTIFY");
	subscribed_check(m, HDR_CONTENT_TYPE, "application/dialog-info+xml");
	ck_assert_msg(m->body.n > 0 && strstr(m->body.p, "<state>trying</state>") &&
			      strstr(m->body.p, "call-id=\"a&quot;&lt;b&gt;&amp;&apos;c\"") &&
			      strstr(m->body.p, "direction=\"recipient\"") &&
			      strstr(m->body.p, "version=\"1\"") &&
			      strstr(m->body.p, "<identity display=\"Dave &quot;D&quot; &amp; Co\">"
						"sip:dave@192.0.2.30</identity>") &&
			      strstr(m->body.p, "<target uri=\"sip:dave@192.0.2.30\"/>"),
		"%.*s", SLICE_ARGS(m->body));
	world_reply(c.w, m, 200, NULL);
	ck_assert_int_eq(session_ring(s, &(struct session_ring){ 0 }), 0);
	(void)world_expect_out(c.w, "180");
	m = world_expect_out(c.w, "NOTIFY");
	ck_assert_msg(strstr(m->body.p, "<state>early</state>") &&
			      strstr(m->body.p, "version=\"2\"") &&
			      strstr(m->body.p, "remote-tag=\"dave\"") &&
			      strstr(m->body.p, "local-tag=\""),
		"%.*s", SLICE_ARGS(m->body));
	world_reply(c.w, m, 200, NULL);
	hang_up(&c, s);
	c.ours = 0;
	subscribed_heard(&c, "active;expires=600", DIALOG("3", ""));
	world_session_free_told(c.wu);
	unsubscribe(&c, "dialog", DIALOG("4", ""));
	world_run(c.w, 64 * TIMER_T1);
	(void)world_skip_out(c.w);
	subscribed_finish(&c);
}
END_TEST

/* 6.3, RFC 3323: who does not want to be known is not shown. */
START_TEST(rfc4235_6_3_privacy)
{
	static const char *const callers[] = {
		"From: \"Dave\" <sip:dave@192.0.2.30>;tag=dave\nPrivacy: id\n",
		"From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=dave\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
		struct subscribed c = begin(PROFILE_PACKAGE_DIALOG);
		struct session *s;
		char text[600];

		(void)watch(&c, "Event: dialog\nExpires: 600\n" OWN, "200");
		subscribed_heard(&c, "active;expires=600", DIALOG("0", ""));
		taken(&c);
		call_comes(&c, callers[i]);
		s = world_expect_session(c.wu);
		(void)snprintf(text, sizeof(text),
			DIALOG("1", "<dialog id=\"%s\"><state>trying</state></dialog>\n"),
			session_id(s));
		subscribed_heard(&c, "active;expires=600", text);
		hang_up(&c, s);
		subscribed_heard(&c, "active;expires=600", DIALOG("2", ""));
		world_session_free_told(c.wu);
		unsubscribe(&c, "dialog", DIALOG("3", ""));
		world_run(c.w, 64 * TIMER_T1);
		(void)world_skip_out(c.w);
		subscribed_finish(&c);
	}
}
END_TEST

/* ---- reg ---- */

START_TEST(rfc3680_5_bindings)
{
	struct subscribed c = begin(PROFILE_PACKAGE_REG);
	const struct msg *m;

	(void)watch(&c, "Event: reg\nExpires: 600\n" OWN, "200");
	m = world_expect_out(c.w, "NOTIFY");
	subscribed_check(m, HDR_CONTENT_TYPE, "application/reginfo+xml");
	ck_assert_msg(strstr(m->body.p, "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" "
					"version=\"0\" state=\"full\">\n"
					"<registration aor=\"sip:alice@192.0.2.1\" id=\"") &&
			      strstr(m->body.p, "\" state=\"active\">\n<contact id=\"") &&
			      strstr(m->body.p, "state=\"active\" event=\"registered\"><uri>sip:"),
		"%.*s", SLICE_ARGS(m->body));
	world_reply(c.w, m, 200, NULL);
	world_settle(c.w);
	taken(&c);
	/* The same again is no news; another contact is. */
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(
			registration_start(c.ep->registration, &(struct registration_options){ 0 }),
			0);
		world_reply(c.w, world_expect_out(c.w, "REGISTER"), 200,
			i ? "Contact: {contact};expires=360000, "
			    "\"Desk & phone\" <sip:alice@192.0.2.99>;expires=60;q=0.5\n"
			  : "Contact: {contact};expires=360000\n");
		world_settle(c.w);
		(void)world_expect_done(c.wu, UA_REGISTER, 200, 0);
	}
	m = world_expect_out(c.w, "NOTIFY");
	ck_assert_msg(strstr(m->body.p, "version=\"1\"") &&
			      strstr(m->body.p, " q=\"0.500\"><uri>sip:alice@192.0.2.99</uri>"
						"<display-name>Desk &amp; phone</display-name>"),
		"%.*s", SLICE_ARGS(m->body));
	world_reply(c.w, m, 200, NULL);
	world_settle(c.w);
	endpoint_close(c.ep);
	m = world_expect_out(c.w, "NOTIFY");
	subscribed_check(m, HDR_SUBSCRIPTION_STATE, "terminated;reason=noresource");
	world_reply(c.w, m, 200, NULL);
	world_reply(c.w, world_expect_out(c.w, "REGISTER"), 200, NULL);
	world_run(c.w, 64 * TIMER_T1);
	world_expect_no_subscriber(c.wu);
	world_expect_idle(c.wu);
	world_free(c.w);
	free(c.to_tag);
	free(c.text);
}
END_TEST

/* What XML cannot have is not written (XML 1.0 section 2.2). */
START_TEST(escaped)
{
	struct buf b = BUF_NULL;

	package_append_text(&b, SLICE("<a b=\"c\" d='e'>&\x01\t\xc3\xa9"));
	ck_assert(slice_eq(
		buf_slice(&b), SLICE("&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;?\t\xc3\xa9")));
	buf_reset(&b);
	package_append_text(&b, SLICE("\xff<\xc3"));
	ck_assert(slice_eq(buf_slice(&b), SLICE("?&lt;?")));
	buf_deinit(&b);
}
END_TEST

RUN_TESTS("package", off_by_default, rfc4235_3_6_who_may_see_it, rfc3325_8_nothing_asserted,
	rfc3325_5_as_it_came, rfc4235_4_1_sessions, rfc4235_6_3_privacy, rfc3680_5_bindings,
	escaped)
