/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/world-private.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/ua-network.h"

/* Datagram ways and connections. A packet knows addresses only, never a flow: what it meets when
 * it arrives is what is there then. */

#define CONNECT_TIMEOUT (127 * USEC_PER_SEC) /* what Linux does by default */

struct world_net *world_net(struct world *w)
{
	return &w->net;
}

enum world_reach world_net_reach(const struct world *w, const char *address)
{
	for (size_t i = 0; i < w->n_reach; i++)
		if (strcmp(w->reach[i].address, address) == 0)
			return w->reach[i].reach;
	return WORLD_UP;
}

/* What is said of that address. */
static size_t place_of(struct world *w, const char *address)
{
	size_t i = 0;

	while (i < w->n_reach && strcmp(w->reach[i].address, address) != 0)
		i++;
	ck_assert_uint_lt(i, WORLD_NAMES);
	if (i == w->n_reach)
		w->n_reach++;
	(void)snprintf(w->reach[i].address, sizeof(w->reach[i].address), "%s", address);
	return i;
}

void world_set_reach(struct world *w, const char *address, enum world_reach reach)
{
	w->reach[place_of(w, address)].reach = reach;
}

void world_set_tls(struct world *w, const char *address, const char *reason)
{
	char *to = w->reach[place_of(w, address)].tls;

	(void)snprintf(to, sizeof(w->reach[0].tls), "%s", reason ? reason : "");
}

/* NULL: a handshake with that address succeeds. */
static const char *tls_refusal(const struct world *w, const char *address)
{
	for (size_t i = 0; i < w->n_reach; i++)
		if (strcmp(w->reach[i].address, address) == 0 && w->reach[i].tls[0])
			return w->reach[i].tls;
	return NULL;
}

/* ---- flows ---- */

static struct world_flow *flow_of(struct flow *f)
{
	return container_of(f, struct world_flow, base);
}

static void packet_free(struct world_packet *p)
{
	timer_cancel(&p->w->timers, &p->timer);
	list_remove(&p->node);
	free(p->bytes);
	free(p);
}

static void end_connecting(struct world_flow *f)
{
	struct world *w = f->ua->w;

	w->n_hopeless -= f->hopeless;
	f->hopeless = false;
	timer_cancel(&w->timers, &f->connected);
}

static void fire_idle(struct timer *t);

static void cancel_idle(struct world_flow *f)
{
	struct world *w = f->ua->w;

	w->n_hopeless -= timer_is_armed(&f->idle);
	timer_cancel(&w->timers, &f->idle);
}

static void flow_free(struct world_flow *f)
{
	struct list *node;

	while ((node = list_first(&f->queued)))
		packet_free(list_entry(node, struct world_packet, node));
	end_connecting(f);
	flow_forget(&f->base);
	timer_cancel(&f->ua->w->timers, &f->closed);
	cancel_idle(f);
	list_remove(&f->node);
	free(f->pool);
	free(f->domain);
	free(f);
}

static struct world_packet *packet_new(const struct world_packet *from)
{
	struct world_packet *p = mem_new(struct world_packet);

	*p = *from;
	p->timer = (struct timer){ 0 };
	p->node = (struct list){ 0 };
	p->bytes = mem_alloc(from->n);
	memcpy(p->bytes, from->bytes, from->n);
	return p;
}

static void on_send(struct flow *base, struct slice bytes)
{
	struct world_flow *f = flow_of(base);
	struct world_packet p = {
		.w = f->ua->w,
		.transport = base->transport,
		.from = base->local,
		.to = base->peer,
		.n = bytes.n,
	};

	p.bytes = mem_alloc(bytes.n);
	memcpy(p.bytes, bytes.p, bytes.n);
	if (base->state == FLOW_OPENING)
		list_append(&f->queued, &packet_new(&p)->node);
	else
		world_net_send(f->ua->w, &p);
	free(p.bytes);
}

/* Nothing waits for the end of it: world_settle() lets no time pass for that. */
static void arm_idle(struct world_flow *f)
{
	struct world *w = f->ua->w;
	usec_t after = f->base.incoming ? w->net.idle : w->net.linger;

	cancel_idle(f);
	if (!after || !flow_is_reliable(&f->base) || f->base.state != FLOW_UP)
		return;
	w->n_hopeless++;
	f->idle.fire = fire_idle;
	timer_arm(&w->timers, &f->idle, after);
}

static void on_unused(struct flow *base)
{
	flow_of(base)->ua->w->garbage = true;
	arm_idle(flow_of(base));
}

/* Not before the core has returned. */
static void on_close(struct flow *base, const char *reason)
{
	struct world_flow *f = flow_of(base);

	(void)snprintf(f->close_reason, sizeof(f->close_reason), "%s", reason);
	timer_arm(&f->ua->w->timers, &f->closed, 0);
}

