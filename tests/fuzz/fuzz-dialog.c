/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions driven by bytes: each step is a letter and its arguments.
 *   q METHOD OF FLAGS LINES LINES   a request of the peer's, in the dialog of what was sent last
 *                                   but OF, or a new one
 *   r STATUS OF FLAGS LINES LINES   an answer to the last request but OF
 *   w   what arrived last arrives again      x AT BITS   a byte of the next message is changed
 *   n FLAGS   a session is begun             v VERB OF   a verb of a session
 *   e VERB    a verb inside the next event   a HI LO     time passes, in units of 50 ms
 *   N   no such names                        f   flow down                            c   the
 * endpoint closes However it goes: what is sent is sound, every verb that waits ends once, every
 * session is told as added, ended and removed once, and when all are ended and 64*T1 have passed,
 * thrice for what ends one after the other, no transaction, dialog, timer or session is left.
 */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/msg/build.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/session-refer.h"
#include "protocol/ua/session-view.h"
#include "protocol/ua/subscriber.h"
#include "tests/fuzz/ground.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 96, SENT_MAX = 8, SESSIONS_MAX = 6, BYTES_MAX = 2048, TICK_MSEC = 50 };

struct fuzz {
	const uint8_t *p;
	size_t n;
	struct ground ground;
	struct ua *ua;
	struct endpoint *ep;
	struct msg *sent[SENT_MAX]; /* the last first */
	struct session *sessions[SESSIONS_MAX];
	struct buf arrived;
	enum msg_framing framing;
	uint32_t cseq, invite_cseq, refer_id;
	unsigned change_at, change_bits;
	unsigned verb_in_event; /* + 1; 0: none */
	unsigned n_waiting;     /* verbs that have not ended */
	unsigned n_added, n_ended, n_removed;
};

/* ---- bytes ---- */

static unsigned take(struct fuzz *z)
{
	if (!z->n)
		return 0;
	z->n--;
	return *z->p++;
}

/* ---- what is sent ---- */

static void on_sent(void *ctx, struct flow *f, struct msg *m)
{
	struct fuzz *z = ctx;

	(void)f;
	msg_unref(z->sent[SENT_MAX - 1]);
	for (size_t i = SENT_MAX - 1; i > 0; i--)
		z->sent[i] = z->sent[i - 1];
	z->sent[0] = msg_ref(m);
}

/* ---- what arrives ---- */

static const char *const all_lines[] = {
	"",
	"Supported: timer, 100rel\r\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE, PRACK\r\n",
	"Require: 100rel\r\nRSeq: 1\r\n",
	"Require: 100rel\r\nRSeq: 2\r\n",
	"Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n",
	"Require: timer\r\nSession-Expires: 90;refresher=uas\r\n",
	"Supported: timer\r\nSession-Expires: 30\r\n",
	"Min-SE: 120\r\n",
	"Event: refer\r\nSubscription-State: active;expires=60\r\n",
	"Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n",
	"Event: refer\r\nExpires: 0\r\n",
	"Refer-To: <sip:carol@192.0.2.1>\r\nReferred-By: <sip:bob@192.0.2.1>\r\n",
	"Refer-To: <sip:carol@192.0.2.1;method=BYE>\r\nRefer-Sub: false\r\n",
	"Record-Route: <sip:192.0.2.1;lr>\r\n",
	"Record-Route: <sip:192.0.2.1>\r\n",
	"Require: foo\r\n",
	"Retry-After: 1\r\n",
	"Reason: SIP;cause=200;text=\"elsewhere\"\r\n",
	"Info-Package: foo\r\n",
	"Contact: <sip:bob@192.0.2.9>\r\n",
	"Contact: <sip:carol@192.0.2.1>;q=0.5, <sip:dave@192.0.2.1>\r\n",
	"WWW-Authenticate: Digest realm=\"example.com\", nonce=\"n\"\r\n",
	"Content-Disposition: early-session\r\n",
	"Refer-Sub: false\r\n",
};

static const char *const bodies[] = { "", "v=0 one", "v=0 two", "SIP/2.0 200 OK\r\n" };

static void append_lines(struct fuzz *z, struct buf *b)
{
	buf_str(b, all_lines[take(z) % ARRAY_LEN(all_lines)]);
	buf_str(b, all_lines[take(z) % ARRAY_LEN(all_lines)]);
}

