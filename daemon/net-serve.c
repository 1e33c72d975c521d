/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net-serve.h"

#include <string.h>

#include "conf/daemon-conf.h"
#include "daemon/net-socket.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/host.h"

enum {
	MAX_SOCKETS = 4, /* two families, datagrams and connections */
	PORTS = 16,      /* tried until datagrams and connections have the same one */
};

/* One socket and one of those whom it serves. */
struct use {
	struct list node; /* in socket->uses */
	struct net_socket *socket;
	const struct host_listener *by;
};

struct host_listener {
	struct net *net;
	char *pool;
	struct use uses[MAX_SOCKETS];
	size_t n;
};

/* What is to be opened, with what a [Listen] section says where nobody wrote one. */
struct want {
	struct host_listener *l;
	struct daemon_listen listen;
	struct net_addr at;
	bool may_lack; /* the other family is enough */
};

bool net_serve_is_for(const struct net_socket *s, const char *pool)
{
	list_for_each (node, &s->uses)
		if (pool && strcmp(list_entry(node, struct use, node)->by->pool, pool) == 0)
			return true;
	return false;
}

static void take(struct host_listener *l, struct net_socket *s)
{
	struct use *u = &l->uses[l->n++];

	u->socket = s;
	u->by = l;
	list_append(&s->uses, &u->node);
}

/* One that listens there already, for whomever. Port 0: any will do. */
static struct net_socket *find(const struct want *w)
{
	list_for_each (node, &w->l->net->sockets) {
		struct net_socket *s = list_entry(node, struct net_socket, node);

		if (!s->on_demand && s->transport == w->listen.transport &&
			s->bound.sa.sa_family == w->at.sa.sa_family &&
			(net_addr_is_any(&s->bound) || net_addr_same_host(&s->bound, &w->at)) &&
			(!net_addr_port(&w->at) ||
				net_addr_port(&s->bound) == net_addr_port(&w->at)))
			return s;
	}
	return NULL;
}

static int open_one(const struct want *w)
{
	struct net *net = w->l->net;
	struct net_socket as = { .transport = w->listen.transport, .asked = w->at, .fd = -1 };
	int r = net_socket_configure(&as, net, &w->listen);

	if (r < 0) {
		log_line(net->log, LOG_LEVEL_ERROR, "cannot listen for %s: no usable [Tls] files",
			w->l->pool);
		return -EIO;
	}
	r = as.transport == TRANSPORT_UDP ? net_udp_listen(net, &as) : net_listen(net, &as);
	if (r == 0)
		take(w->l, list_entry(net->sockets.prev, struct net_socket, node));
	return r;
}

/* A family that this machine lacks is none that anybody calls by. */
static bool is_lack(int r)
{
	return r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL;
}

/* The wish for one transport, in the families that w->at stands for. */
static int serve_at(struct want *w, enum transport transport, uint16_t port)
{
	const struct net_addr families[] = { w->at, net_addr_any(AF_INET6, 0) };
	size_t n = net_addr_is_any(&w->at) && w->at.sa.sa_family == AF_INET ? 2 : 1, got = 0;
	struct want one = *w;
	int r = 0;

	one.listen.transport = transport;
	for (size_t i = 0; i < n && r == 0; i++) {
		struct net_socket *s;

		one.at = families[i];
		net_addr_set_port(&one.at, port);
		s = find(&one);
		if (s)
			take(w->l, s);
		else
			r = open_one(&one);
		if (r == 0)
			got++;
		else if (is_lack(r) && n == 2)
			r = 0;
		/* Both families at one port. */
		if (got && !port)
			port = net_addr_port(&w->l->uses[w->l->n - 1].socket->bound);
	}
	return r < 0 ? r : got ? 0 : -EADDRNOTAVAIL;
}

static void drop(struct host_listener *l)
{
	while (l->n) {
		struct net_socket *s = l->uses[--l->n].socket;

		list_remove(&l->uses[l->n].node);
		if (list_is_empty(&s->uses) && !s->listed)
			s->close(s);
	}
}

/* Datagrams, and connections at the same port for what is too large for one (RFC 3261 18.1.1). */
static int serve_port(struct want *w, uint16_t port)
{
	bool both = w->listen.transport == TRANSPORT_UDP;
	int r = serve_at(w, w->listen.transport, port);

	if (r == 0 && both)
		r = serve_at(w, TRANSPORT_TCP, net_addr_port(&w->l->uses[0].socket->bound));
	if (r < 0)
		drop(w->l);
	return r;
}

static bool has_any_listed(const struct want *w)
{
	return find(w) != NULL;
}

/* What is there, the transport's own port, any: in this order where the URI says none. */
static int serve_somewhere(struct want *w)
{
	uint16_t own = transport_default_port(w->listen.transport);
	int r = -EADDRINUSE;

	if (has_any_listed(w))
		r = serve_port(w, 0);
	if (r < 0)
		r = serve_port(w, own);
	for (unsigned i = 0; r == -EADDRINUSE && i < PORTS; i++)
		r = serve_port(w, 0);
	return r;
}

static int serve(struct want *w, uint16_t port)
{
	int r = port ? serve_port(w, port) : serve_somewhere(w);

	/* An address that a gateway has in our place. */
	if (r == -EADDRNOTAVAIL && !net_addr_is_any(&w->at)) {
		w->at = net_addr_any(w->at.sa.sa_family, 0);
		r = port ? serve_port(w, port) : serve_somewhere(w);
	}
	return r == 0 || r == -EADDRINUSE ? r : -EIO;
}

static struct net_addr address_of(struct slice host)
{
	struct flow_addr text = { .port = 0 };
	struct net_addr at;

	if (host.n && host.n < sizeof(text.host)) {
		memcpy(text.host, host.p, host.n);
		if (net_addr_parse(&text, &at))
			return at;
	}
	return net_addr_any(AF_INET, 0);
}

int net_serve(struct net *net, const struct host_listen *where, struct flow_addr *ret_at,
	struct host_listener **ret_listener)
{
	struct host_listener *l = mem_new(struct host_listener);
	struct want w = { .l = l, .at = address_of(where->host) };
	int r;

	l->net = net;
	l->pool = mem_strdup(where->pool);
	w.listen.transport = where->transport;
	w.listen.idle_timeout = where->profile->idle_timeout;
	w.listen.first_message_timeout = NET_FIRST_TIMEOUT;
	r = serve(&w, where->port);
	if (r < 0) {
		free(l->pool);
		free(l);
		return r;
	}
	net_addr_show(&l->uses[0].socket->bound, ret_at);
	*ret_listener = l;
	return 0;
}

void net_serve_end(struct host_listener *l)
{
	drop(l);
	free(l->pool);
	free(l);
}
