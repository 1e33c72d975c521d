/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLS between the socket of a connection and its messages. */
#include "daemon/tls.h"

#include <string.h>

#include "daemon/loop.h"
#include "daemon/net-conn.h"
#include "protocol/base/mem.h"
#include "protocol/ua/host.h"
#include "protocol/ua/profile.h"

static uint64_t wall(void)
{
	return (uint64_t)loop_wall() / USEC_PER_SEC;
}

/* ---- from beginning to end ---- */

void net_tls_connect(
	struct net_conn *c, struct tls_identity *identity, const struct host_target *target)
{
	struct buf ticket = BUF_NULL;
	struct tls_wish wish = { .role = TLS_CLIENT };
	char *name;

	c->domain = mem_strdup(target->domain ? target->domain : target->addr.host);
	c->profile = profile_ref((struct profile *)(uintptr_t)target->profile);
	buf_printf(&ticket, "%s:%u", c->domain, target->addr.port);
	name = buf_take(&ticket);
	wish.domain = c->domain;
	wish.ticket = name;
	c->tls = tls_new(identity, &wish);
	free(name);
}

void net_tls_accept(struct net_conn *c, const struct net_socket *listener)
{
	const struct tls_wish wish = { .role = TLS_SERVER,
		.mutual = listener->mutual,
		.allowed = listener->allowed,
		.n_allowed = listener->n_allowed };

	net_identities_look(&c->base.net->identities);
	c->tls = tls_new(listener->identity, &wish);
}

static void forget_asking(struct net_conn *c)
{
	c->asked = 0;
	free(mem_take(&c->domain));
	profile_unref(mem_take(&c->profile));
}

void net_tls_forget(struct net_conn *c)
{
	c->base.net->n_queued -= c->n_early;
	c->n_early = 0;
}

void net_tls_free(struct net_conn *c)
{
	forget_asking(c);
	net_tls_forget(c);
	c->base.flow.tls = NULL;
	tls_free(mem_take(&c->tls));
}

/* ---- moving bytes ---- */

static void take_output(struct net_conn *c)
{
	struct buf *out = tls_output(c->tls);

	if (!out->n)
		return;
	net_stream_queue(c, buf_slice(out));
	buf_reset(out);
}

static void take_plain(struct net_conn *c)
{
	struct buf *plain = tls_plain(c->tls);

	if (!plain->n)
		return;
	if (!c->in.n)
		c->partial = net_conn_now(c);
	buf_put(&c->in, buf_slice(plain));
	buf_reset(plain);
	net_stream_take(c);
}

static void ask(struct net_conn *c)
{
	const struct net *net = c->base.net;
	struct net_question q = { .flow = c->base.flow.id,
		.profile = c->profile,
		.domain = c->domain,
		.at = c->base.flow.peer };

	if (c->asked)
		return;
	c->asked = net_conn_now(c);
	q.peer = tls_peer(c->tls);
	q.certificate = tls_certificate(c->tls);
	if (!net->ask || net->ask(net->ask_ctx, &q) < 0)
		tls_decide(c->tls, TLS_UNTRUSTED, wall());
}

static void secured(struct net_conn *c)
{
	c->base.net->counters.handshakes++;
	c->base.flow.tls = tls_peer(c->tls);
	forget_asking(c);
	net_tls_forget(c);
	net_conn_open_up(c);
}

static void failed(struct net_conn *c)
{
	const char *why;

	(void)tls_failure(c->tls, &why);
	if (c->phase == NET_CONN_SECURING)
		c->base.net->counters.handshakes_failed++;
	/* The alert that says why is on its way, and has to arrive. */
	net_conn_refuse(c, why);
}

/* What the state asks for, once. */
static void step(struct net_conn *c)
{
	if (tls_state(c->tls) == TLS_ASKING)
		ask(c);
	take_output(c);
	if (c->base.life == NET_ALIVE && c->phase == NET_CONN_SECURING &&
		tls_state(c->tls) == TLS_UP)
		secured(c);
	if (c->base.life == NET_ALIVE && c->phase == NET_CONN_OPEN)
		take_plain(c);
	if (c->base.life != NET_ALIVE)
		return;
	if (tls_state(c->tls) == TLS_FAILED)
		failed(c);
	else if (tls_state(c->tls) == TLS_CLOSED)
		net_conn_drain(c, "the peer closed the connection");
}

void net_tls_begin(struct net_conn *c)
{
	c->phase = NET_CONN_SECURING;
	tls_start(c->tls, wall());
	step(c);
}

void net_tls_receive(struct net_conn *c, struct slice bytes)
{
	if (bytes.n)
		tls_receive(c->tls, bytes, wall());
	else
		tls_end(c->tls);
	step(c);
	if (c->base.life == NET_ALIVE && !c->in.n)
		tls_rest(c->tls);
}

void net_tls_send(struct net_conn *c, struct slice bytes)
{
	tls_send(c->tls, bytes);
	if (c->phase == NET_CONN_OPEN) {
		take_output(c);
		return;
	}
	c->n_early += bytes.n;
	c->base.net->n_queued += bytes.n;
}

void net_tls_close(struct net_conn *c)
{
	tls_close(c->tls);
	take_output(c);
}

/* ---- trust on first use ---- */

void net_set_ask(struct net *net, net_ask_fn *fn, void *ctx)
{
	net->ask = fn;
	net->ask_ctx = ctx;
}

void net_decide(struct net *net, uint64_t flow, enum tls_failure verdict)
{
	list_for_each (node, &net->connections) {
		struct net_conn *c = list_entry(node, struct net_conn, node);

		if (c->base.flow.id != flow)
			continue;
		if (c->phase != NET_CONN_SECURING || tls_state(c->tls) != TLS_ASKING)
			return;
		loop_enter(net->loop);
		tls_decide(c->tls, verdict, wall());
		c->asked = 0;
		step(c);
		if (c->base.life == NET_ALIVE)
			net_conn_rearm(c);
		return;
	}
}