static void append_body(struct buf *b, unsigned which)
{
	struct slice body = slice_str(bodies[which % ARRAY_LEN(bodies)]);
	struct slice type = which % ARRAY_LEN(bodies) == 3 ? SLICE("message/sipfrag;version=2.0")
							   : SLICE("application/sdp");

	build_body(b, body.n ? type : SLICE_NULL, body);
}

static void arrive(struct fuzz *z, struct buf *b, enum msg_framing framing)
{
	struct ground_flow *f = framing == MSG_STREAM ? &z->ground.tcp : &z->ground.udp;

	if (z->change_bits && b->n)
		b->p[z->change_at * b->n / 256] ^= (char)z->change_bits;
	z->change_bits = 0;
	buf_deinit(&z->arrived);
	z->arrived = *b;
	*b = BUF_NULL;
	z->framing = framing;
	ua_receive(z->ua, &f->flow, buf_slice(&z->arrived), framing);
	if (z->ground.secret_query) {
		ua_secret(z->ua, z->ground.secret_query, SLICE("u"), SLICE("p"));
		z->ground.secret_query = 0;
	}
}

/* The names of a dialog as the peer writes them. */
struct names {
	struct slice call_id, theirs, ours;
};

static struct names names_of(const struct msg *sent, unsigned flags)
{
	static const struct slice tags[] = { SLICE_INIT("p0"), SLICE_INIT("p1") };
	struct names n = { .call_id = sent->call_id };

	n.ours = sent->is_request ? sent->from_tag : sent->to_tag;
	n.theirs = sent->is_request ? sent->to_tag : sent->from_tag;
	if (!n.theirs.n || flags & 64)
		n.theirs = tags[flags & 1];
	return n;
}

static void append_rack(struct fuzz *z, struct buf *b)
{
	for (size_t i = 0; i < SENT_MAX; i++) {
		const struct msg *m = z->sent[i];

		if (!m || m->is_request || !msg_header(m, HDR_RSEQ).p)
			continue;
		buf_lit(b, "RAck: ");
		buf_put(b, msg_header(m, HDR_RSEQ));
		buf_printf(b, " %u INVITE\r\n", (unsigned)m->cseq);
		return;
	}
	buf_lit(b, "RAck: 1 1 INVITE\r\n");
}

/* Replaces and Join name a dialog by what was sent in it. */
static void append_dialog(struct fuzz *z, struct buf *b, const char *header)
{
	const struct msg *m = z->sent[take(z) % SENT_MAX];
	struct names n;

	if (!m)
		return;
	n = names_of(m, 0);
	buf_printf(b, "%s: %.*s;to-tag=%.*s;from-tag=%.*s\r\n", header, SLICE_ARGS(n.call_id),
		SLICE_ARGS(n.ours), SLICE_ARGS(n.theirs));
}

static const char *const methods[] = { "INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "INFO",
	"MESSAGE", "OPTIONS", "REFER", "NOTIFY", "SUBSCRIBE", "INVITE", "INVITE", "FOO" };
enum { WITH_REPLACES = 12, WITH_JOIN = 13 };

/* What only some requests have. */
static void append_own_lines(struct fuzz *z, struct buf *b, unsigned which)
{
	if (method_parse(slice_str(methods[which])) == METHOD_PRACK)
		append_rack(z, b);
	if (which == WITH_REPLACES)
		append_dialog(z, b, "Replaces");
	if (which == WITH_JOIN)
		append_dialog(z, b, "Join");
}

/* flags: 3: body; 4: outside dialogs; 8: number and branch of the last INVITE; 16: a lower number;
 * 32: TCP; 64: another tag; 128: no Contact */
static void request(struct fuzz *z)
{
	unsigned which = take(z) % ARRAY_LEN(methods);
	const struct msg *of = z->sent[take(z) % SENT_MAX];
	unsigned flags = take(z);
	enum method method = method_parse(slice_str(methods[which]));
	struct names n = { .call_id = SLICE("c1"), .theirs = SLICE("p0") };
	struct buf b = BUF_NULL;
	uint32_t cseq;

	if (of && !(flags & 4))
		n = names_of(of, flags);
	cseq = flags & 8 ? z->invite_cseq : flags & 16 ? z->cseq - 1 : ++z->cseq;
	if (method == METHOD_INVITE)
		z->invite_cseq = cseq;
	buf_printf(&b, "%s sip:alice@example.com SIP/2.0\r\n", methods[which]);
	buf_printf(&b, "Via: SIP/2.0/%s 192.0.2.1;branch=z9hG4bK%u\r\n", flags & 32 ? "TCP" : "UDP",
		(unsigned)cseq);
	buf_printf(&b, "From: <sip:bob@192.0.2.1>;tag=%.*s\r\nTo: <sip:alice@example.com>",
		SLICE_ARGS(n.theirs));
	if (n.ours.n)
		buf_printf(&b, ";tag=%.*s", SLICE_ARGS(n.ours));
	buf_printf(&b, "\r\nCall-ID: %.*s\r\nCSeq: %u %s\r\nMax-Forwards: 70\r\n",
		SLICE_ARGS(n.call_id), (unsigned)cseq, methods[which]);
	if (!(flags & 128))
		buf_lit(&b, "Contact: <sip:bob@192.0.2.1>\r\n");
	append_own_lines(z, &b, which);
	append_lines(z, &b);
	append_body(&b, flags);
	arrive(z, &b, flags & 32 ? MSG_STREAM : MSG_DATAGRAM);
	buf_deinit(&b);
}

