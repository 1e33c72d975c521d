/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of org.sipbus1.Session. */
#include "ipc/bus-call.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "protocol/base/err.h"
#include "protocol/ua/request-headers.h"
#include "protocol/ua/session-refer.h"

static struct session *of(void *object)
{
	return ((struct iface_session *)object)->s;
}

/* ---- what methods have in common ---- */

int iface_session_headers(struct bus_call *c, unsigned row, struct session_headers *ret,
	struct request_header **ret_list)
{
	struct request_header_fault fault;
	int r = iface_headers_option(c, row, ret_list, &ret->n);

	if (r < 0)
		return r;
	ret->list = *ret_list;
	r = session_headers_check(ret, &fault);
	return r < 0 ? iface_fail_header(c, r, &fault) : 0;
}

/* A type and its bytes among the arguments. */
static struct session_body read_body(struct bus_call *c)
{
	struct session_body body = { .type = bus_read_s(bus_call_args(c)) };

	body.bytes = bus_read_ay(bus_call_args(c));
	return body;
}

static struct slice text_option(struct bus_call *c, unsigned row)
{
	const struct bus_value *v = bus_call_option(c, row);

	return v->given ? v->s : SLICE_NULL;
}

static uint32_t number_option(struct bus_call *c, unsigned row)
{
	const struct bus_value *v = bus_call_option(c, row);

	return v->given ? v->u : 0;
}

/* The end of a verb that does not wait. */
static int finish(struct bus_call *c, int r, const char *wrong)
{
	return r == -EINVAL ? bus_call_fail(c, r, "%s", wrong) : r;
}

/* A call that waits for the far end; its caller may be gone by then. */
struct iface_reply {
	struct bus_call *call;
	void (*answer)(
		struct bus_call *c, const struct outcome *o, const struct session_body *body);
};

static void on_caller_gone(struct bus_call *c, void *ctx)
{
	struct iface_reply *reply = ctx;

	(void)c;
	reply->call = NULL;
}

static void on_done(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct iface_reply *reply = owner;

	if (reply->call && o->error)
		(void)iface_fail(reply->call, o);
	else if (reply->call)
		reply->answer(reply->call, o, body);
	free(reply);
}

/* Keeps the call, since from the verb on its answer may come any time. */
static int expect(struct bus_call *c, struct session_reply *ret,
	void (*answer)(struct bus_call *, const struct outcome *, const struct session_body *))
{
	struct iface_reply *reply = mem_new(struct iface_reply);
	int r;

	reply->call = c;
	reply->answer = answer;
	r = bus_call_keep(c, on_caller_gone, reply);
	if (r < 0) {
		free(reply);
		return r;
	}
	*ret = (struct session_reply){ .done = on_done, .owner = reply };
	return 0;
}

/* The verb failed at once, so that its reply never comes: the kept call is answered with that. */
static int expected(struct bus_call *c, const struct session_reply *reply, int r, const char *wrong)
{
	if (r < 0) {
		free(reply->owner);
		(void)bus_call_fail(c, r, r == -EINVAL ? "%s" : NULL, wrong);
	}
	return 0;
}

static void answer_status(
	struct bus_call *c, const struct outcome *o, const struct session_body *body)
{
	struct bus_writer w;

	(void)body;
	bus_call_open(c, &w);
	bus_write_u(&w, o->status);
	bus_write_s(&w, o->reason);
	bus_call_send(c, &w);
}

static void answer_body(
	struct bus_call *c, const struct outcome *o, const struct session_body *body)
{
	struct bus_writer w;

	(void)o;
	bus_call_open(c, &w);
	bus_write_s(&w, body ? body->type : SLICE_NULL);
	bus_write_ay(&w, body ? body->bytes : SLICE_NULL);
	bus_call_send(c, &w);
}

/* ---- the called side ---- */

enum { RING_STATUS, RING_REASON, RING_TYPE, RING_DESCRIPTION, RING_RELIABLE, RING_HEADERS };

