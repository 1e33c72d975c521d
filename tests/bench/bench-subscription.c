/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Subscriptions through the protocol core alone (RFC 6665): ours, and those of others to us.
 *
 * bench-subscription subscriber|notifier run UNITS   NOTIFY with a state and its 200, to each of
 *                                                    some subscriptions in turn
 * bench-subscription subscriber|notifier life UNITS  SUBSCRIBE, NOTIFY, SUBSCRIBE that ends it, the
 *                                                    last NOTIFY, and what answers each
 * bench-subscription subscriber|notifier hold UNITS  all at once: the memory of one
 *
 * Each writes one line of figures. bench-subscription.py runs it, plainly and under callgrind.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "protocol/ua/subscriber.h"
#include "protocol/ua/subscription.h"
#include "tests/bench/bench-core.h"
#include "tests/bench/bench-lines.h"

enum { SUBSCRIPTIONS = 500, WARM_UNITS = 500, QUEUE_MAX = 8, DIALOG_ROOM = 256 };

/* Every unit comes so long after the one before it. */
#define UNIT_PAUSE (4 * USEC_PER_MSEC)
/* Longer than 64*T1 (RFC 3261 17), when only the subscription itself is left. */
#define SETTLE (40 * USEC_PER_SEC)
#define EXPIRES "360000"

static const struct subscriber_body state = { .content_type = SLICE_INIT("application/pidf+xml"),
	.bytes = SLICE_INIT(
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:bob@192.0.2.2\">\n"
		"<tuple id=\"t1\"><status><basic>open</basic></status></tuple>\n"
		"</presence>\n") };

struct bench {
	struct bench_core core;
	bool is_notifier;
	unsigned unit, cseq, n_told, n_ended;
	/* One for each unit; then they are taken again. */
	struct one {
		struct subscription *ours;
		struct subscriber *theirs;
		struct buf dialog; /* what the peer says in it: From, To, Call-ID */
	} * all;
	unsigned n_all;
	/* The peer: what it has to read, and what it writes. */
	struct buf queue[QUEUE_MAX], out, contact;
	size_t n_queue;
};

/* ---- the peer ---- */

static struct one *this_one(struct bench *b)
{
	return &b->all[b->unit % b->n_all];
}

static void queue_sent(struct bench_core *c, struct slice bytes)
{
	struct bench *b = container_of(c, struct bench, core);

	if (b->n_queue == QUEUE_MAX)
		abort();
	buf_put(&b->queue[b->n_queue++], bytes);
}

static void answer(struct bench *b, struct slice request, struct slice more)
{
	struct buf *out = &b->out;

	buf_reset(out);
	buf_lit(out, "SIP/2.0 200 OK\r\n");
	bench_lines_copy(out, request,
		BENCH_LINE_VIA | BENCH_LINE_FROM | BENCH_LINE_TO | BENCH_LINE_CALL_ID |
			BENCH_LINE_CSEQ);
	buf_put(out, more);
	buf_lit(out, "Content-Length: 0\r\n\r\n");
	bench_core_receive(&b->core, buf_slice(out));
}

/* What the core calls itself is the same in all that it says. */
static void learn_contact(struct bench *b, struct slice m)
{
	struct slice at;

	if (b->contact.n)
		return;
	bench_lines_copy(&b->contact, m, BENCH_LINE_CONTACT);
	at = slice_skip(buf_slice(&b->contact), slice_find(buf_slice(&b->contact), '<') + 1);
	at = slice_head(at, slice_find(at, '>'));
	memmove(b->contact.p, at.p, at.n);
	b->contact.n = at.n;
}

/* The start of a request of the peer's in a dialog, up to Event. */
static void put_request(struct bench *b, struct slice method)
{
	struct buf *out = &b->out;

	buf_reset(out);
	buf_put(out, method);
	buf_lit(out, " ");
	buf_put(out, b->contact.n ? buf_slice(&b->contact) : SLICE("sip:alice@192.0.2.1"));
	buf_lit(out, " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK-");
	buf_u64(out, ++b->cseq);
	buf_lit(out, "\r\nMax-Forwards: 70\r\n");
	buf_put(out, buf_slice(&this_one(b)->dialog));
	buf_lit(out, "CSeq: ");
	buf_u64(out, b->cseq);
	buf_lit(out, " ");
	buf_put(out, method);
	buf_lit(out, "\r\nContact: <sip:bob@192.0.2.2:5060>\r\nEvent: presence\r\n");
}

