/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <event2/event.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/net-serve.h"
#include "daemon/net-socket.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/msg/stun.h"
#include "protocol/ua/host.h"
#include "protocol/ua/ua.h"

/*
 * One socket serves many peers; a flow is a socket together with a peer's and our own address. A
 * socket bound to no address learns from each datagram where it was sent to, and answers from
 * there, so that a host with several addresses is one peer to everybody. A registration's second
 * flow and those after it (RFC 5626) each leave from a socket of their own, which goes with them:
 * the edge tells flows apart by nothing but where they come from.
 */

enum {
	BATCH = 16,       /* datagrams by one system call */
	ROUNDS = 4,       /* batches before others have their turn */
	DATAGRAM = 65536, /* no larger ones exist */
	CONTROL = 64,     /* for one struct in6_pktinfo */
	RECEIVE_BUFFER = 4 << 20,
	ERRORS = 64, /* taken off an error queue in one go */
};

struct net_udp {
	struct net_socket base;
	struct event *writable;
	struct list queue; /* of struct unsent */
	size_t queued;
	struct list flows; /* of net_udp_flow */
	unsigned reg_id;   /* one flow's own socket: which one's, and */
	char *pool;        /* whose, NULL: everybody's; 0: not such a socket */
};

struct net_udp_flow {
	struct net_flow base;
	struct net_udp *socket;
	struct list of_socket;
};

/* A datagram that the socket did not take. */
struct unsent {
	struct list node;
	struct net_addr peer, local;
	size_t n;
	char bytes[];
};

struct net_batch {
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct net_addr from[BATCH];
	union {
		char bytes[CONTROL];
		struct cmsghdr align;
	} control[BATCH];
	char bytes[BATCH][DATAGRAM];
};

static struct net_udp *udp_of(struct net_socket *s)
{
	return container_of(s, struct net_udp, base);
}

static struct net_udp_flow *flow_of(struct net_flow *f)
{
	return container_of(f, struct net_udp_flow, base);
}

static void drain_errors(struct net_udp *u);

/* ---- sending ---- */

static void put_source(struct msghdr *m, char *control, const struct net_addr *local)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;

	m->msg_control = control;
	if (local->sa.sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_spec_dst = local->v4.sin_addr };

		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m->msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_addr = local->v6.sin6_addr,
			.ipi6_ifindex = local->v6.sin6_scope_id };

		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

