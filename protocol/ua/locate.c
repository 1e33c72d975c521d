/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/uri.h"
#include "protocol/ua/health.h"
#include "protocol/ua/locate-private.h"

/* Look-ups for services without any answer; after them no name is asked for any more. */
enum { MAX_SILENT = 2 };

static struct locate_step *step_of(struct list *node)
{
	return list_entry(node, struct locate_step, node);
}

struct locate_step *locate_add(
	struct locate *l, struct list *at, enum locate_kind kind, struct slice name)
{
	struct locate_step *s;

	if (l->n_steps >= LIMITS_LOCATE_STEPS || name.n == 0 || name.n >= sizeof(s->name))
		return NULL;
	s = mem_new(struct locate_step);
	s->kind = kind;
	memcpy(s->name, name.p, name.n);
	list_insert_before(at, &s->node);
	l->n_steps++;
	return s;
}

static void drop(struct locate *l, struct locate_step *s)
{
	list_remove(&s->node);
	l->n_steps--;
	free(s);
}

static void drop_all(struct locate *l, struct list *steps)
{
	struct list *node;

	while ((node = list_first(steps)))
		drop(l, step_of(node));
}

void locate_cancel(struct locate *l)
{
	if (!l->ua)
		return;
	ua_query_cancel(l->ua, &l->query);
	drop_all(l, &l->steps);
	drop_all(l, &l->given);
}

/* A name that does not exist says less than a name server that could not tell. */
void locate_note_error(struct locate *l, int error)
{
	if (error && (l->error == 0 || l->error == -ENOENT))
		l->error = error;
}

/* ---- the plan to begin with, sections 4.1 and 4.2 ---- */

static void plan(struct locate *l, const struct locate_target *t)
{
	bool numeric = uri_host_is_numeric(t->host);
	struct locate_step *s;

	if (numeric || t->port) {
		s = locate_add(l, &l->steps, numeric ? LOCATE_ADDRESS : LOCATE_HOST, t->host);
		s->transport = t->transport;
		s->port = t->port;
		return;
	}
	s = locate_add(l, &l->steps, LOCATE_DEFAULT, t->host);
	s->transport = t->transport;
	if (t->transport)
		locate_add_service(l, &s->node, t->transport, t->host);
	else
		(void)locate_add(l, &s->node, LOCATE_NAPTR, t->host);
}

static void on_resolved(struct ua_query *q, const struct dns_answer *a);

int locate_start(struct locate *l, struct ua *ua, const struct locate_target *t)
{
	/* A name's last dot says that it is complete, which it is. */
	struct locate_target to = *t;

	locate_cancel(l);
	l->ua = ua;
	l->query.resolved = on_resolved;
	l->query.secret = NULL;
	list_init(&l->steps);
	list_init(&l->given);
	l->n_queries = l->n_naptr = l->n_silent = 0;
	l->has_srv = false;
	l->error = 0;
	if (to.host.n > 1 && to.host.p[to.host.n - 1] == '.')
		to.host.n--;
	if (to.host.n == 0 || to.host.n >= DNS_NAME_BYTES)
		return -EINVAL;
	l->sips = t->sips;
	plan(l, &to);
	return 0;
}

/* ---- one step after the other ---- */

static void ask(struct locate *l, struct locate_step *s)
{
	enum dns_kind kind = DNS_ADDRESSES;

	if (s->kind == LOCATE_NAPTR)
		kind = DNS_NAPTR;
	else if (s->kind == LOCATE_SRV)
		kind = DNS_SRV;
	l->n_queries++;
	ua_resolve(l->ua, &l->query, kind, s->name);
}

static void on_resolved(struct ua_query *q, const struct dns_answer *a)
{
	struct locate *l = container_of(q, struct locate, query);
	struct locate_step *s = step_of(list_first(&l->steps));

	locate_note_error(l, a->error);
	/* Silence on questions about services: the server swallows one kind, or is not there. */
	if (s->kind == LOCATE_NAPTR || s->kind == LOCATE_SRV)
		l->n_silent = a->error == -ETIMEDOUT ? l->n_silent + 1 : 0;
	locate_expand(l, s, s->node.next, a);
	drop(l, s);
	l->ready(l);
}

