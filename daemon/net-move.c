/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/loop.h"
#include "daemon/net-conn.h"
#include "protocol/base/buf.h"

/* What becomes of flows when the machine moves or slept. */

/* The address that was asked about last, as many flows in a row have the same. */
struct survey {
	struct net_addr local;
	bool is_ours;
};

static bool is_gone(struct survey *s, const struct net_addr *local)
{
	if (!local->len || net_addr_is_any(local))
		return false;
	if (!s->local.len || !net_addr_same_host(&s->local, local)) {
		s->local = *local;
		s->is_ours = net_addr_is_ours(local);
	}
	return !s->is_ours;
}

/*
 * For UDP, where it costs nothing to leave from elsewhere: what the endpoint registers with is
 * where packets come from. Connections stay with the address that they have, and what others began
 * with where they found us.
 */
static bool has_better_way(const struct net_flow *f, struct net_addr *ret_source)
{
	if (f->flow.transport != TRANSPORT_UDP ||
		(list_is_empty(&f->flow.endpoints) && list_is_empty(&f->flow.registrations)))
		return false;
	return net_addr_source(&f->peer, ret_source) == 0 &&
	       !net_addr_same_host(ret_source, &f->local);
}

static void end(struct net_flow *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void end(struct net_flow *f, const char *fmt, ...)
{
	struct buf why = BUF_NULL;
	char *text;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&why, fmt, ap);
	va_end(ap);
	text = buf_take(&why);
	flow_close(&f->flow, text);
	free(text);
}

static void survey(struct survey *s, struct net_flow *f)
{
	struct net_addr source;
	struct flow_addr text;

	if (is_gone(s, &f->local)) {
		end(f, "the address %s is gone", f->flow.local.host);
	} else if (has_better_way(f, &source)) {
		net_addr_show(&source, &text);
		end(f, "the way to %s begins at %s now", f->flow.peer.host, text.host);
	}
}

void net_moved(struct net *net)
{
	struct survey s = { .is_ours = true };

	/* Those that end leave the list, and nobody else comes or goes meanwhile. */
	list_for_each_safe (node, next, &net->alive)
		survey(&s, list_entry(node, struct net_flow, alive));
	net_flow_work(&net->work);
}

void net_resumed(struct net *net)
{
	list_for_each (node, &net->connections)
		net_conn_probe(list_entry(node, struct net_conn, node));
}
