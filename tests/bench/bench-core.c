/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/bench/bench-core.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "protocol/base/mem.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/session.h"
#include "protocol/ua/subscriber.h"

/* ---- the least that can be a host ---- */

static void send_told(struct flow *f, struct slice bytes)
{
	struct bench_core *c = container_of(f, struct bench_core, flow);

	c->sent(c, bytes);
}

static void keep(struct flow *f)
{
	(void)f;
}

static struct flow *open_same(void *ctx, const struct host_target *target)
{
	struct bench_core *c = ctx;

	(void)target;
	return &c->flow;
}

static void resolve_never(void *ctx, uint64_t query, enum dns_kind kind, const char *name)
{
	(void)ctx;
	(void)query;
	(void)kind;
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
	struct bench_core *c = ctx;
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++) {
		if (i % sizeof(c->random) == 0)
			c->random = c->random * 6364136223846793005U + 1442695040888963407U;
		p[i] = (uint8_t)(c->random >> (8 * (i % sizeof(c->random))));
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

static const struct flow_ops flow_ops = { .send = send_told, .unused = keep };
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

static void on_subscriber_incoming(void *ctx, struct subscriber *s)
{
	(void)ctx;
	subscriber_pass(s, SUBSCRIBER_NO_PACKAGE);
}

static void on_subscriber_changed(void *ctx, struct subscriber *s, unsigned changes)
{
	(void)ctx;
	(void)s;
	(void)changes;
}

static void on_subscriber_event(
	void *ctx, struct subscriber *s, enum subscriber_news news, const struct msg *m)
{
	(void)ctx;
	(void)s;
	(void)news;
	(void)m;
}

static void on_subscriber_removed(void *ctx, struct subscriber *s, const struct subscriber_end *end)
{
	(void)ctx;
	(void)s;
	(void)end;
}

const struct ua_listener bench_core_deaf = { .endpoint_added = on_endpoint,
	.endpoint_removed = on_endpoint,
	.endpoint_changed = on_changed,
	.registration_done = on_done,
	.incoming = on_incoming,
	.incoming_gone = on_gone,
	.session_added = on_session,
	.session_incoming = on_session_incoming,
	.session_changed = on_session_changed,
	.session_event = on_session_event,
	.session_removed = on_session,
	.subscriber_incoming = on_subscriber_incoming,
	.subscriber_changed = on_subscriber_changed,
	.subscriber_event = on_subscriber_event,
	.subscriber_removed = on_subscriber_removed };

/* ---- the work ---- */

static void add_server(struct profile *p)
{
	p->servers = mem_new(struct profile_server);
	p->servers[0] = (struct profile_server){ .host = mem_strdup("192.0.2.2"),
		.protocol = TRANSPORT_UDP,
		.role = PROFILE_ROLE_PROXY };
	p->n_servers = 1;
}

void bench_core_start(struct bench_core *c, const struct ua_listener *l)
{
	struct profile *p = profile_new();
	struct endpoint_config config = { .id = "alice", .profile = p };

	p->name = mem_strdup("alice");
	p->kind = c->has_server ? PROFILE_REGISTERED : PROFILE_PEER_TO_PEER;
	p->listen = !c->has_server;
	if (c->has_server)
		add_server(p);
	p->uri = mem_strdup("sip:alice@192.0.2.1");
	c->random = 1;
	c->host = (struct host){ .ops = &host_ops, .ctx = c, .user_agent = "sipbus" };
	flow_init(&c->flow, &flow_ops, TRANSPORT_UDP);
	c->flow.state = FLOW_UP;
	c->flow.local = (struct flow_addr){ "192.0.2.1", 5060 };
	c->flow.peer = (struct flow_addr){ "192.0.2.2", 5060 };
	c->ua = ua_new(&c->host, c->now);
	ua_set_listener(c->ua, l, c);
	if (endpoint_new(c->ua, &config, &c->ep) < 0)
		abort();
	profile_unref(p);
}

void bench_core_stop(struct bench_core *c)
{
	ua_free(c->ua);
}

void bench_core_advance(struct bench_core *c, usec_t by)
{
	c->now += by;
	ua_advance(c->ua, c->now);
}

void bench_core_receive(struct bench_core *c, struct slice bytes)
{
	ua_receive(c->ua, &c->flow, bytes, MSG_DATAGRAM);
}

void bench_core_run_out(struct bench_core *c)
{
	usec_t next;

	while ((next = ua_deadline(c->ua)) != USEC_NEVER) {
		c->now = next;
		ua_advance(c->ua, next);
	}
}

/* ---- figures ---- */

double bench_core_cpu_usec(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

long bench_core_resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size, pages = 0;

	if (f && fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f)
		(void)fclose(f);
	return pages * 4;
}

size_t bench_core_heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}
