/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole user agent driven by bytes: each step is a letter and its arguments.
 *   d LEN BYTES   a datagram arrives        s LEN BYTES   a message arrives over TCP
 *   a HI LO       time passes, milliseconds
 *   r CODE LEN BYTES   the last request that went out is answered, BYTES being header lines
 *   R register   U unregister   A unregister all   P page   p pass   y answer 200   f flow down
 *   I invite   the oldest session: i rings   k accepts or answers   o offers   h hangs up
 *   S subscribe   Q fetch   L subscribe to a list   e the oldest is ended   u updated
 *   n METHOD CSEQ LEN BYTES   the peer of the last request notifies (even: NOTIFY, odd: BENOTIFY)
 *   t whoever subscribed is let in, or told   x it is finished
 *   B publish   m modify   z remove: the same publication
 * M as the first letter: the profile speaks Microsoft's dialect.
 * However it goes, nothing may be left when it is over, and nothing faulty may be sent.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/page.h"
#include "protocol/ua/publication.h"
#include "protocol/ua/registration.h"
#include "protocol/ua/session-view.h"
#include "protocol/ua/subscriber.h"
#include "protocol/ua/subscription.h"
#include "tests/fuzz/ground.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 64, WAITING_MAX = 8, SESSIONS_MAX = 4, SUBSCRIPTIONS_MAX = 4, BYTES_MAX = 4096 };

struct fuzz {
	const uint8_t *p;
	size_t n;
	struct ground ground;
	struct ua *ua;
	struct endpoint *ep;
	struct msg *sent; /* the last request */
	struct incoming *waiting[WAITING_MAX];
	struct session *sessions[SESSIONS_MAX]; /* oldest first */
	size_t n_sessions;
	struct subscription *subscriptions[SUBSCRIPTIONS_MAX]; /* oldest first */
	size_t n_subscriptions;
	struct subscriber *subscriber; /* NULL: none that we know of */
	struct publication *publication;
	unsigned n_verbs; /* of it that wait for their end */
};

static void on_sent(void *ctx, struct flow *f, struct msg *m)
{
	struct fuzz *z = ctx;

	(void)f;
	if (!m->is_request || m->method == METHOD_ACK)
		return;
	msg_unref(z->sent);
	z->sent = msg_ref(m);
}

/* ---- the listener ---- */

static void on_endpoint(void *ctx, struct endpoint *ep)
{
	(void)ctx;
	(void)ep;
}

static void on_removed(void *ctx, struct endpoint *ep)
{
	struct fuzz *z = ctx;

	ground_expect(z->ep == ep);
	z->ep = NULL;
}

static void on_changed(void *ctx, struct endpoint *ep, unsigned changes)
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
	ground_expect(o->error <= 0);
}

static void on_incoming(void *ctx, struct incoming *in)
{
	struct fuzz *z = ctx;

	for (size_t i = 0; i < WAITING_MAX; i++)
		if (!z->waiting[i]) {
			z->waiting[i] = in;
			return;
		}
	incoming_pass(in);
}

static void on_gone(void *ctx, struct incoming *in)
{
	struct fuzz *z = ctx;

	for (size_t i = 0; i < WAITING_MAX; i++)
		if (z->waiting[i] == in)
			z->waiting[i] = NULL;
}

static void on_session(void *ctx, struct session *s)
{
	struct fuzz *z = ctx;

	if (z->n_sessions < SESSIONS_MAX)
		z->sessions[z->n_sessions++] = s;
}

static void on_session_incoming(void *ctx, struct session *s)
{
	struct fuzz *z = ctx;

	for (size_t i = 0; i < z->n_sessions; i++)
		if (z->sessions[i] == s)
			return;
	session_pass(s);
}

static void on_session_changed(void *ctx, struct session *s, unsigned changes)
{
	(void)ctx;
	(void)s;
	ground_expect(changes != 0);
}

static void on_session_event(void *ctx, struct session *s, const struct ua_session_event *e)
{
	(void)ctx;
	ground_expect(e->news != UA_SESSION_TERMINATED || session_state(s) == SESSION_TERMINATED);
}

static void on_session_removed(void *ctx, struct session *s)
{
	struct fuzz *z = ctx;

	for (size_t i = 0; i < z->n_sessions; i++)
		if (z->sessions[i] == s) {
			z->n_sessions--;
			memmove(z->sessions + i, z->sessions + i + 1,
				(z->n_sessions - i) * sizeof(z->sessions[0]));
		}
}

static void on_subscriber_incoming(void *ctx, struct subscriber *s)
{
	struct fuzz *z = ctx;

	if (z->subscriber)
		subscriber_pass(s, SUBSCRIBER_NO_PACKAGE);
	else
		z->subscriber = s;
}

