/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fuzz/ground.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/ua.h"

void ground_expect(bool holds)
{
	if (!holds)
		abort();
}

static void on_send(struct flow *f, struct slice bytes)
{
	struct ground *g = container_of(f, struct ground_flow, flow)->ground;
	struct msg *m;

	if (bytes.n <= 4) /* keep-alive */
		return;
	ground_expect(msg_parse(bytes, flow_is_reliable(f) ? MSG_STREAM : MSG_DATAGRAM, &m) == 0);
	ground_expect(m->fault.status == 0 || !m->is_request);
	g->sent(g->ctx, f, m);
	msg_unref(m);
}

static void on_unused(struct flow *f)
{
	(void)f;
}

static const struct flow_ops flow_ops = { on_send, on_unused };

static struct flow *host_open(void *ctx, const struct host_target *t)
{
	struct ground *g = ctx;

	return t->transport == TRANSPORT_UDP ? &g->udp.flow : &g->tcp.flow;
}

static void host_resolve(void *ctx, uint64_t query, enum dns_kind kind, const char *name)
{
	struct ground *g = ctx;

	(void)name;
	g->kind = kind;
	g->names = mem_realloc(g->names, (g->n_names + 1) * sizeof(*g->names));
	g->names[g->n_names++] = query;
}

static void host_secret(void *ctx, uint64_t query, const struct host_secret_query *what)
{
	(void)what;
	((struct ground *)ctx)->secret_query = query;
}

static void host_random(void *ctx, void *out, size_t n)
{
	struct ground *g = ctx;

	for (size_t i = 0; i < n; i++) {
		g->random = g->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
		((uint8_t *)out)[i] = (uint8_t)(g->random >> 56);
	}
}

static size_t host_hash(void *ctx, enum challenge_algorithm algorithm, const struct slice *pieces,
	size_t n_pieces, uint8_t out[static DIGEST_MAX_HASH])
{
	uint64_t h = 0;

	(void)ctx;
	for (size_t i = 0; i < n_pieces; i++)
		h = slice_hash(pieces[i], h);
	for (size_t i = 0; i < DIGEST_MAX_HASH; i++)
		out[i] = (uint8_t)(h >> (i % 8 * 8));
	return algorithm == CHALLENGE_MD5 ? 16 : 32;
}

static const struct host_ops host_ops = {
	.open = host_open,
	.resolve = host_resolve,
	.secret = host_secret,
	.random = host_random,
	.hash = host_hash,
};

static void make_flow(struct ground *g, struct ground_flow *gf, enum transport transport)
{
	struct flow *f = &gf->flow;

	gf->ground = g;
	flow_init(f, &flow_ops, transport);
	f->state = FLOW_UP;
	(void)memcpy(f->local.host, "192.0.2.2", sizeof("192.0.2.2"));
	(void)memcpy(f->peer.host, "192.0.2.1", sizeof("192.0.2.1"));
	f->local.port = f->peer.port = 5060;
}

void ground_init(
	struct ground *g, void (*sent)(void *ctx, struct flow *f, struct msg *m), void *ctx)
{
	*g = (struct ground){ .random = 1, .sent = sent, .ctx = ctx };
	g->host = (struct host){ .ops = &host_ops, .ctx = g, .user_agent = "fuzz" };
	make_flow(g, &g->udp, TRANSPORT_UDP);
	make_flow(g, &g->tcp, TRANSPORT_TCP);
}

void ground_deinit(struct ground *g)
{
	ground_expect(g->udp.flow.refs == 1 && g->tcp.flow.refs == 1);
	free(g->names);
}

void ground_break(struct ground *g, struct ua *ua)
{
	g->tcp.flow.state = FLOW_DOWN;
	ua_flow_down(ua, &g->tcp.flow, "cut");
	g->tcp.flow.state = FLOW_UP;
}

void ground_resolve(struct ground *g, struct ua *ua)
{
	const struct dns_answer none = { .error = -ENOENT };

	while (g->n_names)
		ua_resolved(ua, g->names[--g->n_names], &none);
}

struct profile *ground_profile(enum profile_role role)
{
	struct profile *p = profile_new();

	p->name = mem_strdup("alice");
	p->uri = mem_strdup("sip:alice@example.com");
	p->servers = mem_new(struct profile_server);
	p->n_servers = 1;
	p->servers[0].host = mem_strdup("192.0.2.1");
	p->servers[0].protocol = TRANSPORT_UDP;
	p->servers[0].role = role;
	return p;
}
