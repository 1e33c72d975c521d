/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/trio.h"

#include <check.h>
#include <stdio.h>

struct trio trio_new(void)
{
	static const struct world_account carol = { .id = "carol", .domain = "192.0.2.10" };
	struct trio t = {
		.w = world_new(1),
		.anna = { .name = "anna", .host = "192.0.2.1" },
		.bob = { .name = "bob", .host = "192.0.2.20" },
	};

	t.wu = world_ua(t.w, "192.0.2.10");
	t.ep = world_endpoint(t.wu, &carol);
	return t;
}

void trio_connect(struct trio *t)
{
	struct connect_spec spec = {
		.first = SLICE("sip:anna@192.0.2.1"),
		.second = SLICE("sip:bob@192.0.2.20"),
	};
	const char *why = NULL;
	int r = connect_new(t->ep, &spec, &t->s, &why);

	ck_assert_msg(r == 0, "%d %s", r, why);
	t->anna.invite = trio_expect(t, &t->anna, "INVITE", "");
}

void trio_first_answers(struct trio *t)
{
	trio_says(t, &t->anna, t->anna.invite, 200, WITH(ANNA_1));
	t->bob.invite = trio_expect(t, &t->bob, "INVITE", ANNA_1);
}

void trio_second_answers(struct trio *t)
{
	trio_says(t, &t->bob, t->bob.invite, 200, WITH(BOB_1));
	(void)trio_expect(t, &t->bob, "ACK", "");
	(void)trio_expect(t, &t->anna, "ACK", BOB_1);
	(void)world_expect_event(t->wu, UA_SESSION_ESTABLISHED);
}

void trio_joined(struct trio *t)
{
	trio_connect(t);
	trio_first_answers(t);
	trio_second_answers(t);
}

void trio_held(struct trio *t)
{
	const struct msg *ack;

	trio_says(t, &t->bob, t->bob.invite, 180, NULL);
	ck_assert(slice_eq(world_expect_progress(t->wu, 180)->event.fork, SLICE("second")));
	ack = world_wait_out(t->w, "ACK", 16 * SEC);
	ck_assert(slice_eq(ack->call_id, t->anna.invite->call_id));
	ck_assert_int_eq(slice_find(ack->body, 'm') == ack->body.n, 0);
	world_expect_no_event(t->wu);
}

void trio_leave(struct trio *t)
{
	world_expect_no_event(t->wu);
	ck_assert_uint_eq(world_skip_out(t->w), 0);
	world_run(t->w, 2 * 64 * TIMER_T1);
	ck_assert_uint_eq(t->wu->n_sessions, 0);
	world_expect_silence(t->w, 0);
	world_expect_idle(t->wu);
	world_free(t->w);
}

void trio_finish(struct trio *t)
{
	ck_assert_int_eq(session_terminate(t->s, NULL), 0);
	trio_bye(t, &t->anna, "");
	trio_bye(t, &t->bob, "");
	(void)world_expect_terminated(t->wu, 0, ORIGIN_LOCAL);
	trio_leave(t);
}

void trio_says(struct trio *t, const struct trio_party *p, const struct msg *m, unsigned status,
	const char *headers)
{
	struct buf b = BUF_NULL;
	char *text;

	if (m->method == METHOD_INVITE && status > 100 && status < 300)
		buf_printf(&b, "Contact: <sip:%s@%s>\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE\n",
			p->name, p->host);
	if (headers)
		buf_str(&b, headers);
	text = buf_take(&b);
	world_reply_as(t->w, m, status, p->name, text);
	free(text);
	world_settle(t->w);
}

void trio_sends(struct trio *t, struct trio_party *p, const char *method, const char *lines)
{
	/* RFC 3261 17.1.1.3: the ACK for a refusal belongs to the INVITE's transaction. */
	bool is_refused = strcmp(method, "ACK refusal") == 0, is_ack = strcmp(method, "ACK") == 0;
	struct buf b = BUF_NULL;
	char *text, from[40];

	if (is_refused)
		method = "ACK";
	if (!is_ack && !is_refused && strcmp(method, "CANCEL") != 0)
		p->cseq++;
	buf_printf(&b, "%s {contact} SIP/2.0\n", method);
	buf_printf(&b, "Via: SIP/2.0/UDP {peer};branch=z9hG4bK-%s-%u%s;rport\nMax-Forwards: 70\n",
		p->name, p->cseq, is_ack ? "-ack" : "");
	buf_printf(&b, "From: <sip:%s@%s>;tag=%s\n", p->name, p->host, p->name);
	buf_printf(&b, "To: <sip:carol@192.0.2.10>;tag=%.*s\n", SLICE_ARGS(p->invite->from_tag));
	buf_printf(&b, "Call-ID: %.*s\n", SLICE_ARGS(p->invite->call_id));
	buf_printf(&b, "CSeq: %u %s\n", p->cseq, method);
	buf_printf(&b, "Contact: <sip:%s@%s>\n%s", p->name, p->host, lines ? lines : "");
	if (!lines || !strstr(lines, "\n\n"))
		buf_lit(&b, "Content-Length: 0\n\n");
	text = buf_take(&b);
	(void)snprintf(from, sizeof(from), "udp:%s:5060", p->host);
	world_in(t->wu, from, text);
	free(text);
	world_settle(t->w);
}

/* The transcript shows which description is which. */
static void note_body(struct trio *t, const struct trio_party *p, struct slice body)
{
	struct buf b = BUF_NULL;
	struct slice line;

	while (slice_cut(body, '\n', &line, &body)) {
		if (!slice_starts(line, SLICE("o=")) && !slice_starts(line, SLICE("m=")))
			continue;
		buf_putc(&b, ' ');
		buf_put(&b, slice_trim(line));
	}
	if (b.n)
		world_note(t->w, "%s gets%.*s", p->name, (int)b.n, b.p);
	buf_deinit(&b);
}

const struct msg *trio_expect_any(struct trio *t, const struct trio_party *p, const char *what)
{
	const struct msg *m = world_expect_out(t->w, what);

	if (p->invite)
		ck_assert_msg(slice_eq(m->call_id, p->invite->call_id), "not for %s: %.*s", p->name,
			SLICE_ARGS(m->raw));
	note_body(t, p, m->body);
	return m;
}

const struct msg *trio_expect(
	struct trio *t, const struct trio_party *p, const char *what, const char *body)
{
	const struct msg *m = trio_expect_any(t, p, what);

	ck_assert_msg(slice_eq(m->body, slice_str(body)), "%.*s\ninstead of\n%s",
		SLICE_ARGS(m->body), body);
	return m;
}

void trio_bye(struct trio *t, const struct trio_party *p, const char *reason)
{
	const struct msg *m = trio_expect(t, p, "BYE", "");
	struct slice found = msg_header(m, HDR_REASON);

	ck_assert_msg(slice_eq(found, slice_str(reason)), "%.*s", SLICE_ARGS(found));
	trio_says(t, p, m, 200, NULL);
}