static void on_subscriber_changed(void *ctx, struct subscriber *s, unsigned changes)
{
	(void)ctx;
	(void)s;
	ground_expect(changes != 0);
}

static const struct subscriber_body state = { .content_type = SLICE_INIT("text/plain"),
	.bytes = SLICE_INIT("hi") };

static void on_subscriber_event(
	void *ctx, struct subscriber *s, enum subscriber_news news, const struct msg *m)
{
	(void)ctx;
	(void)m;
	if (news == SUBSCRIBER_WANTS_STATE)
		(void)subscriber_notify(s, &state);
}

static void on_subscriber_removed(void *ctx, struct subscriber *s, const struct subscriber_end *end)
{
	struct fuzz *z = ctx;

	ground_expect(end->status < 700);
	if (z->subscriber == s)
		z->subscriber = NULL;
}

static const struct ua_listener listener = {
	.endpoint_added = on_endpoint,
	.endpoint_removed = on_removed,
	.endpoint_changed = on_changed,
	.registration_done = on_registration,
	.incoming = on_incoming,
	.incoming_gone = on_gone,
	.session_added = on_session,
	.session_incoming = on_session_incoming,
	.session_changed = on_session_changed,
	.session_event = on_session_event,
	.session_removed = on_session_removed,
	.subscriber_incoming = on_subscriber_incoming,
	.subscriber_changed = on_subscriber_changed,
	.subscriber_event = on_subscriber_event,
	.subscriber_removed = on_subscriber_removed,
};

static void on_page_done(void *owner, struct request *r, const struct outcome *o)
{
	(void)owner;
	(void)r;
	ground_expect(o->error <= 0);
}

static const struct request_ops page_ops = { .done = on_page_done };

/* ---- the steps ---- */

static unsigned take_byte(struct fuzz *z)
{
	if (!z->n)
		return 0;
	z->n--;
	return *z->p++;
}

static struct slice take_bytes(struct fuzz *z)
{
	size_t n = take_byte(z) * 16;
	struct slice s;

	if (n > z->n)
		n = z->n;
	s = slice_of((const char *)z->p, n);
	z->p += n;
	z->n -= n;
	return s;
}

static void answer(struct fuzz *z)
{
	unsigned status = 100 + take_byte(z) * 5 / 2;
	struct slice lines = take_bytes(z);
	struct buf b = BUF_NULL;

	if (!z->sent)
		return;
	build_response(&b, z->sent, status, SLICE_NULL, SLICE("peer"));
	buf_put(&b, lines);
	if (lines.n && lines.p[lines.n - 1] != '\n')
		buf_lit(&b, "\r\n");
	build_body(&b, SLICE_NULL, SLICE_NULL);
	ua_receive(z->ua, &z->ground.udp.flow, buf_slice(&b), MSG_DATAGRAM);
	buf_deinit(&b);
	if (z->ground.secret_query) {
		ua_secret(z->ua, z->ground.secret_query, SLICE("u"), SLICE("p"));
		z->ground.secret_query = 0;
	}
}

static void page(struct fuzz *z)
{
	const struct page_spec spec = {
		.target = SLICE("sip:bob@example.com"),
		.content_type = SLICE("text/plain"),
		.body = SLICE("hi"),
		.ops = &page_ops,
	};
	struct request *r;
	const char *why;

	(void)page_send(z->ep, &spec, &r, &why);
}

static void decide(struct fuzz *z, unsigned status)
{
	for (size_t i = 0; i < WAITING_MAX; i++) {
		struct incoming *in = z->waiting[i];

		z->waiting[i] = NULL;
		if (in && status)
			(void)incoming_reply(in, &(struct incoming_reply){ .status = status });
		else if (in)
			incoming_pass(in);
	}
}

static void on_answer(void *owner, const struct outcome *o, const struct session_body *body)
{
	(void)owner;
	(void)body;
	ground_expect(o->error <= 0);
}

static void invite(struct fuzz *z)
{
	const struct session_spec spec = {
		.target = SLICE("sip:bob@example.com"),
		.offer = { SLICE("application/sdp"), SLICE("v=0") },
	};
	struct session *s;
	const char *why;

	(void)session_new(z->ep, &spec, &s, &why);
}

