/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/uri.h"
#include "protocol/ua/locate-private.h"

/* What answers mean: RFC 3263 sections 4.1 and 4.2, RFC 3403 section 4.1, RFC 2782. */

/* ---- NAPTR ---- */

/* "SIP+D2U" and so on; NONE: a service that is not ours. */
static enum transport transport_of_service(const struct locate *l, struct slice service)
{
	if (slice_eq_ci(service, SLICE("SIPS+D2T")))
		return TRANSPORT_TLS;
	/* 4.1: a sips URI discards what is not SIPS. */
	if (l->sips)
		return TRANSPORT_NONE;
	if (slice_eq_ci(service, SLICE("SIP+D2T")))
		return TRANSPORT_TCP;
	if (slice_eq_ci(service, SLICE("SIP+D2U")))
		return TRANSPORT_UDP;
	return TRANSPORT_NONE;
}

/* RFC 3403: "s" leads to SRV, nothing at all to more NAPTR; 3263 knows no regular expressions. */
static bool is_usable(const struct locate *l, const struct dns_naptr *r)
{
	struct slice flags = slice_str(r->flags), service = slice_str(r->services);

	if (r->has_regexp || r->replacement[0] == '\0')
		return false;
	if (flags.n == 0 && service.n == 0)
		return true;
	if (flags.n && !slice_eq_ci(flags, SLICE("s")))
		return false;
	return transport_of_service(l, service) != TRANSPORT_NONE;
}

static bool naptr_before(const struct dns_naptr *a, const struct dns_naptr *b)
{
	return a->order != b->order ? a->order < b->order : a->preference < b->preference;
}

/* The default of section 4.2 goes by the transport that was selected first. */
static void select_transport(struct locate *l, enum transport transport)
{
	list_for_each (node, &l->steps) {
		struct locate_step *s = list_entry(node, struct locate_step, node);

		if (s->kind == LOCATE_DEFAULT && s->transport == TRANSPORT_NONE)
			s->transport = transport;
	}
}

static void add_naptr(struct locate *l, struct list *at, const struct dns_naptr *r)
{
	struct slice name = slice_str(r->replacement);
	struct locate_step *s;

	if (r->flags[0] == '\0') {
		(void)locate_add(l, at, LOCATE_NAPTR, name);
		return;
	}
	s = locate_add(l, at, LOCATE_SRV, name);
	if (!s)
		return;
	s->transport = transport_of_service(l, slice_str(r->services));
	select_transport(l, s->transport);
}

/*
 * RFC 3403 4.1: once an order matched, no other is looked at; within it the preference decides who
 * comes first. Returns how many there were.
 */
static size_t add_services(struct locate *l, struct list *at, const struct dns_answer *a)
{
	const struct dns_naptr *sorted[DNS_MAX_RECORDS];
	size_t n = 0;

	for (size_t i = 0; i < a->n && i < DNS_MAX_RECORDS; i++) {
		size_t to = n;

		if (!is_usable(l, &a->naptr[i]))
			continue;
		for (; to > 0 && naptr_before(&a->naptr[i], sorted[to - 1]); to--)
			sorted[to] = sorted[to - 1];
		sorted[to] = &a->naptr[i];
		n++;
	}
	for (size_t i = 0; i < n && sorted[i]->order == sorted[0]->order; i++)
		add_naptr(l, at, sorted[i]);
	return n;
}

void locate_add_service(
	struct locate *l, struct list *at, enum transport transport, struct slice host)
{
	static const char *const prefixes[] = {
		[TRANSPORT_NONE] = "",
		[TRANSPORT_UDP] = "_sip._udp.",
		[TRANSPORT_TCP] = "_sip._tcp.",
		[TRANSPORT_TLS] = "_sips._tcp.",
	};
	struct buf name = BUF_NULL;
	struct locate_step *s;

	buf_str(&name, prefixes[transport]);
	buf_put(&name, host);
	s = locate_add(l, at, LOCATE_SRV, buf_slice(&name));
	if (s)
		s->transport = transport;
	buf_deinit(&name);
}

