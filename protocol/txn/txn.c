/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the four machines have in common: birth, steps, timers, sending, and the owner's verbs. */
#include "protocol/txn/txn.h"

#include <assert.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/msg/build.h"
#include "protocol/txn/txn-private.h"

static const struct txn_machine *const machines[] = {
	[TXN_ICT] = &txn_ict,
	[TXN_NICT] = &txn_nict,
	[TXN_IST] = &txn_ist,
	[TXN_NIST] = &txn_nist,
};

static const char *const state_names[] = {
	[TXN_CALLING] = "calling",
	[TXN_TRYING] = "trying",
	[TXN_PROCEEDING] = "proceeding",
	[TXN_COMPLETED] = "completed",
	[TXN_ACCEPTED] = "accepted",
	[TXN_CONFIRMED] = "confirmed",
	[TXN_TERMINATED] = "terminated",
};

static bool is_client(const struct txn *t)
{
	return t->kind == TXN_ICT || t->kind == TXN_NICT;
}

/* ---- steps ---- */

static void log_step(const struct txn *t, enum txn_state to)
{
	log_line(t->table->log, LOG_LEVEL_DEBUG, "%s %.*s %.*s: %s -> %s", t->machine->name,
		SLICE_ARGS(t->request->method_name), SLICE_ARGS(t->request->via.branch),
		state_names[t->state], state_names[to]);
}

void txn_set_state(struct txn *t, enum txn_state to)
{
	assert(t->machine->next[t->state] & TXN_STEP(to));
	if (t->table->log)
		log_step(t, to);
	t->state = to;
	if (to != TXN_TERMINATED) {
		t->machine->enter(t);
		return;
	}
	timer_cancel(t->table->timers, &t->repeat);
	timer_cancel(t->table->timers, &t->deadline);
	list_remove(&t->on_flow);
	txn_table_remove(t->table, t);
}

static void tell_ended_and_free(struct txn *t)
{
	if (t->client && t->client->ended)
		t->client->ended(t->owner, t);
	if (t->server && t->server->ended)
		t->server->ended(t->owner, t);
	flow_unref(t->flow);
	msg_unref(t->request);
	free(t->sent);
	free(t);
}

void txn_end(struct txn *t)
{
	txn_set_state(t, TXN_TERMINATED);
	tell_ended_and_free(t);
}

void txn_fail(struct txn *t, enum txn_failure why)
{
	txn_set_state(t, TXN_TERMINATED);
	if (why == TXN_TIMEOUT)
		t->table->n_timeouts++;
	txn_tell_failed(t, why);
	tell_ended_and_free(t);
}

void txn_tell_failed(struct txn *t, enum txn_failure why)
{
	if (t->told_failure)
		return;
	t->told_failure = true;
	if (t->client && t->client->failed)
		t->client->failed(t->owner, t, why);
	else if (t->server && t->server->failed)
		t->server->failed(t->owner, t, why);
}

bool txn_tell_response(struct txn *t, const struct msg *m)
{
	const struct txn_client_ops *ops = t->client;

	if (!ops)
		return false;
	if (ops->response)
		ops->response(t->owner, t, m);
	return true;
}

/* ---- timers ---- */

void txn_on_end(struct timer *deadline)
{
	txn_end(container_of(deadline, struct txn, deadline));
}

void txn_on_timeout(struct timer *deadline)
{
	txn_fail(container_of(deadline, struct txn, deadline), TXN_TIMEOUT);
}

static void on_broken(struct timer *repeat)
{
	struct txn *t = container_of(repeat, struct txn, repeat);

	t->machine->broken(t);
}

void txn_arm_deadline(struct txn *t, void (*fire)(struct timer *deadline), usec_t delay)
{
	t->deadline.fire = fire;
	timer_arm(t->table->timers, &t->deadline, delay);
}

void txn_arm_repeat(struct txn *t, void (*fire)(struct timer *repeat), usec_t interval)
{
	t->interval = interval;
	t->repeat.fire = fire;
	timer_arm(t->table->timers, &t->repeat, interval);
}

void txn_bound(struct txn *t)
{
	if (!t->client && !t->server && !timer_is_armed(&t->deadline))
		txn_arm_deadline(t, txn_on_end, TIMER_C);
}

void txn_repeat(struct txn *t, usec_t longest)
{
	/* Woken after the end of the transaction: the deadline is about to fire as well. */
	if (t->deadline.at <= t->table->timers->now)
		return;
	t->interval = t->interval > longest / 2 ? longest : 2 * t->interval;
	timer_arm(t->table->timers, &t->repeat, t->interval);
	t->table->n_retransmissions_out++;
	if (is_client(t))
		flow_send(t->flow, t->request->raw);
	else
		txn_send_response(t, txn_kept(t));
}

/* ---- sending ---- */

void txn_keep(struct txn *t, struct slice bytes)
{
	free(t->sent);
	t->sent = NULL;
	t->n_sent = bytes.n;
	if (bytes.n == 0)
		return;
	t->sent = mem_alloc(bytes.n);
	memcpy(t->sent, bytes.p, bytes.n);
}

struct slice txn_kept(const struct txn *t)
{
	return slice_of(t->sent, t->n_sent);
}

