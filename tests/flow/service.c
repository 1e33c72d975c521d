/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/service.h"

#include <check.h>

#include "protocol/msg/dialog-id.h"
#include "protocol/ua/session-private.h"

static struct party make(struct world *w, const char *address, const char *id)
{
	struct world_account account = { .id = id, .domain = address };
	struct party p = { .wu = world_ua(w, address) };

	p.ep = world_endpoint(p.wu, &account);
	return p;
}

struct service service_new(void)
{
	static const char *const shown[] = { "CSeq", "Require", "Replaces", "Join", "Refer-To",
		"Referred-By", "Refer-Sub", "Event", "Subscription-State", "Reason" };
	struct service t = { .w = world_new(1) };

	world_net(t.w)->delay = 10 * MSEC;
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		world_show(t.w, shown[i]);
	t.alice = make(t.w, "192.0.2.10", "alice");
	t.bob = make(t.w, "192.0.2.20", "bob");
	t.carol = make(t.w, "192.0.2.30", "carol");
	return t;
}

void service_finish(struct service *t, const char *name)
{
	struct party *const all[] = { &t->alice, &t->bob, &t->carol };

	world_settle(t->w);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		world_expect_no_event(all[i]->wu);
	/* What the network may still bring after the end. */
	world_run(t->w, 70 * SEC);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		endpoint_close(all[i]->ep);
	if (t->extra)
		endpoint_close(t->extra);
	world_run(t->w, 200 * SEC);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		world_expect_idle(all[i]->wu);
	world_log_golden(t->w, name);
	world_free(t->w);
}

static struct slice uri_of(const struct service *t, const struct party *p)
{
	if (p == &t->alice)
		return SLICE(ALICE);
	return p == &t->bob ? SLICE(BOB) : SLICE(CAROL);
}

struct line service_ring(
	struct service *t, struct party *from, struct party *to, const struct session_spec *spec)
{
	static const struct session_ring ringing = { .status = 180 };
	struct session_spec s = spec ? *spec : (struct session_spec){ 0 };
	struct line l = { .caller = from, .callee = to };
	const char *why;

	s.target = uri_of(t, to);
	if (!s.offer.bytes.n)
		s.offer = world_sdp("v=0 offer");
	ck_assert_int_eq(session_new(from->ep, &s, &l.out, &why), 0);
	world_settle(t->w);
	l.in = world_expect_session(to->wu);
	ck_assert_int_eq(session_ring(l.in, &ringing), 0);
	world_settle(t->w);
	(void)world_expect_progress(from->wu, 180);
	return l;
}

void service_accept(struct service *t, struct line *l)
{
	struct session_body answer = world_sdp("v=0 answer");

	world_run(t->w, SEC);
	ck_assert_int_eq(session_accept(l->in, &answer, NULL), 0);
	world_settle(t->w);
	(void)world_expect_event(l->caller->wu, UA_SESSION_ESTABLISHED);
	(void)world_expect_event(l->callee->wu, UA_SESSION_ESTABLISHED);
}

struct line service_call(struct service *t, struct party *from, struct party *to)
{
	struct line l = service_ring(t, from, to, NULL);

	service_accept(t, &l);
	return l;
}

void service_offer(struct service *t, const struct line *l, enum service_side who,
	const char *offer, const char *answer)
{
	struct session *s = who == SERVICE_CALLER ? l->out : l->in;
	struct session *others = who == SERVICE_CALLER ? l->in : l->out;
	struct party *other = who == SERVICE_CALLER ? l->callee : l->caller;
	struct session_body body = world_sdp(offer), back = world_sdp(answer);
	struct world_reply r = { 0 };
	struct session_reply reply = world_reply_of(&r);

	world_run(t->w, SEC);
	ck_assert_int_eq(session_offer(s, &body, SLICE_NULL, &reply), 0);
	world_settle(t->w);
	world_expect_body(world_expect_event(other->wu, UA_SESSION_OFFER), offer);
	ck_assert_int_eq(session_answer(others, &back), 0);
	world_settle(t->w);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_uint_eq(r.status, 200);
	ck_assert_str_eq(r.body, answer);
}

void service_hang_up(struct service *t, struct party *p, struct session *s, struct party *other)
{
	world_run(t->w, SEC);
	ck_assert_int_eq(session_terminate(s, NULL), 0);
	world_settle(t->w);
	(void)world_expect_terminated(p->wu, 0, ORIGIN_LOCAL);
	(void)world_expect_terminated(other->wu, 200, ORIGIN_REMOTE);
}

char *service_names(const struct session *s)
{
	struct list *first = list_first(&s->legs);
	const struct leg *l = s->leg;
	const struct dialog *d;
	struct dialog_id id = { 0 };
	struct buf b = BUF_NULL;

	if (!l && first)
		l = list_entry(first, struct leg, node);
	ck_assert_ptr_nonnull(l);
	d = l->usage.dialog;
	id.call_id = d->call_id;
	id.to_tag = slice_str(d->remote_tag);
	id.from_tag = d->local_tag;
	dialog_id_append(&b, &id);
	return buf_take(&b);
}
