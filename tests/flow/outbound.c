/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Managing client-initiated connections (RFC 5626): what one flow says, and several of them. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/contact.h"
#include "protocol/ua/registration-flows.h"
#include "protocol/ua/session-view.h"
#include "tests/flow/scene.h"
#include "tests/support/run.h"
#include "tests/support/world-keepalive.h"
#include "tests/support/world-net.h"
#include "tests/support/world-session.h"

#define OUTBOUND "Require: outbound\nContact: {contact};expires=3600\n"

static struct scene over_tcp(unsigned flows)
{
	struct world_account a = scene_alice;

	struct scene s;

	a.transport = TRANSPORT_TCP;
	a.flows = flows;
	s = scene_new(&a);
	world_pings(s.w)->answered = true;
	return s;
}

static bool contact_has(const struct msg *m, const char *name, const char *value)
{
	struct msg_list it = { 0 };
	struct slice text, v;
	struct addr a;

	ck_assert_int_eq(msg_list_next(m, HDR_CONTACT, &it, &text), 1);
	ck_assert_int_eq(addr_parse(text, &a), 0);
	return addr_param(&a, slice_str(name), &v) && (!value || slice_eq(v, slice_str(value)));
}

/* Both flows are up, the first one's outcome is told. */
static struct scene two_flows(void)
{
	struct scene s = over_tcp(2);

	scene_registered(&s, OUTBOUND);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, OUTBOUND);
	world_settle(s.w);
	ck_assert_int_eq(s.r->next->state, REGISTRATION_REGISTERED);
	ck_assert_ptr_ne(s.r->flow, s.r->next->flow);
	return s;
}

/* Both contacts are taken back. */
static void finish_two(struct scene *s)
{
	endpoint_close(s->ep);
	world_reply(s->w, world_expect_out(s->w, "REGISTER"), 200, NULL);
	world_reply(s->w, world_expect_out(s->w, "REGISTER"), 200, NULL);
	world_run(s->w, 64 * TIMER_T1);
	ck_assert_uint_eq(world_count_news(s->wu, WORLD_REMOVED), 1);
	world_expect_idle(s->wu);
	world_free(s->w);
}

/* Sections 4.1 and 4.2.1: instance and reg-id in Contact, path and outbound in Supported */
START_TEST(rfc5626_4_2_1_what_is_sent)
{
	struct scene s = over_tcp(1);
	const struct msg *m;

	scene_start(&s);
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(contact_has(m, "reg-id", "1"));
	ck_assert(contact_has(m, "+sip.instance", NULL));
	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("path")));
	ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("outbound")));
	/* RFC 6223 section 4.3 */
	ck_assert_ptr_nonnull(m->via.keep.p);
	ck_assert_uint_eq(m->via.keep.n, 0);
	world_reply(s.w, m, 200, OUTBOUND "Flow-Timer: 90\n");
	world_settle(s.w);
	ck_assert_int_eq(s.r->outbound, REGISTRATION_OUTBOUND_YES);
	ck_assert_uint_eq(s.r->flow_timer, 90);
	scene_finish(&s);
}
END_TEST

/* Section 4.2.1: without Require the registrar knows nothing of it, whatever else it says */
START_TEST(rfc5626_4_2_1_not_supported)
{
	struct scene s = over_tcp(3);

	scene_registered(&s, "Contact: {contact};expires=3600\nSupported: outbound\n"
			     "Flow-Timer: 30\n");
	ck_assert_int_eq(s.r->outbound, REGISTRATION_OUTBOUND_NO);
	ck_assert_uint_eq(s.r->flow_timer, 0);
	/* One flow is kept. */
	world_expect_silence(s.w, 600 * SEC);
	ck_assert_int_eq(s.r->next->state, REGISTRATION_UNREGISTERED);
	scene_finish(&s);
}
END_TEST

