/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/messages.h"

#include "protocol/msg/msg.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/limits.h"

static bool is_summary(struct slice content_type)
{
	struct slice type = slice_trim(slice_head(content_type, slice_find(content_type, ';')));

	return slice_eq_ci(type, SLICE("application/simple-message-summary"));
}

static void store(struct endpoint *ep, const struct message_summary *sum)
{
	struct messages *m = mem_new(struct messages);

	messages_forget(ep);
	m->summary = *sum;
	m->summary.headers = SLICE_NULL;
	if (sum->account.n > LIMITS_ENDPOINT_TEXT)
		m->summary.account = SLICE_NULL;
	m->account = slice_dup(m->summary.account);
	m->summary.account = slice_of(m->account, m->summary.account.n);
	m->at = ep->ua->timers.now;
	ep->messages = m;
	endpoint_mark(ep, UA_CHANGE_MESSAGES);
}

unsigned messages_take(struct endpoint *ep, const struct msg *m)
{
	struct message_summary sum;

	if (!m->body.n)
		return 0;
	if (!is_summary(m->content_type))
		return 415;
	if (message_summary_parse(m->body, &sum) < 0)
		return 400;
	store(ep, &sum);
	return 0;
}

void messages_forget(struct endpoint *ep)
{
	if (!ep->messages)
		return;
	free(ep->messages->account);
	free(ep->messages);
	ep->messages = NULL;
}