/* 4.1 and 19.1.2: what nobody has said by now. */
static struct locate_hop hop_of(const struct locate *l, const struct locate_step *s)
{
	struct locate_hop h = { .transport = s->transport };

	if (h.transport == TRANSPORT_NONE)
		h.transport = l->sips ? TRANSPORT_TLS : TRANSPORT_UDP;
	h.addr.port = s->port ? s->port : transport_default_port(h.transport);
	memcpy(h.addr.host, s->name, strnlen(s->name, sizeof(h.addr.host) - 1));
	return h;
}

static bool hop_equal(const struct locate_hop *a, const struct locate_hop *b)
{
	return a->transport == b->transport && flow_addr_equal(&a->addr, &b->addr);
}

static bool was_given(const struct locate *l, const struct locate_hop *hop)
{
	list_for_each (node, &l->given) {
		struct locate_hop before = hop_of(l, step_of(node));

		if (hop_equal(&before, hop))
			return true;
	}
	return false;
}

/* True: it is the one to try now. */
static bool take_address(struct locate *l, struct locate_step *s, struct locate_hop *ret_hop)
{
	struct locate_hop hop = hop_of(l, s);

	if (was_given(l, &hop)) {
		drop(l, s);
		return false;
	}
	list_remove(&s->node);
	if (!s->passed_over && !health_may_try(l->ua, hop.transport, &hop.addr)) {
		s->passed_over = true;
		list_append(&l->steps, &s->node);
		return false;
	}
	list_append(&l->given, &s->node);
	*ret_hop = hop;
	return true;
}

int locate_next(struct locate *l, struct locate_hop *ret_hop)
{
	struct list *node;

	while ((node = list_first(&l->steps))) {
		struct locate_step *s = step_of(node);

		if (s->kind == LOCATE_ADDRESS) {
			if (take_address(l, s, ret_hop))
				return 1;
		} else if ((s->kind == LOCATE_DEFAULT && l->has_srv) || l->n_silent >= MAX_SILENT) {
			drop(l, s);
		} else if (l->n_queries >= LIMITS_LOCATE_QUERIES) {
			locate_note_error(l, -ENOSPC);
			drop(l, s);
		} else {
			ask(l, s);
			return 0;
		}
	}
	return l->error ? l->error : -ENOENT;
}

/* ---- for a race ---- */

static bool is_ipv6(const char *host)
{
	return strchr(host, ':') != NULL;
}

bool locate_take_rival(struct locate *l, const struct locate_hop *hop, struct locate_hop *ret_hop)
{
	list_for_each (node, &l->steps) {
		struct locate_step *s = step_of(node);
		struct locate_hop h = hop_of(l, s);

		/* Only what belongs to the same target: those that follow at once. */
		if (s->kind != LOCATE_ADDRESS || s->passed_over || h.transport != hop->transport)
			return false;
		if (is_ipv6(h.addr.host) == is_ipv6(hop->addr.host) || was_given(l, &h) ||
			health_is_bad(l->ua, h.transport, &h.addr))
			continue;
		list_remove(&s->node);
		list_append(&l->given, &s->node);
		*ret_hop = h;
		return true;
	}
	return false;
}

void locate_give_back(struct locate *l, const struct locate_hop *hop)
{
	list_for_each (node, &l->given) {
		struct locate_step *s = step_of(node);
		struct locate_hop h = hop_of(l, s);

		if (!hop_equal(&h, hop))
			continue;
		list_remove(&s->node);
		list_prepend(&l->steps, &s->node);
		return;
	}
}

const char *locate_error_text(int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return "name server did not answer";
	case -ECONNREFUSED:
		return "name server failed";
	case -EOPNOTSUPP:
		return "the domain does not offer that service";
	case -ENOSPC:
		return "too many names to look up";
	case -EINVAL:
		return "not a host name";
	}
	return "host name has no address";
}