static const struct msg *sent_request(const struct fuzz *z, unsigned of)
{
	for (size_t i = 0; i < SENT_MAX; i++)
		if (z->sent[i] && z->sent[i]->is_request && z->sent[i]->method != METHOD_ACK &&
			of-- == 0)
			return z->sent[i];
	return NULL;
}

static const unsigned statuses[] = { 100, 180, 183, 199, 200, 200, 202, 302, 401, 407, 408, 404,
	422, 481, 486, 487, 488, 489, 491, 500, 503, 603 };

/* flags: 3: body; 12: tag; 128: no Contact */
static void answer(struct fuzz *z)
{
	static const struct slice tags[] = { SLICE_INIT("p0"), SLICE_INIT("p1"), SLICE_INIT("p2"),
		SLICE_INIT("") };
	unsigned status = statuses[take(z) % ARRAY_LEN(statuses)];
	const struct msg *of = sent_request(z, take(z) % SENT_MAX);
	unsigned flags = take(z);
	struct buf b = BUF_NULL;

	if (!of)
		return;
	build_response(&b, of, status, SLICE_NULL, tags[flags >> 2 & 3]);
	if (!(flags & 128))
		buf_lit(&b, "Contact: <sip:bob@192.0.2.1>\r\n");
	append_lines(z, &b);
	append_body(&b, flags);
	arrive(z, &b, MSG_DATAGRAM);
	buf_deinit(&b);
}

static void again(struct fuzz *z)
{
	struct buf b = BUF_NULL;

	buf_put(&b, buf_slice(&z->arrived));
	arrive(z, &b, z->framing);
	buf_deinit(&b);
}

/* ---- verbs ---- */

static void on_verb_done(void *owner, const struct outcome *o, const struct session_body *body)
{
	struct fuzz *z = owner;

	(void)body;
	ground_expect(o->error <= 0 && z->n_waiting > 0);
	z->n_waiting--;
}

static struct session_body sdp(unsigned which)
{
	if (which % 3 == 0)
		return (struct session_body){ 0 };
	return (struct session_body){
		.type = SLICE("application/sdp"),
		.bytes = which % 3 == 1 ? SLICE("v=0 ours") : SLICE("v=0 ours too"),
	};
}

static void ring(struct session *s, unsigned arg)
{
	const struct session_ring r = {
		.status = arg & 1 ? 183 : 180,
		.body = sdp(arg),
		.reliable = arg & 2 ? SESSION_RELIABLE : SESSION_IF_REQUIRED,
	};

	(void)session_ring(s, &r);
}

/* The verbs that wait. */
static void ask(struct fuzz *z, struct session *s, unsigned verb, unsigned arg)
{
	const struct session_reply reply = { on_verb_done, z };
	const struct session_headers none = { 0 };
	const struct session_body body = sdp(arg);
	int r;

	z->n_waiting++;
	if (verb == 0)
		r = session_offer(s, &body, arg & 1 ? SLICE("1") : SLICE_NULL, &reply);
	else if (verb == 1)
		r = session_message(s, &body, &none, &reply);
	else
		r = session_info(s, arg & 1 ? SLICE("foo") : SLICE_NULL, &body, &none, &reply);
	if (r < 0)
		z->n_waiting--;
}

