/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The protocol core as a user-agent server, alone: no socket, no bus, and a clock that is told. One
 * unit is an OPTIONS request that is parsed, routed to its endpoint, handed to the listener and
 * answered with 200 through a transaction that lives its full 64*T1 (RFC 3261 timer J).
 *
 * bench-uas UNITS writes one line of figures. bench-uas.py runs it, plainly and under callgrind.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/mem.h"
#include "tests/bench/bench-core.h"

enum { WARM_UNITS = 1000, UNIT_DIGITS = 8 };

/* Every unit comes so long after the one before it: 32 000 of them are alive at once. */
#define UNIT_PAUSE USEC_PER_MSEC

static const char options[] = /* a probe as SIPp sends it; # is the unit's number */
	"OPTIONS sip:alice@192.0.2.1:5060 SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bK-########;rport\r\n"
	"From: \"Bob\" <sip:bob@192.0.2.2:5060>;tag=4711########\r\n"
	"To: \"Alice\" <sip:alice@192.0.2.1:5060>\r\n"
	"Call-ID: 1-########@192.0.2.2\r\n"
	"CSeq: 1 OPTIONS\r\n"
	"Contact: <sip:bob@192.0.2.2:5060>\r\n"
	"Max-Forwards: 70\r\n"
	"User-Agent: bench\r\n"
	"Content-Length: 0\r\n"
	"\r\n";

struct bench {
	struct bench_core core;
	char request[sizeof(options)];
	unsigned unit;
	size_t n_ok, n_other;
};

static void count_answer(struct bench_core *c, struct slice bytes)
{
	struct bench *b = container_of(c, struct bench, core);

	if (slice_starts_ci(bytes, SLICE("SIP/2.0 200 ")))
		b->n_ok++;
	else
		b->n_other++;
}

static void write_number(struct bench *b)
{
	unsigned n = b->unit++;
	char digits[UNIT_DIGITS];

	for (size_t i = UNIT_DIGITS; i-- > 0; n /= 10)
		digits[i] = (char)('0' + n % 10);
	for (const char *at = options; (at = strchr(at, '#')); at += UNIT_DIGITS)
		memcpy(b->request + (at - options), digits, UNIT_DIGITS);
}

static void run_units(struct bench *b, unsigned n)
{
	while (n-- > 0) {
		bench_core_advance(&b->core, UNIT_PAUSE);
		write_number(b);
		bench_core_receive(&b->core, slice_of(b->request, sizeof(options) - 1));
	}
}

int main(int argc, char **argv)
{
	struct bench b = { .core.sent = count_answer };
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000;
	long resident_start, resident_full, resident_end;
	size_t heap_start, heap_full, heap_end;
	double cpu;

	memcpy(b.request, options, sizeof(options));
	bench_core_start(&b.core, &bench_core_deaf);
	run_units(&b, WARM_UNITS);
	bench_core_run_out(&b.core);
	(void)malloc_trim(0);
	heap_start = bench_core_heap();
	resident_start = bench_core_resident();
	cpu = bench_core_cpu_usec();
	run_units(&b, n);
	heap_full = bench_core_heap();
	resident_full = bench_core_resident();
	bench_core_run_out(&b.core);
	cpu = bench_core_cpu_usec() - cpu;
	heap_end = bench_core_heap();
	/* The allocator's own cache keeps the pages until it is told, as the daemon does. */
	(void)malloc_trim(0);
	resident_end = bench_core_resident();
	printf("units %u cpu_ns %.0f heap %zu %zu %zu resident_kib %ld %ld %ld\n", n,
		cpu * 1000 / (n ? n : 1), heap_start, heap_full, heap_end, resident_start,
		resident_full, resident_end);
	bench_core_stop(&b.core);
	return b.n_other == 0 && b.n_ok == WARM_UNITS + n ? EXIT_SUCCESS : EXIT_FAILURE;
}
