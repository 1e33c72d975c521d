/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <event2/event.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/net-conn.h"
#include "daemon/net-serve.h"
#include "daemon/random.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/host.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/ua.h"

enum {
	USER_TIMEOUT_MS = 30000, /* TCP_USER_TIMEOUT: data that nobody acknowledges */
	PING_MIN = 95,           /* seconds, RFC 5626 section 4.4.1: 95 to 120 */
	PING_SPREAD = 26,
};

/* ---- what is due ---- */

static void earlier(usec_t at, const char *why, usec_t *due_at, const char **due_why)
{
	if (at < *due_at) {
		*due_at = at;
		*due_why = why;
	}
}

static usec_t after(usec_t from, usec_t timeout)
{
	return timeout ? from + timeout : USEC_NEVER;
}

/* When the next thing ends this connection's patience, and what that is called. */
static usec_t due(const struct net_conn *c, const char **ret_why)
{
	usec_t at = USEC_NEVER;

	*ret_why = "";
	switch (c->phase) {
	case NET_CONN_CONNECTING:
		earlier(after(c->started, NET_CONNECT_TIMEOUT), "connecting took too long", &at,
			ret_why);
		return at;
	case NET_CONN_SECURING:
		if (c->asked)
			earlier(c->asked + NET_ASK_TIMEOUT,
				"untrusted: nobody vouched for the certificate in time", &at,
				ret_why);
		else
			earlier(c->started +
					(c->first_timeout ? c->first_timeout : NET_CONNECT_TIMEOUT),
				"the TLS handshake took too long", &at, ret_why);
		return at;
	case NET_CONN_DRAINING:
		earlier(after(c->started, NET_DRAIN_TIMEOUT), "", &at, ret_why);
		return at;
	case NET_CONN_DRAINED:
		return USEC_NEVER;
	case NET_CONN_OPEN:
		break;
	}
	if (c->peer && !c->proven)
		earlier(after(c->started, c->first_timeout), "no valid message came in time", &at,
			ret_why);
	if (net_stream_is_unfinished(c))
		earlier(after(c->partial, NET_FRAME_TIMEOUT), "a message did not end in time", &at,
			ret_why);
	if (c->out.n)
		earlier(after(c->stuck, NET_WRITE_TIMEOUT), "the peer does not read", &at, ret_why);
	if (flow_is_unused(&c->base.flow))
		earlier(after(c->base.since, c->base.idle_timeout), "idle", &at, ret_why);
	else if (c->pinged && c->pongs)
		earlier(after(c->pinged, NET_PONG_TIMEOUT), "a keep-alive was not answered", &at,
			ret_why);
	return at;
}

/* RFC 5626 section 4.4.1: who opened the connection pings, while the connection is needed. */
static usec_t ping_at(const struct net_conn *c)
{
	if (c->phase != NET_CONN_OPEN || c->peer || c->base.flow.kept ||
		flow_is_unused(&c->base.flow) || (c->pinged && c->pongs))
		return USEC_NEVER;
	return c->heard + c->ping_gap;
}

void net_conn_rearm(struct net_conn *c)
{
	const char *why;
	usec_t at = due(c, &why), ping = ping_at(c);

	if (ping < at)
		at = ping;
	if (at == USEC_NEVER)
		timer_cancel(&c->base.net->loop->timers, &c->timer);
	else
		timer_arm_at(&c->base.net->loop->timers, &c->timer, at);
}

/* ---- endings ---- */

/* Nobody else shall get it. */
static void leave_pool(struct net_conn *c)
{
	map_remove(&c->base.net->targets, &c->by_target);
	free(mem_take(&c->target));
}

static void conn_free(struct net_conn *c)
{
	struct net *net = c->base.net;

	net_flow_deinit(&c->base);
	leave_pool(c);
	list_remove(&c->node);
	timer_cancel(&net->loop->timers, &c->timer);
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	if (c->fd >= 0)
		(void)close(c->fd);
	if (c->peer && !c->proven)
		c->peer->n_new--;
	net_listen_forget(net, c->peer);
	net_tls_free(c);
	net->n_partial -= c->in.cap;
	buf_deinit(&c->in);
	net_stream_drop(c);
	free(c->pool);
	free(c);
}

static void conn_destroy(struct net_flow *f)
{
	struct net_conn *c = net_conn_of(f);

	c->abandoned = true;
	if (c->phase != NET_CONN_DRAINING)
		conn_free(c);
}