static const struct bus_option ring_options[] = {
	[RING_STATUS] = { "Status", "u", "101 to 199; 180 if absent." },
	[RING_REASON] = { "Reason", "s", "Reason phrase; the standard one if absent." },
	[RING_TYPE] = { "ContentType", "s", "Of Description." },
	[RING_DESCRIPTION] = { "Description", "ay", "Early media." },
	[RING_RELIABLE] = { "Reliable", "b",
		"Acknowledged by PRACK (RFC 3262); an offer of ours always is." },
	[RING_HEADERS] = { "Headers", "a(ss)", "Added; those of the stack are refused." },
	{ 0 },
};

static int ring(struct bus_call *c, void *object)
{
	struct request_header *list cleanup_free = NULL;
	struct session_ring o = { .status = number_option(c, RING_STATUS),
		.reason = text_option(c, RING_REASON),
		.body = { text_option(c, RING_TYPE), text_option(c, RING_DESCRIPTION) } };
	const struct bus_value *reliable = bus_call_option(c, RING_RELIABLE);
	int r = iface_session_headers(c, RING_HEADERS, &o.headers, &list);

	if (r < 0)
		return r;
	if (reliable->given && reliable->b)
		o.reliable = SESSION_RELIABLE;
	r = session_ring(of(object), &o);
	if (r == -EOPNOTSUPP)
		return bus_call_fail(
			c, r, "the far end does not support reliable provisional answers");
	return finish(c, r, "Status, Reason or Description cannot be used");
}

enum { ANSWER_HEADERS };

static const struct bus_option answer_options[] = {
	[ANSWER_HEADERS] = { "Headers", "a(ss)", "Added; those of the stack are refused." },
	{ 0 },
};

static int accept_session(struct bus_call *c, void *object)
{
	struct iface_session *is = object;
	struct request_header *list cleanup_free = NULL;
	struct session_body body = read_body(c);
	struct session_headers headers = { 0 };
	int r = iface_session_headers(c, ANSWER_HEADERS, &headers, &list);

	if (r < 0)
		return r;
	r = session_accept(is->s, &body, &headers);
	/* An agent need not return from SessionReceived first. The session may be gone already. */
	if (r == 0 && bus_call_object(c) && is->ask)
		iface_session_take(is, bus_call_sender(c));
	return finish(c, r, "the description cannot be used");
}

static int reject(struct bus_call *c, void *object)
{
	struct request_header *list cleanup_free = NULL;
	uint32_t status = bus_read_u(bus_call_args(c));
	struct slice reason = bus_read_s(bus_call_args(c));
	struct session_headers headers = { 0 };
	int r = iface_session_headers(c, ANSWER_HEADERS, &headers, &list);

	if (r < 0)
		return r;
	r = session_reject(of(object), status, reason, &headers);
	return finish(c, r, "status has to be 300 to 699, or the reason cannot be used");
}

static int redirect(struct bus_call *c, void *object)
{
	struct request_header *list cleanup_free = NULL;
	struct bus_reader items = bus_enter(bus_call_args(c));
	struct slice targets[IFACE_SESSION_TARGETS];
	struct session_headers headers = { 0 };
	size_t n = 0;
	int r;

	while (bus_more(&items)) {
		if (n == IFACE_SESSION_TARGETS)
			return bus_call_fail(c, -ENOSPC, "too many targets");
		targets[n++] = bus_read_s(&items);
	}
	r = iface_session_headers(c, ANSWER_HEADERS, &headers, &list);
	if (r < 0)
		return r;
	r = session_redirect(of(object), targets, n, &headers);
	return finish(c, r, "a target is no URI, or there is none");
}

/* ---- within ---- */

enum { OFFER_FORK };

static const struct bus_option offer_options[] = {
	[OFFER_FORK] = { "Fork", "s", "Which early dialog, as Progress named it." },
	{ 0 },
};

