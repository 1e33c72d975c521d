/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net-flow.h"

#include <assert.h>
#include <string.h>

#include "daemon/loop.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/ua.h"

/* ---- the table ---- */

static struct net_key key_of(enum transport transport, const struct net_addr *peer)
{
	struct net_key k = { .transport = (uint8_t)transport,
		.family = (uint8_t)peer->sa.sa_family,
		.port = net_addr_port(peer) };

	if (peer->sa.sa_family == AF_INET) {
		memcpy(k.addr, &peer->v4.sin_addr, sizeof(peer->v4.sin_addr));
	} else {
		memcpy(k.addr, &peer->v6.sin6_addr, sizeof(k.addr));
		k.scope = peer->v6.sin6_scope_id;
	}
	return k;
}

static struct slice key_slice(const struct net_key *k)
{
	static_assert(sizeof(struct net_key) == 24, "a hole would make equal keys differ");

	return slice_of((const char *)k, sizeof(*k));
}

void net_flow_init(
	struct net_flow *f, struct net *net, const struct flow_ops *ops, enum transport transport)
{
	flow_init(&f->flow, ops, transport);
	f->net = net;
	f->flow.id = ++net->last_id;
	f->flow.since = f->flow.used = f->since = loop_now();
	list_append(&net->alive, &f->alive);
}

void net_flow_link(struct net_flow *f)
{
	f->key = key_of(f->flow.transport, &f->peer);
	net_addr_show_scoped(&f->peer, &f->flow.peer);
	map_insert(&f->net->flows, &f->by_peer, key_slice(&f->key));
}

static struct net_flow *flow_of(struct map_node *node)
{
	return node ? container_of(node, struct net_flow, by_peer) : NULL;
}

struct net_flow *net_flow_find(
	const struct net *net, enum transport transport, const struct net_addr *peer)
{
	struct net_key k = key_of(transport, peer);

	return flow_of(map_find(&net->flows, key_slice(&k)));
}

struct net_flow *net_flow_find_next(const struct net_flow *f)
{
	return flow_of(map_find_next(&f->by_peer));
}

/* ---- endings ---- */

static void net_flow_unlink(struct net_flow *f)
{
	map_remove(&f->net->flows, &f->by_peer);
	if (f->life == NET_ALIVE && list_is_linked(&f->node))
		f->net->n_idle_flows--;
	list_remove(&f->node);
	list_remove(&f->alive);
}

void net_flow_deinit(struct net_flow *f)
{
	flow_forget(&f->flow);
	net_flow_unlink(f);
	free(mem_take(&f->reason));
}

void net_flow_fail(struct net_flow *f, const char *fmt, ...)
{
	struct buf why = BUF_NULL;
	va_list ap;

	if (f->life != NET_ALIVE)
		return;
	net_flow_unlink(f);
	va_start(ap, fmt);
	buf_vprintf(&why, fmt, ap);
	va_end(ap);
	f->reason = buf_take(&why);
	f->life = NET_FAILED;
	list_append(&f->net->failed, &f->node);
	loop_soon(f->net->loop, &f->net->work);
}

/* Not at once: we are inside of whoever gave it back, and may be again. */
void net_flow_bury(struct net_flow *f)
{
	if (!list_is_linked(&f->node))
		list_append(&f->net->dead, &f->node);
	loop_soon(f->net->loop, &f->net->work);
}

void net_flow_unused(struct flow *flow)
{
	struct net_flow *f = container_of(flow, struct net_flow, flow);

	switch (f->life) {
	case NET_ALIVE:
		f->since = f->net->loop->timers.now;
		f->idle(f);
		break;
	case NET_FAILED:
		break;
	case NET_TOLD:
		net_flow_bury(f);
		break;
	}
}

static void tell_down(struct net_flow *f)
{
	struct net *net = f->net;

	list_remove(&f->node);
	f->life = NET_TOLD;
	f->flow.state = FLOW_DOWN;
	if (!flow_is_unused(&f->flow) && net->loop->ua) {
		loop_enter(net->loop);
		(void)flow_ref(&f->flow);
		ua_flow_down(net->loop->ua, &f->flow, f->reason);
		flow_unref(&f->flow);
	} else if (flow_is_unused(&f->flow)) {
		flow_forget(&f->flow);
		net_flow_bury(f);
	}
}

void net_flow_work(struct timer *t)
{
	struct net *net = container_of(t, struct net, work);
	struct list *node;

	while ((node = list_first(&net->failed)))
		tell_down(list_entry(node, struct net_flow, node));
	while ((node = list_first(&net->dead))) {
		struct net_flow *f = list_entry(node, struct net_flow, node);

		list_remove(&f->node);
		if (flow_is_unused(&f->flow)) /* else it comes back when it is given back */
			f->destroy(f);
	}
}

/* ---- flows that were never any ---- */

static void broken_send(struct flow *f, struct slice bytes)
{
	(void)f;
	(void)bytes;
}

static void broken_destroy(struct net_flow *f)
{
	net_flow_deinit(f);
	free(f);
}

static const struct flow_ops broken_ops = { .send = broken_send, .unused = net_flow_unused };

struct flow *net_flow_broken(struct net *net, const struct host_target *target, const char *reason)
{
	struct net_flow *f = mem_new(struct net_flow);

	net_flow_init(f, net, &broken_ops, target->transport);
	f->destroy = broken_destroy;
	f->flow.peer = target->addr;
	net_flow_fail(f, "%s", reason);
	return &f->flow;
}

/* ---- UDP peers that nobody uses ---- */

static void drop_idle(struct net *net, struct net_flow *f)
{
	list_remove(&f->node);
	net->n_idle_flows--;
	if (flow_is_unused(&f->flow)) /* else it comes back when it is given back */
		f->destroy(f);
}

void net_flow_sweep(struct timer *t)
{
	struct net *net = container_of(t, struct net, sweep);
	usec_t now = net->loop->timers.now;

	/* From the oldest on, so that these are the ones when there are too many. */
	list_for_each_safe (node, next, &net->idle_flows) {
		struct net_flow *f = list_entry(node, struct net_flow, node);
		bool old = f->idle_timeout && now >= f->since + f->idle_timeout;

		if (old || net->n_idle_flows > NET_MAX_IDLE_FLOWS)
			drop_idle(net, f);
	}
	if (net->n_idle_flows)
		timer_arm(&net->loop->timers, t, NET_UDP_IDLE / 6);
}

void net_flow_park(struct net_flow *f)
{
	struct net *net = f->net;

	if (list_is_linked(&f->node))
		list_remove(&f->node);
	else
		net->n_idle_flows++;
	list_append(&net->idle_flows, &f->node);
	if (net->n_idle_flows > NET_MAX_IDLE_FLOWS || !timer_is_armed(&net->sweep))
		timer_arm(&net->loop->timers, &net->sweep,
			net->n_idle_flows > NET_MAX_IDLE_FLOWS ? 1 : NET_UDP_IDLE / 6);
}

/* ---- what happens often ---- */

#define QUIET_TIME (60 * USEC_PER_SEC)

void net_quiet_log(struct net *net, struct net_quiet *q, const char *fmt, ...)
{
	struct buf line cleanup_buf = BUF_NULL;
	usec_t now = net->loop->timers.now;
	va_list ap;

	if (now < q->until) {
		q->missed++;
		return;
	}
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	if (q->missed)
		buf_printf(&line, " (%u more of the kind before)", q->missed);
	*q = (struct net_quiet){ .until = now + QUIET_TIME };
	log_line(net->log, LOG_LEVEL_WARNING, "%.*s", SLICE_ARGS(buf_slice(&line)));
}
