/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole user agent driven by bytes: each step is a letter and its arguments.
 *   d LEN BYTES   a datagram arrives        s LEN BYTES   a message arrives over TCP
 *   a HI LO       time passes, milliseconds
 *   r CODE LEN BYTES   the last request that went out is answered, BYTES being header lines
 *   R register   U unregister   A unregister all   P page   p pass   y answer 200   f flow down
 *   I invite   the oldest session: i rings   k accepts or answers   o offers   h hangs up
 * However it goes, nothing may be left when it is over, and nothing faulty may be sent.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/msg/build.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/page.h"
#include "protocol/ua/registration.h"
#include "protocol/ua/session-view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 64, WAITING_MAX = 8, SESSIONS_MAX = 4, BYTES_MAX = 4096 };

struct fuzz {
	const uint8_t *p;
	size_t n;
	struct host host;
	struct ua *ua;
	struct endpoint *ep;
	struct flow udp, tcp;
	struct msg *sent; /* the last request */
	struct incoming *waiting[WAITING_MAX];
	struct session *sessions[SESSIONS_MAX]; /* oldest first */
	size_t n_sessions;
	uint64_t random, secret_query;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* ---- the host ---- */

static struct fuzz *the_fuzz; /* flows have no context of their own here */

static void on_send(struct flow *f, struct slice bytes)
{
	struct msg *m;

	if (bytes.n <= 4) /* keep-alive */
		return;
	expect(msg_parse(bytes, flow_is_reliable(f) ? MSG_STREAM : MSG_DATAGRAM, &m) == 0);
	expect(m->fault.status == 0 || !m->is_request);
	if (!m->is_request || m->method == METHOD_ACK) {
		msg_unref(m);
		return;
	}
	if (the_fuzz->sent)
		msg_unref(the_fuzz->sent);
	the_fuzz->sent = m;
}

static void on_unused(struct flow *f)
{
	(void)f;
}

static const struct flow_ops flow_ops = { on_send, on_unused };

static struct flow *host_open(void *ctx, const struct host_target *t)
{
	struct fuzz *z = ctx;