static void session_verb(struct session *s, unsigned verb)
{
	const struct session_body sdp = { SLICE("application/sdp"), SLICE("v=0") };
	const struct session_reply reply = { .done = on_answer };

	switch (verb) {
	case 'i':
		(void)session_ring(s, &(struct session_ring){ .body = sdp });
		break;
	case 'k':
		if (session_accept(s, &sdp, NULL) < 0)
			(void)session_answer(s, &sdp);
		break;
	case 'o':
		(void)session_offer(s, &sdp, SLICE_NULL, &reply);
		break;
	case 'h':
		(void)session_terminate(s, NULL);
		break;
	default:
		break;
	}
}

/* ---- subscriptions ---- */

static void on_notified(void *owner, struct subscription *s, const struct msg *m)
{
	(void)owner;
	ground_expect(subscription_last(s) == m);
}

static void on_subscription_changed(void *owner, struct subscription *s)
{
	const struct fuzz *z = owner;

	/* Its state may be the last one by now: that is told next. */
	ground_expect(subscription_endpoint(s) == z->ep);
}

static void on_terminated(void *owner, struct subscription *s, const struct subscription_end *end)
{
	struct fuzz *z = owner;
	size_t i = 0;

	ground_expect(end->status < 700);
	while (i < z->n_subscriptions && z->subscriptions[i] != s)
		i++;
	ground_expect(i < z->n_subscriptions);
	z->n_subscriptions--;
	memmove(z->subscriptions + i, z->subscriptions + i + 1,
		(z->n_subscriptions - i) * sizeof(z->subscriptions[0]));
}

static const struct subscription_ops subscription_ops = {
	.notified = on_notified,
	.changed = on_subscription_changed,
	.terminated = on_terminated,
};

static void subscribe(struct fuzz *z, unsigned letter)
{
	static const struct slice targets[] = { SLICE_INIT("sip:bob@example.com"),
		SLICE_INIT("tel:+1") };
	const struct subscription_spec spec = {
		.target = SLICE("sip:alice@example.com"),
		.event = SLICE("presence"),
		.expires = letter == 'Q' ? 0 : 600,
		.targets = targets,
		.n_targets = letter == 'L' ? 2 : 0,
	};
	struct subscription **s = &z->subscriptions[z->n_subscriptions];

	if (z->ep && z->n_subscriptions < SUBSCRIPTIONS_MAX &&
		subscription_new(z->ep, &spec, &subscription_ops, z, s) == 0)
		z->n_subscriptions++;
}

/* In the dialog of the last request, or what would be one. */
static void notify(struct fuzz *z)
{
	enum method method = take_byte(z) & 1 ? METHOD_BENOTIFY : METHOD_NOTIFY;
	uint32_t cseq = take_byte(z);
	struct slice lines = take_bytes(z);
	struct buf b = BUF_NULL;

	if (!z->sent)
		return;
	build_request_line(&b, method_name(method), SLICE("sip:alice@192.0.2.2"));
	buf_printf(&b, "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKn%zu;rport\r\n", z->n);
	buf_printf(&b, "From: <sip:bob@example.com>;tag=peer\r\n");
	buf_printf(&b, "To: <sip:alice@example.com>;tag=%.*s\r\n", SLICE_ARGS(z->sent->from_tag));
	build_header(&b, HDR_CALL_ID, z->sent->call_id);
	build_cseq(&b, cseq, method_name(method));
	buf_put(&b, lines);
	if (lines.n && lines.p[lines.n - 1] != '\n')
		buf_lit(&b, "\r\n");
	build_body(&b, SLICE("text/plain"), SLICE("state"));
	ua_receive(z->ua, &z->ground.udp.flow, buf_slice(&b), MSG_DATAGRAM);
	buf_deinit(&b);
}

static void subscription_step(struct fuzz *z, unsigned letter)
{
	struct subscriber *s = z->subscriber;

	switch (letter) {
	case 'e':
		if (z->n_subscriptions)
			subscription_end(z->subscriptions[0]);
		break;
	case 'u':
		if (z->n_subscriptions)
			(void)subscription_update(
				z->subscriptions[0], SLICE("text/plain"), SLICE("filter"));
		break;
	case 'n':
		notify(z);
		break;
	case 't':
		if (s && subscriber_accept(s, SUBSCRIBER_ACCEPT, 0, &state) < 0 && z->subscriber)
			(void)subscriber_notify(s, &state);
		break;
	case 'x':
		if (s)
			(void)subscriber_finish(s, SLICE_NULL, 0);
		break;
	case 'S':
	case 'Q':
	case 'L':
		subscribe(z, letter);
		break;
	default:
		break;
	}
}

/* ---- a publication ---- */

static void on_publication_changed(void *owner, struct publication *p)
{
	const struct fuzz *z = owner;

	ground_expect(z->publication == p);
	ground_expect(!*publication_etag(p) == !publication_expires(p));
}

