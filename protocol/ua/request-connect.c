/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/health.h"
#include "protocol/ua/registration-flows.h"
#include "protocol/ua/request-connect.h"
#include "protocol/ua/request-private.h"

/* The way to the current target: RFC 3263 section 4, one address after the other. */

static bool hop_equal(const struct locate_hop *a, const struct locate_hop *b)
{
	return a->transport == b->transport && flow_addr_equal(&a->addr, &b->addr);
}

/* ---- flows ---- */

static struct flow *open_flow(struct request *r, const struct locate_hop *hop)
{
	const struct host *host = r->ep->ua->host;
	struct host_target t = {
		.transport = hop->transport,
		.addr = hop->addr,
		.profile = r->ep->profile,
		.pool = r->ep->pool,
		.reg_id = r->ep->profile->flows > 1 ? r->way.reg_id : 0,
		.domain = r->domain,
	};

	return host->ops->open(host->ctx, &t);
}

static bool leads_there(const struct flow *f, const struct locate_hop *hop)
{
	return f && f->state != FLOW_DOWN && f->transport == hop->transport &&
	       flow_addr_equal(&f->peer, &hop->addr);
}

struct flow *request_open_flow(struct request *r, const struct locate_hop *hop)
{
	const struct dialog *d = r->way.dialog;
	const char *key;
	struct flow *f = registration_known_flow(r->ep, r->way.reg_id, &key);

	if ((r->to_server || d) && leads_there(f, hop))
		return f;
	/* A peer that does not listen has its own connection as its Contact. */
	if (d && leads_there(d->in.flow, hop))
		return d->in.flow;
	if (d && leads_there(d->out.flow, hop))
		return d->out.flow;
	f = d ? registration_flow_to(r->ep, hop->transport, &hop->addr) : NULL;
	return f ? f : open_flow(r, hop);
}

/* What TLS says begins with the failure's name ("expired: ..."), what sockets say does not. */
static bool is_of_tls(const struct locate_hop *hop, const char *reason)
{
	return hop->transport == TRANSPORT_TLS && strstr(reason, ": ");
}

void request_note_broken(struct request *r, const struct locate_hop *hop, const char *reason)
{
	struct request_end end = {
		.reason = slice_str(reason),
		.origin = ORIGIN_NETWORK,
		.error = -ECONNREFUSED,
	};

	request_note_end(r, &end);
	if (!is_of_tls(hop, reason))
		return;
	free(r->refused_tls);
	r->refused_tls = mem_strdup(reason);
}

void request_mark_bad(struct request *r, const struct locate_hop *hop, const char *reason)
{
	struct health_trouble t = {
		.transport = hop->transport,
		.addr = &hop->addr,
		.target = r->domain,
		.reason = reason,
	};

	/* A certificate that one profile does not like says nothing to the others. */
	if (!is_of_tls(hop, reason))
		health_mark(r->ep->ua, &t);
}

/* ---- two families, RFC 8305 ---- */

static struct request *of_race(struct race *race)
{
	return container_of(race, struct request, race);
}

static struct flow *race_open(struct race *race, const struct locate_hop *hop)
{
	return request_open_flow(of_race(race), hop);
}

static void race_won(struct race *race, struct flow *f, const struct locate_hop *hop,
	const struct locate_hop *spare)
{
	struct request *r = of_race(race);

	if (spare)
		locate_give_back(&r->locate, spare);
	r->hop = *hop;
	request_send(r, f);
}

static void race_fell(struct race *race, const struct locate_hop *hop, const char *reason)
{
	struct request *r = of_race(race);

	r->reached = true;
	request_note_broken(r, hop, reason);
	request_mark_bad(r, hop, reason);
}

static void race_lost(struct race *race)
{
	request_try(of_race(race), REQUEST_NEXT_ADDRESS);
}

static const struct race_ops race_ops = {
	.open = race_open,
	.won = race_won,
	.fell = race_fell,
	.lost = race_lost,
};

/* ---- one address after the other ---- */

static void send_to(struct request *r, const struct locate_hop *hop)
{
	struct locate_hop hops[2] = { *hop };
	struct flow *f = request_open_flow(r, hop);

	r->hop = *hop;
	r->upgraded = false;
	if (f->state == FLOW_OPENING && locate_take_rival(&r->locate, hop, &hops[1])) {
		r->race.ops = &race_ops;
		race_start(&r->race, r->ep->ua, f, hops);
	} else {
		request_send(r, f);
	}
}

/*
 * Whether that is to be passed over. Over the endpoint's own connection it was tried there already;
 * or another flow of the endpoint leads there, and this one had better lead elsewhere (RFC 5626
 * section 4.2.1): it is kept for when nothing else is left.
 */
static bool passes_over(struct request *r, const struct locate_hop *hop)
{
	if (hop_equal(hop, &r->failed))
		return true;
	if (r->way.reg_id == 0 || !registration_is_elsewhere(r->ep, r->way.reg_id, &hop->addr))
		return false;
	if (r->shared.transport == TRANSPORT_NONE)
		r->shared = *hop;
	return true;
}

static int next_hop(struct request *r, struct locate_hop *ret)
{
	int got = locate_next(&r->locate, ret);

	while (got == 1 && passes_over(r, ret))
		got = locate_next(&r->locate, ret);
	if (got >= 0 || r->shared.transport == TRANSPORT_NONE)
		return got;
	*ret = r->shared;
	r->shared.transport = TRANSPORT_NONE;
	return 1;
}

bool request_connect_next(struct request *r)
{
	struct locate_hop hop;
	int got = next_hop(r, &hop);

	if (got == 1)
		send_to(r, &hop);
	if (got < 0 && !r->reached) {
		struct request_end end = {
			.reason = slice_str(locate_error_text(got)),
			.origin = ORIGIN_NETWORK,
			.error = -ECONNREFUSED,
		};

		request_note_end(r, &end);
	}
	return got >= 0;
}

static void on_ready(struct locate *l)
{
	struct request *r = container_of(l, struct request, locate);

	if (!request_connect_next(r))
		request_try(r, REQUEST_NEXT_TARGET);
}

void request_connect(struct request *r, const struct request_hop *w)
{
	r->locate.ready = on_ready;
	if (locate_start(&r->locate, r->ep->ua, &w->to) < 0 || !request_connect_next(r))
		request_try(r, REQUEST_NEXT_TARGET);
}
