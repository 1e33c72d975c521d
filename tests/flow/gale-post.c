/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/gale-post.h"

#include <check.h>
#include <stdio.h>

#include "protocol/base/err.h"
#include "protocol/ua/request-headers.h"

/* Those who publish, and the compositors that they publish to (RFC 3903). */

static unsigned number(const struct post *p)
{
	return (unsigned)(p - p->g->posts);
}

/* ---- what is told ---- */

static void on_done(void *owner, const struct outcome *o)
{
	struct gale *g = owner;

	ck_assert_int_le(o->error, 0);
	g->n_answered++;
}

static void on_changed(void *owner, struct publication *pub)
{
	const struct post *p = owner;

	ck_assert(p->p == pub && p->n_ended == 0);
}

static void on_failed(void *owner, struct publication *pub, const struct outcome *o)
{
	const struct post *p = owner;

	ck_assert(p->p == pub && p->n_ended == 0);
	ck_assert_int_lt(o->error, 0);
}

static void on_ended(void *owner, struct publication *pub, const struct outcome *o)
{
	struct post *p = owner;

	(void)o;
	ck_assert_msg(p->p == pub && p->n_ended++ == 0, "post %u: ended twice", number(p));
	p->p = NULL;
}

static const struct publication_ops ops = {
	.changed = on_changed,
	.failed = on_failed,
	.ended = on_ended,
};

/* ---- what owners do ---- */

static struct publication_reply reply_of(struct gale *g)
{
	return (struct publication_reply){ .done = on_done, .owner = g };
}

static struct slice next_text(struct post *p, struct buf *b)
{
	p->text = ++p->g->n_texts;
	buf_u64(b, p->text);
	return buf_slice(b);
}

void gale_post_begin(struct gale *g)
{
	unsigned party = gale_below(g, PARTIES), k = gale_below(g, ENDPOINTS);
	struct post *p = &g->posts[g->n_posts];
	struct endpoint *ep = g->resources[party * ENDPOINTS + k].ep;
	struct buf target = BUF_NULL, text = BUF_NULL;
	struct publication_spec spec = { .event = SLICE("presence"), .first = reply_of(g) };

	if (!ep)
		return;
	*p = (struct post){ .g = g, .party = party, .of = gale_target(g, party, k), .seen = true };
	p->end_at = gale_below(g, STAY_ODDS)
			    ? world_now(g->w) + world_random_below(g->w, HASTE * SEC)
			    : USEC_NEVER;
	gale_append_uri(&target, p->of);
	spec.target = buf_slice(&target);
	spec.expires = EXPIRES_LEAST + gale_below(g, EXPIRES_SPAN);
	spec.content_type = SLICE("text/plain");
	spec.body = next_text(p, &text);
	ck_assert_int_eq(publication_new(ep, &spec, &ops, p, &p->p), 0);
	g->n_waiting++;
	g->n_posts++;
	buf_deinit(&text);
	buf_deinit(&target);
}

void gale_post_end(struct post *p)
{
	struct publication_reply reply = reply_of(p->g);

	if (!p->p)
		return;
	if (publication_remove(p->p, &reply) < 0)
		return;
	p->removed_here = true;
	p->g->n_waiting++;
}

void gale_post_act(struct post *p)
{
	struct publication_reply reply = reply_of(p->g);
	struct buf text = BUF_NULL;
	uint32_t before = p->text;

	if (gale_below(p->g, 6) == 0 && p->end_at != USEC_NEVER) {
		gale_post_end(p);
		return;
	}
	if (publication_modify(p->p, SLICE("text/plain"), next_text(p, &text), &reply) == 0)
		p->g->n_waiting++;
	else
		p->text = before;
	buf_deinit(&text);
}

/* ---- the compositor ---- */

void gale_expire(struct party *p, usec_t now)
{
	list_for_each_safe (node, next, &p->entries) {
		struct entry *e = list_entry(node, struct entry, node);

		if (e->expires > now)
			continue;
		list_remove(&e->node);
		free(e);
	}
}

static struct entry *find(struct party *p, struct slice etag)
{
	uint32_t wanted;

	if (!slice_to_u32(etag, UINT32_MAX, &wanted))
		return NULL;
	list_for_each (node, &p->entries) {
		struct entry *e = list_entry(node, struct entry, node);

		if (e->etag == wanted)
			return e;
	}
	return NULL;
}

static void answer(struct incoming *in, unsigned status, const char *name, uint32_t value)
{
	char text[16];
	struct request_header h = { .name = slice_str(name) };
	struct incoming_reply r = { .status = status, .headers = &h, .n_headers = name ? 1 : 0 };

	(void)snprintf(text, sizeof(text), "%u", value);
	h.value = slice_str(text);
	ck_assert_int_eq(incoming_reply(in, &r), 0);
}

/* Section 6, steps 4 to 8. */
static void grant(struct gale *g, struct incoming *in, struct entry *e, uint32_t seconds)
{
	char etag[16], expires[16];
	struct request_header h[] = {
		{ .name = SLICE("SIP-ETag") },
		{ .name = SLICE("Expires") },
	};
	struct incoming_reply r = { .status = 200, .headers = h, .n_headers = ARRAY_LEN(h) };

	e->etag = ++g->n_etags;
	e->expires = world_now(g->w) + seconds * SEC;
	if (in->request->body.n)
		ck_assert(slice_to_u32(in->request->body, g->n_texts, &e->text));
	(void)snprintf(etag, sizeof(etag), "%u", e->etag);
	(void)snprintf(expires, sizeof(expires), "%u", seconds);
	h[0].value = slice_str(etag);
	h[1].value = slice_str(expires);
	if (!seconds) {
		list_remove(&e->node);
		free(e);
	}
	ck_assert_int_eq(incoming_reply(in, &r), 0);
}

static bool stumbles(struct gale *g, struct incoming *in)
{
	if (g->calm || gale_below(g, 12))
		return false;
	switch (gale_below(g, 3)) {
	case 0:
		answer(in, 503, "Retry-After", 3);
		break;
	case 1:
		answer(in, 500, NULL, 0);
		break;
	default: /* It forgot what it had. */
		answer(in, 412, NULL, 0);
		break;
	}
	return true;
}

void gale_compose(struct world_ua *wu, struct incoming *in)
{
	struct gale *g = wu->user;
	struct party *p = NULL;
	struct slice etag = msg_header_named(in->request, SLICE("SIP-If-Match"));
	uint32_t seconds = 3600;
	struct entry *e;

	for (unsigned i = 0; i < PARTIES; i++)
		if (g->parties[i].wu == wu)
			p = &g->parties[i];
	ck_assert(p && in->request->method == METHOD_PUBLISH);
	gale_expire(p, world_now(g->w));
	if (stumbles(g, in))
		return;
	(void)msg_number(in->request, HDR_EXPIRES, UINT32_MAX, &seconds);
	e = etag.p ? find(p, etag) : NULL;
	if (etag.p && !e) {
		answer(in, 412, NULL, 0);
	} else if (seconds && seconds < MIN_EXPIRES) {
		answer(in, 423, "Min-Expires", MIN_EXPIRES);
	} else {
		if (!e) {
			e = mem_new(struct entry);
			list_append(&p->entries, &e->node);
		}
		grant(g, in, e, seconds);
	}
}
