/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <event2/event.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/net-flow.h"
#include "daemon/random.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/msg/frame.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/ua.h"

/*
 * Connections, ours and those of others, alike once they are open. Each has one timer; what is due
 * is worked out when it fires (see due()), so that a message costs no timer operation.
 */

enum {
	READ_SIZE = 16384,
	ROUNDS = 4,              /* reads before others have their turn */
	USER_TIMEOUT_MS = 30000, /* TCP_USER_TIMEOUT: data that nobody acknowledges */
	PING_MIN = 95,           /* seconds, RFC 5626 section 4.4.1: 95 to 120 */
	PING_SPREAD = 26,
};

enum phase {
	CONNECTING,
	OPEN,
	DRAINING, /* the last bytes go out, what comes in is thrown away */
	DRAINED,
};

struct net_tcp {
	struct net_flow base;
	struct list node; /* in net->connections */
	int fd;
	enum phase phase;
	struct event *readable, *writable;
	struct buf in, out;
	size_t out_at; /* what of out is sent */
	struct frame_state frame;
	struct net_peer *peer; /* NULL: we opened it */
	bool proven;           /* sent a valid message */
	bool pongs;            /* answered a ping, so silence means something */
	usec_t pinged;         /* when the ping went out that waits for its answer; 0: none does */
	bool abandoned;        /* the core is done with it; goes when drained */
	struct timer timer;
	usec_t first_timeout, idle_timeout;
	usec_t started;  /* accepted, or began to connect; when draining: began to drain */
	usec_t partial;  /* when the first byte of what is in `in` came */
	usec_t stuck;    /* since when `out` waits without progress */
	usec_t heard;    /* last bytes from the peer */
	usec_t ping_gap; /* silence before a ping */
};

static struct net_tcp *tcp_of(struct net_flow *f)
{
	return container_of(f, struct net_tcp, base);
}

static usec_t now_of(const struct net_tcp *c)
{
	return c->base.net->loop->timers.now;
}

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

/* A part of a message, and not just of a keep-alive, has arrived. */
static bool is_unfinished(const struct net_tcp *c)
{
	return c->in.n > 0 && c->in.p[0] != '\r';
}

/* When the next thing ends this connection's patience, and what that is called. */
static usec_t due(const struct net_tcp *c, const char **ret_why)
{
	usec_t at = USEC_NEVER;

	*ret_why = "";
	switch (c->phase) {
	case CONNECTING:
		earlier(after(c->started, NET_CONNECT_TIMEOUT), "connecting took too long", &at,
			ret_why);
		return at;
	case DRAINING:
		earlier(after(c->started, NET_DRAIN_TIMEOUT), "", &at, ret_why);
		return at;
	case DRAINED:
		return USEC_NEVER;
	case OPEN:
		break;
	}
	if (c->peer && !c->proven)
		earlier(after(c->started, c->first_timeout), "no valid message came in time", &at,
			ret_why);
	if (is_unfinished(c))
		earlier(after(c->partial, NET_FRAME_TIMEOUT), "a message did not end in time", &at,
			ret_why);
	if (c->out.n)
		earlier(after(c->stuck, NET_WRITE_TIMEOUT), "the peer does not read", &at, ret_why);
	if (flow_is_unused(&c->base.flow))
		earlier(after(c->base.since, c->idle_timeout), "idle", &at, ret_why);
	else if (c->pinged && c->pongs)
		earlier(after(c->pinged, NET_PONG_TIMEOUT), "a keep-alive was not answered", &at,
			ret_why);
	return at;
}

/* RFC 5626 section 4.4.1: who opened the connection pings, while the connection is needed. */
static usec_t ping_at(const struct net_tcp *c)
{
	if (c->phase != OPEN || c->peer || flow_is_unused(&c->base.flow) || (c->pinged && c->pongs))
		return USEC_NEVER;
	return c->heard + c->ping_gap;
}

static void rearm(struct net_tcp *c)
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

/* Nothing of what waits is to be sent any more. */
static void drop_out(struct net_tcp *c)
{
	c->base.net->n_queued -= c->out.cap;
	buf_deinit(&c->out);
	c->out_at = 0;
}