/* Section 4.2.2: a binding is removed under the same names; 4.2.3: "*" has none */
START_TEST(rfc5626_4_2_2_removal)
{
	struct scene s = over_tcp(1);
	const struct msg *m;

	scene_registered(&s, OUTBOUND);
	scene_stop(&s, REGISTRATION_OWN);
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(contact_has(m, "reg-id", "1"));
	ck_assert(contact_has(m, "+sip.instance", NULL));
	ck_assert(contact_has(m, "expires", "0"));
	world_reply(s.w, m, 200, NULL);
	scene_stop(&s, REGISTRATION_ALL);
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(scene_has_contact(m, "*"));
	world_reply(s.w, m, 200, NULL);
	world_settle(s.w);
	scene_finish(&s);
}
END_TEST

/* Section 11.6: 439, then once more without outbound, and so from then on */
START_TEST(rfc5626_11_6_first_hop_lacks_support)
{
	struct scene s = over_tcp(2);
	const struct msg *m;

	scene_start(&s);
	m = world_expect_out(s.w, "REGISTER");
	world_reply(s.w, m, 439, NULL);
	for (int i = 0; i < 2; i++) {
		m = scene_next(&s, HOUR);
		ck_assert(!contact_has(m, "reg-id", NULL));
		ck_assert(contact_has(m, "+sip.instance", NULL));
		ck_assert(!msg_has_token(m, HDR_SUPPORTED, SLICE("outbound")));
		ck_assert(msg_has_token(m, HDR_SUPPORTED, SLICE("path")));
		world_reply(s.w, m, 200, "Contact: {contact};expires=600\n");
		world_settle(s.w);
		(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	}
	ck_assert_int_eq(s.r->outbound, REGISTRATION_OUTBOUND_REFUSED);
	ck_assert_int_eq(s.r->next->state, REGISTRATION_UNREGISTERED);
	scene_finish(&s);
}
END_TEST

/* Section 6: what was there before the restart has our instance and reg-id, whatever its address */
START_TEST(rfc5626_6_stale_binding)
{
	struct scene s = over_tcp(1);
	struct buf b = BUF_NULL;

	buf_printf(&b,
		"Require: outbound\nContact: <sip:x@203.0.113.9:4000;transport=tcp>;expires=77;"
		"+sip.instance=\"<%s>\";reg-id=1, <sip:y@203.0.113.9>;expires=9;"
		"+sip.instance=\"<%s>\";reg-id=2\n",
		s.ep->instance_id, s.ep->instance_id);
	buf_putc(&b, '\0');
	scene_registered(&s, b.p);
	buf_deinit(&b);
	ck_assert_uint_eq(scene_in_seconds(&s, s.r->expires), 77);
	ck_assert(s.r->bindings[0].own && !s.r->bindings[1].own);
	scene_finish(&s);
}
END_TEST

/* Section 4.3: ob in what is no REGISTER, over a flow that the registrar knows as such */
START_TEST(rfc5626_4_3_ob)
{
	static const char *const answers[] = { OUTBOUND, "Contact: {contact};expires=3600\n" };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct scene s = over_tcp(1);
		struct buf b = BUF_NULL;
		struct contact c = { .ep = s.ep, .scheme = URI_SIP };
		struct slice v;
		struct uri uri;

		scene_registered(&s, answers[i]);
		c.flow = s.r->flow;
		contact_append_uri(&b, &c);
		ck_assert_int_eq(uri_parse(buf_slice(&b), &uri), 0);
		ck_assert(uri_param(&uri, SLICE("ob"), &v) == (i == 0));
		ck_assert_ptr_null(strstr(s.r->contact, ";ob"));
		buf_deinit(&b);
		scene_finish(&s);
	}
}
END_TEST

