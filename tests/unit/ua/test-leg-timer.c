/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Session timers: RFC 4028. What a leg does when the clock says so is written down here instead. */
#include "protocol/base/buf.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/session-private.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

enum { MAX_EVENTS = 8 };

struct bench {
	struct ua ua;
	struct session s;
	struct leg l;
	unsigned changes;
	struct {
		char what; /* 'r': refresh, 'e': the end */
		usec_t at;
	} events[MAX_EVENTS];
	size_t n_events;
};

static struct bench *bench_of(struct session *s)
{
	return container_of(s, struct bench, s);
}

static void note(struct bench *b, char what)
{
	ck_assert_uint_lt(b->n_events, MAX_EVENTS);
	b->events[b->n_events].what = what;
	b->events[b->n_events++].at = b->ua.timers.now;
}

/* ---- the rest of a leg ---- */

void session_mark(struct session *s, unsigned changes)
{
	bench_of(s)->changes |= changes;
}

void session_ending(struct session *s, unsigned status, struct slice reason, enum origin origin)
{
	(void)s;
	ck_assert_uint_eq(status, 0);
	ck_assert_uint_eq(origin, ORIGIN_TIMEOUT);
	assert_slice(reason, "Session Expired");
}

void leg_end(struct leg *l, struct slice headers)
{
	assert_slice(headers, "Reason: SIP;cause=408;text=\"Session Expired\"\r\n");
	note(bench_of(l->s), 'e');
	leg_timer_stop(l);
}

void leg_modify_refresh(struct leg *l)
{
	note(bench_of(l->s), 'r');
}

/* ---- scenes ---- */

static void bench_init(struct bench *b)
{
	*b = (struct bench){ .changes = 0 };
	timerq_init(&b->ua.timers, 1000 * USEC_PER_SEC);
	b->s.ua = &b->ua;
	b->s.leg = &b->l;
	b->l.s = &b->s;
	b->l.confirmed = true;
}

static void bench_deinit(struct bench *b)
{
	leg_timer_stop(&b->l);
	ck_assert_uint_eq(timerq_next(&b->ua.timers), USEC_NEVER);
	timerq_deinit(&b->ua.timers);
}

/* Lets seconds pass, one timer at a time. */
static void run(struct bench *b, unsigned seconds)
{
	usec_t until = b->ua.timers.now + seconds * USEC_PER_SEC;

	while (timerq_next(&b->ua.timers) <= until)
		timerq_run(&b->ua.timers, timerq_next(&b->ua.timers));
	timerq_run(&b->ua.timers, until);
}

static void assert_event(const struct bench *b, size_t i, char what, usec_t at_msec)
{
	ck_assert_uint_lt(i, b->n_events);
	ck_assert_int_eq(b->events[i].what, what);
	ck_assert_uint_eq(b->events[i].at, 1000 * USEC_PER_SEC + at_msec * USEC_PER_MSEC);
}

static struct msg *message(const char *start, const char *method, const char *more)
{
	struct buf b = BUF_NULL;
	struct msg *m;
	char *text;

	buf_printf(&b,
		"%s\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n"
		"From: <sip:a@a.example>;tag=a\r\nTo: <sip:b@b.example>;tag=b\r\n"
		"Call-ID: c1\r\nCSeq: 1 %s\r\n%sContent-Length: 0\r\n\r\n",
		start, method, more);
	text = buf_take(&b);
	ck_assert_int_eq(msg_parse(slice_str(text), MSG_DATAGRAM, &m), 0);
	ck_assert_uint_eq(m->fault.status, 0);
	free(text);
	return m;
}

static struct msg *invite(const char *more)
{
	return message("INVITE sip:b@b.example SIP/2.0", "INVITE", more);
}

static struct msg *update(const char *more)
{
	return message("UPDATE sip:b@b.example SIP/2.0", "UPDATE", more);
}

/* What our 2xx to m says; the timer starts accordingly. m is given up. */
static void assert_answered(struct bench *b, struct msg *m, const char *want)
{
	struct buf lines = BUF_NULL;

	leg_timer_append_2xx(&lines, &b->l, m);
	assert_slice(buf_slice(&lines), want);
	buf_deinit(&lines);
	leg_timer_answered(&b->l, m);
	msg_unref(m);
}

static void assert_request(const struct leg *l, uint32_t min_se, const char *want)
{
	struct buf lines = BUF_NULL;

	leg_timer_append_request(&lines, l, min_se);
	assert_slice(buf_slice(&lines), want);
	buf_deinit(&lines);
}

static void received(struct bench *b, const char *more)
{
	struct msg *sent = invite(""), *response = message("SIP/2.0 200 OK", "INVITE", more);

	leg_timer_received(&b->l, sent, response);
	msg_unref(sent);
	msg_unref(response);
}

static void assert_running(const struct bench *b, uint32_t interval, bool ours)
{
	ck_assert_uint_eq(b->l.timer.interval, interval);
	ck_assert(b->l.timer.ours == ours);
	ck_assert(timer_is_armed(&b->l.timer.timer) == (interval != 0));
}

