/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/ua.h"

#include "protocol/dialog/usage.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/health.h"
#include "protocol/ua/keepalive.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/race.h"
#include "protocol/ua/registration.h"
#include "protocol/ua/session-endpoint.h"
#include "protocol/ua/uas-way.h"
#include "protocol/ua/uas.h"

struct ua *ua_new(const struct host *host, usec_t now)
{
	struct ua *ua = mem_new(struct ua);
	uint64_t seed[6];

	ua->host = host;
	timerq_init(&ua->timers, now);
	/* Seeds from the host, so that no peer can choose names that collide in our tables. */
	ua_random(ua, seed, sizeof(seed));
	txn_table_init(&ua->txns, &ua->timers, seed[0], LIMITS_TRANSACTIONS);
	ua->txns.log = &host->log;
	map_init(&ua->endpoints_by_id, seed[1]);
	map_init(&ua->endpoints_by_token, seed[2]);
	map_init(&ua->endpoints_by_aor, seed[3]);
	map_init(&ua->queries, seed[4]);
	map_init(&ua->server_health, seed[5]);
	map_init(&ua->paces, seed[5]);
	dialog_table_init(&ua->dialogs, seed[0]);
	map_init(&ua->sessions, seed[4]);
	map_init(&ua->invites, seed[4]);
	map_init(&ua->refers, seed[4]);
	map_init(&ua->subscriptions, seed[4]);
	map_init(&ua->endpoints_by_point, seed[2]);
	map_init(&ua->endpoints_by_instance, seed[2]);
	map_init(&ua->gruus, seed[2]);
	map_init(&ua->endpoints_by_opaque, seed[2]);
	ua->max_sessions = LIMITS_SESSIONS;
	ua->max_subscribers = LIMITS_SUBSCRIBERS;
	list_init(&ua->endpoints);
	list_init(&ua->ways);
	ua->max_endpoints = LIMITS_ENDPOINTS;
	ua->txns.reroute = uas_reroute;
	ua->txns.reroute_ctx = ua;
	return ua;
}

void ua_free(struct ua *ua)
{
	struct list *node;

	if (!ua)
		return;
	ua->listener = NULL;
	later_enter(&ua->later);
	while ((node = list_first(&ua->endpoints)))
		endpoint_free(list_entry(node, struct endpoint, node));
	txn_table_deinit(&ua->txns);
	uas_way_clear(ua);
	health_clear(ua);
	later_leave(&ua->later);
	map_deinit(&ua->subscriptions);
	map_deinit(&ua->refers);
	map_deinit(&ua->invites);
	map_deinit(&ua->sessions);
	dialog_table_deinit(&ua->dialogs);
	map_deinit(&ua->paces);
	map_deinit(&ua->server_health);
	map_deinit(&ua->queries);
	map_deinit(&ua->endpoints_by_opaque);
	map_deinit(&ua->gruus);
	map_deinit(&ua->endpoints_by_instance);
	map_deinit(&ua->endpoints_by_point);
	map_deinit(&ua->endpoints_by_aor);
	map_deinit(&ua->endpoints_by_token);
	map_deinit(&ua->endpoints_by_id);
	timerq_deinit(&ua->timers);
	free(ua->packages);
	free(ua);
}

void ua_set_listener(struct ua *ua, const struct ua_listener *l, void *ctx)
{
	ua->listener = l;
	ua->listener_ctx = ctx;
}

struct ua *ua_scope_enter(struct ua *ua)
{
	later_enter(&ua->later);
	return ua;
}

void ua_scope_leave(struct ua **ua)
{
	later_leave(&(*ua)->later);
}

/* ---- inputs ---- */

void ua_advance(struct ua *ua, usec_t now)
{
	UA_SCOPE(ua);
	timerq_run(&ua->timers, now);
}

usec_t ua_deadline(const struct ua *ua)
{
	/* Verbs that may not tell at once leave their news to the next input. */
	return later_is_empty(&ua->later) ? timerq_next(&ua->timers) : ua->timers.now;
}

