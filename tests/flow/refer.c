/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * REFER outside of sessions: ours with its subscription in a dialog that the first NOTIFY makes
 * (RFC 6665 4.4.1), and an agent's consent to one that comes (RFC 3515 2.4.4, RFC 4488).
 */
#include "protocol/ua/refer.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/err.h"
#include "tests/flow/call.h"

#define BOB "<sip:bob@192.0.2.20>"
#define ACTIVE "Contact: " BOB "\nEvent: refer\nSubscription-State: active;expires=60\n"
#define OVER "Contact: " BOB "\nEvent: refer\nSubscription-State: terminated;reason=noresource\n"
#define SIPFRAG "Content-Type: message/sipfrag\nContent-Length: {length}\n\n"

/* What the owner hears. */
struct heard {
	unsigned notified, accepted, terminated, status;
	enum origin origin;
	bool frees; /* in the first callback */
};

static void on_notified(void *owner, struct refer *r, const struct msg *m)
{
	struct heard *h = owner;

	if (m)
		h->notified++;
	else
		h->accepted++;
	if (h->frees)
		refer_free(r);
}

static void on_terminated(void *owner, struct refer *r, const struct refer_end *end)
{
	struct heard *h = owner;

	ck_assert_uint_eq(refer_state(r), REFER_TERMINATED);
	h->terminated++;
	h->status = end->status;
	h->origin = end->origin;
}

static const struct refer_ops ops = { .notified = on_notified, .terminated = on_terminated };

/* On behalf of a registered kind of endpoint, for the other does not subscribe. */
static struct call scene(void)
{
	static const struct world_account alice = {
		.id = "alice", .domain = "192.0.2.10", .registrar = "192.0.2.20"
	};
	struct call c = { .cseq = 100 };

	c.w = world_new(1);
	c.wu = world_ua(c.w, "192.0.2.10");
	c.ep = world_endpoint(c.wu, &alice);
	return c;
}

static const struct msg *refer(struct call *c, struct heard *h, struct refer **ret)
{
	struct refer_spec spec = {
		.target = SLICE("sip:bob@192.0.2.20"),
		.refer_to = SLICE("sip:carol@192.0.2.30"),
	};
	const struct msg *m;

	ck_assert_int_eq(refer_new(c->ep, &spec, &ops, h, ret), 0);
	m = world_expect_out(c->w, "REFER");
	(void)snprintf(c->call_id, sizeof(c->call_id), "%.*s", SLICE_ARGS(m->call_id));
	(void)snprintf(c->ours, sizeof(c->ours), "%.*s", SLICE_ARGS(m->from_tag));
	(void)snprintf(c->theirs, sizeof(c->theirs), "bob");
	return m;
}

static void notify(struct call *c, const char *text, const char *answer)
{
	call_send(c, "NOTIFY", text);
	(void)world_expect_out(c->w, answer);
}

/* The endpoint keeps its way to its server until it closes. */
static void leave(struct call *c)
{
	ck_assert_uint_eq(c->ep->n_refers, 0);
	endpoint_close(c->ep);
	world_run(c->w, 2 * 64 * TIMER_T1);
	ck_assert_uint_eq(world_skip_out(c->w), 0);
	world_expect_idle(c->wu);
	world_free(c->w);
}

START_TEST(rfc6665_4_4_1_subscription)
{
	struct call c = scene();
	struct heard h = { 0 };
	struct refer *r;
	const struct msg *m = refer(&c, &h, &r);

	call_expect_header(m, HDR_REFER_TO, "<sip:carol@192.0.2.30>");
	ck_assert(!m->to_tag.p);
	world_reply(c.w, m, 202, "Contact: " BOB "\n");
	world_settle(c.w);
	ck_assert_uint_eq(h.accepted, 1);
	ck_assert_int_eq(refer_subscribe(r, 60), -ESTALE);
	notify(&c, ACTIVE SIPFRAG "SIP/2.0 100 Trying\r\n", "200");
	ck_assert_uint_eq(refer_state(r), REFER_ACTIVE);
	/* Another fork: nobody listens to it. */
	(void)snprintf(c.theirs, sizeof(c.theirs), "other");
	notify(&c, ACTIVE SIPFRAG "SIP/2.0 100 Trying\r\n", "481");
	(void)snprintf(c.theirs, sizeof(c.theirs), "bob");
	ck_assert_int_eq(refer_subscribe(r, 0), 0);
	ck_assert_int_eq(refer_subscribe(r, 0), -EBUSY);
	m = world_expect_out(c.w, "SUBSCRIBE");
	call_expect_header(m, HDR_EXPIRES, "0");
	call_expect_header(m, HDR_EVENT, "refer");
	ck_assert(slice_eq(m->to_tag, SLICE("bob")));
	world_reply(c.w, m, 200, "Contact: " BOB "\nExpires: 0\n");
	notify(&c, OVER SIPFRAG "SIP/2.0 486 Busy Here\r\n", "200");
	ck_assert_uint_eq(h.notified, 2);
	ck_assert_uint_eq(h.terminated, 1);
	ck_assert_uint_eq(h.status, 486);
	leave(&c);
}
END_TEST