/* RFC 3327 section 5.1: kept with the registration, replaced by the next answer */
START_TEST(rfc3327_5_1_path)
{
	struct scene s = over_tcp(1);

	scene_registered(
		&s, OUTBOUND "Path: <sip:p1.example.com;lr;ob>, <sip:p2.example.com;lr>\n");
	ck_assert_uint_eq(s.r->n_path, 2);
	ck_assert_str_eq(s.r->path[0], "<sip:p1.example.com;lr;ob>");
	ck_assert_str_eq(s.r->path[1], "<sip:p2.example.com;lr>");
	scene_registered(&s, OUTBOUND);
	ck_assert_uint_eq(s.r->n_path, 0);
	scene_finish(&s);
}
END_TEST

/* ---- several flows ---- */

/* Section 4.2.1: each its own connection, Call-ID and reg-id; one endpoint for all who look at it
 */
START_TEST(rfc5626_4_2_1_two_flows)
{
	struct scene s = over_tcp(2);
	const struct msg *first, *second;

	scene_start(&s);
	first = world_expect_out(s.w, "REGISTER");
	world_expect_silence(s.w, SEC);
	world_reply(s.w, first, 200, OUTBOUND);
	second = world_expect_out(s.w, "REGISTER");
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	ck_assert(contact_has(first, "reg-id", "1"));
	ck_assert(contact_has(second, "reg-id", "2"));
	ck_assert(!slice_eq(first->call_id, second->call_id));
	ck_assert_uint_ne(first->via.port, second->via.port);
	world_reply(s.w, second, 200, OUTBOUND);
	world_settle(s.w);
	world_expect_no_done(s.wu);
	ck_assert_int_eq(registration_overall_state(s.r), REGISTRATION_REGISTERED);
	/* Refreshes go the way of the binding, section 4.2.2. */
	for (int i = 0; i < 4; i++) {
		const struct msg *m = scene_next(&s, HOUR);
		const struct msg *of = contact_has(m, "reg-id", "1") ? first : second;

		ck_assert(slice_eq(m->call_id, of->call_id));
		ck_assert_uint_eq(m->via.port, of->via.port);
		world_reply(s.w, m, 200, OUTBOUND);
		world_settle(s.w);
	}
	finish_two(&s);
}
END_TEST

/* Sections 4.2.2 and 4.5: either is cut; the endpoint stays registered, the flow comes back */
START_TEST(rfc5626_4_5_one_is_cut)
{
	for (int which = 0; which < 2; which++) {
		struct scene s = two_flows();
		struct registration *r = which ? s.r->next : s.r;
		struct registration *other = which ? s.r : s.r->next;
		const struct msg *m;

		/* A keep-alive is answered: the flows were a success. */
		world_run(s.w, 130 * SEC);
		world_cut_flow(s.wu, r->flow);
		ck_assert_int_eq(r->state, REGISTRATION_WAITING);
		ck_assert_int_eq(registration_overall_state(s.r), REGISTRATION_REGISTERED);
		/* Section 4.3: whatever is sent now goes over the other. */
		ck_assert_ptr_eq(s.ep->flow, other->flow);
		m = scene_next(&s, 3 * SEC);
		ck_assert(contact_has(m, "reg-id", which ? "2" : "1"));
		/* The registrar replaces it by instance and reg-id: nothing is said of the old. */
		ck_assert_uint_eq(scene_count_contacts(m), 1);
		world_reply(s.w, m, 200, OUTBOUND);
		world_settle(s.w);
		ck_assert_int_eq(r->state, REGISTRATION_REGISTERED);
		ck_assert_ptr_nonnull(r->flow);
		finish_two(&s);
	}
}
END_TEST