/* RFC 3261 18.1.2 and 8.1.3.3: a response with more than our own Via was misrouted. */
static bool response_is_ours(const struct msg *m)
{
	struct msg_list it = { 0 };
	struct slice via;
	unsigned n = 0;

	while (n < 2 && msg_list_next(m, HDR_VIA, &it, &via) == 1)
		n++;
	return n == 1;
}

/* For a 2xx. What belongs to a dialog that is no more needs no answer. */
static void receive_ack(struct ua *ua, struct msg *m)
{
	struct dialog *d = dialog_find_of_request(&ua->dialogs, m);

	if (d)
		(void)usage_dispatch_ack(d, m);
}

static void receive_request(struct ua *ua, struct flow *f, struct msg *m)
{
	struct buf via = BUF_NULL;

	uas_append_via(&via, m, f);
	msg_set_top_via(m, buf_slice(&via));
	buf_deinit(&via);
	if (m->fault.status) {
		ua->n_bad_messages++;
		log_line(&ua->host->log, LOG_LEVEL_DEBUG, "bad request from %s: %s", f->peer.host,
			m->fault.reason);
		uas_reject_stateless(ua, f, m, m->fault.status, slice_str(m->fault.reason));
		return;
	}
	switch (txn_table_receive(&ua->txns, f, m)) {
	case TXN_RECV_REQUEST:
		uas_receive(ua, f, m);
		break;
	case TXN_RECV_ACK:
		receive_ack(ua, m);
		break;
	case TXN_RECV_DONE:
	case TXN_RECV_STRAY_RESPONSE:
		break;
	}
}

/* 13.2.2.4: each 2xx to an INVITE is acknowledged, however late and from whichever fork. */
static void receive_stray(struct ua *ua, const struct msg *m)
{
	struct dialog *d;

	if (m->status < 200 || m->status > 299 || m->cseq_method != METHOD_INVITE)
		return;
	d = dialog_find_of_response(&ua->dialogs, m);
	if (!d || !usage_dispatch_stray(d, m))
		session_receive_stray(ua, m);
}

static void receive_response(struct ua *ua, struct flow *f, struct msg *m)
{
	if (m->fault.status || !response_is_ours(m)) {
		ua->n_bad_messages++;
		log_line(&ua->host->log, LOG_LEVEL_DEBUG, "response from %s dropped: %s",
			f->peer.host, m->fault.status ? m->fault.reason : "foreign Via");
		return;
	}
	/* What else matches no transaction is a late answer or noise; the table counts it. */
	if (txn_table_receive(&ua->txns, f, m) == TXN_RECV_STRAY_RESPONSE)
		receive_stray(ua, m);
}

void ua_receive(struct ua *ua, struct flow *f, struct slice bytes, enum msg_framing framing)
{
	UA_SCOPE(ua);
	struct msg *m;

	if (msg_parse(bytes, framing, &m) < 0) {
		ua->n_bad_messages++;
		return;
	}
	/* Listeners and transactions may drop the last of the others' references meanwhile. */
	flow_ref(f);
	if (m->is_request)
		receive_request(ua, f, m);
	else
		receive_response(ua, f, m);
	flow_unref(f);
	msg_unref(m);
}

void ua_pong(struct ua *ua, struct flow *f)
{
	UA_SCOPE(ua);

	keepalive_pong(f);
}

void ua_stun(struct ua *ua, struct flow *f, struct slice bytes)
{
	UA_SCOPE(ua);

	keepalive_stun(f, bytes);
}

void ua_flow_up(struct ua *ua, struct flow *f)
{
	UA_SCOPE(ua);

	list_for_each (node, &f->endpoints)
		endpoint_mark(list_entry(node, struct endpoint, by_flow), UA_CHANGE_CONTACT);
	race_flow_up(f);
	flow_changed(f);
}