void net_conn_drain(struct net_conn *c, const char *why)
{
	if (c->phase != NET_CONN_OPEN && c->phase != NET_CONN_SECURING)
		return;
	leave_pool(c);
	if (c->tls)
		net_tls_close(c);
	if (c->base.life != NET_ALIVE)
		return;
	net_tls_forget(c);
	c->phase = NET_CONN_DRAINING;
	c->started = net_conn_now(c);
	if (!c->out.n)
		(void)shutdown(c->fd, SHUT_WR);
	net_flow_fail(&c->base, "%s", why);
	net_conn_rearm(c);
}

void net_conn_refuse(struct net_conn *c, const char *why)
{
	struct net *net = c->base.net;

	if (c->peer && !c->proven) {
		net->counters.connections_refused++;
		net_quiet_log(net, &net->refusals, "%s connection from %s is closed: %s",
			transport_name(c->base.flow.transport), c->base.flow.peer.host, why);
	}
	net_conn_drain(c, why);
}

/* Goes now, or when the core is done with it. */
static void drained(struct net_conn *c)
{
	c->phase = NET_CONN_DRAINED;
	net_stream_drop(c);
	timer_cancel(&c->base.net->loop->timers, &c->timer);
	(void)event_del(c->readable);
	(void)event_del(c->writable);
	if (c->abandoned)
		net_flow_bury(&c->base);
}

void net_conn_break(struct net_conn *c, const char *why)
{
	leave_pool(c);
	net_flow_fail(&c->base, "%s", why);
	net_tls_forget(c);
	net_stream_drop(c);
	(void)event_del(c->readable);
	(void)event_del(c->writable);
	if (c->phase == NET_CONN_DRAINING)
		drained(c);
	else
		timer_cancel(&c->base.net->loop->timers, &c->timer);
}

void net_conn_prove(struct net_conn *c)
{
	if (c->peer && !c->proven)
		c->peer->n_new--;
	c->proven = true;
}

/* ---- what the core asks for ---- */

static struct net_conn *conn_of_flow(struct flow *f)
{
	return net_conn_of(container_of(f, struct net_flow, flow));
}

static void conn_send(struct flow *f, struct slice bytes)
{
	struct net_conn *c = conn_of_flow(f);

	if (c->base.life != NET_ALIVE)
		return;
	if (slice_eq(bytes, SLICE("\r\n\r\n"))) /* the core's own ping */
		c->frame.expect_pong = true;
	net_stream_put(c, bytes);
}

/* What was sent before still goes out. */
static void conn_close(struct flow *f, const char *reason)
{
	struct net_conn *c = conn_of_flow(f);

	if (c->base.life != NET_ALIVE)
		return;
	if (c->phase == NET_CONN_CONNECTING)
		net_conn_break(c, reason);
	else
		net_conn_drain(c, reason);
}

void net_conn_probe(struct net_conn *c)
{
	if (c->base.life != NET_ALIVE || c->phase != NET_CONN_OPEN)
		return;
	c->heard = 0;
	net_conn_rearm(c);
}

static void conn_set_idle(struct flow *f, uint64_t timeout)
{
	struct net_conn *c = conn_of_flow(f);

	c->base.idle_timeout = timeout;
	if (c->base.life == NET_ALIVE)
		net_conn_rearm(c);
}

static const struct flow_ops conn_ops = {
	.send = conn_send,
	.unused = net_flow_unused,
	.close = conn_close,
	.set_idle = conn_set_idle,
};

/* ---- connections ---- */

static void conn_idle(struct net_flow *f)
{
	net_conn_rearm(net_conn_of(f));
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct net_conn *c = ctx;

	(void)fd;
	(void)what;
	loop_enter(c->base.net->loop);
	net_stream_read(c);
}

static void on_due(struct timer *t)
{
	struct net_conn *c = container_of(t, struct net_conn, timer);
	usec_t now = net_conn_now(c);
	const char *why;

	if (due(c, &why) <= now) {
		if (c->phase == NET_CONN_DRAINING)
			drained(c);
		else if (c->phase == NET_CONN_CONNECTING || c->out.n)
			net_conn_break(c, why);
		else
			net_conn_refuse(c, why);
		return;
	}
	if (ping_at(c) <= now) {
		/* Only who has answered before is expected to: then silence means it is gone. */
		c->pinged = now;
		c->frame.expect_pong = true;
		c->heard = c->pongs ? c->heard : now;
		net_stream_put(c, SLICE("\r\n\r\n"));
	}
	if (c->base.life == NET_ALIVE)
		net_conn_rearm(c);
}

