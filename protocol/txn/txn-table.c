/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which transaction a message belongs to: RFC 3261 sections 17.1.3, 17.2.3, 9.2 and 8.2.2.2.
 *
 * Maps are keyed by a fingerprint of what identifies the message, which needs no copy of it; each
 * candidate is then compared in full. The seed keeps a peer from making fingerprints collide.
 */
#include <assert.h>

#include "protocol/base/mem.h"
#include "protocol/txn/txn-private.h"

static const struct slice invite = SLICE_INIT("INVITE");

static struct txn *by_id(struct map_node *node)
{
	return node ? container_of(node, struct txn, by_id) : NULL;
}

static struct slice key(const uint64_t *fingerprint)
{
	return slice_of((const char *)fingerprint, sizeof(*fingerprint));
}

/* ---- fingerprints ---- */

static uint64_t client_id(const struct txn_table *tt, const struct msg *m)
{
	struct slice method = m->is_request ? m->method_name : m->cseq_method_name;

	return slice_hash(method, slice_hash_ci(m->via.branch, tt->clients.seed));
}

static uint16_t sent_by_port(const struct via *v)
{
	return v->port ? v->port : transport_default_port(v->transport);
}

/* method: that of the transaction looked for, which for ACK and CANCEL is INVITE. */
static uint64_t server_id(const struct txn_table *tt, const struct msg *m, struct slice method)
{
	uint64_t h = slice_hash(method, tt->servers.seed);

	if (via_is_rfc3261(&m->via))
		return slice_hash_ci(
			m->via.host, slice_hash_ci(m->via.branch, h + sent_by_port(&m->via)));
	h = slice_hash(m->via.text, h + m->cseq);
	return slice_hash(m->call_id, slice_hash(m->from_tag, h));
}

static uint64_t merge_id(const struct txn_table *tt, const struct msg *m)
{
	/* With the method, as part of CSeq: what cannot be merged shares no chain. */
	uint64_t h = slice_hash(m->method_name, tt->merges.seed + m->cseq);

	return slice_hash(m->call_id, slice_hash(m->from_tag, h));
}

/* ---- comparison ---- */

static bool same_branch(const struct msg *a, const struct msg *b)
{
	return slice_eq_ci(a->via.branch, b->via.branch) && via_sent_by_equal(&a->via, &b->via);
}

static bool same_request_uri(const struct msg *a, const struct msg *b)
{
	if (slice_eq(a->request_uri, b->request_uri))
		return true;
	return a->uri.scheme_name.n && b->uri.scheme_name.n && uri_equal(&a->uri, &b->uri);
}

/* All of the RFC 2543 rules but the To tag, which an ACK has from the response. */
static bool same_2543(const struct msg *request, const struct msg *m)
{
	return request->cseq == m->cseq && slice_eq(request->call_id, m->call_id) &&
	       slice_eq(request->from_tag, m->from_tag) &&
	       slice_eq(request->via.text, m->via.text) && same_request_uri(request, m);
}

/* The To tag of the response that t sent; none was needed before, so it is looked for only now. */
static bool acknowledges(const struct txn *t, const struct msg *ack)
{
	struct msg *response = txn_last_response(t);
	bool same = response && slice_eq(response->to_tag, ack->to_tag);

	msg_unref(response);
	return same;
}

static bool matches_server(const struct txn *t, const struct msg *m, struct slice method)
{
	const struct msg *request = t->request;

	if (!slice_eq(request->method_name, method))
		return false;
	if (via_is_rfc3261(&m->via))
		return same_branch(request, m);
	if (via_is_rfc3261(&request->via) || !same_2543(request, m))
		return false;
	if (m->method == METHOD_ACK)
		return acknowledges(t, m);
	return slice_eq(request->to_tag, m->to_tag);
}

static bool matches_client(const struct txn *t, const struct msg *response)
{
	/* 18.1.2: a response whose sent-by is not ours is not meant for us. */
	return slice_eq(t->request->method_name, response->cseq_method_name) &&
	       same_branch(t->request, response);
}

/* ---- look-up ---- */

static struct txn *find_client(const struct txn_table *tt, const struct msg *response)
{
	uint64_t id = client_id(tt, response);
	struct map_node *node = map_find(&tt->clients, key(&id));

	while (node && !matches_client(by_id(node), response))
		node = map_find_next(node);
	return by_id(node);
}

static struct txn *find_server(const struct txn_table *tt, const struct msg *m, struct slice method)
{
	uint64_t id = server_id(tt, m, method);
	struct map_node *node = map_find(&tt->servers, key(&id));

	while (node && !matches_server(by_id(node), m, method))
		node = map_find_next(node);
	return by_id(node);
}