static void notify(struct bench *b, struct slice how)
{
	put_request(b, SLICE("NOTIFY"));
	buf_lit(&b->out, "Subscription-State: ");
	buf_put(&b->out, how);
	buf_lit(&b->out, "\r\nContent-Type: application/pidf+xml\r\nContent-Length: ");
	buf_u64(&b->out, state.bytes.n);
	buf_lit(&b->out, "\r\n\r\n");
	buf_put(&b->out, state.bytes);
	bench_core_receive(&b->core, buf_slice(&b->out));
}

static void subscribe(struct bench *b, struct slice expires)
{
	put_request(b, SLICE("SUBSCRIBE"));
	buf_lit(&b->out, "Expires: ");
	buf_put(&b->out, expires);
	buf_lit(&b->out, "\r\nContent-Length: 0\r\n\r\n");
	bench_core_receive(&b->core, buf_slice(&b->out));
}

/* From and To change places: what the core called To, with our tag, is the peer's From. */
static void learn_dialog(struct bench *b, struct slice m)
{
	struct buf *d = &this_one(b)->dialog;
	struct buf lines = BUF_NULL;

	buf_reset(d);
	bench_lines_copy(&lines, m, BENCH_LINE_TO);
	buf_lit(d, "From:");
	buf_put(d, slice_skip(buf_slice(&lines), 3));
	buf_reset(&lines);
	bench_lines_copy(&lines, m, BENCH_LINE_FROM);
	buf_lit(d, "To:");
	buf_put(d, slice_skip(buf_slice(&lines), 5));
	bench_lines_copy(d, m, BENCH_LINE_CALL_ID);
	buf_deinit(&lines);
}

static void take_subscribe(struct bench *b, struct slice m)
{
	bool ends = memmem(m.p, m.n, "\r\nExpires: 0\r\n", 14) != NULL;

	learn_contact(b, m);
	if (!ends)
		learn_dialog(b, m);
	answer(b, m,
		ends ? SLICE("Contact: <sip:bob@192.0.2.2:5060>\r\nExpires: 0\r\n")
		     : SLICE("Contact: <sip:bob@192.0.2.2:5060>\r\nExpires: " EXPIRES "\r\n"));
	notify(b, ends ? SLICE("terminated;reason=timeout") : SLICE("active;expires=" EXPIRES));
}