static void on_publication_failed(void *owner, struct publication *p, const struct outcome *o)
{
	(void)owner;
	ground_expect(publication_state(p) != PUBLICATION_REMOVED && o->error != 0);
}

static void on_publication_ended(void *owner, struct publication *p, const struct outcome *o)
{
	struct fuzz *z = owner;

	(void)o;
	ground_expect(z->publication == p && z->n_verbs == 0);
	z->publication = NULL;
}

static const struct publication_ops publication_ops = {
	.changed = on_publication_changed,
	.failed = on_publication_failed,
	.ended = on_publication_ended,
};

static void on_verb_done(void *owner, const struct outcome *o)
{
	struct fuzz *z = owner;

	(void)o;
	ground_expect(z->n_verbs-- > 0);
}

static void publication_step(struct fuzz *z, unsigned letter)
{
	const struct publication_reply reply = { .done = on_verb_done, .owner = z };
	const struct publication_spec spec = {
		.event = SLICE("presence"),
		.content_type = SLICE("text/plain"),
		.body = SLICE("one"),
		.first = reply,
	};
	struct publication *p = z->publication;
	int r = -ESTALE;

	z->n_verbs++;
	if (letter == 'B' && z->ep && !p)
		r = publication_new(z->ep, &spec, &publication_ops, z, &z->publication);
	else if (letter == 'm' && p)
		r = publication_modify(p, SLICE("text/plain"), SLICE("two"), &reply);
	else if (letter == 'z' && p)
		r = publication_remove(p, &reply);
	if (r < 0)
		z->n_verbs--;
}

static void step(struct fuzz *z)
{
	struct registration *r = z->ep ? z->ep->registration : NULL;
	unsigned high, letter = take_byte(z);

	switch (letter) {
	case 'd':
		ua_receive(z->ua, &z->ground.udp.flow, take_bytes(z), MSG_DATAGRAM);
		break;
	case 's':
		ua_receive(z->ua, &z->ground.tcp.flow, take_bytes(z), MSG_STREAM);
		break;
	case 'a':
		high = take_byte(z);
		ua_advance(z->ua, z->ua->timers.now + (high * 256 + take_byte(z)) * USEC_PER_MSEC);
		break;
	case 'r':
		answer(z);
		break;
	case 'R':
		if (r)
			(void)registration_start(r, &(struct registration_options){ 0 });
		break;
	case 'U':
	case 'A':
		if (r)
			(void)registration_stop(
				r, letter == 'U' ? REGISTRATION_OWN : REGISTRATION_ALL);
		break;
	case 'P':
		if (z->ep)
			page(z);
		break;
	case 'I':
		if (z->ep)
			invite(z);
		break;
	case 'i':
	case 'k':
	case 'o':
	case 'h':
		if (z->n_sessions)
			session_verb(z->sessions[0], letter);
		break;
	case 'p':
		decide(z, 0);
		break;
	case 'y':
		decide(z, 200);
		break;
	case 'f':
		ground_break(&z->ground, z->ua);
		break;
	case 'c':
		if (z->ep)
			endpoint_close(z->ep);
		break;
	default:
		subscription_step(z, letter);
		publication_step(z, letter);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz z = { .p = data, .n = size };
	struct profile *p;

	if (size > BYTES_MAX)
		return 0;
	p = ground_profile(PROFILE_ROLE_REGISTRAR);
	p->microsoft_extensions = size && data[0] == 'M';
	ground_init(&z.ground, on_sent, &z);
	z.ua = ua_new(&z.ground.host, USEC_PER_SEC);
	ua_set_listener(z.ua, &listener, &z);
	ground_expect(endpoint_new(z.ua, &(struct endpoint_config){ .profile = p }, &z.ep) == 0);
	profile_unref(p);
	for (unsigned i = 0; i < STEPS_MAX && z.n; i++)
		step(&z);
	/* The end comes within 64*T1 whatever the peer does; then nothing is held. */
	decide(&z, 0);
	ua_stop(z.ua);
	for (unsigned i = 0; i < 80; i++) {
		ground_resolve(&z.ground, z.ua);
		ua_advance(z.ua, z.ua->timers.now + USEC_PER_SEC);
	}
	ground_expect(ua_is_stopped(z.ua) && z.ep == NULL);
	ground_expect(z.ua->txns.n == 0 && z.ua->dialogs.n == 0 && z.n_sessions == 0);
	ground_expect(z.n_subscriptions == 0 && !z.subscriber && !z.publication);
	ua_free(z.ua);
	ground_deinit(&z.ground);
	msg_unref(z.sent);
	return 0;
}