/* ---- section 9, table 2 ---- */

#define SUPPORTED "Supported: timer\r\n"
#define SE "Session-Expires: 600"

static const struct {
	const char *request, *answer;
	uint32_t interval;
	bool ours;
} table_2[] = {
	/* supports N, refresher none */
	{ SE "\r\n", "Session-Expires: 600;refresher=uas\r\n", 600, true },
	/* N with a refresher cannot be: whoever names one supports it */
	{ SE ";refresher=uac\r\n", "Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n", 600,
		false },
	{ SE ";refresher=uas\r\n", "Session-Expires: 600;refresher=uas\r\nRequire: timer\r\n", 600,
		true },
	/* Y: none, uac, uas */
	{ SUPPORTED SE "\r\n", "Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n", 600,
		false },
	{ SUPPORTED SE ";refresher=uac\r\n",
		"Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n", 600, false },
	{ SUPPORTED SE ";refresher=uas\r\n",
		"Session-Expires: 600;refresher=uas\r\nRequire: timer\r\n", 600, true },
	/* no Session-Expires: we may ask, if it supports them */
	{ "", "", 0, false },
	{ "Min-SE: 3600\r\n", "", 0, false },
	{ SUPPORTED, "Session-Expires: 1800;refresher=uas\r\nRequire: timer\r\n", 1800, true },
	{ SUPPORTED "Min-SE: 3600\r\n", "Session-Expires: 3600;refresher=uas\r\nRequire: timer\r\n",
		3600, true },
	/* compact, and malformed: as if absent */
	{ "k: 100rel, timer\r\nx: 600 ;refresher = UAS\r\n",
		"Session-Expires: 600;refresher=uas\r\nRequire: timer\r\n", 600, true },
	{ "Session-Expires: soon\r\n", "", 0, false },
	/* never below Min-SE */
	{ SE "\r\nMin-SE: 700\r\n", "Session-Expires: 700;refresher=uas\r\n", 700, true },
	/* too short, and a 422 would be lost on who does not support it (8.1) */
	{ "Session-Expires: 30\r\n", "", 0, false },
};

START_TEST(answers_of_table_2_4028_9)
{
	for (size_t i = 0; i < ARRAY_LEN(table_2); i++) {
		struct bench b;

		bench_init(&b);
		b.l.confirmed = false; /* the initial INVITE */
		assert_answered(&b, invite(table_2[i].request), table_2[i].answer);
		assert_running(&b, table_2[i].interval, table_2[i].ours);
		ck_assert_uint_eq(b.changes, table_2[i].interval ? UA_SESSION_TIMER : 0);
		bench_deinit(&b);
	}
}
END_TEST

/* A refresh of the peer's that asks for nothing keeps what runs. */
START_TEST(roles_stay_4028_9)
{
	struct bench b;

	bench_init(&b);
	received(&b, "Session-Expires: 600;refresher=uas\r\n");
	assert_running(&b, 600, false);
	b.changes = 0;
	assert_answered(
		&b, update(SUPPORTED), "Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n");
	assert_running(&b, 600, false);
	ck_assert_uint_eq(b.changes, 0);
	/* no timer in it, no support: off */
	assert_answered(&b, update(""), "");
	assert_running(&b, 0, false);
	ck_assert_uint_eq(b.changes, UA_SESSION_TIMER);
	bench_deinit(&b);
}
END_TEST

START_TEST(update_before_the_session_4028_9)
{
	struct bench b;

	bench_init(&b);
	b.l.confirmed = false;
	assert_answered(&b, update(SUPPORTED SE "\r\n"), "");
	assert_running(&b, 0, false);
	bench_deinit(&b);
}
END_TEST

/* ---- section 9: 422 ---- */

