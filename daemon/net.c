/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net.h"

#include <stdio.h>
#include <sys/resource.h>

#include "conf/daemon-conf.h"
#include "daemon/loop.h"
#include "daemon/net-socket.h"
#include "daemon/random.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/host.h"

/* As many connections as descriptors allow, the hard limit taken for the soft one. */
static size_t max_incoming(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return NET_RESERVED_FDS;
	if (l.rlim_cur < l.rlim_max) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
		(void)getrlimit(RLIMIT_NOFILE, &l);
	}
	if (l.rlim_cur >= NET_MAX_CONNECTIONS + NET_RESERVED_FDS)
		return NET_MAX_CONNECTIONS;
	return l.rlim_cur > 2 * NET_RESERVED_FDS ? (size_t)l.rlim_cur - NET_RESERVED_FDS
						 : (size_t)l.rlim_cur / 2;
}

struct net *net_new(struct loop *loop, const struct log_sink *log, const char *state_folder)
{
	struct net *net = mem_new(struct net);
	uint64_t seed[3];

	random_fill(seed, sizeof(seed));
	net->loop = loop;
	net->log = log;
	net->max_message = MSG_MAX_BYTES;
	net->max_incoming = max_incoming();
	net->max_per_peer = NET_MAX_PER_PEER;
	net->max_new_per_peer = NET_MAX_NEW_PER_PEER;
	net->work.fire = net_flow_work;
	net->sweep.fire = net_flow_sweep;
	map_init(&net->flows, seed[0]);
	map_init(&net->peers, seed[1]);
	map_init(&net->targets, seed[2]);
	net_identities_init(&net->identities, state_folder, log);
	list_init(&net->sockets);
	list_init(&net->connections);
	list_init(&net->alive);
	list_init(&net->failed);
	list_init(&net->dead);
	list_init(&net->idle_flows);
	return net;
}

void net_free(struct net *net)
{
	struct list *node;
	struct map_node *flow;

	if (!net)
		return;
	net_flow_work(&net->work);
	net_conn_deinit(net);
	while ((flow = map_any(&net->flows))) {
		struct net_flow *f = container_of(flow, struct net_flow, by_peer);

		f->destroy(f);
	}
	while ((node = list_first(&net->sockets))) {
		struct net_socket *s = list_entry(node, struct net_socket, node);

		s->close(s);
	}
	net_flow_work(&net->work);
	net_udp_deinit(net);
	timer_cancel(&net->loop->timers, &net->work);
	timer_cancel(&net->loop->timers, &net->sweep);
	net_identities_deinit(&net->identities);
	map_deinit(&net->flows);
	map_deinit(&net->peers);
	map_deinit(&net->targets);
	free(net);
}

/* ---- what the configuration lists ---- */

/* One socket that ought to be. */
struct wish {
	const struct daemon_listen *listen;
	struct net_addr at;
	struct net_socket *have;
	bool may_lack; /* the IPv6 half of "everywhere": a machine without it is fine */
};

static struct net_socket *find_unclaimed(struct net *net, const struct wish *w)
{
	list_for_each (node, &net->sockets) {
		struct net_socket *s = list_entry(node, struct net_socket, node);

		if (!s->on_demand && !s->wanted && s->transport == w->listen->transport &&
			net_addr_equal(&s->asked, &w->at))
			return s;
	}
	return NULL;
}

static int open_wish(struct net *net, const struct wish *w)
{
	struct net_socket as = { .transport = w->listen->transport, .asked = w->at, .fd = -1 };
	int r = net_socket_configure(&as, net, w->listen);

	if (r < 0) {
		log_line(net->log, LOG_LEVEL_ERROR,
			"cannot listen on %s port %u: the files of [Tls] cannot be used",
			transport_name(as.transport), net_addr_port(&w->at));
		return r;
	}
	as.listed = true;
	return as.transport == TRANSPORT_UDP ? net_udp_listen(net, &as) : net_listen(net, &as);
}