void net_conn_open_up(struct net_conn *c)
{
	struct ua *ua = c->base.net->loop->ua;

	c->phase = NET_CONN_OPEN;
	c->base.flow.state = FLOW_UP;
	c->heard = c->stuck = c->base.since = net_conn_now(c);
	net_stream_flush(c);
	if (c->base.life == NET_ALIVE && ua)
		ua_flow_up(ua, &c->base.flow);
}

static void connected(struct net_conn *c)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error) {
		net_conn_break(c, strerror(error ? error : errno));
		return;
	}
	(void)event_del(c->writable);
	(void)event_add(c->readable, NULL);
	if (c->tls)
		net_tls_begin(c);
	else
		net_conn_open_up(c);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct net_conn *c = ctx;

	(void)fd;
	(void)what;
	loop_enter(c->base.net->loop);
	if (c->phase == NET_CONN_CONNECTING)
		connected(c);
	else
		net_stream_flush(c);
	if (c->base.life == NET_ALIVE)
		net_conn_rearm(c);
}

static void set_options(int fd)
{
	int on = 1, timeout = USER_TIMEOUT_MS;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static struct net_conn *conn_new(
	struct net *net, enum transport transport, int fd, const struct net_addr *peer)
{
	struct net_conn *c = mem_new(struct net_conn);
	struct event_base *base = net->loop->base;
	uint8_t spread;

	net_flow_init(&c->base, net, &conn_ops, transport);
	c->base.destroy = conn_destroy;
	c->base.idle = conn_idle;
	c->base.peer = *peer;
	c->base.local = (struct net_addr){ .len = sizeof(c->base.local.v6) };
	c->fd = fd;
	c->timer.fire = on_due;
	c->started = c->heard = net_conn_now(c);
	c->base.idle_timeout = NET_IDLE_TIMEOUT;
	random_fill(&spread, sizeof(spread));
	c->ping_gap = (usec_t)(PING_MIN + spread % PING_SPREAD) * USEC_PER_SEC;
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	set_options(fd);
	net_addr_show_scoped(peer, &c->base.flow.peer);
	list_append(&net->connections, &c->node);
	return c;
}

/* Where others reach us: our listener's port if it hears at that address, its own before those of
 * all, else this one. */
static void show_local(struct net_conn *c)
{
	struct net_flow *f = &c->base;

	if (getsockname(c->fd, &f->local.sa, &f->local.len) < 0)
		return;
	net_addr_show(&f->local, &f->flow.local);
	if (c->peer)
		return;
	list_for_each (node, &f->net->sockets) {
		const struct net_socket *s = list_entry(node, struct net_socket, node);
		bool own = net_serve_is_for(s, f->flow.pool);

		if (s->transport == f->flow.transport && (own || s->listed) &&
			s->bound.sa.sa_family == f->local.sa.sa_family &&
			(net_addr_is_any(&s->bound) || net_addr_same_host(&s->bound, &f->local)))
			f->flow.local.port = net_addr_port(&s->bound);
		if (own)
			return;
	}
}

/* How long an unused connection of ours stays: what a page opened, a minute or so. */
static usec_t linger_of(const struct profile *p)
{
	if (!p)
		return NET_IDLE_TIMEOUT;
	if (p->connection_linger && (!p->idle_timeout || p->connection_linger < p->idle_timeout))
		return p->connection_linger;
	return p->idle_timeout;
}

/* ---- pools ---- */

/* One connection for each: whose it is, RFC 5626's number, and where it leads. */
static char *target_key(const struct host_target *t, const char *identity)
{
	struct buf b = BUF_NULL;

	buf_printf(&b, "%s %s %u %s %u", transport_name(t->transport), t->pool ? t->pool : "",
		t->reg_id, t->addr.host, t->addr.port);
	/* Whom it was checked for, and how: no other trust is inherited (RFC 5923 section 9.1). */
	if (t->transport == TRANSPORT_TLS)
		buf_printf(&b, " %s %s", t->domain ? t->domain : "", identity);
	return buf_take(&b);
}

/* Accepted from that address, and so for TLS that the certificate is good for whom we mean. */
static bool may_answer_for(const struct flow *f, const struct host_target *t)
{
	return f->transport == TRANSPORT_TCP ||
	       (f->tls && f->tls->matched && t->domain &&
		       strcasecmp(f->tls->matched, t->domain) == 0);
}

/*
 * One of the pool's own; or one that the peer opened from that very address and port (RFC 3261
 * section 18: a connection that was accepted is known by where it came from).
 */
static struct net_flow *find_shared(const struct net *net, const struct host_target *target,
	const char *key, const struct net_addr *to)
{
	struct map_node *node = map_find(&net->targets, slice_str(key));
	struct net_flow *f;

	if (node)
		return &container_of(node, struct net_conn, by_target)->base;
	f = net_flow_find(net, target->transport, to);
	while (f && !may_answer_for(&f->flow, target))
		f = net_flow_find_next(f);
	return f;
}

static void begin_connecting(struct net_conn *c)
{
	const struct net_addr *to = &c->base.peer;

	if (connect(c->fd, &to->sa, to->len) < 0 && errno != EINPROGRESS) {
		c->base.flow.no_way = net_addr_is_no_way(errno);
		net_conn_break(c, strerror(errno));
		return;
	}
	show_local(c);
	/* A free port in the range from which ours are taken: TCP happily meets itself. */
	if (net_addr_equal(&c->base.local, to)) {
		net_conn_break(c, strerror(ECONNREFUSED));
		return;
	}
	(void)event_add(c->writable, NULL);
	net_conn_rearm(c);
}

/* Takes key. */
static struct flow *connect_to(struct net *net, const struct host_target *target,
	const struct net_addr *to, struct tls_identity *identity, char *key)
{
	int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct net_conn *c;

	if (fd < 0) {
		free(key);
		return net_flow_broken(net, target, strerror(errno));
	}
	c = conn_new(net, target->transport, fd, to);
	c->base.idle_timeout = linger_of(target->profile);
	c->base.flow.pool = c->pool = mem_strdup(target->pool);
	c->target = key;
	c->base.flow.reg_id = target->reg_id;
	map_insert(&net->targets, &c->by_target, slice_str(key));
	if (identity)
		net_tls_connect(c, identity, target);
	net->counters.connections_out++;
	begin_connecting(c);
	return &c->base.flow;
}

struct flow *net_conn_open(
	struct net *net, const struct host_target *target, const struct net_addr *to)
{
	struct tls_identity *identity = NULL;
	const char *identity_key = "";
	struct net_flow *have;
	char *key;
	int r = 0;

	if (target->transport == TRANSPORT_TLS)
		r = net_identities_get(
			&net->identities, target->profile, TLS_CLIENT, &identity, &identity_key);
	if (r < 0)
		return net_flow_broken(net, target, "the files of [Tls] cannot be used");
	key = target_key(target, identity_key);
	have = find_shared(net, target, key, to);
	if (!have)
		return connect_to(net, target, to, identity, key);
	free(key);
	return &have->flow;
}

/* ---- those of others ---- */

void net_conn_accepted(const struct net_socket *listener, struct net_peer *peer, int fd,
	const struct net_addr *from)
{
	struct net_conn *c = conn_new(listener->net, listener->transport, fd, from);

	listener->net->counters.connections_in++;
	c->peer = peer;
	c->base.flow.incoming = true;
	c->first_timeout = listener->first_timeout;
	c->base.idle_timeout = listener->idle_timeout;
	show_local(c);
	net_flow_link(&c->base);
	(void)event_add(c->readable, NULL);
	if (listener->transport == TRANSPORT_TLS) {
		net_tls_accept(c, listener);
		net_tls_begin(c);
	} else {
		net_conn_open_up(c);
	}
	if (c->base.life == NET_ALIVE)
		net_conn_rearm(c);
}

struct flow *net_next_connection(const struct net *net, const struct flow *after)
{
	const struct list *at = &net->connections;

	if (after)
		at = &conn_of_flow((struct flow *)(uintptr_t)after)->node;
	/* Those that only drain are nobody's any more. */
	for (at = at->next; at != &net->connections; at = at->next) {
		struct net_conn *c =
			list_entry((struct list *)(uintptr_t)at, struct net_conn, node);

		if (c->base.life == NET_ALIVE)
			return &c->base.flow;
	}
	return NULL;
}

void net_conn_deinit(struct net *net)
{
	struct list *node;

	while ((node = list_first(&net->connections)))
		conn_free(list_entry(node, struct net_conn, node));
}
