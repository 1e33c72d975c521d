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
#include <sys/resource.h>

#include "protocol/base/buf.h"
#include "protocol/base/mem.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/session.h"

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
	struct host host;
	struct ua *ua;
	struct flow flow;
	usec_t now;
	uint64_t random;
	char request[sizeof(options)];
	unsigned unit;
	size_t n_ok, n_other;
};

/* ---- the least that can be a host ---- */

static void send_counted(struct flow *f, struct slice bytes)
{
	struct bench *b = container_of(f, struct bench, flow);

	if (slice_starts_ci(bytes, SLICE("SIP/2.0 200 ")))
		b->n_ok++;
	else
		b->n_other++;
}

static void keep(struct flow *f)
{
	(void)f;
}

static struct flow *open_same(void *ctx, const struct host_target *target)
{
	struct bench *b = ctx;

	(void)target;
	return &b->flow;
}

static void resolve_never(void *ctx, uint64_t query, const char *name)
{
	(void)ctx;
	(void)query;
	(void)name;
	abort();
}

static void secret_never(void *ctx, uint64_t query, const struct host_secret_query *what)
{
	(void)ctx;
	(void)query;
	(void)what;
	abort();
}

static void random_repeatable(void *ctx, void *out, size_t n)
{
	struct bench *b = ctx;
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++) {
		if (i % sizeof(b->random) == 0)
			b->random = b->random * 6364136223846793005U + 1442695040888963407U;
		p[i] = (uint8_t)(b->random >> (8 * (i % sizeof(b->random))));
	}
}

/* Names are derived by it once; no figure depends on how well it mixes. */
static size_t hash_weak(void *ctx, enum challenge_algorithm algorithm, const struct slice *pieces,
	size_t n_pieces, uint8_t out[static DIGEST_MAX_HASH])
{
	uint64_t h = (uint64_t)algorithm;

	(void)ctx;
	for (size_t i = 0; i < n_pieces; i++)
		h = slice_hash(pieces[i], h);
	for (size_t i = 0; i < DIGEST_MAX_HASH; i++)
		out[i] = (uint8_t)(h >> (8 * (i % sizeof(h))));
	return DIGEST_MAX_HASH;
}

static const struct flow_ops flow_ops = { .send = send_counted, .unused = keep };
static const struct host_ops host_ops = { .open = open_same,
	.resolve = resolve_never,
	.secret = secret_never,
	.random = random_repeatable,
	.hash = hash_weak };

/* ---- a listener that leaves every answer to the stack ---- */

static void on_endpoint(void *ctx, struct endpoint *ep)
{
	(void)ctx;
	(void)ep;
}

static void on_changed(void *ctx, struct endpoint *ep, unsigned changes)
{
	(void)ctx;
	(void)ep;
	(void)changes;
}

static void on_done(void *ctx, struct endpoint *ep, enum ua_verb verb, const struct outcome *o)
{
	(void)ctx;
	(void)ep;
	(void)verb;
	(void)o;
}

static void on_incoming(void *ctx, struct incoming *in)
{
	(void)ctx;
	incoming_pass(in);
}

static void on_gone(void *ctx, struct incoming *in)
{
	(void)ctx;
	(void)in;
}

static void on_session(void *ctx, struct session *s)
{
	(void)ctx;
	(void)s;
}

static void on_session_incoming(void *ctx, struct session *s)
{
	(void)ctx;
	session_pass(s);
}

static void on_session_changed(void *ctx, struct session *s, unsigned changes)
{
	(void)ctx;
	(void)s;
	(void)changes;
}

static void on_session_event(void *ctx, struct session *s, const struct ua_session_event *e)
{
	(void)ctx;
	(void)s;
	(void)e;
}

static const struct ua_listener listener = { .endpoint_added = on_endpoint,
	.endpoint_removed = on_endpoint,
	.endpoint_changed = on_changed,
	.registration_done = on_done,
	.incoming = on_incoming,
	.incoming_gone = on_gone,
	.session_added = on_session,
	.session_incoming = on_session_incoming,
	.session_changed = on_session_changed,
	.session_event = on_session_event,
	.session_removed = on_session };

/* ---- the work ---- */

static void start(struct bench *b)
{
	struct profile *p = profile_new();
	struct endpoint_config c = { .id = "alice", .profile = p };
	struct endpoint *ep;

	p->name = mem_strdup("alice");
	p->kind = PROFILE_PEER_TO_PEER;
	p->uri = mem_strdup("sip:alice@192.0.2.1");
	b->host = (struct host){ .ops = &host_ops, .ctx = b, .user_agent = "sipbus" };
	flow_init(&b->flow, &flow_ops, TRANSPORT_UDP);
	b->flow.state = FLOW_UP;
	b->flow.local = (struct flow_addr){ "192.0.2.1", 5060 };
	b->flow.peer = (struct flow_addr){ "192.0.2.2", 5060 };
	memcpy(b->request, options, sizeof(options));
	b->ua = ua_new(&b->host, b->now);
	ua_set_listener(b->ua, &listener, b);
	if (endpoint_new(b->ua, &c, &ep) < 0)
		abort();
	profile_unref(p);
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
		b->now += UNIT_PAUSE;
		ua_advance(b->ua, b->now);
		write_number(b);
		ua_receive(
			b->ua, &b->flow, slice_of(b->request, sizeof(options) - 1), MSG_DATAGRAM);
	}
}

static void run_timers_out(struct bench *b)
{
	usec_t next;

	while ((next = ua_deadline(b->ua)) != USEC_NEVER) {
		b->now = next;
		ua_advance(b->ua, next);
	}
}

/* ---- figures ---- */

static double cpu_usec(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* In KiB, as the kernel counts it. */
static long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size, pages = 0;

	if (f && fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f)
		(void)fclose(f);
	return pages * 4;
}

static size_t heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

int main(int argc, char **argv)
{
	struct bench b = { .random = 1 };
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000;
	long resident_start, resident_full, resident_end;
	size_t heap_start, heap_full, heap_end;
	double cpu;

	start(&b);
	run_units(&b, WARM_UNITS);
	run_timers_out(&b);
	(void)malloc_trim(0);
	heap_start = heap();
	resident_start = resident();
	cpu = cpu_usec();
	run_units(&b, n);
	heap_full = heap();
	resident_full = resident();
	run_timers_out(&b);
	cpu = cpu_usec() - cpu;
	heap_end = heap();
	/* The allocator's own cache keeps the pages until it is told, as the daemon does. */
	(void)malloc_trim(0);
	resident_end = resident();
	printf("units %u cpu_ns %.0f heap %zu %zu %zu resident_kib %ld %ld %ld\n", n,
		cpu * 1000 / (n ? n : 1), heap_start, heap_full, heap_end, resident_start,
		resident_full, resident_end);
	ua_free(b.ua);
	return b.n_other == 0 && b.n_ok == WARM_UNITS + n ? EXIT_SUCCESS : EXIT_FAILURE;
}
