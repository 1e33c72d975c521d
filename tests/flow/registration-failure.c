/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a registration does when it is refused, not answered or cut off (RFC 3261 10, RFC 5626 4.5).
 */
#include <check.h>
#include <errno.h>

#include "tests/flow/scene.h"
#include "tests/support/run.h"

/* RFC 5626 section 4.5: each pause between half of min(1800 s, 30 s * 2^failures) and all of it */
START_TEST(back_off)
{
	struct scene s = scene_new(&scene_alice);
	usec_t bound = 60, pause;

	scene_start(&s);
	for (unsigned n = 1; n <= 12; n++) {
		world_reply(s.w, world_expect_out(s.w, "REGISTER"), 500, NULL);
		world_settle(s.w);
		(void)world_expect_done(s.wu, UA_REGISTER, 500, -EREMOTEIO);
		ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
		ck_assert_uint_eq(s.r->failures, n);
		pause = s.r->next_attempt - s.wu->ua->timers.now;
		ck_assert_uint_ge(pause, bound * SEC / 2);
		ck_assert_uint_le(pause, bound * SEC);
		world_expect_silence(s.w, pause - 1);
		world_run(s.w, 1);
		ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERING);
		bound = 2 * bound < 1800 ? 2 * bound : 1800;
	}
	/* One success, and the next failure starts from the beginning. */
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, "Contact: {contact};expires=60\n");
	world_settle(s.w);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	ck_assert_uint_eq(s.r->failures, 0);
	world_log_golden(s.w, "registration-back-off");
	world_free(s.w);
}
END_TEST

static void drop(struct flow *f, struct slice bytes)
{
	(void)f;
	(void)bytes;
}

static void ignore(struct flow *f)
{
	(void)f;
}

static struct flow *open_broken(void *ctx, const struct host_target *target)
{
	static const struct flow_ops ops = { .send = drop, .unused = ignore };
	static struct flow broken;

	(void)ctx;
	flow_init(&broken, &ops, target->transport);
	broken.peer = target->addr;
	return &broken;
}

/* A machine without any network: the flow has no address of ours, and breaks at once. That passes.
 */
START_TEST(no_network)
{
	struct scene s = scene_new(&scene_alice);
	struct host_ops ops = *s.wu->host.ops;
	struct flow *broken;

	ops.open = open_broken;
	s.wu->host.ops = &ops;
	ck_assert_int_eq(registration_start(s.r, &(struct registration_options){ 0 }), 0);
	world_settle(s.w);
	world_expect_no_done(s.wu);
	broken = s.ep->flow;
	ck_assert_ptr_nonnull(broken);
	broken->state = FLOW_DOWN;
	ua_flow_down(s.wu->ua, broken, "no route to host");
	(void)world_expect_done(s.wu, UA_REGISTER, 0, -ECONNREFUSED);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	ck_assert_uint_le(s.r->next_attempt - s.wu->ua->timers.now, 60 * SEC);
	world_free(s.w);
}
END_TEST

/* RFC 3261 sections 20.33 and 21.5.4 */
START_TEST(retry_after)
{
	static const struct {
		unsigned status;
		const char *header;
		usec_t least, most;
	} rows[] = {
		{ 503, "Retry-After: 400 (maintenance)\n", 400, 440 },
		{ 503, "Retry-After: 1\n", 30, 60 },
		{ 480, "Retry-After: 3000;duration=60\n", 3000, 3030 },
		{ 600, "Retry-After: 120\n", 120, 132 },
		{ 503, "Retry-After: 4294967295\n", 86400, 86430 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = scene_new(&scene_alice);

		scene_start(&s);
		world_reply(s.w, world_expect_out(s.w, "REGISTER"), rows[i].status, rows[i].header);
		world_settle(s.w);
		ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
		world_expect_silence(s.w, rows[i].least * SEC - 1);
		(void)scene_next(&s, (rows[i].most - rows[i].least + 1) * SEC);
		world_free(s.w);
	}
}
END_TEST

/* What is refused, what passes, and what follows from it */
START_TEST(verdicts)
{
	static const struct {
		unsigned status;
		enum registration_state state;
	} rows[] = {
		{ 302, REGISTRATION_FAILED },
		{ 400, REGISTRATION_FAILED },
		{ 403, REGISTRATION_FAILED },
		{ 404, REGISTRATION_FAILED },
		{ 408, REGISTRATION_WAITING },
		{ 420, REGISTRATION_FAILED },
		{ 430, REGISTRATION_WAITING },
		{ 480, REGISTRATION_WAITING },
		{ 500, REGISTRATION_WAITING },
		{ 502, REGISTRATION_WAITING },
		{ 504, REGISTRATION_WAITING },
		{ 600, REGISTRATION_WAITING },
		{ 603, REGISTRATION_FAILED },
		{ 604, REGISTRATION_FAILED },
		{ 606, REGISTRATION_WAITING },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene s = scene_new(&scene_alice);

		scene_start(&s);
		world_reply(s.w, world_expect_out(s.w, "REGISTER"), rows[i].status, NULL);
		world_settle(s.w);
		(void)world_expect_done(s.wu, UA_REGISTER, rows[i].status, -EREMOTEIO);
		ck_assert_int_eq(s.r->state, rows[i].state);
		ck_assert_uint_eq(s.r->last_status, rows[i].status);
		ck_assert_uint_ne(s.r->next_attempt, 0);
		if (rows[i].state == REGISTRATION_FAILED) {
			/* About an hour, in case that somebody put it right. */
			world_expect_silence(s.w, 45 * 60 * SEC - 1);
			(void)scene_next(&s, 30 * 60 * SEC + 2);
		}
		world_free(s.w);
	}
}
END_TEST

/* RFC 3261 section 22.2, RFC 7616: a wrong password is said once, and a day long nothing more */
START_TEST(wrong_password)
{
	struct scene s = scene_new(&scene_alice);
	struct world_news n;

	scene_start(&s);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 401,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n1\", qop=\"auth\"\n");
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 401,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n2\", qop=\"auth\"\n");
	world_settle(s.w);
	n = world_expect_done(s.wu, UA_REGISTER, 401, -EACCES);
	ck_assert_int_eq(n.origin, ORIGIN_REMOTE);
	ck_assert_int_eq(s.r->state, REGISTRATION_FAILED);
	ck_assert_uint_eq(s.r->next_attempt, 0);
	ck_assert_ptr_nonnull(s.r->last_reason);
	world_expect_silence(s.w, 24 * HOUR);
	/* Somebody corrects it and asks. */
	world_set_secret(s.w, "alice", "alice", "right");
	scene_start(&s);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 401,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n3\", qop=\"auth\"\n");
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 200, "Contact: {contact}\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 200, 0);
	ck_assert_ptr_null(s.r->last_reason);
	world_log_golden(s.w, "registration-wrong-password");
	world_free(s.w);
}
END_TEST