/* 0 or a negative errno. */
static int transmit(struct net_udp *u, const struct net_addr *peer, const struct net_addr *local,
	struct slice bytes)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes.p, .iov_len = bytes.n };
	struct net_addr to = *peer;
	struct msghdr m = {
		.msg_name = &to.sa, .msg_namelen = to.len, .msg_iov = &iov, .msg_iovlen = 1
	};
	union {
		char bytes[CONTROL];
		struct cmsghdr align;
	} control = { { 0 } };

	if (net_addr_is_any(&u->base.bound))
		put_source(&m, control.bytes, local);
	if (sendmsg(u->base.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	u->base.net->counters.datagrams_out++;
	return 0;
}

/* An earlier datagram's ICMP error is reported to whoever sends next: that one tries again. */
static int transmit_again(struct net_udp *u, const struct net_addr *peer,
	const struct net_addr *local, struct slice bytes)
{
	int r = transmit(u, peer, local, bytes);

	if (r < 0 && r != -EAGAIN && r != -ENOBUFS) {
		drain_errors(u);
		r = transmit(u, peer, local, bytes);
	}
	return r;
}

static void enqueue(struct net_udp_flow *f, struct slice bytes)
{
	struct net_udp *u = f->socket;
	struct unsent *d;

	if (u->queued + bytes.n > NET_MAX_UDP_QUEUED) {
		u->base.net->counters.datagrams_dropped++;
		return;
	}
	d = mem_alloc(sizeof(*d) + bytes.n);
	*d = (struct unsent){ .peer = f->base.peer, .local = f->base.local, .n = bytes.n };
	memcpy(d->bytes, bytes.p, bytes.n);
	u->queued += bytes.n;
	list_append(&u->queue, &d->node);
	(void)event_add(u->writable, NULL);
}

static void unsent_free(struct net_udp *u, struct unsent *d)
{
	list_remove(&d->node);
	u->queued -= d->n;
	free(d);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct net_udp *u = ctx;
	struct list *node;

	(void)fd;
	(void)what;
	while ((node = list_first(&u->queue))) {
		struct unsent *d = list_entry(node, struct unsent, node);
		int r = transmit_again(u, &d->peer, &d->local, slice_of(d->bytes, d->n));

		if (r == -EAGAIN || r == -ENOBUFS)
			break;
		unsent_free(u, d);
	}
	if (list_is_empty(&u->queue))
		(void)event_del(u->writable);
}

static void udp_send(struct flow *flow, struct slice bytes)
{
	struct net_udp_flow *f = flow_of(container_of(flow, struct net_flow, flow));
	int r;

	if (f->base.life != NET_ALIVE || f->socket->base.fd < 0)
		return;
	f->base.since = f->base.flow.used = f->base.net->loop->timers.now;
	if (!list_is_empty(&f->socket->queue)) {
		enqueue(f, bytes);
		return;
	}
	r = transmit_again(f->socket, &f->base.peer, &f->base.local, bytes);
	if (r == -EAGAIN || r == -ENOBUFS)
		enqueue(f, bytes);
	else if (r < 0)
		net_flow_fail(&f->base, "%s", strerror(-r));
}

static void udp_close(struct flow *flow, const char *reason)
{
	net_flow_fail(container_of(flow, struct net_flow, flow), "%s", reason);
}

static void udp_set_idle(struct flow *flow, uint64_t timeout)
{
	container_of(flow, struct net_flow, flow)->idle_timeout = timeout;
}

static const struct flow_ops udp_ops = {
	.send = udp_send,
	.unused = net_flow_unused,
	.close = udp_close,
	.set_idle = udp_set_idle,
};

/* ---- flows ---- */

static void udp_free(struct net_udp *u)
{
	if (u->base.fd >= 0 || !list_is_empty(&u->flows))
		return;
	free(u->pool);
	free(u);
}

static void flow_destroy(struct net_flow *base)
{
	struct net_udp_flow *f = flow_of(base);

	net_flow_deinit(base);
	list_remove(&f->of_socket);
	if (f->socket->reg_id && f->socket->base.fd >= 0 && list_is_empty(&f->socket->flows))
		f->socket->base.close(&f->socket->base);
	else
		udp_free(f->socket);
	free(f);
}

static struct net_udp_flow *flow_new(
	struct net_udp *u, const struct net_addr *peer, const struct net_addr *local)
{
	struct net_udp_flow *f = mem_new(struct net_udp_flow);
	struct net_flow *base = &f->base;

	net_flow_init(base, u->base.net, &udp_ops, TRANSPORT_UDP);
	base->destroy = flow_destroy;
	base->idle = net_flow_park;
	base->idle_timeout = NET_UDP_IDLE;
	base->peer = *peer;
	base->local = *local;
	net_addr_set_port(&base->local, net_addr_port(&u->base.bound));
	net_addr_show(&base->local, &base->flow.local);
	base->flow.state = FLOW_UP;
	f->socket = u;
	list_append(&u->flows, &f->of_socket);
	net_flow_link(base);
	net_flow_park(base);
	return f;
}

static struct net_udp_flow *flow_find(
	struct net_udp *u, const struct net_addr *peer, const struct net_addr *local)
{
	struct net_flow *f = net_flow_find(u->base.net, TRANSPORT_UDP, peer);

	while (f && (flow_of(f)->socket != u || !net_addr_same_host(&f->local, local)))
		f = net_flow_find_next(f);
	return f ? flow_of(f) : NULL;
}

/* ---- receiving ---- */

/* What a NAT is kept open with, and nothing else (RFC 5626 section 3.5.1 and older habits). */
static bool is_keep_alive(struct slice bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if (bytes.p[i] != '\r' && bytes.p[i] != '\n' && bytes.p[i] != '\0')
			return false;
	return true;
}

static struct net_addr destination(const struct net_udp *u, struct msghdr *m)
{
	struct net_addr local = u->base.bound;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			local.v4.sin_addr = info.ipi_spec_dst;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			local.v6.sin6_addr = info.ipi6_addr;
			local.v6.sin6_scope_id =
				IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
		}
	}
	return local;
}

static void receive_one(struct net_udp *u, struct mmsghdr *m, struct net_addr *from)
{
	struct net *net = u->base.net;
	struct slice bytes = slice_of(m->msg_hdr.msg_iov->iov_base, m->msg_len);
	struct net_addr local;
	struct net_udp_flow *f;

	net->counters.datagrams_in++;
	from->len = m->msg_hdr.msg_namelen;
	if ((m->msg_hdr.msg_flags & MSG_TRUNC) || bytes.n > net->max_message ||
		net_addr_port(from) == 0) {
		net->counters.datagrams_dropped++;
		return;
	}
	if (is_keep_alive(bytes) || !net->loop->ua)
		return;
	local = destination(u, &m->msg_hdr);
	f = flow_find(u, from, &local);
	if (!f)
		f = flow_new(u, from, &local);
	f->base.flow.used = net->loop->timers.now;
	if (stun_is(bytes)) /* RFC 5626 section 8 */
		ua_stun(net->loop->ua, &f->base.flow, bytes);
	else
		ua_receive(net->loop->ua, &f->base.flow, bytes, MSG_DATAGRAM);
}