	return t->transport == TRANSPORT_UDP ? &z->udp : &z->tcp;
}

static void host_resolve(void *ctx, uint64_t query, const char *name)
{
	(void)ctx;
	(void)query;
	(void)name;
}

static void host_secret(void *ctx, uint64_t query, const struct host_secret_query *what)
{
	(void)what;
	((struct fuzz *)ctx)->secret_query = query;
}

static void host_random(void *ctx, void *out, size_t n)
{
	struct fuzz *z = ctx;

	for (size_t i = 0; i < n; i++) {
		z->random = z->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
		((uint8_t *)out)[i] = (uint8_t)(z->random >> 56);
	}
}

static size_t host_hash(void *ctx, enum challenge_algorithm algorithm, const struct slice *pieces,
	size_t n_pieces, uint8_t out[static DIGEST_MAX_HASH])
{
	uint64_t h = 0;

	(void)ctx;
	for (size_t i = 0; i < n_pieces; i++)
		h = slice_hash(pieces[i], h);
	for (size_t i = 0; i < DIGEST_MAX_HASH; i++)
		out[i] = (uint8_t)(h >> (i % 8 * 8));
	return algorithm == CHALLENGE_MD5 ? 16 : 32;
}

static const struct host_ops host_ops = {
	.open = host_open,
	.resolve = host_resolve,
	.secret = host_secret,
	.random = host_random,
	.hash = host_hash,
};

/* ---- the listener ---- */

static void on_endpoint(void *ctx, struct endpoint *ep)
{
	(void)ctx;
	(void)ep;
}

static void on_removed(void *ctx, struct endpoint *ep)
{
	struct fuzz *z = ctx;

	expect(z->ep == ep);
	z->ep = NULL;
}

static void on_changed(void *ctx, struct endpoint *ep, unsigned changes)
{
	(void)ctx;
	(void)ep;
	expect(changes != 0);
}

static void on_registration(
	void *ctx, struct endpoint *ep, enum ua_verb verb, const struct outcome *o)
{
	(void)ctx;
	(void)ep;
	(void)verb;
	expect(o->error <= 0);
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
	expect(changes != 0);
}

static void on_session_event(void *ctx, struct session *s, const struct ua_session_event *e)
{
	(void)ctx;
	expect(e->news != UA_SESSION_TERMINATED || session_state(s) == SESSION_TERMINATED);
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
};

static void on_page_done(void *owner, struct request *r, const struct outcome *o)
{
	(void)owner;
	(void)r;
	expect(o->error <= 0);
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
	ua_receive(z->ua, &z->udp, buf_slice(&b), MSG_DATAGRAM);
	buf_deinit(&b);
	if (z->secret_query) {
		ua_secret(z->ua, z->secret_query, SLICE("u"), SLICE("p"));
		z->secret_query = 0;
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
	expect(o->error <= 0);
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

static void break_flow(struct fuzz *z)
{
	z->tcp.state = FLOW_DOWN;
	ua_flow_down(z->ua, &z->tcp, "cut");
	z->tcp.state = FLOW_UP;
}

static void step(struct fuzz *z)
{
	struct registration *r = z->ep ? z->ep->registration : NULL;
	unsigned high, letter = take_byte(z);

	switch (letter) {
	case 'd':
		ua_receive(z->ua, &z->udp, take_bytes(z), MSG_DATAGRAM);
		break;
	case 's':
		ua_receive(z->ua, &z->tcp, take_bytes(z), MSG_STREAM);
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
		if (r)
			(void)registration_stop(r, REGISTRATION_OWN);
		break;
	case 'A':
		if (r)
			(void)registration_stop(r, REGISTRATION_ALL);
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
		break_flow(z);
		break;
	case 'c':
		if (z->ep)
			endpoint_close(z->ep);
		break;
	default:
		break;
	}
}

static struct profile *make_profile(void)
{
	struct profile *p = profile_new();

	p->name = mem_strdup("alice");
	p->uri = mem_strdup("sip:alice@example.com");
	p->servers = mem_new(struct profile_server);
	p->n_servers = 1;
	p->servers[0].host = mem_strdup("192.0.2.1");
	p->servers[0].protocol = TRANSPORT_UDP;
	p->servers[0].role = PROFILE_ROLE_REGISTRAR;
	return p;
}

static void make_flow(struct flow *f, enum transport transport)
{
	flow_init(f, &flow_ops, transport);
	f->state = FLOW_UP;
	(void)memcpy(f->local.host, "192.0.2.2", sizeof("192.0.2.2"));
	(void)memcpy(f->peer.host, "192.0.2.1", sizeof("192.0.2.1"));
	f->local.port = f->peer.port = 5060;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz z = { .p = data, .n = size, .random = 1 };
	struct profile *p = make_profile();

	if (size > BYTES_MAX) {
		profile_unref(p);
		return 0;
	}
	the_fuzz = &z;
	z.host = (struct host){ .ops = &host_ops, .ctx = &z, .user_agent = "fuzz" };
	make_flow(&z.udp, TRANSPORT_UDP);
	make_flow(&z.tcp, TRANSPORT_TCP);
	z.ua = ua_new(&z.host, USEC_PER_SEC);
	ua_set_listener(z.ua, &listener, &z);
	expect(endpoint_new(z.ua, &(struct endpoint_config){ .profile = p }, &z.ep) == 0);
	profile_unref(p);
	for (unsigned i = 0; i < STEPS_MAX && z.n; i++)
		step(&z);
	/* The end comes within 64*T1 whatever the peer does; then nothing is held. */
	decide(&z, 0);
	ua_stop(z.ua);
	for (unsigned i = 0; i < 80; i++)
		ua_advance(z.ua, z.ua->timers.now + USEC_PER_SEC);
	expect(ua_is_stopped(z.ua) && z.ep == NULL);
	expect(z.ua->txns.n == 0 && z.ua->dialogs.n == 0 && z.n_sessions == 0);
	ua_free(z.ua);
	expect(z.udp.refs == 1 && z.tcp.refs == 1);
	if (z.sent)
		msg_unref(z.sent);
	return 0;
}