/* One wish for an address, two where none is named. */
static size_t wishes_of(struct net *net, const struct daemon_listen *l, struct wish *ret)
{
	struct flow_addr text = { .port = l->port };

	if (!l->address) {
		ret[0] = (struct wish){ .listen = l, .at = net_addr_any(AF_INET, l->port) };
		ret[1] = (struct wish){
			.listen = l, .at = net_addr_any(AF_INET6, l->port), .may_lack = true
		};
		return 2;
	}
	ret[0] = (struct wish){ .listen = l };
	(void)snprintf(text.host, sizeof(text.host), "%s", l->address);
	if (net_addr_parse(&text, &ret[0].at))
		return 1;
	log_line(net->log, LOG_LEVEL_ERROR, "cannot listen on %s: not an address", l->address);
	return 0;
}

static void close_unclaimed(struct net *net)
{
	list_for_each_safe (node, next, &net->sockets) {
		struct net_socket *s = list_entry(node, struct net_socket, node);

		s->listed = s->wanted;
		s->wanted = false;
		if (!s->listed && !s->on_demand && list_is_empty(&s->uses))
			s->close(s);
	}
}

static int apply(struct net *net, struct wish *wishes, size_t n)
{
	int first = 0, r;

	for (size_t i = 0; i < n; i++) {
		struct net_socket *s = wishes[i].have = find_unclaimed(net, &wishes[i]);

		if (!s)
			continue;
		s->wanted = true;
		/* With files that are bad now it goes on as it was, as a reload does. */
		r = net_socket_configure(s, net, wishes[i].listen);
		if (r < 0 && first == 0)
			first = r;
	}
	/* Before anything is opened: the new one may want the port of the old one. */
	close_unclaimed(net);
	for (size_t i = 0; i < n; i++) {
		r = wishes[i].have ? 0 : open_wish(net, &wishes[i]);
		if (wishes[i].may_lack && (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL))
			r = 0;
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

int net_configure(struct net *net, const struct daemon_conf *c)
{
	struct wish *wishes cleanup_free = mem_alloc((2 * c->n_listens + 1) * sizeof(*wishes));
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < c->n_listens; i++) {
		size_t more = wishes_of(net, &c->listens[i], &wishes[n]);

		if (more == 0)
			r = -EINVAL;
		n += more;
	}
	net_identities_configure(&net->identities, &c->tls);
	if (c->max_per_peer)
		net->max_per_peer = c->max_per_peer;
	if (c->max_new_per_peer)
		net->max_new_per_peer = c->max_new_per_peer;
	if (c->max_message_size)
		net->max_message = c->max_message_size;
	return r < 0 ? r : apply(net, wishes, n);
}

/* ---- flows ---- */

struct flow *net_open(struct net *net, const struct host_target *target)
{
	struct net_addr to;

	if (!net_addr_parse(&target->addr, &to) || target->addr.port == 0)
		return net_flow_broken(net, target, "not an address");
	switch (target->transport) {
	case TRANSPORT_UDP:
		return net_udp_open(net, target, &to);
	case TRANSPORT_TCP:
	case TRANSPORT_TLS:
		return net_conn_open(net, target, &to);
	case TRANSPORT_NONE:
		break;
	}
	return net_flow_broken(net, target, "no transport");
}

/* ---- for the curious ---- */

size_t net_listening(const struct net *net, struct net_listening *ret, size_t max)
{
	size_t n = 0;

	list_for_each (node, &net->sockets) {
		const struct net_socket *s = list_entry(node, struct net_socket, node);

		if (s->on_demand)
			continue;
		if (n < max) {
			ret[n].transport = s->transport;
			net_addr_show_scoped(&s->bound, &ret[n].at);
		}
		n++;
	}
	return n;
}

const struct net_counters *net_counters(const struct net *net)
{
	return &net->counters;
}
