/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dialog/usage.h"

/*
 * A walk over a dialog's usages during which any of them may leave, and the dialog with the last
 * one: usage_leave() moves every walk on, and dialog == NULL says that nothing is left to visit.
 * Walks end in the reverse order of their beginning.
 */
struct usage_walk {
	struct usage_walk *outer;
	struct dialog_table *table;
	struct dialog *dialog;
	struct list *next;
};

static void walk_begin(struct usage_walk *w, struct dialog *d)
{
	*w = (struct usage_walk){
		.outer = d->table->walks, .table = d->table, .dialog = d, .next = d->usages.next
	};
	d->table->walks = w;
}

static struct usage *walk_next(struct usage_walk *w)
{
	struct list *at = w->next;

	if (!w->dialog || at == &w->dialog->usages)
		return NULL;
	w->next = at->next;
	return list_entry(at, struct usage, node);
}

static void walk_end(struct usage_walk *w)
{
	w->table->walks = w->outer;
}

void usage_join(struct usage *u, const struct usage_class *class, struct dialog *d)
{
	u->dialog = d;
	u->class = class;
	list_append(&d->usages, &u->node);
}

void usage_leave(struct usage *u)
{
	struct dialog *d = mem_take(&u->dialog);

	if (!d)
		return;
	for (struct usage_walk *w = d->table->walks; w; w = w->outer)
		if (w->next == &u->node)
			w->next = u->node.next;
	list_remove(&u->node);
	if (!list_is_empty(&d->usages))
		return;
	for (struct usage_walk *w = d->table->walks; w; w = w->outer)
		if (w->dialog == d)
			w->dialog = NULL;
	dialog_free(d);
}

/* ---- requests and responses of the peer ---- */

bool usage_dispatch_request(struct dialog *d, struct flow *reply_flow, struct msg *m)
{
	struct usage_walk w;
	struct usage *u;
	bool taken = false;

	walk_begin(&w, d);
	while (!taken && (u = walk_next(&w)))
		taken = u->class->request && u->class->request(u, reply_flow, m);
	walk_end(&w);
	return taken;
}

bool usage_dispatch_ack(struct dialog *d, const struct msg *m)
{
	struct usage_walk w;
	struct usage *u;
	bool taken = false;

	walk_begin(&w, d);
	while (!taken && (u = walk_next(&w)))
		taken = u->class->ack && u->class->ack(u, m);
	walk_end(&w);
	return taken;
}

bool usage_dispatch_stray(struct dialog *d, const struct msg *m)
{
	struct usage_walk w;
	struct usage *u;
	bool taken = false;

	walk_begin(&w, d);
	while (!taken && (u = walk_next(&w)))
		taken = u->class->stray && u->class->stray(u, m);
	walk_end(&w);
	return taken;
}

void usage_dialog_over(struct usage *u, unsigned status, struct slice reason)
{
	struct usage_walk w;
	struct usage *other;

	if (!u->dialog)
		return;
	walk_begin(&w, u->dialog);
	while ((other = walk_next(&w)))
		if (other != u && other->class->dialog_over)
			other->class->dialog_over(other, status, reason);
	walk_end(&w);
}

/* ---- how far a failure reaches ---- */

/* The table of RFC 5057 section 5.1, whatever the method; 408 is a timeout (5.2). */
static enum usage_damage damage_of_status(unsigned status)
{
	switch (status) {
	case 404:
	case 410:
	case 416:
	case 482:
	case 483:
	case 484:
	case 485:
	case 502:
	case 604:
		return USAGE_DIALOG_OVER;
	case 405:
	case 408:
	case 480:
	case 481:
	case 489:
	case 501:
		return USAGE_ENDED;
	}
	return USAGE_UNHARMED; /* 3xx too: what a redirection means here nobody knows */
}

/* Can the usage that sent such a request go on after a failure that would end it (5.1, 5.2, 5.3)?
 */
static bool is_bearable(enum method method, unsigned status)
{
	bool unknown_method = status == 405 || status == 501;

	switch (method) {
	case METHOD_INVITE:
	case METHOD_BYE:
		return status == 489;
	case METHOD_UPDATE: /* a re-INVITE does the same */
	case METHOD_INFO:   /* 405, 501: note 3, not integral to the usage */
		return unknown_method || status == 489;
	case METHOD_PRACK: /* 481: the provisional response is no more, RFC 3262 section 3 */
		return status == 481 || status == 489;
	case METHOD_REFER: /* only a peer without dialog, or none at all, harms who asked */
		return status != 481 && status != 408;
	case METHOD_SUBSCRIBE: /* a timeout leaves the subscription until it expires, 5.2 */
		return status == 408;
	case METHOD_NOTIFY:
	case METHOD_BENOTIFY:
		return false;
	case METHOD_ACK:
	case METHOD_CANCEL: /* 481: note 8 */
	case METHOD_MESSAGE:
	case METHOD_OPTIONS:
	case METHOD_PUBLISH:
	case METHOD_REGISTER:
	case METHOD_SERVICE:
	case METHOD_UNKNOWN:
		return true; /* part of no usage, 5.3 */
	}
	return true;
}

enum usage_damage usage_damage_of(enum method method, unsigned status)
{
	enum usage_damage damage = damage_of_status(status);

	if (method == METHOD_CANCEL) /* hop by hop: the dialog has no part in it */
		return USAGE_UNHARMED;
	return damage == USAGE_ENDED && is_bearable(method, status) ? USAGE_UNHARMED : damage;
}
