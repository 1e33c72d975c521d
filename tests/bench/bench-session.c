/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions through the protocol core alone, set up and ended: INVITE with an offer, 180, 200 with
 * the answer, ACK, BYE, 200. Whatever the network might still want lives its full time.
 *
 * bench-session called|caller run UNITS   one after the other; who called hangs up
 * bench-session called|caller hold UNITS  all at once: the memory of a session in each of its times
 *
 * Each writes one line of figures. bench-session.py runs it, plainly and under callgrind.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/ua/session-view.h"
#include "tests/bench/bench-core.h"
#include "tests/bench/bench-lines.h"

enum { WARM_UNITS = 500, QUEUE_MAX = 8 };

/* Every unit comes so long after the one before it. */
#define UNIT_PAUSE (4 * USEC_PER_MSEC)
/* Longer than 64*T1 (RFC 3261 17), when only the session itself is left. */
#define SETTLE (40 * USEC_PER_SEC)

#define SDP                                  \
	"v=0\r\n"                            \
	"o=- 3472 3472 IN IP4 192.0.2.2\r\n" \
	"s=-\r\n"                            \
	"c=IN IP4 192.0.2.2\r\n"             \
	"t=0 0\r\n"                          \
	"m=audio 49170 RTP/AVP 0 8 101\r\n"  \
	"a=rtpmap:0 PCMU/8000\r\n"           \
	"a=rtpmap:8 PCMA/8000\r\n"           \
	"a=rtpmap:101 telephone-event/8000\r\n"

static const struct session_body sdp = { SLICE_INIT("application/sdp"), SLICE_INIT(SDP) };

struct bench {
	struct bench_core core;
	bool is_caller, holds;
	unsigned unit;
	size_t n_established, n_terminated;
	struct session **held;
	size_t n_held;
	/* The peer: what it has to read, and what it writes. */
	struct buf queue[QUEUE_MAX], out, contact;
	size_t n_queue;
};

/* ---- the peer, which costs as little as a peer can ---- */

static void queue_sent(struct bench_core *c, struct slice bytes)
{
	struct bench *b = container_of(c, struct bench, core);

	if (b->n_queue == QUEUE_MAX)
		abort();
	buf_put(&b->queue[b->n_queue++], bytes);
}

static void put_body(struct buf *out, struct slice body)
{
	if (body.n)
		buf_lit(out, "Content-Type: application/sdp\r\n");
	buf_lit(out, "Content-Length: ");
	buf_u64(out, body.n);
	buf_lit(out, "\r\n\r\n");
	buf_put(out, body);
}

static void answer(struct bench *b, struct slice request, struct slice status, struct slice body)
{
	struct buf *out = &b->out;

	buf_reset(out);
	buf_lit(out, "SIP/2.0 ");
	buf_put(out, status);
	buf_lit(out, "\r\n");
	bench_lines_copy(out, request,
		BENCH_LINE_VIA | BENCH_LINE_FROM | BENCH_LINE_TO | BENCH_LINE_CALL_ID |
			BENCH_LINE_CSEQ);
	buf_lit(out, "Contact: <sip:bob@192.0.2.2:5060>\r\n");
	put_body(out, body);
	bench_core_receive(&b->core, buf_slice(out));
}

/* The start of a request of the peer's, up to its CSeq. */
static void put_request(struct bench *b, struct slice method, struct slice uri, unsigned cseq)
{
	struct buf *out = &b->out;

	buf_reset(out);
	buf_put(out, method);
	buf_lit(out, " ");
	buf_put(out, uri);
	buf_lit(out, " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK-");
	buf_u64(out, b->unit);
	buf_lit(out, "-");
	buf_put(out, method);
	buf_lit(out, ";rport\r\nMax-Forwards: 70\r\nCSeq: ");
	buf_u64(out, cseq);
	buf_lit(out, " ");
	buf_put(out, method);
	buf_lit(out, "\r\nContact: <sip:bob@192.0.2.2:5060>\r\n");
}

static void invite(struct bench *b)
{
	struct buf *out = &b->out;

	put_request(b, SLICE("INVITE"), SLICE("sip:alice@192.0.2.1:5060"), 1);
	buf_lit(out, "From: \"Bob\" <sip:bob@192.0.2.2:5060>;tag=4711");
	buf_u64(out, b->unit);
	buf_lit(out, "\r\nTo: \"Alice\" <sip:alice@192.0.2.1:5060>\r\nCall-ID: 1-");
	buf_u64(out, b->unit);
	buf_lit(out, "@192.0.2.2\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n");
	put_body(out, sdp.bytes);
	bench_core_receive(&b->core, buf_slice(out));
}

/* What the core calls itself is the same in all its answers. */
static void learn_contact(struct bench *b, struct slice ok)
{
	struct slice at;

	if (b->contact.n)
		return;
	bench_lines_copy(&b->contact, ok, BENCH_LINE_CONTACT);
	at = slice_skip(buf_slice(&b->contact), slice_find(buf_slice(&b->contact), '<') + 1);
	at = slice_head(at, slice_find(at, '>'));
	memmove(b->contact.p, at.p, at.n);
	b->contact.n = at.n;
}

