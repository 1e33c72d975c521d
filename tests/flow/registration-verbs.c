/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flows that break under a registration, and verbs that meet (RFC 3261 10.2). */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/ua/page.h"
#include "tests/flow/scene.h"
#include "tests/support/run.h"

/* ---- flows ---- */

static struct scene over_tcp(bool auto_refresh)
{
	struct world_account a = scene_alice;
	struct scene s;

	a.transport = TRANSPORT_TCP;
	a.auto_refresh = auto_refresh;
	s = scene_new(&a);
	world_show(s.w, "Contact");
	scene_registered(&s, "Contact: {contact};expires=3600\n");
	return s;
}

/* A broken connection: anew within two seconds; the old contact goes in the same request */
START_TEST(connection_breaks)
{
	struct scene s = over_tcp(true);
	char *old = mem_strdup(s.r->contact), stale[128];
	const struct msg *m;

	(void)snprintf(stale, sizeof(stale), "<%s>;expires=0", old);
	/* After a while, so that it counts as having been stable. */
	world_run(s.w, 600 * SEC);
	world_cut(s.wu);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	ck_assert_uint_le(s.r->next_attempt, s.wu->ua->timers.now + 2 * SEC);
	m = scene_next(&s, 2 * SEC);
	ck_assert_uint_eq(scene_count_contacts(m), 2);
	ck_assert(scene_has_contact(m, stale));
	world_reply(s.w, m, 200, "Contact: {contact};expires=3600\n");
	world_settle(s.w);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	ck_assert_str_ne(s.r->contact, old);
	world_log_golden(s.w, "registration-reconnect");
	free(old);
	world_free(s.w);
}
END_TEST

/* A server that drops us each time: the pauses grow as for failures (RFC 5626 4.5) */
START_TEST(connection_breaks_again_and_again)
{
	struct scene s = over_tcp(true);
	usec_t bound = 60;

	/* The first time it may be chance. */
	world_cut(s.wu);
	ck_assert_uint_le(s.r->next_attempt, s.wu->ua->timers.now + 2 * SEC);
	world_reply(s.w, scene_next(&s, 2 * SEC), 200, "Contact: {contact};expires=3600\n");
	world_settle(s.w);
	for (int i = 0; i < 8; i++) {
		usec_t pause;

		world_cut(s.wu);
		pause = s.r->next_attempt - s.wu->ua->timers.now;
		ck_assert_uint_ge(pause, bound * SEC / 2);
		ck_assert_uint_le(pause, bound * SEC);
		world_reply(s.w, scene_next(&s, HOUR), 200, "Contact: {contact};expires=3600\n");
		world_settle(s.w);
		bound = 2 * bound < 1800 ? 2 * bound : 1800;
	}
	/* Once it holds, all is forgotten. */
	world_run(s.w, 60 * SEC);
	world_cut(s.wu);
	ck_assert_uint_le(s.r->next_attempt, s.wu->ua->timers.now + 2 * SEC);
	world_free(s.w);
}
END_TEST

/* Without auto-refresh: with the next request, at the latest when the refresh was due */
START_TEST(connection_breaks_lazily)
{
	struct scene s = over_tcp(false);
	usec_t planned = s.r->next_attempt;
	struct request *request = NULL;
	static const struct request_ops ops = { 0 };
	struct page_spec page = {
		.target = SLICE_INIT("sip:bob@example.com"),
		.content_type = SLICE_INIT("text/plain"),
		.body = SLICE_INIT("hello"),
		.ops = &ops,
	};
	const char *why;

	world_cut(s.wu);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	ck_assert_uint_eq(s.r->next_attempt, planned);
	world_expect_silence(s.w, 100 * SEC);
	ck_assert_int_eq(page_send(s.ep, &page, &request, &why), 0);
	(void)world_expect_out(s.w, "MESSAGE");
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, "Contact: {contact}\n");
	world_settle(s.w);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	request_free(request);
	/* And without a request: when the refresh was due. */
	planned = s.r->next_attempt;
	world_cut(s.wu);
	world_expect_silence(s.w, planned - s.wu->ua->timers.now - 1);
	(void)scene_next(&s, 2);
	world_free(s.w);
}
END_TEST

/* RFC 3261 10.2.2: the machine got another address; UDP flows are told to be down */
START_TEST(address_changes)
{
	struct scene s = scene_new(&scene_alice);
	char stale[128];
	const struct msg *m;

	scene_registered(&s, "Contact: {contact};expires=3600\n");
	(void)snprintf(stale, sizeof(stale), "<%s>;expires=0", s.r->contact);
	world_run(s.w, 100 * SEC);
	world_move(s.wu, "192.0.2.77");
	m = scene_next(&s, 2 * SEC);
	ck_assert(scene_has_contact(m, stale));
	ck_assert(slice_eq(m->via.host, SLICE("192.0.2.77")));
	world_reply(s.w, m, 200, "Contact: {contact};expires=3600\n");
	world_settle(s.w);
	ck_assert_ptr_nonnull(strstr(s.r->contact, "@192.0.2.77"));
	world_free(s.w);
}
END_TEST

/* ---- verbs that meet ---- */

