/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listening for connections, and how many of them one host may have. */
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/net-socket.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"

enum {
	ACCEPTS = 64, /* before others have their turn */
	BACKLOG = 1024,
};

struct listener {
	struct net_socket base;
	struct timer resume; /* accepting goes on when descriptors may be free again */
};

static struct listener *listener_of(struct net_socket *s)
{
	return container_of(s, struct listener, base);
}

/* ---- how many connections a peer has ---- */

/* One IPv4 address, or one IPv6 /64: less is free for the taking. */
static struct net_key peer_key(const struct net_addr *a)
{
	struct net_key k = { .family = (uint8_t)a->sa.sa_family };

	if (a->sa.sa_family == AF_INET)
		memcpy(k.addr, &a->v4.sin_addr, 4);
	else
		memcpy(k.addr, &a->v6.sin6_addr, 8);
	return k;
}

static struct net_peer *peer_get(struct net *net, const struct net_addr *a)
{
	struct net_key k = peer_key(a);
	struct map_node *node = map_find(&net->peers, slice_of((const char *)&k, sizeof(k)));
	struct net_peer *p;

	if (node)
		return container_of(node, struct net_peer, node);
	p = mem_new(struct net_peer);
	p->key = k;
	map_insert(&net->peers, &p->node, slice_of((const char *)&p->key, sizeof(p->key)));
	return p;
}

static void peer_put(struct net *net, struct net_peer *p)
{
	if (p->n > 0)
		return;
	map_remove(&net->peers, &p->node);
	free(p);
}

void net_listen_forget(struct net *net, struct net_peer *p)
{
	if (!p)
		return;
	p->n--;
	net->n_incoming--;
	peer_put(net, p);
}

/* ---- accepting ---- */

static void refuse(struct net *net, int fd, const char *why)
{
	(void)close(fd);
	net->counters.connections_refused++;
	net_quiet_log(net, &net->refusals, "connections are refused: %s", why);
}

static void accepted(struct listener *l, int fd, const struct net_addr *from)
{
	struct net *net = l->base.net;
	struct net_peer *peer = peer_get(net, from);

	const char *why = peer->n >= net->max_per_peer ? "too many from one address"
			  : peer->n_new >= net->max_new_per_peer
				  ? "too many from one address that said "
				    "nothing valid yet"
			  : net->n_incoming >= net->max_incoming ? "too many"
								 : NULL;

	if (why) {
		refuse(net, fd, why);
		peer_put(net, peer);
		return;
	}
	peer->n++;
	peer->n_new++;
	net->n_incoming++;
	net_conn_accepted(&l->base, peer, fd, from);
}

static void on_connection(evutil_socket_t fd, short what, void *ctx)
{
	struct listener *l = ctx;
	struct net *net = l->base.net;

	(void)what;
	loop_enter(net->loop);
	for (unsigned i = 0; i < ACCEPTS; i++) {
		struct net_addr from = { .len = sizeof(from.v6) };
		int c = accept4(fd, &from.sa, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (c >= 0) {
			accepted(l, c, &from);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			   errno == ENOMEM) {
			net_quiet_log(net, &net->starving, "cannot accept: %s", strerror(errno));
			(void)event_del(l->base.readable);
			timer_arm(&net->loop->timers, &l->resume, USEC_PER_SEC);
			break;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			break;
		}
	}
}

static void resume(struct timer *t)
{
	struct listener *l = container_of(t, struct listener, resume);

	(void)event_add(l->base.readable, NULL);
}

static void listener_close(struct net_socket *s)
{
	struct listener *l = listener_of(s);

	timer_cancel(&s->net->loop->timers, &l->resume);
	net_socket_close(s);
	free(l);
}

int net_listen(struct net *net, const struct net_socket *as)
{
	struct listener *l = mem_new(struct listener);
	int r;

	l->base = *as;
	l->base.close = listener_close;
	l->resume.fire = resume;
	r = net_socket_open(&l->base, net, SOCK_STREAM);
	if (r < 0) {
		free(l);
		return r;
	}
	if (listen(l->base.fd, BACKLOG) < 0) {
		r = -errno;
		log_line(net->log, LOG_LEVEL_ERROR, "cannot listen: %s", strerror(-r));
		listener_close(&l->base);
		return r;
	}
	list_append(&net->sockets, &l->base.node);
	l->base.readable =
		event_new(net->loop->base, l->base.fd, EV_READ | EV_PERSIST, on_connection, l);
	(void)event_add(l->base.readable, NULL);
	return 0;
}