void ua_flow_down(struct ua *ua, struct flow *f, const char *reason)
{
	UA_SCOPE(ua);
	struct list *node;

	log_line(&ua->host->log, LOG_LEVEL_DEBUG, "%s flow to %s:%u is down: %s",
		transport_name(f->transport), f->peer.host, f->peer.port, reason);
	flow_ref(f);
	ua->flow_error = reason;
	/* Each lets go of it, who registered over it first: others ask whether that holds. */
	while ((node = list_first(&f->registrations)))
		registration_flow_down(list_entry(node, struct registration, by_flow));
	while ((node = list_first(&f->endpoints)))
		endpoint_flow_down(list_entry(node, struct endpoint, by_flow));
	race_flow_down(f, reason);
	flow_drop_holds(f);
	txn_table_flow_down(&ua->txns, f);
	flow_forget(f);
	ua->flow_error = NULL;
	flow_unref(f);
}

static struct slice query_key(const uint64_t *id)
{
	return slice_of((const char *)id, sizeof(*id));
}

static struct ua_query *take_query(struct ua *ua, uint64_t id)
{
	struct map_node *node = map_find(&ua->queries, query_key(&id));

	if (!node)
		return NULL;
	map_remove(&ua->queries, node);
	return container_of(node, struct ua_query, node);
}

void ua_resolved(struct ua *ua, uint64_t query, const struct dns_answer *a)
{
	UA_SCOPE(ua);
	struct ua_query *q = take_query(ua, query);

	if (q && q->resolved)
		q->resolved(q, a);
}

void ua_secret(struct ua *ua, uint64_t query, struct slice user, struct slice password)
{
	UA_SCOPE(ua);
	struct ua_query *q = take_query(ua, query);

	if (q && q->secret)
		q->secret(q, user, password);
}

void ua_set_wall(struct ua *ua, int64_t epoch_usec)
{
	ua->wall_offset = epoch_usec - (int64_t)ua->timers.now;
}

void ua_stop(struct ua *ua)
{
	UA_SCOPE(ua);

	ua->stopping = true;
	list_for_each_safe (node, next, &ua->endpoints)
		endpoint_close(list_entry(node, struct endpoint, node));
}

bool ua_is_stopped(const struct ua *ua)
{
	return ua->stopping && list_is_empty(&ua->endpoints);
}

/* ---- for the parts of the ua ---- */

uint64_t ua_epoch_seconds(const struct ua *ua, usec_t at)
{
	int64_t epoch = (int64_t)at + ua->wall_offset;

	return at == 0 || at == USEC_NEVER || epoch < 0 ? 0 : (uint64_t)epoch / USEC_PER_SEC;
}

void ua_random(struct ua *ua, void *out, size_t n)
{
	ua->host->ops->random(ua->host->ctx, out, n);
}

void ua_random_hex(struct ua *ua, struct buf *b, size_t n)
{
	uint8_t bytes[32];

	while (n) {
		size_t take = n < sizeof(bytes) ? n : sizeof(bytes);

		ua_random(ua, bytes, take);
		buf_hex(b, bytes, take);
		n -= take;
	}
}

uint64_t ua_random_below(struct ua *ua, uint64_t bound)
{
	uint64_t r;

	ua_random(ua, &r, sizeof(r));
	return bound ? r % bound : 0;
}

bool ua_id_is_valid(struct slice id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '_'))
			return false;
	}
	return id.n > 0;
}

static void ask(struct ua *ua, struct ua_query *q)
{
	q->id = ++ua->query_serial;
	map_insert(&ua->queries, &q->node, query_key(&q->id));
}

void ua_resolve(struct ua *ua, struct ua_query *q, enum dns_kind kind, const char *name)
{
	ask(ua, q);
	ua->host->ops->resolve(ua->host->ctx, q->id, kind, name);
}

void ua_ask_secret(struct ua *ua, struct ua_query *q, const struct host_secret_query *what)
{
	ask(ua, q);
	ua->host->ops->secret(ua->host->ctx, q->id, what);
}

void ua_query_cancel(struct ua *ua, struct ua_query *q)
{
	map_remove(&ua->queries, &q->node);
}