static struct net_batch *batch_of(struct net *net)
{
	if (!net->batch)
		net->batch = mem_alloc(sizeof(*net->batch)); /* pages come as they are used */
	for (size_t i = 0; i < BATCH; i++) {
		struct net_batch *b = net->batch;

		b->iov[i] = (struct iovec){ .iov_base = b->bytes[i], .iov_len = DATAGRAM };
		b->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &b->from[i].sa,
			.msg_namelen = sizeof(b->from[i].v6),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
			.msg_control = b->control[i].bytes,
			.msg_controllen = CONTROL };
	}
	return net->batch;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct net_udp *u = ctx;

	(void)what;
	loop_enter(u->base.net->loop);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct net_batch *b = batch_of(u->base.net);
		int n = recvmmsg(fd, b->msgs, BATCH, MSG_DONTWAIT, NULL);

		if (n <= 0) {
			drain_errors(u); /* nothing but an ICMP error may have woken us */
			break;
		}
		for (int i = 0; i < n; i++)
			receive_one(u, &b->msgs[i], &b->from[i]);
		if (n < BATCH)
			break;
	}
}

/* ---- ICMP ---- */

/* RFC 3261 section 18.4: a time exceeded is ignored, as is what came from ourselves. */
static bool is_hard(const struct sock_extended_err *e)
{
	if (e->ee_origin == SO_EE_ORIGIN_ICMP)
		return e->ee_type == ICMP_DEST_UNREACH && e->ee_errno != EMSGSIZE;
	if (e->ee_origin == SO_EE_ORIGIN_ICMP6)
		return e->ee_type == ICMP6_DST_UNREACH;
	return false;
}

static void take_error(struct net_udp *u, struct msghdr *m, const struct net_addr *to)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct sock_extended_err e;

		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
			!(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		if (!is_hard(&e))
			continue;
		for (struct net_flow *f = net_flow_find(u->base.net, TRANSPORT_UDP, to), *next; f;
			f = next) {
			next = net_flow_find_next(f);
			if (flow_of(f)->socket == u)
				net_flow_fail(f, "%s", strerror((int)e.ee_errno));
		}
	}
}