/* Nobody has a password: one request, one outcome */
START_TEST(no_password)
{
	struct world_account a = scene_alice;
	struct scene s;

	a.password = NULL;
	s = scene_new(&a);
	scene_start(&s);
	world_reply(s.w, world_expect_out(s.w, "REGISTER"), 401,
		"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n1\", qop=\"auth\"\n");
	world_settle(s.w);
	(void)world_expect_done(s.wu, UA_REGISTER, 401, -EACCES);
	world_expect_silence(s.w, 24 * HOUR);
	world_free(s.w);
}
END_TEST

/* RFC 3261 17.1.2.2: no answer is Timer F; RFC 5626 4.5 follows it */
START_TEST(registrar_silent)
{
	struct scene s = scene_new(&scene_alice);
	struct world_news n;

	world_set_reach(s.w, "192.0.2.1", WORLD_SILENT);
	scene_start(&s);
	world_run(s.w, TIMER_F - 1);
	world_expect_no_done(s.wu);
	world_run(s.w, 1);
	n = world_expect_done(s.wu, UA_REGISTER, 0, -ETIMEDOUT);
	ck_assert_int_eq(n.origin, ORIGIN_TIMEOUT);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	ck_assert_uint_ge(scene_in_seconds(&s, s.r->next_attempt), 30);
	world_free(s.w);
}
END_TEST

static bool answer_200(void *ctx, struct world_mail *mail)
{
	unsigned *n = ctx;

	(*n)++;
	world_mail_reply(mail, 200, "Contact: {contact};expires=600\n");
	return true;
}

/* Down for three hours, over both transports: back by itself within the longest pause */
START_TEST(registrar_comes_back)
{
	static const enum transport transports[] = { TRANSPORT_UDP, TRANSPORT_TCP };
	static const enum world_reach ways[] = { WORLD_SILENT, WORLD_REFUSED };

	for (size_t i = 0; i < 4; i++) {
		struct world_account a = scene_alice;
		unsigned n = 0;
		struct scene s;

		a.transport = transports[i % 2];
		s = scene_new(&a);
		world_set_peer(s.w, answer_200, &n);
		scene_start(&s);
		world_run(s.w, 10 * SEC);
		ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
		world_set_reach(s.w, "192.0.2.1", ways[i / 2]);
		if (a.transport == TRANSPORT_TCP)
			world_cut(s.wu);
		world_run(s.w, 3 * HOUR);
		ck_assert(s.r->request || s.r->state == REGISTRATION_WAITING);
		ck_assert(s.r->request || s.r->next_attempt);
		world_set_reach(s.w, "192.0.2.1", WORLD_UP);
		/* An attempt that is under way may have to end first. */
		world_run(s.w, TIMER_F + 1800 * SEC + TIMER_F);
		ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
		world_free(s.w);
	}
}
END_TEST

/* A refresh that fails: registered until the end, and tried sooner the nearer that is */
START_TEST(refresh_fails)
{
	struct scene s = scene_new(&scene_alice);
	usec_t end;
	unsigned n = 0;

	scene_registered(&s, "Contact: {contact};expires=3600\n");
	end = s.r->expires;
	world_reply(s.w, scene_next(&s, HOUR), 500, NULL);
	for (;;) {
		world_settle(s.w);
		(void)world_expect_done(s.wu, UA_REGISTER, 500, -EREMOTEIO);
		if (s.r->state != REGISTRATION_REGISTERED || s.r->next_attempt >= end)
			break;
		ck_assert_uint_eq(s.r->expires, end);
		ck_assert_uint_le(s.r->next_attempt, end);
		n++;
		world_reply(s.w, scene_next(&s, HOUR), 500, NULL);
	}
	ck_assert_uint_ge(n, 3);
	ck_assert_uint_le(n, 12);
	world_run(s.w, end - s.wu->ua->timers.now);
	ck_assert_int_eq(s.r->state, REGISTRATION_WAITING);
	ck_assert_uint_eq(s.r->expires, 0);
	ck_assert_uint_eq(s.r->n_bindings, 0);
	ck_assert_ptr_null(s.r->contact);
	/* It never gives up. */
	world_reply(s.w, scene_next(&s, HOUR), 200, "Contact: {contact};expires=3600\n");
	world_settle(s.w);
	ck_assert_int_eq(s.r->state, REGISTRATION_REGISTERED);
	world_free(s.w);
}
END_TEST

RUN_TESTS("registration-failure", back_off, no_network, retry_after, verdicts, wrong_password,
	no_password, registrar_silent, registrar_comes_back, refresh_fails)
