/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/incoming.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/refer.h"
#include "protocol/ua/request.h"
#include "protocol/ua/uas.h"

enum { TO_TAG_BYTES = 8 };

/* From here on the endpoint knows nothing of it, and nothing is answered any more. */
static void leave(struct incoming *in)
{
	txn_forget(in->txn);
	in->txn = NULL;
	later_cancel(&in->note);
	if (!list_is_linked(&in->node))
		return;
	list_remove(&in->node);
	in->ep->n_incoming--;
}

static void destroy(struct incoming *in)
{
	msg_unref(in->request);
	free(in);
}

void incoming_free(struct incoming *in)
{
	leave(in);
	destroy(in);
}

/* Who was told of it hears by a note that it is over, and may answer in vain until then. */
static void end(struct incoming *in)
{
	if (!in->told) {
		incoming_free(in);
		return;
	}
	txn_forget(in->txn);
	in->txn = NULL;
	in->silent = false;
	later_queue(&in->ep->ua->later, &in->note);
}

static void on_ended(void *owner, struct txn *t)
{
	(void)t;
	end(owner);
}

/* Nobody decided in time, or the answer found no way: no answer is owed any more. */
static void on_failed(void *owner, struct txn *t, enum txn_failure why)
{
	(void)t;
	(void)why;
	end(owner);
}

static const struct txn_server_ops server_ops = { .failed = on_failed, .ended = on_ended };

static void deliver_note(struct later_note *n)
{
	struct incoming *in = container_of(n, struct incoming, note);
	struct ua *ua = in->ep->ua;

	if (!in->txn && !in->silent) {
		/* The listener may free the endpoint: nothing leads from it to us by then. */
		leave(in);
		if (ua->listener)
			ua->listener->incoming_gone(ua->listener_ctx, in);
		destroy(in);
		return;
	}
	if (!ua->listener || in->ep->closing) {
		incoming_pass(in);
		return;
	}
	in->told = true;
	ua->listener->incoming(ua->listener_ctx, in);
}

static struct incoming *make(struct endpoint *ep, struct msg *request)
{
	struct incoming *in = mem_new(struct incoming);

	in->ep = ep;
	in->request = msg_ref(request);
	in->note.deliver = deliver_note;
	list_append(&ep->incoming, &in->node);
	ep->n_incoming++;
	later_queue(&ep->ua->later, &in->note);
	return in;
}

struct incoming *incoming_new(struct endpoint *ep, struct flow *reply_flow, struct msg *request)
{
	struct incoming *in;

	if (ep->n_incoming >= LIMITS_INCOMING_PER_ENDPOINT)
		return NULL;
	in = make(ep, request);
	in->txn = txn_server_new(&ep->ua->txns, reply_flow, request, &server_ops, in);
	if (!in->txn) {
		incoming_free(in);
		return NULL;
	}
	if (request->method == METHOD_MESSAGE)
		ep->ua->n_pages_in++;
	return in;
}

struct incoming *incoming_new_silent(struct endpoint *ep, struct msg *request)
{
	struct incoming *in;

	if (ep->n_incoming >= LIMITS_INCOMING_PER_ENDPOINT)
		return NULL;
	in = make(ep, request);
	in->silent = true;
	return in;
}

static void send_reply(struct incoming *in, const struct uas_reply *r)
{
	struct buf b = BUF_NULL;

	if (!in->txn)
		return;
	uas_build_reply(&b, in->ep->ua, in->request, r);
	(void)txn_reply(in->txn, r->status, buf_slice(&b));
	buf_deinit(&b);
}

/* A 2xx to REFER makes a subscription (RFC 3515 2.4.4), and is never a 202 (RFC 7647 section 5). */
static void reply_to_refer(struct incoming *in, struct uas_reply *r, struct buf *headers)
{
	struct refer_in *refer;
	int error = refer_consent(in, r->to_tag, headers, &refer);
	unsigned status = r->status == 202 ? 200 : r->status;

	if (error < 0)
		status = error == -ENOSPC ? 503 : 400;
	if (status != r->status)
		r->reason = SLICE_NULL;
	r->status = status;
	r->headers = buf_slice(headers);
	send_reply(in, r);
	if (error == 0)
		refer_report_nothing(refer);
}