static void tcp_free(struct net_tcp *c)
{
	struct net *net = c->base.net;

	net_flow_deinit(&c->base);
	list_remove(&c->node);
	timer_cancel(&net->loop->timers, &c->timer);
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	if (c->fd >= 0)
		(void)close(c->fd);
	net_listen_forget(net, c->peer);
	net->n_partial -= c->in.cap;
	buf_deinit(&c->in);
	drop_out(c);
	free(c);
}

static void tcp_destroy(struct net_flow *f)
{
	struct net_tcp *c = tcp_of(f);

	c->abandoned = true;
	if (c->phase != DRAINING)
		tcp_free(c);
}

/* Closing with unread input would reset the connection and take our last answer with it. */
static void drain(struct net_tcp *c, const char *why)
{
	if (c->phase != OPEN)
		return;
	c->phase = DRAINING;
	c->started = now_of(c);
	if (!c->out.n)
		(void)shutdown(c->fd, SHUT_WR);
	net_flow_fail(&c->base, "%s", why);
	rearm(c);
}

/* Goes now, or when the core is done with it. */
static void drained(struct net_tcp *c)
{
	c->phase = DRAINED;
	drop_out(c);
	timer_cancel(&c->base.net->loop->timers, &c->timer);
	(void)event_del(c->readable);
	(void)event_del(c->writable);
	if (c->abandoned)
		net_flow_bury(&c->base);
}

/* Broken: nothing more is read or written. */
static void breaks(struct net_tcp *c, const char *why)
{
	net_flow_fail(&c->base, "%s", why);
	drop_out(c);
	(void)event_del(c->readable);
	(void)event_del(c->writable);
	if (c->phase == DRAINING)
		drained(c);
	else
		timer_cancel(&c->base.net->loop->timers, &c->timer);
}

/* ---- writing ---- */

static void flushed(struct net_tcp *c)
{
	drop_out(c);
	(void)event_del(c->writable);
	if (c->phase == DRAINING)
		(void)shutdown(c->fd, SHUT_WR);
}

/* As much of out as the socket takes. */
static void flush(struct net_tcp *c)
{
	while (c->out_at < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			(void)event_add(c->writable, NULL);
			return;
		}
		if (n < 0) {
			breaks(c, strerror(errno));
			return;
		}
		c->out_at += (size_t)n;
		c->stuck = now_of(c);
	}
	flushed(c);
}

/* Behind what waits already. */
static void append_out(struct net_tcp *c, struct slice bytes)
{
	size_t cap = c->out.cap;

	if (c->out_at > c->out.n / 2) {
		buf_consume(&c->out, c->out_at);
		c->out_at = 0;
	}
	buf_put(&c->out, bytes);
	c->base.net->n_queued += c->out.cap - cap;
}

static void tcp_put(struct net_tcp *c, struct slice bytes)
{
	bool idle = c->out.n == 0;

	if (c->out.n - c->out_at + bytes.n > NET_MAX_QUEUED) {
		breaks(c, "the peer does not read");
		return;
	}
	append_out(c, bytes);
	if (idle)
		c->stuck = now_of(c);
	if (idle && c->phase == OPEN)
		flush(c);
	/* Only now, so that who reads suffers nothing from those who do not. */
	if (c->out.n && c->base.net->n_queued > NET_MAX_QUEUED_TOTAL)
		breaks(c, "too much waits for peers that do not read");
	if (idle && c->out.n)
		rearm(c);
}

static void tcp_send(struct flow *flow, struct slice bytes)
{
	struct net_tcp *c = tcp_of(container_of(flow, struct net_flow, flow));

	if (c->base.life == NET_ALIVE)
		tcp_put(c, bytes);
}

static const struct flow_ops tcp_ops = { .send = tcp_send, .unused = net_flow_unused };

/* ---- reading ---- */

