/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "protocol/base/timer.h"
#include "protocol/txn/flow.h"

/*
 * A network in virtual time: pairs of flows between named sides, which lose, delay, double and
 * reorder what they carry as the knobs say and a seeded generator decides. One timer queue drives
 * it, so a run with the same seed is the same run. What leaves a side is written to a transcript.
 */

/* Reliable flows only delay; they keep the order and lose nothing until they break. */
struct wire_knobs {
	unsigned loss, duplicate; /* of a thousand packets */
	usec_t delay, jitter;     /* each packet takes delay + 0..jitter, and may overtake */
};

struct wire_side {
	const char *name; /* in the transcript */
	struct flow_addr addr;
	void *ctx;
	/* Bytes arrived. They die when this returns. */
	void (*deliver)(void *ctx, struct flow *f, struct slice bytes);
	/* The flow is FLOW_DOWN. */
	void (*down)(void *ctx, struct flow *f);
	/* Only the wire's reference is left. May be NULL. */
	void (*unused)(void *ctx, struct flow *f);
};

struct wire {
	struct timerq *timers;
	struct wire_knobs knobs;
	uint64_t random;
	struct list links, packets;
	unsigned drop_next; /* so many packets get lost, whatever the knobs say */
	/* Sees each packet that leaves; true swallows it. May be NULL. */
	bool (*filter)(void *ctx, const struct wire_side *from, struct slice bytes);
	void *filter_ctx;
	bool silent; /* no transcript */
	struct buf log;
	uint64_t n_sent, n_lost, n_duplicated, n_delivered;
};

void wire_init(struct wire *w, struct timerq *timers, uint64_t seed);
/* Frees every flow and what is under way. No flow may be referenced any more. */
void wire_deinit(struct wire *w);
/* A pair of flows that are up; returns a's end. Both live until wire_deinit(). */
struct flow *wire_connect(struct wire *w, enum transport transport, const struct wire_side *a,
	const struct wire_side *b);
/* The other end. */
struct flow *wire_peer(struct flow *f);
/* Both ends are down, what was under way is lost, both sides are told. */
void wire_break(struct flow *f);
/* Packets that have not arrived yet. */
size_t wire_in_flight(const struct wire *w);

/* Runs the queue from deadline to deadline, up to and including that moment. */
void wire_run_until(struct wire *w, usec_t at);
void wire_run(struct wire *w, usec_t duration);
/* Runs until no timer is armed. */
void wire_run_dry(struct wire *w);

/* 0 .. n-1 (n > 0) */
uint64_t wire_random(struct wire *w, uint64_t n);
/* A line of its own in the transcript: "12.500000 text" */
void wire_note(struct wire *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
