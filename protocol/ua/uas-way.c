/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/uas-way.h"

#include "protocol/base/mem.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/locate.h"

struct uas_way {
	struct flow face; /* what the transaction has */
	struct ua *ua;
	struct list node;  /* in ua->ways */
	struct flow *flow; /* the current try; NULL: none */
	struct flow_link link;
	struct flow_addr source;
	struct locate locate;
	char *host; /* of sent-by */
	uint16_t port;
	struct buf waiting; /* the last message, until it can go */
	struct timer end;
	bool located, orphan;
};

static struct uas_way *of_face(struct flow *f)
{
	return container_of(f, struct uas_way, face);
}

static void let_go(struct uas_way *w)
{
	struct flow *f = mem_take(&w->flow);

	list_remove(&w->link.node);
	flow_unref(f);
}

static void destroy(struct uas_way *w)
{
	let_go(w);
	locate_cancel(&w->locate);
	timer_cancel(&w->ua->timers, &w->end);
	list_remove(&w->node);
	w->ua->n_ways--;
	buf_deinit(&w->waiting);
	free(w->host);
	free(w);
}

static void on_end(struct timer *t)
{
	destroy(container_of(t, struct uas_way, end));
}

/* Nothing is waiting any more: without a transaction nobody needs it. */
static void settle(struct uas_way *w)
{
	buf_reset(&w->waiting);
	if (w->orphan)
		timer_arm(&w->ua->timers, &w->end, 0);
}

static void pass_on(struct uas_way *w)
{
	if (w->flow->state != FLOW_UP)
		return;
	if (w->waiting.n)
		flow_send(w->flow, buf_slice(&w->waiting));
	settle(w);
}

static void connect_to(struct uas_way *w, const struct flow_addr *addr, const char *domain)
{
	const struct host *host = w->ua->host;
	struct host_target target = {
		.transport = w->face.transport, .addr = *addr, .domain = domain
	};

	w->flow = flow_ref(host->ops->open(host->ctx, &target));
	list_append(&w->flow->links, &w->link.node);
	pass_on(w);
}

/* RFC 3263 section 5: numeric, or addresses of the name, of what SRV says where there is no port.
 */
static void connect_next(struct uas_way *w)
{
	struct locate_target to = {
		.transport = w->face.transport, .host = slice_str(w->host), .port = w->port
	};
	struct locate_hop hop;
	int got = 1;

	if (!w->located && locate_start(&w->locate, w->ua, &to) < 0)
		got = -1;
	w->located = true;
	while (got == 1) {
		got = locate_next(&w->locate, &hop);
		if (got != 1 || flow_addr_equal(&hop.addr, &w->source))
			continue;
		connect_to(w, &hop.addr, w->host);
		return;
	}
	if (got == 0)
		return;
	w->face.state = FLOW_DOWN;
	settle(w);
}

static void on_ready(struct locate *l)
{
	connect_next(container_of(l, struct uas_way, locate));
}

static void on_changed(struct flow_link *l)
{
	struct uas_way *w = container_of(l, struct uas_way, link);

	if (list_is_linked(&l->node)) {
		pass_on(w);
		return;
	}
	let_go(w);
	if (w->waiting.n)
		connect_next(w);
	else
		w->face.state = FLOW_DOWN; /* The next message looks for a way anew. */
}

static void on_send(struct flow *f, struct slice bytes)
{
	struct uas_way *w = of_face(f);

	buf_reset(&w->waiting);
	buf_put(&w->waiting, bytes);
	if (w->flow)
		pass_on(w);
}

static void on_unused(struct flow *f)
{
	struct uas_way *w = of_face(f);

	/* Over streams a transaction is over with its last response (17.2.1, 17.2.2). */
	w->orphan = true;
	if (!w->waiting.n)
		timer_arm(&w->ua->timers, &w->end, 0);
}

static const struct flow_ops face_ops = { .send = on_send, .unused = on_unused };

struct flow *uas_way_new(struct ua *ua, const struct msg *request, const struct flow *down)
{
	struct slice host = request->via.host;
	struct uas_way *w;

	if (ua->n_ways == LIMITS_REPLY_WAYS)
		return NULL;
	if (host.n > 2 && host.p[0] == '[')
		host = slice_of(host.p + 1, host.n - 2);
	w = mem_new(struct uas_way);
	flow_init(&w->face, &face_ops, down->transport);
	w->face.state = FLOW_UP; /* It takes what is to be sent. */
	w->face.local = down->local;
	w->face.peer = w->source = down->peer;
	w->ua = ua;
	w->host = slice_dup(host);
	w->port = request->via.port;
	w->link.changed = on_changed;
	w->locate.ready = on_ready;
	w->end.fire = on_end;
	list_append(&ua->ways, &w->node);
	ua->n_ways++;
	w->source.port = w->port ? w->port : transport_default_port(down->transport);
	connect_to(w, &w->source, NULL);
	return flow_ref(&w->face);
}

void uas_way_clear(struct ua *ua)
{
	struct list *node;

	while ((node = list_first(&ua->ways)))
		destroy(list_entry(node, struct uas_way, node));
}