static void keep_partial(struct net_tcp *c, size_t cap_before)
{
	struct net *net = c->base.net;

	if (c->in.n == 0)
		buf_deinit(&c->in);
	net->n_partial += c->in.cap - cap_before;
	if (net->n_partial > NET_MAX_PARTIAL && c->in.n)
		breaks(c, "too many unfinished messages are held");
}

static void take_message(struct net_tcp *c, struct slice frame, enum msg_framing framing)
{
	struct ua *ua = c->base.net->loop->ua;
	uint64_t bad;

	c->base.net->counters.frames_in++;
	if (!ua)
		return;
	bad = ua->n_bad_messages;
	ua_receive(ua, &c->base.flow, frame, framing);
	c->proven |= ua->n_bad_messages == bad;
}

static void take_frame(struct net_tcp *c, enum frame_kind kind, struct slice frame)
{
	switch (kind) {
	case FRAME_PARTIAL:
		break;
	case FRAME_MESSAGE:
		take_message(c, frame, MSG_STREAM);
		break;
	case FRAME_PING:
		tcp_put(c, SLICE("\r\n"));
		break;
	case FRAME_PONG:
		c->pongs |= c->pinged != 0;
		break;
	case FRAME_BAD:
	case FRAME_TOO_LARGE:
		c->base.net->counters.frames_bad++;
		if (frame.n)
			take_message(c, frame, kind == FRAME_BAD ? MSG_STREAM : MSG_HEAD);
		drain(c, kind == FRAME_BAD ? "the stream is not SIP" : "a message is too large");
		break;
	}
}

static void take_frames(struct net_tcp *c)
{
	size_t at = 0, n;
	struct slice frame;

	while (c->base.life == NET_ALIVE) {
		enum frame_kind kind = frame_next(&c->frame, slice_skip(buf_slice(&c->in), at),
			c->base.net->max_message, &frame, &n);

		if (kind == FRAME_PARTIAL)
			break;
		at += n;
		take_frame(c, kind, frame);
	}
	if (at > 0)
		c->partial = now_of(c);
	buf_consume(&c->in, at);
}

/* Whether there may be more. */
static bool read_some(struct net_tcp *c)
{
	bool empty = c->in.n == 0;
	ssize_t n = recv(c->fd, buf_reserve(&c->in, READ_SIZE), READ_SIZE, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		breaks(c, n < 0 ? strerror(errno) : "the peer closed the connection");
		return false;
	}
	if (c->phase == DRAINING)
		return true;
	c->in.n += (size_t)n;
	c->heard = c->base.since = now_of(c);
	if (empty)
		c->partial = now_of(c);
	take_frames(c);
	c->pinged = 0;
	return c->base.life == NET_ALIVE && n == READ_SIZE;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct net_tcp *c = ctx;
	size_t cap = c->in.cap;

	(void)fd;
	(void)what;
	loop_enter(c->base.net->loop);
	for (unsigned round = 0; round < ROUNDS && read_some(c); round++)
		;
	keep_partial(c, cap);
	if (c->base.life == NET_ALIVE)
		rearm(c);
}

/* ---- connections ---- */

static void tcp_idle(struct net_flow *f)
{
	rearm(tcp_of(f));
}

static void on_due(struct timer *t)
{
	struct net_tcp *c = container_of(t, struct net_tcp, timer);
	usec_t now = now_of(c);
	const char *why;

	if (due(c, &why) <= now) {
		if (c->phase == DRAINING)
			drained(c);
		else
			breaks(c, why);
		return;
	}
	if (ping_at(c) <= now) {
		/* Only who has answered before is expected to: then silence means it is gone. */
		c->pinged = now;
		c->frame.expect_pong = true;
		c->heard = c->pongs ? c->heard : now;
		tcp_put(c, SLICE("\r\n\r\n"));
	}
	if (c->base.life == NET_ALIVE)
		rearm(c);
}