static const struct flow_ops flow_ops = {
	.send = on_send,
	.unused = on_unused,
	.close = on_close,
};

static struct world_flow *find_flow(struct world_ua *wu, enum transport transport,
	const struct flow_addr *local, const struct flow_addr *peer)
{
	list_for_each (pos, &wu->flows) {
		struct world_flow *f = list_entry(pos, struct world_flow, node);

		if (f->base.transport == transport && f->base.state != FLOW_DOWN &&
			flow_addr_equal(&f->base.peer, peer) &&
			(!local || flow_addr_equal(&f->base.local, local)))
			return f;
	}
	return NULL;
}

static void fire_closed(struct timer *t);

static struct world_flow *flow_new(
	struct world_ua *wu, enum transport transport, const struct flow_addr *peer)
{
	struct world_flow *f = mem_new(struct world_flow);

	flow_init(&f->base, &flow_ops, transport);
	f->ua = wu;
	f->base.peer = *peer;
	(void)snprintf(f->base.local.host, sizeof(f->base.local.host), "%s", wu->address);
	f->base.local.port = transport_default_port(transport);
	f->base.state = FLOW_UP;
	f->base.id = ++wu->w->n_flows;
	f->base.since = f->base.used = wu->w->timers.now;
	f->closed.fire = fire_closed;
	list_init(&f->queued);
	list_append(&wu->flows, &f->node);
	f->pool = mem_strdup("");
	f->domain = mem_strdup("");
	return f;
}

static void flow_down(struct world_flow *f, const char *reason)
{
	struct world_ua *wu = f->ua;

	if (f->base.state == FLOW_DOWN)
		return;
	end_connecting(f);
	cancel_idle(f);
	f->base.state = FLOW_DOWN;
	wu->w->garbage = true;
	ua_advance(wu->ua, wu->w->timers.now);
	ua_flow_down(wu->ua, &f->base, reason);
}

static void fire_connected(struct timer *t);

/* Nobody answers: the kernel asks again for two minutes. */
static void try_connecting(struct world_flow *f)
{
	struct world *w = f->ua->w;

	if (w->timers.now >= f->give_up) {
		flow_down(f, "connection timed out");
		return;
	}
	w->n_hopeless += !f->hopeless;
	f->hopeless = true;
	timer_arm(&w->timers, &f->connected, USEC_PER_SEC);
}

/* Who is at the other end: a server shows a certificate for the name that was asked for. */
static void secured(struct world_flow *f)
{
	bool shows = !f->base.incoming;

	if (f->base.transport != TRANSPORT_TLS)
		return;
	f->tls = (struct flow_tls){
		.version = "TLS1.3",
		.cipher = "AES-256-GCM",
		.subject = shows ? "CN=world" : "",
		.issuer = shows ? "CN=world CA" : "",
		.fingerprint = shows ? "00" : "",
		.matched = shows ? f->domain : NULL,
	};
	f->base.tls = &f->tls;
}

static void accepted(struct world_ua *far, const struct world_flow *by)
{
	struct world_flow *f = flow_new(far, by->base.transport, &by->base.local);

	f->base.incoming = true;
	secured(f);
}

static void connected(struct world_flow *f)
{
	struct world_ua *wu = f->ua, *far = world_find_ua(wu->w, f->base.peer.host);
	struct list *node;

	end_connecting(f);
	if (far)
		accepted(far, f);
	secured(f);
	f->base.state = FLOW_UP;
	while ((node = list_first(&f->queued))) {
		struct world_packet *p = list_entry(node, struct world_packet, node);

		world_net_send(wu->w, p);
		packet_free(p);
	}
	ua_advance(wu->ua, wu->w->timers.now);
	ua_flow_up(wu->ua, &f->base);
}

static void established(struct world_flow *f)
{
	const char *refusal = NULL;

	if (f->base.transport == TRANSPORT_TLS)
		refusal = tls_refusal(f->ua->w, f->base.peer.host);
	if (refusal)
		flow_down(f, refusal);
	else
		connected(f);
}

static void fire_connected(struct timer *t)
{
	struct world_flow *f = container_of(t, struct world_flow, connected);

	if (!f->ua->address[0]) {
		f->base.no_way = true;
		flow_down(f, "Network is unreachable");
		return;
	}
	switch (world_net_reach(f->ua->w, f->base.peer.host)) {
	case WORLD_UP:
		established(f);
		break;
	case WORLD_REFUSED:
	case WORLD_NO_TCP:
		flow_down(f, "connection refused");
		break;
	case WORLD_SILENT:
	case WORLD_MUTE_TCP:
		try_connecting(f);
		break;
	}
}

/*
 * A connection that we opened serves one pool, and over TLS the one name that its certificate was
 * asked for. Who opened one to us is met nowhere else.
 */
