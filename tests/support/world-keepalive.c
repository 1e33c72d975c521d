/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/world-keepalive.h"

#include "protocol/msg/stun.h"
#include "tests/support/world-private.h"

struct world_pings *world_pings(struct world *w)
{
	return &w->pings;
}

static struct slice bytes_of(const struct world_packet *p)
{
	return slice_of(p->bytes, p->n);
}

bool world_keepalive_is(const struct world_packet *p)
{
	return transport_is_reliable(p->transport) ? p->n && p->bytes[0] == '\r'
						   : stun_is(bytes_of(p));
}

static void send_back(struct world *w, const struct world_packet *p, struct slice bytes)
{
	struct world_packet back = {
		.w = w,
		.transport = p->transport,
		.from = p->to,
		.to = p->from,
		.n = bytes.n,
		.bytes = (char *)(uintptr_t)bytes.p,
	};

	world_net_send(w, &back);
}

static void answer_stun(struct world *w, const struct world_packet *p)
{
	const struct world_pings *pings = &w->pings;
	struct slice host = slice_str(pings->mapped ? pings->mapped : p->from.host);
	struct buf b = BUF_NULL;
	struct stun_addr from;
	struct stun s;

	if (stun_parse(bytes_of(p), &s) < 0 || s.kind != STUN_REQUEST ||
		!stun_addr_parse(host, p->from.port, &from))
		return;
	if (pings->refused)
		s.unknown[s.n_unknown++] = 0x7f;
	stun_append_answer(&b, &s, &from);
	send_back(w, p, buf_slice(&b));
	buf_deinit(&b);
}

void world_keepalive_take(struct world *w, const struct world_packet *p)
{
	w->pings.n++;
	w->pings.last = world_now(w);
	if (!w->pings.answered)
		return;
	if (transport_is_reliable(p->transport))
		send_back(w, p, SLICE("\r\n"));
	else
		answer_stun(w, p);
}

void world_keepalive_deliver(struct world_ua *wu, struct flow *f, const struct world_packet *p)
{
	if (!flow_is_reliable(f))
		ua_stun(wu->ua, f, bytes_of(p));
	else if (p->n == 2)
		ua_pong(wu->ua, f);
	else /* the host answers a ping by itself */
		flow_send(f, SLICE("\r\n"));
}