/* One outcome for the attempt that a second Register joins */
START_TEST(register_joins)
{
	struct scene s = scene_new(&scene_alice);
	struct registration_options other = { .expires = 777 };
	const struct msg *m;

	scene_start(&s);
	scene_start(&s);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, "Contact: {contact}\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	world_expect_silence(s.w, 60 * SEC);
	/* Another wish is another attempt, after this one (RFC 3261 10.2). */
	scene_start(&s);
	ck_assert_int_eq(registration_start(s.r, &other), 0);
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(slice_eq(msg_header(m, HDR_EXPIRES), SLICE("3600")));
	world_expect_silence(s.w, 100 * USEC_PER_MSEC);
	world_reply(s.w, m, 200, "Contact: {contact}\n");
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(slice_eq(msg_header(m, HDR_EXPIRES), SLICE("777")));
	world_reply(s.w, m, 200, "Contact: {contact}\n");
	world_settle(s.w);
	ck_assert_uint_eq(world_count_news(s.wu, WORLD_DONE), 2);
	world_free(s.w);
}
END_TEST

/* Register, Unregister, Register at once: the last one counts, each has its outcome */
START_TEST(verbs_overtake)
{
	struct scene s = scene_new(&scene_alice);
	const struct msg *m;

	scene_start(&s);
	scene_stop(&s, REGISTRATION_OWN);
	scene_start(&s);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 0, -ECANCELED);
	m = world_expect_out(s.w, "REGISTER");
	world_reply(s.w, m, 200, "Contact: {contact}\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	world_expect_silence(s.w, 60 * SEC);
	/* The other way round: out, in and out again. */
	scene_stop(&s, REGISTRATION_OWN);
	scene_start(&s);
	scene_stop(&s, REGISTRATION_ALL);
	m = world_expect_out(s.w, "REGISTER");
	(void)world_expect_done(s.wu, UA_REGISTER, 0, -ECANCELED);
	world_reply(s.w, m, 200, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 200, 0);
	/* All was asked for, our own was under way: one more. */
	m = world_expect_out(s.w, "REGISTER");
	ck_assert(scene_has_contact(m, "*"));
	world_reply(s.w, m, 200, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 200, 0);
	ck_assert_int_eq(s.r->state, REGISTRATION_UNREGISTERED);
	world_free(s.w);
}
END_TEST

/* The registrar does not let us go: unregistered all the same, and the caller is told */
START_TEST(unregister_fails)
{
	struct scene s = scene_new(&scene_alice);

	scene_registered(&s, "Contact: {contact};expires=3600\n");
	scene_stop(&s, REGISTRATION_OWN);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 500, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 500, -EREMOTEIO);
	ck_assert_int_eq(s.r->state, REGISTRATION_UNREGISTERED);
	world_expect_silence(s.w, HOUR);
	/* Asked again, it is tried again. */
	scene_stop(&s, REGISTRATION_OWN);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, NULL);
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_UNREGISTER, 200, 0);
	scene_finish(&s);
}
END_TEST

/* The last word of an endpoint: unregistered, told, gone, within 64*T1 */
START_TEST(close_unregisters)
{
	struct scene s = scene_new(&scene_alice);

	scene_registered(&s, "Contact: {contact};expires=3600\n");
	endpoint_close(s.ep);
	ck_assert_int_eq(registration_start(s.r, &(struct registration_options){ 0 }), -ESTALE);
	world_set_reach(s.w, "192.0.2.1", WORLD_SILENT);
	(void)world_skip_out(s.w);
	world_run(s.w, 64 * TIMER_T1);
	ck_assert_uint_eq(world_count_news(s.wu, WORLD_REMOVED), 1);
	world_run(s.w, 64 * TIMER_T1);
	world_expect_idle(s.wu);
	world_free(s.w);
}
END_TEST

static void close_it(struct world_ua *wu, struct endpoint *ep, const struct outcome *o)
{
	(void)wu;
	(void)o;
	endpoint_close(ep);
}

/* A listener may do anything when it is told, ending the endpoint included. */
START_TEST(close_when_told)
{
	struct scene s = scene_new(&scene_alice);

	s.wu->on_done = close_it;
	scene_start(&s);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 403, NULL);
	world_settle(s.w);
	ck_assert_uint_eq(world_count_news(s.wu, WORLD_REMOVED), 1);
	world_run(s.w, 64 * TIMER_T1);
	world_expect_idle(s.wu);
	world_free(s.w);
}
END_TEST

/* Peers do not register, and say so. */
START_TEST(not_for_peers)
{
	struct world_account a = { .id = "peer", .domain = "192.0.2.10" };
	struct scene s = scene_new(&a);

	ck_assert_ptr_null(s.r);
	world_free(s.w);
}
END_TEST

/* The machine slept through refresh and expiry: anew, and not everybody in the same instant */
START_TEST(resume)
{
	struct scene s = scene_new(&scene_alice);

	scene_registered(&s, "Contact: {contact};expires=600\n");
	ua_advance(s.wu->ua, s.wu->ua->timers.now + 5 * HOUR);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	ck_assert_uint_le(s.r->next_attempt, s.wu->ua->timers.now + 10 * SEC);
	world_run(s.w, 5 * HOUR);
	(void)scene_next(&s, 10 * SEC);
	world_free(s.w);
}
END_TEST

RUN_TESTS("registration-verbs", connection_breaks, connection_breaks_again_and_again,
	connection_breaks_lazily, address_changes, register_joins, verbs_overtake, unregister_fails,
	close_unregisters, close_when_told, not_for_peers, resume)