static bool serves(const struct world_flow *f, const struct host_target *target)
{
	if (!flow_is_reliable(&f->base) || f->base.incoming)
		return true;
	if (target->pool && strcmp(target->pool, f->pool) != 0)
		return false;
	return f->base.transport != TRANSPORT_TLS || !target->domain ||
	       strcmp(target->domain, f->domain) == 0;
}

static struct world_flow *find_open(struct world_ua *wu, const struct host_target *target)
{
	list_for_each (pos, &wu->flows) {
		struct world_flow *f = list_entry(pos, struct world_flow, node);

		if (f->base.transport == target->transport && f->base.state != FLOW_DOWN &&
			flow_addr_equal(&f->base.peer, &target->addr) &&
			(!target->reg_id || f->base.reg_id == target->reg_id) && serves(f, target))
			return f;
	}
	return NULL;
}

/* One way and back for the connection, the same again for TLS. */
static usec_t time_to_connect(const struct world_flow *f)
{
	return f->ua->w->net.delay * (f->base.transport == TRANSPORT_TLS ? 4 : 2);
}

static void open_connection(struct world_flow *f, const struct host_target *target)
{
	struct world_ua *wu = f->ua;

	f->base.state = FLOW_OPENING;
	f->base.local.port = wu->next_port++;
	free(f->pool);
	free(f->domain);
	f->base.pool = f->pool = mem_strdup(target->pool ? target->pool : "");
	f->domain = mem_strdup(target->domain ? target->domain : target->addr.host);
	f->connected.fire = fire_connected;
	f->give_up = wu->w->timers.now + CONNECT_TIMEOUT;
	timer_arm(&wu->w->timers, &f->connected, time_to_connect(f));
}

struct flow *world_net_open(void *ctx, const struct host_target *target)
{
	struct world_ua *wu = ctx;
	struct world_flow *f = find_open(wu, target);

	if (f)
		return &f->base;
	f = flow_new(wu, target->transport, &target->addr);
	f->base.reg_id = target->reg_id;
	if (flow_is_reliable(&f->base) || !wu->address[0])
		open_connection(f, target);
	else if (f->base.reg_id > 1) /* Two ways to one address are told apart by ours. */
		f->base.local.port = wu->next_port++;
	return &f->base;
}

void world_net_collect(struct world *w)
{
	if (!w->garbage)
		return;
	w->garbage = false;
	list_for_each (ua, &w->uas) {
		struct world_ua *wu = list_entry(ua, struct world_ua, node);

		list_for_each_safe (pos, next, &wu->flows) {
			struct world_flow *f = list_entry(pos, struct world_flow, node);

			if (flow_is_unused(&f->base) &&
				(f->base.state == FLOW_DOWN || !flow_is_reliable(&f->base)))
				flow_free(f);
		}
	}
}

void world_net_free_flows(struct world_ua *wu)
{
	struct list *node;

	while ((node = list_first(&wu->flows))) {
		struct world_flow *f = list_entry(node, struct world_flow, node);

		ck_assert_msg(flow_is_unused(&f->base), "a flow to %s:%u is still held",
			f->base.peer.host, f->base.peer.port);
		flow_free(f);
	}
}

/* ---- trouble ---- */

/* The connection's other end, if a user agent has it. */
static struct world_flow *far_end(struct world_flow *f)
{
	struct world_ua *far = world_find_ua(f->ua->w, f->base.peer.host);

	return far ? find_flow(far, f->base.transport, &f->base.peer, &f->base.local) : NULL;
}

static void end_both(struct world_flow *f, const char *reason, const char *far_reason)
{
	struct world_flow *far = flow_is_reliable(&f->base) ? far_end(f) : NULL;

	flow_down(f, reason);
	if (far)
		flow_down(far, far_reason);
}

static void fire_idle(struct timer *t)
{
	struct world_flow *f = container_of(t, struct world_flow, idle);

	f->ua->w->n_hopeless--;
	if (flow_is_unused(&f->base))
		end_both(f, "idle", "the peer closed the connection");
}

static void fire_closed(struct timer *t)
{
	struct world_flow *f = container_of(t, struct world_flow, closed);

	end_both(f, f->close_reason, "the peer closed the connection");
}

/* From the start each time: a broken flow makes others come and go. */
static void break_flows(
	struct world_ua *wu, bool (*doomed)(const struct world_flow *), const char *reason)
{
	struct list *pos = list_first(&wu->flows);

	while (pos && pos != &wu->flows) {
		struct world_flow *f = list_entry(pos, struct world_flow, node);

		if (f->base.state == FLOW_DOWN || !doomed(f)) {
			pos = pos->next;
			continue;
		}
		end_both(f, reason, "connection reset by peer");
		pos = list_first(&wu->flows);
	}
	world_net_collect(wu->w);
}