bool txn_table_takes_server(const struct txn_table *tt, const struct msg *request)
{
	uint64_t id;
	size_t n = 0;

	if (tt->n >= tt->max)
		return false;
	/* The cookie promises a branch that is unique: what shares such an id matches. */
	if (via_is_rfc3261(&request->via))
		return true;
	id = server_id(tt, request, request->method_name);
	for (struct map_node *node = map_find(&tt->servers, key(&id)); node;
		node = map_find_next(node))
		n++;
	return n < TXN_SAME_ID_MAX;
}

struct txn *txn_find_cancelled(const struct txn_table *tt, const struct msg *cancel)
{
	return find_server(tt, cancel, invite);
}

static bool merges(const struct txn *t, const struct msg *m)
{
	const struct msg *first = t->request;

	return first->cseq == m->cseq && slice_eq(first->method_name, m->method_name) &&
	       slice_eq(first->uri.user, m->uri.user) && slice_eq(first->call_id, m->call_id) &&
	       slice_eq(first->from_tag, m->from_tag) && !matches_server(t, m, m->method_name);
}

bool txn_is_merged(const struct txn_table *tt, const struct msg *m)
{
	uint64_t id = merge_id(tt, m);

	if (m->to_tag.p)
		return false;
	for (struct map_node *node = map_find(&tt->merges, key(&id)); node;
		node = map_find_next(node))
		if (merges(container_of(node, struct txn, by_merge), m))
			return true;
	return false;
}

/* ---- the table ---- */

void txn_table_init(struct txn_table *tt, struct timerq *timers, uint64_t hash_seed, size_t max)
{
	*tt = (struct txn_table){ .timers = timers, .max = max };
	map_init(&tt->clients, hash_seed);
	map_init(&tt->servers, hash_seed);
	map_init(&tt->merges, hash_seed);
}

/* Bucket by bucket: no transaction is born any more, so the map keeps its shape. */
static void end_all(struct map *m)
{
	for (size_t i = 0; i < m->n_buckets; i++)
		while (m->buckets[i])
			txn_end(by_id(m->buckets[i]));
}

void txn_table_deinit(struct txn_table *tt)
{
	tt->max = 0;
	end_all(&tt->clients);
	end_all(&tt->servers);
	assert(tt->n == 0);
	map_deinit(&tt->clients);
	map_deinit(&tt->servers);
	map_deinit(&tt->merges);
}

void txn_table_add(struct txn_table *tt, struct txn *t)
{
	tt->n++;
	if (t->kind == TXN_ICT || t->kind == TXN_NICT) {
		t->id = client_id(tt, t->request);
		map_insert(&tt->clients, &t->by_id, key(&t->id));
		return;
	}
	t->id = server_id(tt, t->request, t->request->method_name);
	map_insert(&tt->servers, &t->by_id, key(&t->id));
	if (!t->request->to_tag.p) {
		t->merge_id = merge_id(tt, t->request);
		map_insert(&tt->merges, &t->by_merge, key(&t->merge_id));
	}
}

void txn_table_remove(struct txn_table *tt, struct txn *t)
{
	bool client = t->kind == TXN_ICT || t->kind == TXN_NICT;

	tt->n--;
	map_remove(client ? &tt->clients : &tt->servers, &t->by_id);
	map_remove(&tt->merges, &t->by_merge);
}

/* ---- input ---- */

static enum txn_recv receive_response(struct txn_table *tt, const struct msg *m)
{
	struct txn *t = find_client(tt, m);
	enum txn_recv r = t ? t->machine->receive(t, m) : TXN_RECV_STRAY_RESPONSE;

	if (r == TXN_RECV_STRAY_RESPONSE)
		tt->n_stray_responses++;
	return r;
}

enum txn_recv txn_table_receive(struct txn_table *tt, struct flow *f, const struct msg *m)
{
	bool is_ack = m->method == METHOD_ACK;
	struct txn *t;

	(void)f; /* 17.1.3, 17.2.3: over which flow a message came plays no part. */
	if (!m->is_request)
		return receive_response(tt, m);
	t = find_server(tt, m, is_ack ? invite : m->method_name);
	if (t)
		return t->machine->receive(t, m);
	return is_ack ? TXN_RECV_ACK : TXN_RECV_REQUEST;
}

void txn_table_flow_down(struct txn_table *tt, struct flow *f)
{
	struct list todo = { 0 };
	struct list *node;

	(void)tt;
	/* Owners may start something new on f meanwhile, which must not keep this going. */
	while ((node = list_first(&f->txns))) {
		list_remove(node);
		list_append(&todo, node);
	}
	while ((node = list_first(&todo))) {
		struct txn *t = list_entry(node, struct txn, on_flow);

		list_remove(node);
		list_append(&f->txns, node);
		t->machine->broken(t);
	}
}