static int offer(struct bus_call *c, void *object)
{
	struct session_body body = read_body(c);
	struct session_reply reply;
	int r = expect(c, &reply, answer_body);

	if (r < 0)
		return r;
	r = session_offer(of(object), &body, text_option(c, OFFER_FORK), &reply);
	return expected(c, &reply, r, "the description or Fork cannot be used");
}

static int answer(struct bus_call *c, void *object)
{
	struct session_body body = read_body(c);

	return finish(c, session_answer(of(object), &body), "the description cannot be used");
}

static int reject_offer(struct bus_call *c, void *object)
{
	uint32_t status = bus_read_u(bus_call_args(c));

	return finish(c, session_reject_offer(of(object), status), "status has to be 400 to 699");
}

static int send_message(struct bus_call *c, void *object)
{
	struct request_header *list cleanup_free = NULL;
	struct session_body body = read_body(c);
	struct session_headers headers = { 0 };
	struct session_reply reply;
	int r = iface_session_headers(c, ANSWER_HEADERS, &headers, &list);

	if (r == 0)
		r = expect(c, &reply, answer_status);
	if (r < 0)
		return r;
	r = session_message(of(object), &body, &headers, &reply);
	return expected(c, &reply, r, "the content type cannot be used");
}

static int send_info(struct bus_call *c, void *object)
{
	struct request_header *list cleanup_free = NULL;
	struct slice package = bus_read_s(bus_call_args(c));
	struct session_body body = read_body(c);
	struct session_headers headers = { 0 };
	struct session_reply reply;
	int r = iface_session_headers(c, ANSWER_HEADERS, &headers, &list);

	if (r == 0)
		r = expect(c, &reply, answer_status);
	if (r < 0)
		return r;
	r = session_info(of(object), package, &body, &headers, &reply);
	return expected(c, &reply, r, "the package or the content type cannot be used");
}

/* ---- transfer ---- */

enum { REFER_REPLACES, REFER_NO_SUBSCRIPTION, REFER_HEADERS };

static const struct bus_option refer_options[] = {
	[REFER_REPLACES] = { "Replaces", "o",
		"Another session of the caller's, which the target replaces (RFC 3891)." },
	[REFER_NO_SUBSCRIPTION] = { "NoSubscription", "b", "Asks for no progress (RFC 4488)." },
	[REFER_HEADERS] = { "Headers", "a(ss)", "Added; those of the stack are refused." },
	{ 0 },
};

static int refer(struct bus_call *c, void *object)
{
	struct iface_session *is = object;
	struct request_header *list cleanup_free = NULL;
	const struct bus_value *replaces = bus_call_option(c, REFER_REPLACES);
	const struct bus_value *quiet = bus_call_option(c, REFER_NO_SUBSCRIPTION);
	struct session_refer o = { .target = bus_read_s(bus_call_args(c)),
		.no_subscription = quiet->given && quiet->b };
	int r;

	if (replaces->given) {
		o.replaces = iface_session_of_path(c, is->iface, replaces->s);
		if (!o.replaces)
			return 0;
	}
	r = iface_session_headers(c, REFER_HEADERS, &o.headers, &list);
	if (r < 0)
		return r;
	return finish(c, session_refer(is->s, &o), "the target cannot be used");
}

/* The id that comes first names no REFER that waits. */
static int finish_refer(struct bus_call *c, int r)
{
	if (r == -ENOENT)
		return bus_call_fail(c, r, "no REFER with this id waits");
	return finish(c, r, "the status or the reason cannot be used");
}

static int accept_refer(struct bus_call *c, void *object)
{
	return finish_refer(c, session_accept_refer(of(object), bus_read_u(bus_call_args(c))));
}

static int reject_refer(struct bus_call *c, void *object)
{
	uint32_t id = bus_read_u(bus_call_args(c));

	return finish_refer(c, session_reject_refer(of(object), id, bus_read_u(bus_call_args(c))));
}