/* Both break at once: each comes back over a connection of its own, whichever is first */
START_TEST(rfc5626_4_5_both_are_cut)
{
	struct scene s = two_flows();
	bool second_first = false;

	for (int i = 0; i < 8; i++) {
		const struct msg *one, *two;

		world_run(s.w, 130 * SEC);
		world_cut(s.wu);
		one = scene_next(&s, 3 * SEC);
		two = scene_next(&s, 3 * SEC);
		second_first |= contact_has(one, "reg-id", "2");
		ck_assert_uint_ne(one->via.port, two->via.port);
		world_reply(s.w, one, 200, OUTBOUND);
		world_reply(s.w, two, 200, OUTBOUND);
		world_settle(s.w);
		ck_assert_ptr_ne(s.r->flow, s.r->next->flow);
	}
	ck_assert(second_first); /* else this has shown half of it */
	finish_two(&s);
}
END_TEST

/* How long a registration waits once its attempt has failed. */
static usec_t pause_of(const struct scene *s, const struct registration *r)
{
	for (int i = 0; i < 20 && r->failures == 0; i++)
		world_run(s->w, SEC);
	ck_assert_uint_eq(r->failures, 1);
	ck_assert_int_eq(r->state, REGISTRATION_WAITING);
	return r->next_attempt - s->wu->ua->timers.now;
}

/* Section 4.5: the pace while another flow lives is 90 s * 2^failures, else 30 s */
START_TEST(rfc5626_4_5_base_time)
{
	struct scene s = two_flows();
	usec_t pause;

	world_set_reach(s.w, "192.0.2.1", WORLD_NO_TCP);
	world_cut_flow(s.wu, s.r->next->flow);
	pause = pause_of(&s, s.r->next);
	ck_assert_uint_ge(pause, 89 * SEC);
	ck_assert_uint_le(pause, 180 * SEC);
	world_cut_flow(s.wu, s.r->flow);
	pause = pause_of(&s, s.r);
	ck_assert_uint_ge(pause, 29 * SEC);
	ck_assert_uint_le(pause, 60 * SEC);
	ck_assert_int_eq(registration_overall_state(s.r), REGISTRATION_WAITING);
	world_free(s.w);
}
END_TEST

/* Unregister takes all of our bindings back, and its outcome waits for the last of them */
START_TEST(unregister_all_flows)
{
	struct scene s = two_flows();
	const struct msg *one, *two;

	scene_stop(&s, REGISTRATION_OWN);
	one = world_expect_out(s.w, "REGISTER");
	two = world_expect_out(s.w, "REGISTER");
	ck_assert(contact_has(one, "expires", "0") && contact_has(two, "expires", "0"));
	world_reply(s.w, contact_has(one, "reg-id", "1") ? one : two, 200, NULL);
	world_settle(s.w);
	world_expect_no_done(s.wu);
	ck_assert_int_eq(registration_overall_state(s.r), REGISTRATION_UNREGISTERING);
	world_reply(s.w, contact_has(one, "reg-id", "1") ? two : one, 200, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 200, 0);
	ck_assert_int_eq(registration_overall_state(s.r), REGISTRATION_UNREGISTERED);
	scene_finish(&s);
}
END_TEST

/* Two flows to a registrar of that name, which has 192.0.2.1 and another address, if not NULL. */
static struct scene by_name(const char *another)
{
	struct world_account a = scene_alice;
	struct scene s;

	a.transport = TRANSPORT_TCP;
	a.flows = 2;
	a.registrar = "edge.example.com";
	s = scene_new(&a);
	world_pings(s.w)->answered = true;
	world_set_name(s.w, "edge.example.com", "192.0.2.1");
	if (another)
		world_set_name(s.w, "edge.example.com", another);
	scene_registered(&s, OUTBOUND);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, OUTBOUND);
	world_settle(s.w);
	return s;
}

/* Section 4.2.1: different servers of one name, if it has several */
START_TEST(flows_to_different_servers)
{
	struct scene s = by_name("192.0.2.2");

	ck_assert_str_ne(s.r->flow->peer.host, s.r->next->flow->peer.host);
	finish_two(&s);
}
END_TEST

/* ---- sessions over several flows ---- */

