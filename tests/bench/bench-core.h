/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/ua.h"

struct endpoint;

/*
 * The protocol core alone, for programs that measure it: no socket, no bus, and a clock that is
 * told. One endpoint, alice at 192.0.2.1, without registration, and one flow, to 192.0.2.2.
 */
struct bench_core {
	struct host host;
	struct ua *ua;
	struct endpoint *ep;
	struct flow flow;
	usec_t now;
	uint64_t random;
	bool has_server; /* the peer is its server; otherwise they are peers */
	/* What goes out. Nothing may be given in before the call that sent it returned. */
	void (*sent)(struct bench_core *c, struct slice bytes);
};

/* Leaves every answer to the stack; to be copied by whoever wants to hear something. */
extern const struct ua_listener bench_core_deaf;

/* c->sent is set; l hears c as its ctx. */
void bench_core_start(struct bench_core *c, const struct ua_listener *l);
void bench_core_stop(struct bench_core *c);
void bench_core_advance(struct bench_core *c, usec_t by);
void bench_core_receive(struct bench_core *c, struct slice bytes);
/* Until no timer is left. */
void bench_core_run_out(struct bench_core *c);

/* User and system time of this process. */
double bench_core_cpu_usec(void);
/* In KiB, as the kernel counts it. */
long bench_core_resident(void);
/* Bytes handed out by the allocator. */
size_t bench_core_heap(void);