static int notify_refer(struct bus_call *c, void *object)
{
	uint32_t id = bus_read_u(bus_call_args(c)), status = bus_read_u(bus_call_args(c));

	return finish_refer(
		c, session_notify_refer(of(object), id, status, bus_read_s(bus_call_args(c))));
}

/* ---- the end, and whose it is ---- */

enum { TERMINATE_STATUS, TERMINATE_REASON, TERMINATE_HEADERS };

static const struct bus_option terminate_options[] = {
	[TERMINATE_STATUS] = { "Status", "u", "Of a refusal, 400 to 699; 603 if absent." },
	[TERMINATE_REASON] = { "Reason", "s", "Reason phrase of it." },
	[TERMINATE_HEADERS] = { "Headers", "a(ss)",
		"Of BYE, CANCEL or the refusal, such as Reason (RFC 3326)." },
	{ 0 },
};

static int terminate(struct bus_call *c, void *object)
{
	struct request_header *list cleanup_free = NULL;
	struct session_end end = { .status = number_option(c, TERMINATE_STATUS),
		.reason = text_option(c, TERMINATE_REASON) };
	int r = iface_session_headers(c, TERMINATE_HEADERS, &end.headers, &list);

	if (r < 0)
		return r;
	r = session_terminate(of(object), &end);
	return finish(c, r, "Status or Reason cannot be used");
}

static int adopt(struct bus_call *c, void *object)
{
	struct iface_session *is = object;
	const char *client = bus_call_sender(c);

	/* Nobody's, that is: nor is anybody asked whether it will be his. */
	if (is->ask || !iface_session_is_for(is, client))
		return bus_call_fail(c, -EPERM, "somebody else owns it or decides about it");
	if (!*iface_owned_by(&is->owned) && iface_owner_is_full(is->iface, client))
		return bus_call_fail(c, -ENOSPC, "you own too much already");
	iface_session_take(is, client);
	return 0;
}

static int release(struct bus_call *c, void *object)
{
	struct iface_session *is = object;

	if (!*iface_owned_by(&is->owned))
		return bus_call_fail(c, -ESTALE, "nobody owns it");
	bus_call_done(c);
	iface_disown(&is->owned);
	return 0;
}

/* ---- the table ---- */

#define VERB(member) .name = #member, .flags = BUS_OWNER