#define EDGE "Record-Route: <sip:192.0.2.1:5060;transport=tcp;lr>\n"
#define BOB                                                                              \
	EDGE "Contact: <sip:bob@192.0.2.20>\nAllow: INVITE, ACK, BYE, UPDATE, MESSAGE\n" \
	     "Content-Type: application/sdp\nContent-Length: {length}\n\nanswer"

/* Alice calls through the edge, over the endpoint's flow. */
static struct session *calls_bob(const struct scene *s)
{
	struct session_spec spec = { .target = SLICE("sip:bob@example.com"),
		.offer = world_sdp("offer") };
	struct session *session;
	const char *why;

	ck_assert_int_eq(session_new(s->ep, &spec, &session, &why), 0);
	world_reply(s->w, world_expect_out(s->w, "INVITE"), 200, BOB);
	(void)world_expect_out(s->w, "ACK");
	(void)world_expect_event(s->wu, UA_SESSION_ESTABLISHED);
	return session;
}

static void expect_over(const struct msg *m, const struct flow *f)
{
	ck_assert_uint_eq(m->via.port, f->local.port);
	ck_assert_uint_eq(m->contact.uri.port, f->local.port);
}

/*
 * Section 4.3: the flow that a dialog was formed over dies and its registrar is not to be had, but
 * another flow lives: over that the peer is told of the Contact there (RFC 3261 12.2).
 */
START_TEST(rfc5626_4_3_session_goes_on)
{
	struct scene s = two_flows();
	struct session *session = calls_bob(&s);
	const struct flow *other = s.r->next->flow;
	const struct msg *m;

	ck_assert_ptr_eq(s.ep->flow, s.r->flow);
	world_cut_flow(s.wu, s.r->flow);
	m = world_expect_out(s.w, "UPDATE");
	expect_over(m, other);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	world_reply(s.w, m, 200, "Contact: <sip:bob@192.0.2.20>\n");
	world_settle(s.w);
	ck_assert_int_eq(session_state(session), SESSION_ESTABLISHED);
	/* Once: that the flow is there again changes nothing for it. */
	world_reply(s.w, scene_next(&s, 200 * SEC), 200, OUTBOUND);
	world_expect_silence(s.w, 20 * SEC);
	ck_assert_int_eq(session_terminate(session, NULL), 0);
	m = world_expect_out(s.w, "BYE");
	ck_assert_uint_eq(m->via.port, other->local.port);
	world_free(s.w);
}
END_TEST

/* Where the other leads to another edge, the session's own is waited for: its route names that. */
START_TEST(rfc5626_4_3_session_of_another_edge)
{
	struct scene s = by_name("192.0.2.2");
	struct session *session;
	const struct msg *m;

	ck_assert_str_eq(s.ep->flow->peer.host, "192.0.2.1");
	session = calls_bob(&s);
	world_run(s.w, 130 * SEC);
	world_cut_flow(s.wu, s.ep->flow);
	ck_assert_str_eq(s.ep->flow->peer.host, "192.0.2.2");
	m = scene_next(&s, 3 * SEC);
	world_reply(s.w, m, 200, OUTBOUND);
	m = world_expect_out(s.w, "UPDATE");
	expect_over(m, s.r->flow);
	world_reply(s.w, m, 200, "Contact: <sip:bob@192.0.2.20>\n");
	world_settle(s.w);
	ck_assert_int_eq(session_state(session), SESSION_ESTABLISHED);
	world_free(s.w);
}
END_TEST

/* Another flow's death is nothing to the session. */
START_TEST(rfc5626_4_3_session_stays)
{
	struct scene s = two_flows();
	struct session *session = calls_bob(&s);

	world_cut_flow(s.wu, s.r->next->flow);
	world_reply(s.w, scene_next(&s, 200 * SEC), 200, OUTBOUND);
	world_expect_silence(s.w, 20 * SEC);
	ck_assert_int_eq(session_state(session), SESSION_ESTABLISHED);
	world_free(s.w);
}
END_TEST