static void drain_errors(struct net_udp *u)
{
	for (unsigned i = 0; i < ERRORS; i++) {
		struct net_addr to = { .len = sizeof(to.v6) };
		char byte;
		struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
		union {
			char bytes[512];
			struct cmsghdr align;
		} control;
		struct msghdr m = { .msg_name = &to.sa,
			.msg_namelen = to.len,
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes) };

		if (recvmsg(u->base.fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		take_error(u, &m, &to);
	}
}

/* ---- sockets ---- */

static void close_socket(struct net_socket *s)
{
	struct net_udp *u = udp_of(s);
	struct list *node;

	net_socket_close(s);
	event_free(mem_take(&u->writable));
	while ((node = list_first(&u->queue)))
		unsent_free(u, list_entry(node, struct unsent, node));
	list_for_each (at, &u->flows)
		net_flow_fail(&list_entry(at, struct net_udp_flow, of_socket)->base,
			"the socket was closed");
	udp_free(u);
}

static void set_options(int fd, int family)
{
	int on = 1, size = RECEIVE_BUFFER;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (family == AF_INET) {
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	} else {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	}
}

static int open_socket(struct net *net, const struct net_socket *as, struct net_udp **ret_udp)
{
	struct net_udp *u = mem_new(struct net_udp);
	struct event_base *base = net->loop->base;
	int r;

	u->base = *as;
	u->base.close = close_socket;
	list_init(&u->queue);
	list_init(&u->flows);
	r = net_socket_open(&u->base, net, SOCK_DGRAM);
	if (r < 0) {
		free(u);
		return r;
	}
	set_options(u->base.fd, u->base.bound.sa.sa_family);
	list_append(&net->sockets, &u->base.node);
	u->base.readable = event_new(base, u->base.fd, EV_READ | EV_PERSIST, on_readable, u);
	u->writable = event_new(base, u->base.fd, EV_WRITE | EV_PERSIST, on_writable, u);
	(void)event_add(u->base.readable, NULL);
	*ret_udp = u;
	return 0;
}

int net_udp_listen(struct net *net, const struct net_socket *as)
{
	struct net_udp *u;

	return open_socket(net, as, &u);
}

/* The socket to send from: bound to that very address, or to none; its own before those of others,
 * listed before made up. */
static struct net_udp *socket_for(struct net *net, const struct net_addr *source, const char *pool)
{
	struct net_udp *any = NULL, *same = NULL;

	list_for_each (node, &net->sockets) {
		struct net_socket *s = list_entry(node, struct net_socket, node);

		if (s->transport != TRANSPORT_UDP || s->bound.sa.sa_family != source->sa.sa_family)
			continue;
		if (udp_of(s)->reg_id)
			continue;
		if (!net_addr_is_any(&s->bound) && !net_addr_same_host(&s->bound, source))
			continue;
		if (net_serve_is_for(s, pool))
			return udp_of(s);
		/* What others opened for themselves goes with them. */
		if (!s->listed && !s->on_demand)
			continue;
		if (!net_addr_is_any(&s->bound))
			same = same ? same : udp_of(s);
		else if (!any || any->base.on_demand)
			any = udp_of(s);
	}
	return same ? same : any;
}

/* From the socket and address that the peer knows already (RFC 3261 section 18.2.2). */
static struct flow *open_beside(const struct flow *beside, const struct net_addr *to)
{
	const struct net_udp_flow *b =
		container_of((struct flow *)(uintptr_t)beside, struct net_udp_flow, base.flow);
	struct net_udp_flow *f;

	if (beside->ops != &udp_ops || b->socket->base.fd < 0 ||
		b->base.local.sa.sa_family != to->sa.sa_family)
		return NULL;
	f = flow_find(b->socket, to, &b->base.local);
	return f ? &f->base.flow : &flow_new(b->socket, to, &b->base.local)->base.flow;
}

static int open_unlisted(struct net *net, int family, struct net_udp **ret_udp)
{
	struct net_socket as = {
		.transport = TRANSPORT_UDP, .asked = net_addr_any(family, 0), .on_demand = true
	};

	return open_socket(net, &as, ret_udp);
}

/* Routing is asked each time: it changes under a laptop, and a flow from where we were is dead. */
static int open_from(struct net *net, const struct net_addr *source, const struct net_addr *to,
	const char *pool, struct flow **ret_flow)
{
	struct net_udp *u = socket_for(net, source, pool);
	struct net_udp_flow *f;
	int r = u ? 0 : open_unlisted(net, to->sa.sa_family, &u);

	if (r < 0)
		return r;
	f = flow_find(u, to, source);
	*ret_flow = f ? &f->base.flow : &flow_new(u, to, source)->base.flow;
	return 0;
}

static bool is_own_of(const struct net_udp *u, const struct host_target *t)
{
	if (u->reg_id != t->reg_id || !u->pool || !t->pool)
		return u->reg_id == t->reg_id && u->pool == t->pool;
	return strcmp(u->pool, t->pool) == 0;
}

/* RFC 5626 section 4.2: the flow of that pool and number, else a new one from a new port. */
static int open_own(struct net *net, const struct net_addr *source, const struct net_addr *to,
	const struct host_target *target, struct flow **ret_flow)
{
	struct net_flow *f = net_flow_find(net, TRANSPORT_UDP, to);
	struct net_udp *u;
	int r;

	while (f &&
		!(is_own_of(flow_of(f)->socket, target) && net_addr_same_host(&f->local, source)))
		f = net_flow_find_next(f);
	if (f) {
		*ret_flow = &f->flow;
		return 0;
	}
	r = open_unlisted(net, to->sa.sa_family, &u);
	if (r < 0)
		return r;
	u->reg_id = target->reg_id;
	u->pool = target->pool ? mem_strdup(target->pool) : NULL;
	*ret_flow = &flow_new(u, to, source)->base.flow;
	(*ret_flow)->reg_id = target->reg_id;
	return 0;
}

struct flow *net_udp_open(
	struct net *net, const struct host_target *target, const struct net_addr *to)
{
	struct flow *f = target->beside ? open_beside(target->beside, to) : NULL;
	struct net_addr source;
	int r = 0;

	if (!f) {
		r = net_addr_source(to, &source);
		if (r == 0 && target->reg_id > 1)
			r = open_own(net, &source, to, target, &f);
		else if (r == 0)
			r = open_from(net, &source, to, target->pool, &f);
	}
	if (!f) {
		f = net_flow_broken(net, target, strerror(-r));
		f->no_way = net_addr_is_no_way(-r);
	}
	return f;
}

void net_udp_deinit(struct net *net)
{
	free(mem_take(&net->batch));
}