const struct bus_method iface_session_methods[] = {
	{ VERB(Ring), .in = "a{sv}", .args = BUS_ARGS("options"), .options = ring_options,
		.call = ring,
		.doc = "Sends a provisional answer. Errors: WrongState, NotSupported, InvalidArgument." },
	{ VERB(Accept), .in = "saya{sv}",
		.args = BUS_ARGS("content_type", "description", "options"),
		.options = answer_options, .call = accept_session,
		.doc = "Sends 200 with the answer, with an offer if the INVITE had none, or with nothing "
		       "if all is agreed. Errors: WrongState, InvalidArgument." },
	{ VERB(Reject), .in = "usa{sv}", .args = BUS_ARGS("status", "reason", "options"),
		.options = answer_options, .call = reject,
		.doc = "Refuses for good, 300 to 699. Errors: WrongState, InvalidArgument." },
	{ VERB(Redirect), .in = "asa{sv}", .args = BUS_ARGS("targets", "options"),
		.options = answer_options, .call = redirect,
		.doc = "Sends 302 with these URIs. Errors: WrongState, InvalidArgument, LimitExceeded." },
	{ VERB(Offer), .in = "saya{sv}", .out = "say",
		.args = BUS_ARGS(
			"content_type", "description", "options", "content_type", "description"),
		.options = offer_options, .call = offer,
		.doc = "Sends re-INVITE or UPDATE and waits for the answer. An empty description asks the "
		       "far end for its offer, which is returned and wants Answer. Errors: WrongState, "
		       "Refused, Timeout, TransportFailed, InvalidArgument, LimitExceeded." },
	{ VERB(Answer), .in = "say", .args = BUS_ARGS("content_type", "description"),
		.call = answer,
		.doc = "Answers OfferReceived; an empty one with our offer. Errors: WrongState, "
		       "InvalidArgument." },
	{ VERB(RejectOffer), .in = "u", .args = BUS_ARGS("status"), .call = reject_offer,
		.doc = "Refuses OfferReceived; 0 is 488. Errors: WrongState, InvalidArgument." },
	{ VERB(SendMessage), .in = "saya{sv}", .out = "us",
		.args = BUS_ARGS("content_type", "body", "options", "status", "reason"),
		.options = answer_options, .call = send_message,
		.doc = "Sends MESSAGE in the dialog (RFC 3428) and waits for the final answer. Errors as "
		       "for Offer." },
	{ VERB(SendInfo), .in = "ssaya{sv}", .out = "us",
		.args = BUS_ARGS("package", "content_type", "body", "options", "status", "reason"),
		.options = answer_options, .call = send_info,
		.doc = "Sends INFO (RFC 6086; no package: the legacy use) and waits for the final answer. "
		       "Errors as for Offer." },
	{ VERB(Refer), .in = "sa{sv}", .args = BUS_ARGS("target", "options"),
		.options = refer_options, .call = refer,
		.doc = "Asks the far end to call target (RFC 3515); what comes of it is ReferFinished. "
		       "Errors: WrongState, InvalidArgument, NoSuchObject, LimitExceeded." },
	{ VERB(AcceptRefer), .in = "ua{sv}", .args = BUS_ARGS("id", "options"),
		.call = accept_refer,
		.doc = "Takes on what ReferReceived asks: 200. Calling is the client's business, "
		       "NotifyRefer tells how it goes; FollowRefer does both. Errors: NoSuchObject, WrongState." },
	{ VERB(FollowRefer), .in = "ua{sv}", .out = "o",
		.args = BUS_ARGS("id", "options", "session"), .options = iface_follow_refer_options,
		.call = iface_follow_refer,
		.doc = "Does what ReferReceived asks: accepts it unless that was done, and calls whom "
		       "it names, with Replaces and Referred-By as it says. The caller owns the new "
		       "session; how it fares is told to the far end without NotifyRefer. Errors: "
		       "NoSuchObject, WrongState, NotSupported (no INVITE to a SIP or tel URI), and "
		       "as for CreateSession." },
	{ VERB(RejectRefer), .in = "uu", .args = BUS_ARGS("id", "status"), .call = reject_refer,
		.doc = "Refuses what ReferReceived asks. Errors: NoSuchObject, WrongState, "
		       "InvalidArgument." },
	{ VERB(NotifyRefer), .in = "uus", .args = BUS_ARGS("id", "status", "reason"),
		.call = notify_refer,
		.doc = "Tells the far end how its REFER goes; a final status ends it. Errors: "
		       "NoSuchObject, WrongState, InvalidArgument." },
	{ VERB(Terminate), .in = "a{sv}", .args = BUS_ARGS("options"), .options = terminate_options,
		.call = terminate,
		.doc = "BYE, CANCEL or refusal, as the state asks; Terminated tells when it is over. "
		       "Error: InvalidArgument." },
	{ .name = "Adopt",
		.call = adopt,
		.doc = "Takes a session that nobody owns, and hears the signals that waited. Errors: "
		       "AccessDenied, LimitExceeded." },
	{ VERB(Release), .call = release,
		.doc = "Gives it up, as if the caller had left the bus: unless somebody adopts it within "
		       "the profile's OwnerGrace, OnOwnerLost applies. Error: WrongState." },
	{ .name = "GetMessage",
		.in = "s",
		.out = "ay",
		.args = BUS_ARGS("which", "message"),
		.call = iface_session_get_message,
		.doc = "invite, final or last-received: the bytes, without the values of Authorization "
		       "and Proxy-Authorization. Errors: InvalidArgument, WrongState." },
	{ 0 },
};