static void take(struct bench *b, struct slice m)
{
	if (slice_starts(m, SLICE("SUBSCRIBE "))) {
		take_subscribe(b, m);
	} else if (slice_starts(m, SLICE("NOTIFY "))) {
		b->n_told++;
		b->n_ended += memmem(m.p, m.n, "State: terminated", 17) != NULL;
		learn_contact(b, m);
		learn_dialog(b, m);
		answer(b, m, SLICE_NULL);
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

/* ---- who owns the subscriptions ---- */

static void on_notified(void *owner, struct subscription *s, const struct msg *m)
{
	struct bench *b = owner;

	(void)s;
	(void)m;
	b->n_told++;
}

static void on_changed(void *owner, struct subscription *s)
{
	(void)owner;
	(void)s;
}

static void on_terminated(void *owner, struct subscription *s, const struct subscription_end *end)
{
	struct bench *b = owner;

	(void)s;
	(void)end;
	b->n_ended++;
}

static const struct subscription_ops ops = {
	.notified = on_notified, .changed = on_changed, .terminated = on_terminated
};

static void on_incoming(void *ctx, struct subscriber *s)
{
	struct bench *b = container_of(ctx, struct bench, core);

	this_one(b)->theirs = s;
	if (subscriber_accept(s, SUBSCRIBER_ACCEPT, 0, &state) < 0)
		abort();
}

/* ---- the work ---- */

static void begin_theirs(struct bench *b)
{
	struct buf *d = &this_one(b)->dialog;

	buf_reset(d);
	buf_lit(d, "From: <sip:bob@192.0.2.2>;tag=4711");
	buf_u64(d, b->unit);
	buf_lit(d, "\r\nTo: <sip:alice@192.0.2.1>\r\nCall-ID: 1-");
	buf_u64(d, b->cseq);
	buf_lit(d, "@192.0.2.2\r\n");
	subscribe(b, SLICE(EXPIRES));
}

static void begin(struct bench *b)
{
	const struct subscription_spec spec = {
		.target = SLICE("sip:bob@192.0.2.2"), .event = SLICE("presence"), .expires = 360000
	};

	if (b->is_notifier)
		begin_theirs(b);
	else if (subscription_new(b->core.ep, &spec, &ops, b, &this_one(b)->ours) < 0)
		abort();
	serve(b);
}

static void tell(struct bench *b)
{
	if (!b->is_notifier)
		notify(b, SLICE("active;expires=" EXPIRES));
	else if (subscriber_notify(this_one(b)->theirs, &state) < 0)
		abort();
	serve(b);
}

static void end(struct bench *b)
{
	if (b->is_notifier)
		subscribe(b, SLICE("0"));
	else
		subscription_end(this_one(b)->ours);
	serve(b);
}

static void live(struct bench *b)
{
	begin(b);
	end(b);
}

static void repeat(struct bench *b, void (*work)(struct bench *b), unsigned n)
{
	for (b->unit = 0; b->unit < n; b->unit++) {
		bench_core_advance(&b->core, UNIT_PAUSE);
		work(b);
	}
}

static void measure(struct bench *b, void (*work)(struct bench *b), unsigned n)
{
	double cpu = bench_core_cpu_usec();

	repeat(b, work, n);
	printf("cpu_ns %.0f\n", (bench_core_cpu_usec() - cpu) * 1000 / (n ? n : 1));
}

static void hold(struct bench *b, unsigned n)
{
	size_t start = bench_core_heap(), fresh, settled;

	repeat(b, begin, n);
	fresh = bench_core_heap();
	bench_core_advance(&b->core, SETTLE);
	settled = bench_core_heap();
	repeat(b, end, n);
	bench_core_run_out(&b->core);
	printf("heap %zu %zu %zu %zu\n", start, fresh, settled, bench_core_heap());
}

static void run(struct bench *b, unsigned n)
{
	repeat(b, begin, b->n_all);
	measure(b, tell, n);
	if (b->n_told != WARM_UNITS * 2 + b->n_all + n)
		abort();
	repeat(b, end, b->n_all);
	bench_core_run_out(&b->core);
}

static void work(struct bench *b, const char *kind, unsigned n)
{
	if (strcmp(kind, "hold") == 0)
		hold(b, n);
	else if (strcmp(kind, "life") == 0)
		measure(b, live, n);
	else
		run(b, n);
	bench_core_run_out(&b->core);
}

int main(int argc, char **argv)
{
	struct bench b = {
		.core.sent = queue_sent, .core.has_server = true, .n_all = SUBSCRIPTIONS
	};
	struct ua_listener listener = bench_core_deaf;

	if (argc != 4) {
		(void)fputs("bench-subscription subscriber|notifier run|life|hold UNITS\n", stderr);
		return EXIT_FAILURE;
	}
	b.is_notifier = strcmp(argv[1], "notifier") == 0;
	if (strcmp(argv[2], "hold") == 0)
		b.n_all = (unsigned)strtoul(argv[3], NULL, 10);
	b.all = mem_zalloc(b.n_all * sizeof(struct one));
	for (unsigned i = 0; i < b.n_all; i++)
		(void)buf_reserve(&b.all[i].dialog, DIALOG_ROOM);
	listener.subscriber_incoming = on_incoming;
	bench_core_start(&b.core, &listener);
	repeat(&b, live, WARM_UNITS);
	bench_core_run_out(&b.core);
	(void)malloc_trim(0);
	work(&b, argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	bench_core_stop(&b.core);
	for (size_t i = 0; i < QUEUE_MAX; i++)
		buf_deinit(&b.queue[i]);
	for (unsigned i = 0; i < b.n_all; i++)
		buf_deinit(&b.all[i].dialog);
	free(b.all);
	buf_deinit(&b.out);
	buf_deinit(&b.contact);
	return EXIT_SUCCESS;
}