int incoming_reply(struct incoming *in, const struct incoming_reply *r)
{
	UA_SCOPE(in->ep->ua);
	struct request_header_fault bad;
	struct buf tag = BUF_NULL, headers = BUF_NULL;
	struct uas_reply reply = { .status = r->status, .reason = r->reason };

	if (r->status < 200 || r->status > 699 ||
		request_headers_check(r->headers, r->n_headers, &bad) < 0 ||
		!build_header_is_safe(SLICE("Reason-Phrase"), r->reason) ||
		!build_header_is_safe(SLICE("Content-Type"), r->content_type))
		return -EINVAL;
	for (size_t i = 0; i < r->n_headers; i++)
		build_header_named(&headers, r->headers[i].name, r->headers[i].value);
	/* RFC 3428 section 7: no body in a 2xx to MESSAGE. */
	if (in->request->method != METHOD_MESSAGE || r->status > 299) {
		reply.content_type = r->content_type;
		reply.body = r->body;
	}
	ua_random_hex(in->ep->ua, &tag, TO_TAG_BYTES);
	reply.to_tag = buf_slice(&tag);
	if (in->txn && in->request->method == METHOD_REFER && r->status <= 299) {
		reply_to_refer(in, &reply, &headers);
	} else {
		reply.headers = buf_slice(&headers);
		send_reply(in, &reply);
	}
	buf_deinit(&headers);
	buf_deinit(&tag);
	incoming_free(in);
	return 0;
}

/* What the stack says for itself when nobody takes the request. */
static unsigned own_answer(enum method m)
{
	switch (m) {
	case METHOD_OPTIONS:
		return 200;
	case METHOD_NOTIFY: /* RFC 6665 4.1.3: no such subscription */
	case METHOD_INFO:   /* RFC 6086 section 4.2.2: INFO belongs to an INVITE dialog */
	case METHOD_BYE:
	case METHOD_PRACK:
	case METHOD_UPDATE:
		return 481;
	case METHOD_SUBSCRIBE: /* RFC 6665 4.2.1.1 */
	case METHOD_PUBLISH:   /* RFC 3903 section 6: no such event package here */
		return 489;
	case METHOD_REFER:
		return 603;
	case METHOD_SERVICE:
	case METHOD_REGISTER:
		return 405;
	case METHOD_UNKNOWN:
	case METHOD_ACK:
	case METHOD_BENOTIFY:
	case METHOD_CANCEL:
	case METHOD_INVITE:
	case METHOD_MESSAGE:
		break;
	}
	return 480;
}

static void answer_ourselves(struct incoming *in)
{
	struct buf tag = BUF_NULL, headers = BUF_NULL;
	struct uas_reply reply = { .status = in->own_answer };

	if (!reply.status)
		reply.status = own_answer(in->request->method);
	ua_random_hex(in->ep->ua, &tag, TO_TAG_BYTES);
	reply.to_tag = buf_slice(&tag);
	if (reply.status == 415)
		build_header(&headers, HDR_ACCEPT, SLICE("application/simple-message-summary"));
	else if (reply.status == 405 ||
		 (reply.status == 200 && in->request->method == METHOD_OPTIONS))
		uas_append_capabilities(&headers);
	reply.headers = buf_slice(&headers);
	send_reply(in, &reply);
	buf_deinit(&headers);
	buf_deinit(&tag);
}

void incoming_pass(struct incoming *in)
{
	UA_SCOPE(in->ep->ua);

	answer_ourselves(in);
	incoming_free(in);
}

void incoming_withdraw(struct incoming *in)
{
	UA_SCOPE(in->ep->ua);

	answer_ourselves(in);
	end(in);
}