static void refer(struct fuzz *z, struct session *s, unsigned verb, unsigned arg)
{
	const struct session_refer out = {
		.target = SLICE("sip:carol@192.0.2.1"),
		.replaces = arg & 1 ? z->sessions[arg % SESSIONS_MAX] : NULL,
		.no_subscription = arg & 2,
	};
	const struct session_spec spec = { .offer = sdp(arg) };
	struct session *ret;
	const char *why;

	if (verb == 0)
		(void)session_refer(s, &out);
	else if (verb == 1)
		(void)session_accept_refer(s, z->refer_id);
	else if (verb == 2)
		(void)session_reject_refer(s, z->refer_id, 0);
	else if (verb == 3)
		(void)session_notify_refer(s, z->refer_id, arg & 1 ? 180 : 200, SLICE("Well"));
	else
		(void)session_follow_refer(s, z->refer_id, &spec, &ret, &why);
}

enum { VERB_ASK = 8, VERB_REFER = 11, VERBS = 16 };

static void do_verb(struct fuzz *z, unsigned verb, unsigned arg)
{
	struct session *s = z->sessions[arg % SESSIONS_MAX];
	const struct slice target = SLICE("sip:carol@192.0.2.1");
	const struct session_headers none = { 0 };
	const struct session_body body = sdp(arg / SESSIONS_MAX);

	verb %= VERBS;
	if (!s)
		return;
	if (verb == 0)
		ring(s, arg / SESSIONS_MAX);
	else if (verb == 1)
		(void)session_accept(s, &body, &none);
	else if (verb == 2)
		(void)session_reject(s, 486, SLICE_NULL, &none);
	else if (verb == 3)
		(void)session_redirect(s, &target, 1, &none);
	else if (verb == 4)
		session_pass(s);
	else if (verb == 5)
		(void)session_answer(s, &body);
	else if (verb == 6)
		(void)session_reject_offer(s, 0);
	else if (verb == 7)
		(void)session_terminate(s, NULL);
	else if (verb < VERB_REFER)
		ask(z, s, verb - VERB_ASK, arg / SESSIONS_MAX);
	else
		refer(z, s, verb - VERB_REFER, arg / SESSIONS_MAX);
}

static void begin(struct fuzz *z)
{
	unsigned flags = take(z);
	const struct session_spec spec = {
		.target = SLICE("sip:bob@192.0.2.1"),
		.offer = sdp(flags),
		.type = flags & 8 ? SLICE("im") : SLICE_NULL,
		.replaces = flags & 16 ? z->sessions[flags % SESSIONS_MAX] : NULL,
		.join = (flags & 48) == 32 ? z->sessions[flags % SESSIONS_MAX] : NULL,
		.timeout = flags & 64 ? 5 * USEC_PER_SEC : 0,
	};
	struct session *s;
	const char *why;

	if (z->ep)
		(void)session_new(z->ep, &spec, &s, &why);
}

/* ---- the listener ---- */

static void on_endpoint(void *ctx, struct endpoint *ep)
{
	(void)ctx;
	(void)ep;
}

static void on_endpoint_removed(void *ctx, struct endpoint *ep)
{
	struct fuzz *z = ctx;

	ground_expect(z->ep == ep);
	z->ep = NULL;
}

static void on_endpoint_changed(void *ctx, struct endpoint *ep, unsigned changes)
{
	(void)ctx;
	(void)ep;
	ground_expect(changes != 0);
}

static void on_registration(
	void *ctx, struct endpoint *ep, enum ua_verb verb, const struct outcome *o)
{
	(void)ctx;
	(void)ep;
	(void)verb;
	(void)o;
}

static void on_incoming(void *ctx, struct incoming *in)
{
	(void)ctx;
	incoming_pass(in);
}

static void on_incoming_gone(void *ctx, struct incoming *in)
{
	(void)ctx;
	(void)in;
}

static void on_added(void *ctx, struct session *s)
{
	struct fuzz *z = ctx;

	z->n_added++;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (!z->sessions[i]) {
			z->sessions[i] = s;
			return;
		}
	(void)session_terminate(s, NULL);
}

static void on_session(void *ctx, struct session *s)
{
	(void)ctx;
	ground_expect(!session_is_outgoing(s));
}

static void on_changed(void *ctx, struct session *s, unsigned changes)
{
	(void)ctx;
	(void)s;
	ground_expect(changes != 0);
}

static void on_event(void *ctx, struct session *s, const struct ua_session_event *e)
{
	struct fuzz *z = ctx;
	unsigned verb = z->verb_in_event;

	(void)s;
	if (e->news == UA_SESSION_REFER)
		z->refer_id = e->id;
	if (e->news == UA_SESSION_TERMINATED)
		z->n_ended++;
	z->verb_in_event = 0;
	if (verb)
		do_verb(z, verb - 1, verb / VERBS);
}

