/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/wire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "protocol/base/mem.h"

struct wire_end {
	struct flow flow;
	struct wire_link *link;
	const struct wire_side *side;
	usec_t last_arrival; /* of what was sent to this end, for reliable links */
};

struct wire_link {
	struct list node;
	struct wire *wire;
	struct wire_end ends[2];
};

struct wire_packet {
	struct list node;
	struct timer arrival;
	struct wire_end *to;
	size_t n;
	char bytes[];
};

static struct wire_end *end_of(struct flow *f)
{
	return container_of(f, struct wire_end, flow);
}

static struct wire_end *other(struct wire_end *e)
{
	return &e->link->ends[e == &e->link->ends[0]];
}

struct flow *wire_peer(struct flow *f)
{
	return &other(end_of(f))->flow;
}

uint64_t wire_random(struct wire *w, uint64_t n)
{
	/* splitmix64 */
	uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

void wire_note(struct wire *w, const char *fmt, ...)
{
	usec_t now = w->timers->now;
	va_list ap;

	if (w->silent)
		return;
	buf_printf(&w->log, "%" PRIu64 ".%06" PRIu64 " ", now / USEC_PER_SEC, now % USEC_PER_SEC);
	va_start(ap, fmt);
	buf_vprintf(&w->log, fmt, ap);
	va_end(ap);
	buf_putc(&w->log, '\n');
}

/* "INVITE", or "200 INVITE" */
static void note_sent(struct wire *w, const struct wire_side *from, struct slice bytes, bool lost)
{
	static const char cseq[] = "\r\nCSeq: ";
	struct slice first = slice_head(bytes, slice_find(bytes, ' ')), method = SLICE_NULL;
	const char *end = lost ? " lost" : "";
	const char *at;

	if (w->silent)
		return;
	if (!slice_starts(bytes, SLICE("SIP/2.0 "))) {
		wire_note(w, "%s > %.*s%s", from->name, SLICE_ARGS(first), end);
		return;
	}
	at = memmem(bytes.p, bytes.n, cseq, sizeof(cseq) - 1);
	if (at) {
		method = slice_skip(bytes, (size_t)(at - bytes.p) + sizeof(cseq) - 1);
		method = slice_skip(method, slice_find(method, ' ') + 1);
		method = slice_head(method, slice_find(method, '\r'));
	}
	wire_note(w, "%s > %.3s %.*s%s", from->name, bytes.p + 8, SLICE_ARGS(method), end);
}

static void free_packet(struct wire *w, struct wire_packet *p)
{
	timer_cancel(w->timers, &p->arrival);
	list_remove(&p->node);
	free(p);
}

static void arrive(struct timer *t)
{
	struct wire_packet *p = container_of(t, struct wire_packet, arrival);
	struct wire_end *to = p->to;
	struct wire *w = to->link->wire;

	list_remove(&p->node);
	w->n_delivered++;
	to->side->deliver(to->side->ctx, &to->flow, slice_of(p->bytes, p->n));
	free_packet(w, p);
}

static void launch(struct wire *w, struct wire_end *to, struct slice bytes)
{
	struct wire_packet *p = mem_zalloc(sizeof(*p) + bytes.n);
	usec_t at = w->timers->now + w->knobs.delay;

	if (w->knobs.jitter)
		at += wire_random(w, w->knobs.jitter + 1);
	if (flow_is_reliable(&to->flow) && at < to->last_arrival)
		at = to->last_arrival;
	to->last_arrival = at;
	p->to = to;
	p->n = bytes.n;
	memcpy(p->bytes, bytes.p, bytes.n);
	p->arrival.fire = arrive;
	list_append(&w->packets, &p->node);
	timer_arm_at(w->timers, &p->arrival, at);
}

static bool chance(struct wire *w, unsigned of_thousand)
{
	return of_thousand && wire_random(w, 1000) < of_thousand;
}

static bool gets_lost(struct wire *w, struct wire_end *from, struct slice bytes)
{
	if (w->filter && w->filter(w->filter_ctx, from->side, bytes))
		return true;
	if (w->drop_next) {
		w->drop_next--;
		return true;
	}
	return !flow_is_reliable(&from->flow) && chance(w, w->knobs.loss);
}

static void wire_send(struct flow *f, struct slice bytes)
{
	struct wire_end *from = end_of(f);
	struct wire *w = from->link->wire;
	bool lost = gets_lost(w, from, bytes);

	w->n_sent++;
	note_sent(w, from->side, bytes, lost);
	if (lost) {
		w->n_lost++;
		return;
	}
	launch(w, other(from), bytes);
	if (!flow_is_reliable(f) && chance(w, w->knobs.duplicate)) {
		w->n_duplicated++;
		launch(w, other(from), bytes);
	}
}

static void wire_unused(struct flow *f)
{
	const struct wire_side *side = end_of(f)->side;

	if (side->unused)
		side->unused(side->ctx, f);
}

static const struct flow_ops flow_ops = { .send = wire_send, .unused = wire_unused };

void wire_init(struct wire *w, struct timerq *timers, uint64_t seed)
{
	*w = (struct wire){ .timers = timers, .random = seed };
	list_init(&w->links);
	list_init(&w->packets);
}

static void drop_packets(struct wire *w, const struct wire_link *link)
{
	list_for_each_safe (node, next, &w->packets) {
		struct wire_packet *p = list_entry(node, struct wire_packet, node);

		if (!link || p->to->link == link)
			free_packet(w, p);
	}
}

void wire_deinit(struct wire *w)
{
	drop_packets(w, NULL);
	list_for_each_safe (node, next, &w->links) {
		struct wire_link *link = list_entry(node, struct wire_link, node);

		/* A reference too many is a leak that nothing else would show. */
		for (int i = 0; i < 2; i++)
			if (!flow_is_unused(&link->ends[i].flow))
				abort();
		list_remove(node);
		free(link);
	}
	buf_deinit(&w->log);
}

static void init_end(struct wire_link *link, int i, enum transport transport,
	const struct wire_side *side, const struct wire_side *peer)
{
	struct wire_end *e = &link->ends[i];

	flow_init(&e->flow, &flow_ops, transport);
	e->flow.state = FLOW_UP;
	e->flow.incoming = i == 1;
	e->flow.local = side->addr;
	e->flow.peer = peer->addr;
	e->link = link;
	e->side = side;
}

struct flow *wire_connect(struct wire *w, enum transport transport, const struct wire_side *a,
	const struct wire_side *b)
{
	struct wire_link *link = mem_new(struct wire_link);

	link->wire = w;
	init_end(link, 0, transport, a, b);
	init_end(link, 1, transport, b, a);
	list_append(&w->links, &link->node);
	return &link->ends[0].flow;
}

void wire_break(struct flow *f)
{
	struct wire_link *link = end_of(f)->link;

	drop_packets(link->wire, link);
	for (int i = 0; i < 2; i++)
		link->ends[i].flow.state = FLOW_DOWN;
	for (int i = 0; i < 2; i++) {
		struct wire_end *e = &link->ends[i];

		if (e->side->down)
			e->side->down(e->side->ctx, &e->flow);
	}
}

size_t wire_in_flight(const struct wire *w)
{
	size_t n = 0;

	list_for_each (node, &w->packets)
		n++;
	return n;
}

void wire_run_until(struct wire *w, usec_t at)
{
	while (timerq_next(w->timers) <= at)
		timerq_run(w->timers, timerq_next(w->timers));
	timerq_run(w->timers, at);
}

void wire_run(struct wire *w, usec_t duration)
{
	wire_run_until(w, w->timers->now + duration);
}

void wire_run_dry(struct wire *w)
{
	while (w->timers->n)
		timerq_run(w->timers, timerq_next(w->timers));
}