START_TEST(too_small_4028_9)
{
	static const struct {
		const char *request;
		unsigned status;
	} rows[] = {
		{ SUPPORTED "Session-Expires: 89\r\n", 422 },
		{ SUPPORTED "Session-Expires: 90\r\n", 0 },
		{ SUPPORTED, 0 },
		{ "Session-Expires: 89\r\n", 0 },
		{ "Session-Expires: 89;refresher=uac\r\n", 422 },
		{ SUPPORTED "Session-Expires: -1\r\n", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct msg *m = invite(rows[i].request);
		struct buf lines = BUF_NULL;

		ck_assert_msg(leg_timer_check(&lines, m) == rows[i].status, "%s", rows[i].request);
		assert_slice(buf_slice(&lines), rows[i].status ? "Min-SE: 90\r\n" : "");
		buf_deinit(&lines);
		msg_unref(m);
	}
}
END_TEST

/* ---- section 7: our requests ---- */

START_TEST(initial_request_4028_7_1)
{
	assert_request(NULL, 0, "Session-Expires: 1800\r\n");
	assert_request(NULL, 120, "Session-Expires: 1800\r\nMin-SE: 120\r\n");
	assert_request(NULL, 7200, "Session-Expires: 7200\r\nMin-SE: 7200\r\n"); /* 7.4 */
}
END_TEST

START_TEST(responses_4028_7_2)
{
	static const struct {
		const char *response;
		uint32_t interval;
		bool ours;
	} rows[] = {
		{ "Require: timer\r\nSession-Expires: 600;refresher=uac\r\n", 600, true },
		{ "Require: timer\r\nSession-Expires: 600;refresher=uas\r\n", 600, false },
		{ SE ";refresher=uas\r\n", 600, false },
		{ SE "\r\n", 600, true }, /* a fault of the peer's: better refreshed twice */
		{ "", 0, false },
		{ "Session-Expires: 1;refresher=uac\r\n", LIMITS_SESSION_INTERVAL, true },
		{ "Session-Expires: 4294967295;refresher=uas\r\n", UINT32_MAX, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;

		bench_init(&b);
		received(&b, rows[i].response);
		assert_running(&b, rows[i].interval, rows[i].ours);
		bench_deinit(&b);
	}
}
END_TEST

/* A 2xx without Session-Expires turns it off in mid-dialog. */
START_TEST(turned_off_4028_7_2)
{
	struct bench b;

	bench_init(&b);
	received(&b, SE ";refresher=uac\r\n");
	received(&b, "");
	assert_running(&b, 0, false);
	assert_request(&b.l, 0, "");
	run(&b, 7200);
	ck_assert_uint_eq(b.n_events, 0);
	bench_deinit(&b);
}
END_TEST

START_TEST(subsequent_requests_4028_7_4)
{
	struct bench b;

	bench_init(&b);
	received(&b, SE ";refresher=uac\r\n");
	assert_request(&b.l, 0, "Session-Expires: 600;refresher=uac\r\n");
	received(&b, SE ";refresher=uas\r\n");
	assert_request(&b.l, 0, "Session-Expires: 600;refresher=uas\r\n");
	assert_request(&b.l, 900, "Session-Expires: 900;refresher=uas\r\nMin-SE: 900\r\n");
	/* below the least that may be asked for */
	received(&b, "Session-Expires: 20;refresher=uac\r\n");
	assert_request(&b.l, 0, "Session-Expires: 90;refresher=uac\r\n");
	bench_deinit(&b);
}
END_TEST

/* The largest Min-SE of the dialog, also when it came in a request. */
START_TEST(min_se_is_remembered_4028_7_4)
{
	struct bench b;

	bench_init(&b);
	assert_answered(&b, invite(SUPPORTED SE ";refresher=uas\r\nMin-SE: 300\r\n"),
		"Session-Expires: 600;refresher=uas\r\nRequire: timer\r\n");
	assert_answered(&b, invite(SUPPORTED SE ";refresher=uas\r\nMin-SE: 200\r\n"),
		"Session-Expires: 600;refresher=uas\r\nRequire: timer\r\n");
	assert_request(&b.l, 0, "Session-Expires: 600;refresher=uac\r\nMin-SE: 300\r\n");
	bench_deinit(&b);
}
END_TEST

/* ---- section 10 ---- */

/* At half of the interval; nothing but a 2xx moves the end. */
START_TEST(we_refresh_4028_10)
{
	struct bench b;

	bench_init(&b);
	received(&b, "Session-Expires: 100;refresher=uac\r\n");
	run(&b, 50);
	assert_event(&b, 0, 'r', 50000);
	received(&b, "Session-Expires: 100;refresher=uac\r\n");
	run(&b, 49);
	ck_assert_uint_eq(b.n_events, 1);
	run(&b, 1);
	assert_event(&b, 1, 'r', 100000);
	run(&b, 50);
	assert_event(&b, 2, 'r', 125000);
	assert_event(&b, 3, 'e', 150000);
	run(&b, 1000);
	ck_assert_uint_eq(b.n_events, 4);
	bench_deinit(&b);
}
END_TEST

/* The lesser of 32 seconds and a third of the interval ahead. */
START_TEST(peer_refreshes_4028_10)
{
	struct bench b;

	bench_init(&b);
	received(&b, "Session-Expires: 1800;refresher=uas\r\n");
	run(&b, 1700);
	assert_answered(&b, update(SUPPORTED "Session-Expires: 90;refresher=uac\r\n"),
		"Session-Expires: 90;refresher=uac\r\nRequire: timer\r\n");
	run(&b, 59);
	ck_assert_uint_eq(b.n_events, 0);
	run(&b, 1);
	assert_event(&b, 0, 'e', 1760000);
	bench_deinit(&b);
	bench_init(&b);
	received(&b, "Session-Expires: 1800;refresher=uas\r\n");
	run(&b, 1800);
	assert_event(&b, 0, 'e', 1768000);
	bench_deinit(&b);
}
END_TEST

RUN_TESTS("leg-timer", answers_of_table_2_4028_9, roles_stay_4028_9,
	update_before_the_session_4028_9, too_small_4028_9, initial_request_4028_7_1,
	responses_4028_7_2, turned_off_4028_7_2, subsequent_requests_4028_7_4,
	min_se_is_remembered_4028_7_4, we_refresh_4028_10, peer_refreshes_4028_10)