void world_cut_flow(struct world_ua *wu, struct flow *f)
{
	end_both(flow_of(f), "connection reset by peer", "connection reset by peer");
	world_net_collect(wu->w);
}

static bool is_connected(const struct world_flow *f)
{
	return flow_is_reliable(&f->base) && f->base.state == FLOW_UP;
}

void world_cut(struct world_ua *wu)
{
	break_flows(wu, is_connected, "connection reset by peer");
}

static bool has_old_address(const struct world_flow *f)
{
	return strcmp(f->base.local.host, f->ua->address) != 0;
}

void world_move(struct world_ua *wu, const char *address)
{
	char reason[80];

	(void)snprintf(reason, sizeof(reason), "the address %s is gone", wu->address);
	(void)snprintf(wu->address, sizeof(wu->address), "%s", address);
	break_flows(wu, has_old_address, reason);
	ua_advance(wu->ua, wu->w->timers.now);
	ua_network_changed(wu->ua);
}

/* ---- packets ---- */

static void deliver_to_ua(struct world_ua *wu, const struct world_packet *p)
{
	struct world_flow *f = find_flow(wu, p->transport, &p->to, &p->from);

	if (!f) {
		if (p->to.port != transport_default_port(p->transport))
			return; /* to a connection that is no more */
		f = flow_new(wu, p->transport, &p->from);
		f->base.incoming = true;
		secured(f);
		wu->w->garbage = true;
	}
	if (f->base.state != FLOW_UP)
		return;
	ua_advance(wu->ua, wu->w->timers.now);
	if (world_keepalive_is(p)) {
		world_keepalive_deliver(wu, &f->base, p);
		return;
	}
	ua_receive(wu->ua, &f->base, slice_of(p->bytes, p->n),
		flow_is_reliable(&f->base) ? MSG_STREAM : MSG_DATAGRAM);
}

/* What an ICMP error does to the socket that sent the datagram. */
static void refuse(struct world *w, const struct world_packet *p)
{
	struct world_ua *wu = world_find_ua(w, p->from.host);
	struct world_flow *f = wu ? find_flow(wu, p->transport, &p->from, &p->to) : NULL;

	if (f)
		flow_down(f, "port unreachable");
}

static void fire_arrive(struct timer *t)
{
	struct world_packet *p = container_of(t, struct world_packet, timer);
	struct world *w = p->w;
	struct world_ua *wu = world_find_ua(w, p->to.host);

	switch (world_net_reach(w, p->to.host)) {
	case WORLD_UP:
	case WORLD_NO_TCP:
	case WORLD_MUTE_TCP:
		if (wu)
			deliver_to_ua(wu, p);
		else
			world_peer_receive(w, p);
		break;
	case WORLD_REFUSED:
		refuse(w, p);
		break;
	case WORLD_SILENT:
		break;
	}
	packet_free(p);
}

static void launch(struct world *w, const struct world_packet *from, usec_t delay)
{
	struct world_packet *p = packet_new(from);
	struct world_ua *wu = world_find_ua(w, p->from.host);
	struct world_flow *f = NULL;
	usec_t at = w->timers.now + delay;

	/* What leaves a user agent over a connection arrives in order. */
	if (wu && transport_is_reliable(p->transport))
		f = find_flow(wu, p->transport, &p->from, &p->to);
	if (f) {
		at = at > f->last_arrival ? at : f->last_arrival;
		f->last_arrival = at;
	}
	p->timer.fire = fire_arrive;
	list_append(&w->packets, &p->node);
	timer_arm_at(&w->timers, &p->timer, at);
}

static bool chance(struct world *w, unsigned percent)
{
	return percent && world_random_below(w, 100) < percent;
}

static bool is_lost(struct world *w)
{
	if (w->net.drop_next) {
		w->net.drop_next--;
		return true;
	}
	return chance(w, w->net.loss);
}

void world_net_send(struct world *w, const struct world_packet *p)
{
	usec_t delay = w->net.delay + world_random_below(w, w->net.jitter);

	if (transport_is_reliable(p->transport)) {
		world_record_packet(w, p, NULL);
		launch(w, p, w->net.delay);
		return;
	}
	if (is_lost(w)) {
		world_record_packet(w, p, "lost");
		return;
	}
	world_record_packet(w, p, NULL);
	if (chance(w, w->net.reorder))
		delay += 2 * w->net.delay + world_random_below(w, 4 * w->net.delay + 1);
	launch(w, p, delay);
	if (chance(w, w->net.duplicate)) {
		world_record_packet(w, p, "doubled");
		launch(w, p, delay + world_random_below(w, 4 * w->net.delay + 1));
	}
}

void world_net_deinit(struct world *w)
{
	struct list *node;

	while ((node = list_first(&w->packets)))
		packet_free(list_entry(node, struct world_packet, node));
}