static void connected(struct net_tcp *c)
{
	struct net *net = c->base.net;
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error) {
		breaks(c, strerror(error ? error : errno));
		return;
	}
	c->phase = OPEN;
	c->base.flow.state = FLOW_UP;
	c->heard = c->stuck = c->base.since = now_of(c);
	flush(c);
	if (c->base.life != NET_ALIVE)
		return;
	(void)event_add(c->readable, NULL);
	if (net->loop->ua)
		ua_flow_up(net->loop->ua, &c->base.flow);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct net_tcp *c = ctx;

	(void)fd;
	(void)what;
	loop_enter(c->base.net->loop);
	if (c->phase == CONNECTING)
		connected(c);
	else
		flush(c);
	if (c->base.life == NET_ALIVE)
		rearm(c);
}

static void set_options(int fd)
{
	int on = 1, timeout = USER_TIMEOUT_MS;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static struct net_tcp *tcp_new(struct net *net, int fd, const struct net_addr *peer)
{
	struct net_tcp *c = mem_new(struct net_tcp);
	struct event_base *base = net->loop->base;
	uint8_t spread;

	net_flow_init(&c->base, net, &tcp_ops, TRANSPORT_TCP);
	c->base.destroy = tcp_destroy;
	c->base.idle = tcp_idle;
	c->base.peer = *peer;
	c->base.local = (struct net_addr){ .len = sizeof(c->base.local.v6) };
	c->fd = fd;
	c->timer.fire = on_due;
	c->started = c->heard = now_of(c);
	c->idle_timeout = NET_IDLE_TIMEOUT;
	random_fill(&spread, sizeof(spread));
	c->ping_gap = (usec_t)(PING_MIN + spread % PING_SPREAD) * USEC_PER_SEC;
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
	set_options(fd);
	list_append(&net->connections, &c->node);
	net_flow_link(&c->base);
	return c;
}

/* Where others reach us: our listener's port if it hears at that address, else this one. */
static void show_local(struct net_tcp *c)
{
	struct net_flow *f = &c->base;

	if (getsockname(c->fd, &f->local.sa, &f->local.len) < 0)
		return;
	net_addr_show(&f->local, &f->flow.local);
	list_for_each (node, &f->net->sockets) {
		const struct net_socket *s = list_entry(node, struct net_socket, node);

		if (s->transport == TRANSPORT_TCP &&
			s->bound.sa.sa_family == f->local.sa.sa_family &&
			(net_addr_is_any(&s->bound) || net_addr_same_host(&s->bound, &f->local)))
			f->flow.local.port = net_addr_port(&s->bound);
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

struct flow *net_tcp_open(
	struct net *net, const struct host_target *target, const struct net_addr *to)
{
	struct net_flow *have = net_flow_find(net, TRANSPORT_TCP, to);
	struct net_tcp *c;
	int fd;

	if (have)
		return &have->flow;
	fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return net_flow_broken(net, target, strerror(errno));
	c = tcp_new(net, fd, to);
	c->idle_timeout = linger_of(target->profile);
	net->counters.connections_out++;
	if (connect(fd, &to->sa, to->len) < 0 && errno != EINPROGRESS) {
		breaks(c, strerror(errno));
		return &c->base.flow;
	}
	show_local(c);
	/* A free port in the range from which ours are taken: TCP happily meets itself. */
	if (net_addr_equal(&c->base.local, to)) {
		breaks(c, strerror(ECONNREFUSED));
		return &c->base.flow;
	}
	(void)event_add(c->writable, NULL);
	rearm(c);
	return &c->base.flow;
}

void net_tcp_accepted(const struct net_socket *listener, struct net_peer *peer, int fd,
	const struct net_addr *from)
{
	struct net_tcp *c = tcp_new(listener->net, fd, from);

	listener->net->counters.connections_in++;
	c->peer = peer;
	c->phase = OPEN;
	c->base.flow.incoming = true;
	c->base.flow.state = FLOW_UP;
	c->first_timeout = listener->first_timeout;
	c->idle_timeout = listener->idle_timeout;
	show_local(c);
	(void)event_add(c->readable, NULL);
	rearm(c);
}

void net_tcp_deinit(struct net *net)
{
	struct list *node;

	while ((node = list_first(&net->connections)))
		tcp_free(list_entry(node, struct net_tcp, node));
}