/* A dialog that no INVITE made is none to be replaced or joined. */
START_TEST(rfc3891_3_subscription_is_no_session)
{
	static const char *const headers[] = { "Replaces", "Join" };
	struct call c = scene();
	struct heard h = { 0 };
	struct refer *r;

	world_reply(c.w, refer(&c, &h, &r), 202, "Contact: " BOB "\n");
	notify(&c, ACTIVE SIPFRAG "SIP/2.0 100 Trying\r\n", "200");
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct buf b = BUF_NULL;

		buf_printf(&b,
			"INVITE sip:alice@192.0.2.10 SIP/2.0\n"
			"Via: SIP/2.0/TCP {peer};branch=z9hG4bK{n}\nMax-Forwards: 70\n"
			"From: " BOB ";tag=b\nTo: <sip:alice@192.0.2.10>\nCall-ID: {n}\n"
			"CSeq: 1 INVITE\nContact: " BOB "\n"
			"%s: %s;to-tag=%s;from-tag=%s\nContent-Length: 0\n\n",
			headers[i], c.call_id, c.ours, c.theirs);
		buf_putc(&b, '\0');
		world_in(c.wu, "tcp:192.0.2.20:5060", b.p);
		(void)world_expect_out(c.w, "481");
		buf_deinit(&b);
	}
	world_expect_no_session(c.wu);
	notify(&c, OVER SIPFRAG "SIP/2.0 200 OK\r\n", "200");
	ck_assert_uint_eq(h.terminated, 1);
	leave(&c);
}
END_TEST

START_TEST(refused)
{
	struct call c = scene();
	struct heard h = { 0 };
	struct refer *r;

	world_reply(c.w, refer(&c, &h, &r), 603, NULL);
	world_settle(c.w);
	ck_assert_uint_eq(h.terminated, 1);
	ck_assert_uint_eq(h.status, 603);
	leave(&c);
}
END_TEST

START_TEST(rfc6665_4_1_2_4_timer_n)
{
	struct call c = scene();
	struct heard h = { 0 };
	struct refer *r;

	world_reply(c.w, refer(&c, &h, &r), 200, "Contact: " BOB "\n");
	world_run(c.w, 65 * TIMER_T1);
	ck_assert_uint_eq(h.terminated, 1);
	ck_assert_uint_eq(h.origin, ORIGIN_TIMEOUT);
	notify(&c, ACTIVE SIPFRAG "SIP/2.0 100 Trying\r\n", "481");
	leave(&c);
}
END_TEST

START_TEST(freed_in_its_callback)
{
	struct call c = scene();
	struct heard h = { .frees = true };
	struct refer *r;

	world_reply(c.w, refer(&c, &h, &r), 200, "Contact: " BOB "\n");
	world_settle(c.w);
	ck_assert_uint_eq(h.accepted, 1);
	ck_assert_uint_eq(h.terminated, 0);
	leave(&c);
}
END_TEST

START_TEST(peer_to_peer_does_not_subscribe)
{
	struct call c = call_scene();
	struct refer_spec spec = {
		.target = SLICE("sip:bob@192.0.2.20"),
		.refer_to = SLICE("sip:carol@192.0.2.30"),
	};
	struct refer *r;

	ck_assert_int_eq(refer_new(c.ep, &spec, &ops, NULL, &r), -EOPNOTSUPP);
	call_leave(&c);
}
END_TEST

/* ---- an agent's consent ---- */

static struct incoming *comes(struct call *c, const char *more)
{
	struct buf b = BUF_NULL;

	buf_printf(&b,
		"REFER {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bKbob{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <sip:bob@192.0.2.20>;tag=new\n"
		"To: <sip:alice@192.0.2.10>\n"
		"Call-ID: new\n"
		"CSeq: 7 REFER\n"
		"Refer-To: <sip:carol@192.0.2.30>\n%sContent-Length: 0\n\n",
		more);
	buf_putc(&b, '\0');
	world_in(c->wu, CALL_BOB, b.p);
	buf_deinit(&b);
	world_settle(c->w);
	return world_expect_incoming(c->wu);
}

START_TEST(rfc3515_2_4_4_consent)
{
	struct call c = call_scene();
	struct incoming_reply ok = { .status = 202, .reason = SLICE("Accepted") };
	const struct msg *m;

	ck_assert_int_eq(incoming_reply(comes(&c, "Contact: " BOB "\n"), &ok), 0);
	m = world_expect_out(c.w, "200"); /* RFC 7647 section 5 */
	ck_assert(m->contact.uri.text.n);
	m = world_expect_out(c.w, "NOTIFY");
	call_expect_header(m, HDR_SUBSCRIPTION_STATE, "terminated;reason=noresource");
	ck_assert(slice_eq(m->body, SLICE("SIP/2.0 100 Trying\r\n")));
	world_reply(c.w, m, 200, NULL);
	call_leave(&c);
}
END_TEST

START_TEST(rfc4488_4_consent_without_subscription)
{
	struct call c = call_scene();
	struct incoming_reply ok = { .status = 200 };

	ck_assert_int_eq(incoming_reply(comes(&c, "Contact: " BOB "\nRefer-Sub: false\n"), &ok), 0);
	call_expect_header(world_expect_out(c.w, "200"), HDR_REFER_SUB, "false");
	call_leave(&c);
}
END_TEST

START_TEST(consent_without_contact)
{
	struct call c = call_scene();
	struct incoming_reply ok = { .status = 200 };

	ck_assert_int_eq(incoming_reply(comes(&c, ""), &ok), 0);
	(void)world_expect_out(c.w, "400");
	call_leave(&c);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("refer");
	TCase *t = tcase_create("outside of sessions");

	tcase_add_test(t, rfc6665_4_4_1_subscription);
	tcase_add_test(t, rfc3891_3_subscription_is_no_session);
	tcase_add_test(t, refused);
	tcase_add_test(t, rfc6665_4_1_2_4_timer_n);
	tcase_add_test(t, freed_in_its_callback);
	tcase_add_test(t, peer_to_peer_does_not_subscribe);
	tcase_add_test(t, rfc3515_2_4_4_consent);
	tcase_add_test(t, rfc4488_4_consent_without_subscription);
	tcase_add_test(t, consent_without_contact);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