/* RFC 5627 section 4.4: a GRUU as Contact leads to whatever flow lives: nobody is told. */
START_TEST(rfc5627_4_4_session_with_gruu)
{
	struct scene s = two_flows();
	struct session *session;
	char granted[512];
	const struct msg *m;

	(void)snprintf(granted, sizeof(granted),
		"Require: outbound\nContact: {contact};expires=3600;+sip.instance=\"<%s>\";"
		"pub-gruu=\"sip:alice@example.com;gr=1\"\n",
		s.ep->instance_id);
	for (int i = 0; i < 2; i++) {
		world_reply(s.w, scene_next(&s, HOUR), 200, granted);
		world_settle(s.w);
	}
	session = calls_bob(&s);
	ck_assert_uint_ne(session_gruu(session).n, 0);
	world_cut_flow(s.wu, s.ep->flow);
	m = scene_next(&s, 200 * SEC);
	world_reply(s.w, m, 200, granted);
	world_expect_silence(s.w, 20 * SEC);
	ck_assert_int_eq(session_state(session), SESSION_ESTABLISHED);
	world_free(s.w);
}
END_TEST

/*
 * Section 4.3: what was under way is sent again over the flow that lives, with the next CSeq; also
 * where the route names the edge as we do not.
 */
START_TEST(rfc5626_4_3_request_under_way)
{
	struct scene s = by_name(NULL);
	struct session *session = calls_bob(&s);
	const struct flow *other = s.r->next->flow;
	const struct msg *one, *two;

	ck_assert_int_eq(session_terminate(session, NULL), 0);
	one = world_expect_out(s.w, "BYE");
	ck_assert_uint_ne(one->via.port, other->local.port);
	world_cut_flow(s.wu, s.r->flow);
	two = world_expect_out(s.w, "BYE");
	ck_assert_uint_eq(two->via.port, other->local.port);
	ck_assert(!slice_eq(two->via.branch, one->via.branch));
	ck_assert_uint_eq(two->cseq, one->cseq + 1);
	world_reply(s.w, two, 200, NULL);
	world_settle(s.w);
	(void)world_expect_event(s.wu, UA_SESSION_TERMINATED);
	world_free(s.w);
}
END_TEST

/* Section 11.5: "Endpoints should never receive a 430"; if one does, it is a 400, the last word. */
START_TEST(rfc5626_11_5_flow_failed)
{
	struct scene s = two_flows();
	struct session_spec spec = { .target = SLICE("sip:bob@example.com"),
		.offer = world_sdp("offer") };
	struct session *session;
	const char *why;

	ck_assert_int_eq(session_new(s.ep, &spec, &session, &why), 0);
	world_reply(s.w, world_expect_out(s.w, "INVITE"), 430, NULL);
	(void)world_expect_out(s.w, "ACK");
	(void)world_expect_event(s.wu, UA_SESSION_TERMINATED);
	world_expect_silence(s.w, 20 * SEC);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	ck_assert_ptr_eq(s.ep->flow, s.r->flow);
	finish_two(&s);
}
END_TEST

RUN_TESTS("outbound", rfc5626_4_2_1_what_is_sent, rfc5626_4_2_1_not_supported,
	rfc5626_4_2_2_removal, rfc5626_11_6_first_hop_lacks_support, rfc5626_6_stale_binding,
	rfc5626_4_3_ob, rfc3327_5_1_path, rfc5626_4_2_1_two_flows, rfc5626_4_5_one_is_cut,
	rfc5626_4_5_both_are_cut, rfc5626_4_5_base_time, unregister_all_flows,
	flows_to_different_servers, rfc5626_4_3_session_goes_on,
	rfc5626_4_3_session_of_another_edge, rfc5626_4_3_session_stays,
	rfc5627_4_4_session_with_gruu, rfc5626_4_3_request_under_way, rfc5626_11_5_flow_failed)