static void on_removed(void *ctx, struct session *s)
{
	struct fuzz *z = ctx;

	z->n_removed++;
	ground_expect(session_state(s) == SESSION_TERMINATED);
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (z->sessions[i] == s)
			z->sessions[i] = NULL;
}

static void on_subscriber_incoming(void *ctx, struct subscriber *s)
{
	(void)ctx;
	subscriber_pass(s, SUBSCRIBER_NO_PACKAGE);
}

static void on_subscriber_changed(void *ctx, struct subscriber *s, unsigned changes)
{
	(void)ctx;
	(void)s;
	(void)changes;
}

static void on_subscriber_event(
	void *ctx, struct subscriber *s, enum subscriber_news news, const struct msg *m)
{
	(void)ctx;
	(void)s;
	(void)news;
	(void)m;
}

static void on_subscriber_removed(void *ctx, struct subscriber *s, const struct subscriber_end *end)
{
	(void)ctx;
	(void)s;
	(void)end;
}

static const struct ua_listener listener = {
	.endpoint_added = on_endpoint,
	.endpoint_removed = on_endpoint_removed,
	.endpoint_changed = on_endpoint_changed,
	.registration_done = on_registration,
	.incoming = on_incoming,
	.incoming_gone = on_incoming_gone,
	.session_added = on_added,
	.session_incoming = on_session,
	.session_changed = on_changed,
	.session_event = on_event,
	.session_removed = on_removed,
	.subscriber_incoming = on_subscriber_incoming,
	.subscriber_changed = on_subscriber_changed,
	.subscriber_event = on_subscriber_event,
	.subscriber_removed = on_subscriber_removed,
};

/* ---- the whole ---- */

static void step(struct fuzz *z)
{
	unsigned high;

	switch (take(z)) {
	case 'q':
		request(z);
		break;
	case 'r':
		answer(z);
		break;
	case 'w':
		again(z);
		break;
	case 'x':
		z->change_at = take(z);
		z->change_bits = take(z);
		break;
	case 'n':
		begin(z);
		break;
	case 'v':
		high = take(z);
		do_verb(z, high, take(z));
		break;
	case 'e':
		z->verb_in_event = take(z);
		break;
	case 'a':
		high = take(z);
		ua_advance(z->ua,
			z->ua->timers.now + (high * 256 + take(z)) * TICK_MSEC * USEC_PER_MSEC);
		break;
	case 'N':
		ground_resolve(&z->ground, z->ua);
		break;
	case 'f':
		ground_break(&z->ground, z->ua);
		break;
	case 'c':
		if (z->ep)
			endpoint_close(z->ep);
		break;
	default:
		break;
	}
}

static void pass(struct fuzz *z, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		ground_resolve(&z->ground, z->ua);
		ua_advance(z->ua, z->ua->timers.now + USEC_PER_SEC);
	}
}

/* Nobody answers any more. */
static void end_everything(struct fuzz *z)
{
	enum { PATIENCE = 3 * 33 };

	z->verb_in_event = 0;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (z->sessions[i])
			(void)session_terminate(z->sessions[i], NULL);
	pass(z, PATIENCE);
	ground_expect(z->n_waiting == 0);
	ground_expect(z->n_added == z->n_ended && z->n_added == z->n_removed);
	ground_expect(z->ua->sessions.n == 0 && z->ua->n_sessions == 0 && z->ua->invites.n == 0);
	ground_expect(z->ua->txns.n == 0);
	ground_expect(z->ua->dialogs.n == 0);
	ua_stop(z->ua);
	pass(z, PATIENCE);
	ground_expect(ua_is_stopped(z->ua) && z->ep == NULL);
	ground_expect(ua_deadline(z->ua) == USEC_NEVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz z = { .p = data, .n = size, .cseq = 1 };
	struct profile *p;

	if (size > BYTES_MAX)
		return 0;
	p = ground_profile(PROFILE_ROLE_PROXY);
	ground_init(&z.ground, on_sent, &z);
	z.ua = ua_new(&z.ground.host, USEC_PER_SEC);
	ua_set_listener(z.ua, &listener, &z);
	ground_expect(endpoint_new(z.ua, &(struct endpoint_config){ .profile = p }, &z.ep) == 0);
	profile_unref(p);
	for (unsigned i = 0; i < STEPS_MAX && z.n; i++)
		step(&z);
	end_everything(&z);
	ua_free(z.ua);
	ground_deinit(&z.ground);
	for (size_t i = 0; i < SENT_MAX; i++)
		msg_unref(z.sent[i]);
	buf_deinit(&z.arrived);
	return 0;
}