static void expand_naptr(struct locate *l, const struct locate_step *step, struct list *at,
	const struct dns_answer *a)
{
	struct slice host = slice_str(step->name);
	bool first = l->n_naptr++ == 0;

	/* A chain, or a circle, ends here. */
	if (l->n_naptr <= LIMITS_LOCATE_NAPTR && add_services(l, at, a))
		return;
	if (!first)
		return;
	/* 4.1: none found, then SRV for each transport that we speak, the safest first. */
	locate_add_service(l, at, TRANSPORT_TLS, host);
	if (l->sips)
		return;
	locate_add_service(l, at, TRANSPORT_TCP, host);
	locate_add_service(l, at, TRANSPORT_UDP, host);
}

/* ---- SRV ---- */

static void sort_by_priority(const struct dns_srv **srv, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const struct dns_srv *r = srv[i];
		size_t to = i;

		/* RFC 2782: those of weight 0 stand first among equals, and are rarely drawn. */
		for (; to > 0 && (srv[to - 1]->priority > r->priority ||
					 (srv[to - 1]->priority == r->priority &&
						 srv[to - 1]->weight > 0 && r->weight == 0));
			to--)
			srv[to] = srv[to - 1];
		srv[to] = r;
	}
}

/* RFC 2782, "Usage rules": one of the n of the same priority is drawn by weight. */
static size_t draw(struct locate *l, const struct dns_srv *const *srv, size_t n)
{
	uint64_t sum = 0, at;

	for (size_t i = 0; i < n; i++)
		sum += srv[i]->weight;
	at = n > 1 ? ua_random_below(l->ua, sum + 1) : 0;
	sum = 0;
	for (size_t i = 0; i + 1 < n; i++) {
		sum += srv[i]->weight;
		if (sum >= at)
			return i;
	}
	return n - 1;
}

static void add_target(
	struct locate *l, const struct locate_step *step, struct list *at, const struct dns_srv *r)
{
	struct slice name = slice_str(r->target);
	/* RFC 2782 wants a name; an address says what is meant as well. */
	bool numeric = uri_host_is_numeric(name);
	struct locate_step *s;

	s = locate_add(l, at, numeric ? LOCATE_ADDRESS : LOCATE_HOST, name);
	if (!s)
		return;
	s->transport = step->transport;
	s->port = r->port;
}

static void expand_srv(struct locate *l, const struct locate_step *step, struct list *at,
	const struct dns_answer *a)
{
	const struct dns_srv *srv[DNS_MAX_RECORDS];
	size_t n = 0;

	for (size_t i = 0; i < a->n && i < DNS_MAX_RECORDS; i++)
		if (a->srv[i].target[0] && a->srv[i].port)
			srv[n++] = &a->srv[i];
	if (a->n == 0)
		return;
	l->has_srv = true;
	/* RFC 2782: the target "." says that the service is decidedly not there. */
	if (n == 0)
		locate_note_error(l, -EOPNOTSUPP);
	sort_by_priority(srv, n);
	for (size_t from = 0; from < n; from++) {
		size_t equal = from + 1, chosen;
		const struct dns_srv *r;

		while (equal < n && srv[equal]->priority == srv[from]->priority)
			equal++;
		chosen = from + draw(l, &srv[from], equal - from);
		r = srv[chosen];
		memmove(&srv[from + 1], &srv[from], (chosen - from) * sizeof(struct dns_srv *));
		add_target(l, step, at, r);
	}
}

/* ---- A and AAAA ---- */

static void expand_host(struct locate *l, const struct locate_step *step, struct list *at,
	const struct dns_answer *a)
{
	for (size_t i = 0; i < a->n && i < LIMITS_ADDRESSES; i++) {
		struct locate_step *s =
			locate_add(l, at, LOCATE_ADDRESS, slice_str(a->addrs[i].host));

		if (!s)
			continue;
		s->transport = step->transport;
		s->port = step->port;
	}
}

void locate_expand(struct locate *l, const struct locate_step *step, struct list *at,
	const struct dns_answer *a)
{
	const struct dns_answer none = { .error = a->error };

	if (a->error)
		a = &none;
	switch (step->kind) {
	case LOCATE_NAPTR:
		expand_naptr(l, step, at, a);
		break;
	case LOCATE_SRV:
		expand_srv(l, step, at, a);
		break;
	case LOCATE_HOST:
	case LOCATE_DEFAULT:
		expand_host(l, step, at, a);
		break;
	case LOCATE_ADDRESS:
		break;
	}
}