static bool find_flow(struct txn *t)
{
	struct txn_table *tt = t->table;
	struct flow *other;

	if (t->flow->state != FLOW_DOWN)
		return true;
	other = tt->reroute ? tt->reroute(tt->reroute_ctx, t->request, t->flow) : NULL;
	if (!other)
		return false;
	flow_unref(t->flow);
	t->flow = other;
	return true;
}

void txn_send_response(struct txn *t, struct slice bytes)
{
	struct timerq *timers = t->table->timers;

	if (find_flow(t)) {
		flow_send(t->flow, bytes);
		return;
	}
	txn_arm_repeat(t, on_broken, 0);
	/* The end may be due at once as well; the failure is told before. */
	if (timer_is_armed(&t->deadline) && t->deadline.at <= timers->now)
		timer_arm(timers, &t->deadline, 0);
}

void txn_send_trying(struct txn *t)
{
	cleanup_buf struct buf b = BUF_NULL;

	build_response(&b, t->request, 100, SLICE_NULL, SLICE_NULL);
	build_body(&b, SLICE_NULL, SLICE_NULL);
	txn_keep(t, buf_slice(&b));
	txn_send_response(t, txn_kept(t));
}

/* ---- birth ---- */

static struct txn *new_txn(
	struct txn_table *tt, enum txn_kind kind, struct flow *f, const struct msg *request)
{
	struct txn *t = mem_new(struct txn);

	t->table = tt;
	t->kind = kind;
	t->machine = machines[kind];
	t->state = t->machine->first;
	t->flow = flow_ref(f);
	t->request = msg_ref(request);
	txn_table_add(tt, t);
	return t;
}

static struct txn *new_client(struct txn_table *tt, struct flow *f, struct msg *request)
{
	struct txn *t =
		new_txn(tt, request->method == METHOD_INVITE ? TXN_ICT : TXN_NICT, f, request);

	assert(request->is_request && request->method != METHOD_ACK);
	list_append(&f->txns, &t->on_flow);
	tt->n_requests_out++;
	return t;
}

static void start_client(struct txn *t)
{
	t->machine->enter(t);
	if (t->flow->state == FLOW_DOWN)
		txn_arm_repeat(t, on_broken, 0);
	else
		flow_send(t->flow, t->request->raw);
}

struct txn *txn_client_new(struct txn_table *tt, struct flow *f, struct msg *request,
	const struct txn_client_ops *ops, void *owner)
{
	struct txn *t;

	if (tt->n >= tt->max)
		return NULL;
	t = new_client(tt, f, request);
	t->client = ops;
	t->owner = owner;
	start_client(t);
	return t;
}

void txn_start_beside(struct txn *t, struct msg *request)
{
	if (t->table->max > 0)
		start_client(new_client(t->table, t->flow, request));
}

struct txn *txn_server_new(struct txn_table *tt, struct flow *reply_flow, const struct msg *request,
	const struct txn_server_ops *ops, void *owner)
{
	struct txn *t;

	assert(request->is_request && request->method != METHOD_ACK);
	if (!txn_table_takes_server(tt, request))
		return NULL;
	t = new_txn(tt, request->method == METHOD_INVITE ? TXN_IST : TXN_NIST, reply_flow, request);
	t->server = ops;
	t->owner = owner;
	tt->n_requests_in++;
	t->machine->enter(t);
	return t;
}

/* ---- the owner's verbs ---- */

int txn_reply(struct txn *t, unsigned status, struct slice bytes)
{
	if (!t->machine->reply || status < 100 || status > 699 || bytes.n == 0)
		return -EINVAL;
	return t->machine->reply(t, status, bytes);
}

struct msg *txn_last_response(const struct txn *t)
{
	struct msg *response = NULL;

	if (!t->machine->reply || !t->sent || msg_parse(txn_kept(t), MSG_DATAGRAM, &response) < 0)
		return NULL;
	return response;
}

void txn_append_to_tag(struct buf *b, const struct txn *t)
{
	struct msg *last = txn_last_response(t);

	if (last && last->to_tag.n)
		buf_put(b, last->to_tag);
	else if (t->server && t->server->to_tag)
		buf_put(b, t->server->to_tag(t->owner));
	msg_unref(last);
}

void txn_server_cancelled(struct txn *t, const struct msg *cancel)
{
	if (t->state == TXN_PROCEEDING && t->server && t->server->cancelled)
		t->server->cancelled(t->owner, t, cancel);
}

void txn_forget(struct txn *t)
{
	if (!t)
		return;
	t->client = NULL;
	t->server = NULL;
	t->owner = NULL;
	if (t->state != TXN_TERMINATED)
		txn_bound(t);
}

void txn_hand_over(struct txn *t, const struct txn_server_ops *ops, void *owner)
{
	assert(!is_client(t));
	t->server = ops;
	t->owner = owner;
}

const struct msg *txn_request(const struct txn *t)
{
	return t->request;
}

struct flow *txn_flow(const struct txn *t)
{
	return t->flow;
}

enum txn_kind txn_kind(const struct txn *t)
{
	return t->kind;
}

enum txn_state txn_state(const struct txn *t)
{
	return t->state;
}

const char *txn_state_name(enum txn_state s)
{
	return state_names[s];
}
