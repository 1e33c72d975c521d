/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/msg.h"
#include "protocol/ua/publication-private.h"

/* What a publication tells, in the order in which it happened. */

enum news_kind {
	NEWS_FAILED,
	NEWS_DONE,
	NEWS_ENDED,
};

struct news {
	struct list node;
	enum news_kind kind;
	struct publication_reply reply;
	struct outcome outcome;
	char *reason;
	struct msg *response;
};

/* Who waits for the end of an attempt. */
struct caller {
	struct list node;
	struct publication_reply reply;
};

static void free_news(struct news *n)
{
	list_remove(&n->node);
	msg_unref(n->response);
	free(n->reason);
	free(n);
}

static struct news *queue(struct publication *p, enum news_kind kind, const struct outcome *o)
{
	struct news *n = mem_new(struct news);

	n->kind = kind;
	n->reason = slice_dup(o->reason);
	n->response = o->response ? msg_ref(o->response) : NULL;
	n->outcome = *o;
	n->outcome.reason = slice_str(n->reason);
	n->outcome.request = NULL;
	list_append(&p->news, &n->node);
	later_queue(&p->ep->ua->later, &p->note);
	return n;
}

void publication_tell_changed(struct publication *p)
{
	p->changed = true;
	later_queue(&p->ep->ua->later, &p->note);
}

void publication_tell_failed(struct publication *p, const struct outcome *o)
{
	(void)queue(p, NEWS_FAILED, o);
}

void publication_tell_end(struct publication *p, const struct outcome *o)
{
	(void)queue(p, NEWS_ENDED, o);
}

void publication_call(struct list *callers, const struct publication_reply *reply)
{
	struct caller *c;

	if (!reply || !reply->done)
		return;
	c = mem_new(struct caller);
	c->reply = *reply;
	list_append(callers, &c->node);
}

void publication_tell_callers(struct publication *p, struct list *callers, const struct outcome *o)
{
	struct list *node;

	while ((node = list_first(callers))) {
		struct caller *c = list_entry(node, struct caller, node);

		queue(p, NEWS_DONE, o)->reply = c->reply;
		list_remove(node);
		free(c);
	}
}

static void forget_callers(struct list *callers)
{
	struct list *node;

	while ((node = list_first(callers))) {
		list_remove(node);
		free(list_entry(node, struct caller, node));
	}
}

void publication_forget_news(struct publication *p)
{
	struct list *node;

	later_cancel(&p->note);
	forget_callers(&p->waiting);
	forget_callers(&p->aboard);
	while ((node = list_first(&p->news)))
		free_news(list_entry(node, struct news, node));
}

static void tell(struct publication *p, const struct news *n)
{
	switch (n->kind) {
	case NEWS_FAILED:
		p->ops->failed(p->owner, p, &n->outcome);
		break;
	case NEWS_DONE:
		n->reply.done(n->reply.owner, &n->outcome);
		break;
	case NEWS_ENDED:
		p->dead = true;
		p->ops->ended(p->owner, p, &n->outcome);
		break;
	}
}

static void deliver(struct later_note *note)
{
	struct publication *p = container_of(note, struct publication, note);
	struct list *node;

	/* Any callback may free the publication, or its endpoint. */
	p->delivering = true;
	if (p->changed) {
		p->changed = false;
		p->ops->changed(p->owner, p);
	}
	while (!p->dead && (node = list_first(&p->news))) {
		struct news *n = list_entry(node, struct news, node);

		list_remove(node);
		tell(p, n);
		free_news(n);
	}
	p->delivering = false;
	if (p->dead)
		publication_destroy(p);
}

void publication_news_init(struct publication *p)
{
	list_init(&p->waiting);
	list_init(&p->aboard);
	list_init(&p->news);
	p->note.deliver = deliver;
}