/* In the dialog that the answer to our INVITE has made. */
static void request(struct bench *b, struct slice ok, struct slice method, unsigned cseq)
{
	put_request(b, method, buf_slice(&b->contact), cseq);
	bench_lines_copy(&b->out, ok, BENCH_LINE_FROM | BENCH_LINE_TO | BENCH_LINE_CALL_ID);
	put_body(&b->out, SLICE_NULL);
	bench_core_receive(&b->core, buf_slice(&b->out));
}

static bool is_of_invite(struct slice response)
{
	struct slice mark = SLICE("CSeq: 1 I");

	return memmem(response.p, response.n, mark.p, mark.n) != NULL;
}

static void take(struct bench *b, struct slice m)
{
	if (slice_starts(m, SLICE("INVITE "))) {
		answer(b, m, SLICE("180 Ringing"), SLICE_NULL);
		answer(b, m, SLICE("200 OK"), sdp.bytes);
	} else if (slice_starts(m, SLICE("BYE "))) {
		answer(b, m, SLICE("200 OK"), SLICE_NULL);
	} else if (slice_starts(m, SLICE("SIP/2.0 200 ")) && is_of_invite(m)) {
		learn_contact(b, m);
		request(b, m, SLICE("ACK"), 1);
		if (!b->holds)
			request(b, m, SLICE("BYE"), 2);
	}
}

/* Until neither side has anything to say. */
static void serve(struct bench *b)
{
	for (size_t i = 0; i < b->n_queue; i++)
		take(b, buf_slice(&b->queue[i]));
	for (size_t i = 0; i < b->n_queue; i++)
		buf_reset(&b->queue[i]);
	b->n_queue = 0;
}

/* ---- who owns the sessions ---- */

static void on_added(void *ctx, struct session *s)
{
	struct bench *b = container_of(ctx, struct bench, core);

	if (b->holds)
		b->held[b->n_held++] = s;
}

static void on_incoming(void *ctx, struct session *s)
{
	static const struct session_headers none = { 0 };
	static const struct session_ring ring = { 0 };

	(void)ctx;
	if (session_ring(s, &ring) < 0 || session_accept(s, &sdp, &none) < 0)
		abort();
}

static void on_event(void *ctx, struct session *s, const struct ua_session_event *e)
{
	struct bench *b = container_of(ctx, struct bench, core);

	b->n_established += e->news == UA_SESSION_ESTABLISHED;
	b->n_terminated += e->news == UA_SESSION_TERMINATED;
	if (e->news == UA_SESSION_ESTABLISHED && b->is_caller && !b->holds)
		(void)session_terminate(s, NULL);
}

/* ---- the work ---- */

static void call(struct bench *b)
{
	const struct session_spec spec = { .target = SLICE("sip:bob@192.0.2.2"), .offer = sdp };
	struct session *s;
	const char *why;

	if (session_new(b->core.ep, &spec, &s, &why) < 0)
		abort();
}

static void run_units(struct bench *b, unsigned n)
{
	for (; n > 0; n--, b->unit++) {
		bench_core_advance(&b->core, UNIT_PAUSE);
		if (b->is_caller)
			call(b);
		else
			invite(b);
		serve(b);
	}
}

static bool all_are_over(const struct bench *b)
{
	return b->n_established == b->unit && b->n_terminated == b->unit;
}

static void run(struct bench *b, unsigned n)
{
	size_t start = bench_core_heap(), full, end;
	double cpu = bench_core_cpu_usec();

	run_units(b, n);
	full = bench_core_heap();
	bench_core_run_out(&b->core);
	cpu = bench_core_cpu_usec() - cpu;
	end = bench_core_heap();
	printf("cpu_ns %.0f heap %zu %zu %zu\n", cpu * 1000 / (n ? n : 1), start, full, end);
}

static void hold(struct bench *b, unsigned n)
{
	struct session **held = calloc(n, sizeof(struct session *));
	size_t start, fresh, settled, ended;

	if (!held)
		abort();
	b->held = held;
	b->holds = true;
	start = bench_core_heap();
	run_units(b, n);
	fresh = bench_core_heap();
	bench_core_advance(&b->core, SETTLE);
	settled = bench_core_heap();
	for (size_t i = 0; i < b->n_held; i++) {
		(void)session_terminate(held[i], NULL);
		serve(b);
	}
	ended = bench_core_heap();
	bench_core_run_out(&b->core);
	printf("heap %zu %zu %zu %zu %zu\n", start, fresh, settled, ended, bench_core_heap());
	free(held);
}

int main(int argc, char **argv)
{
	struct bench b = { .core.sent = queue_sent };
	struct ua_listener listener = bench_core_deaf;
	unsigned n;
	bool done;

	if (argc != 4) {
		(void)fputs("bench-session called|caller run|hold UNITS\n", stderr);
		return EXIT_FAILURE;
	}
	b.is_caller = strcmp(argv[1], "caller") == 0;
	n = (unsigned)strtoul(argv[3], NULL, 10);
	listener.session_added = on_added;
	listener.session_incoming = on_incoming;
	listener.session_event = on_event;
	bench_core_start(&b.core, &listener);
	run_units(&b, WARM_UNITS);
	bench_core_run_out(&b.core);
	(void)malloc_trim(0);
	if (strcmp(argv[2], "hold") == 0)
		hold(&b, n);
	else
		run(&b, n);
	done = all_are_over(&b);
	bench_core_stop(&b.core);
	for (size_t i = 0; i < QUEUE_MAX; i++)
		buf_deinit(&b.queue[i]);
	buf_deinit(&b.out);
	buf_deinit(&b.contact);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
