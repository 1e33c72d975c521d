/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A notifier driven by bytes: each step is a letter and its arguments.
 *   s LEN BYTES   a SUBSCRIBE outside of dialogs, BYTES being header lines and more
 *   S LEN BYTES   the same in the dialog that was made last
 *   B             a BYE there
 *   r CODE LEN BYTES   the last request that went out is answered
 *   t HI LO       time passes, in units of 100 ms
 *   a accept   q leave pending   x reject   0 no package   1 nobody there
 *   w LEN BYTES   the whole state   c LEN BYTES   a change   f finish   n the network changed
 * However it goes, nothing may be left when it is over, and nothing faulty may be sent.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/msg/build.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/session-view.h"
#include "protocol/ua/subscriber.h"
#include "protocol/ua/ua-network.h"
#include "tests/fuzz/ground.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 64, KNOWN_MAX = 8, BYTES_MAX = 4096 };

struct fuzz {
	const uint8_t *p;
	size_t n;
	struct ground ground;
	struct ua *ua;
	struct endpoint *ep;
	struct msg *sent;   /* the last request */
	struct msg *answer; /* the last response */
	unsigned cseq;
	struct subscriber *known[KNOWN_MAX];
	size_t n_known, n_told;
};

static void on_sent(void *ctx, struct flow *f, struct msg *m)
{
	struct fuzz *z = ctx;
	struct msg **last = m->is_request ? &z->sent : &z->answer;

	(void)f;
	msg_unref(*last);
	*last = msg_ref(m);
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

	(void)ep;
	z->ep = NULL;
}

static void on_changed(void *ctx, struct endpoint *ep, unsigned changes)
{
	(void)ctx;
	(void)ep;
	(void)changes;
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

static void on_gone(void *ctx, struct incoming *in)
{
	(void)ctx;
	(void)in;
}

static void on_session(void *ctx, struct session *s)
{
	(void)ctx;
	(void)s;
}

static void on_session_incoming(void *ctx, struct session *s)
{
	(void)ctx;
	session_pass(s);
}

static void on_session_changed(void *ctx, struct session *s, unsigned changes)
{
	(void)ctx;
	(void)s;
	(void)changes;
}

static void on_session_event(void *ctx, struct session *s, const struct ua_session_event *e)
{
	(void)ctx;
	(void)s;
	(void)e;
}

static void on_subscriber(void *ctx, struct subscriber *s)
{
	struct fuzz *z = ctx;

	z->n_told++;
	if (z->n_known < KNOWN_MAX)
		z->known[z->n_known++] = s;
	else
		subscriber_pass(s, SUBSCRIBER_NOBODY_THERE);
}

static void on_subscriber_changed(void *ctx, struct subscriber *s, unsigned changes)
{
	(void)ctx;
	(void)s;
	ground_expect(changes != 0);
}

static void on_subscriber_event(
	void *ctx, struct subscriber *s, enum subscriber_news news, const struct msg *m)
{
	(void)ctx;
	(void)s;
	ground_expect((news == SUBSCRIBER_NEW_BODY) == (m != NULL));
}

static void on_subscriber_removed(void *ctx, struct subscriber *s, const struct subscriber_end *end)
{
	struct fuzz *z = ctx;

	ground_expect(end->reason.n > 0 && z->n_told > 0);
	z->n_told--;
	for (size_t i = 0; i < z->n_known; i++)
		if (z->known[i] == s) {
			z->n_known--;
			memmove(z->known + i, z->known + i + 1,
				(z->n_known - i) * sizeof(z->known[0]));
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
	.session_removed = on_session,
	.subscriber_incoming = on_subscriber,
	.subscriber_changed = on_subscriber_changed,
	.subscriber_event = on_subscriber_event,
	.subscriber_removed = on_subscriber_removed,
};

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
	size_t n = take_byte(z);
	struct slice s;

	if (n > z->n)
		n = z->n;
	s = slice_of((const char *)z->p, n);
	z->p += n;
	z->n -= n;
	return s;
}

static void send(struct fuzz *z, const char *method, struct slice lines, bool in_dialog)
{
	struct buf b = BUF_NULL;

	z->cseq++;
	buf_printf(&b,
		"%s sip:alice@example.com SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%u;rport\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=b\r\n"
		"To: <sip:alice@example.com>",
		method, z->cseq);
	if (in_dialog && z->answer && z->answer->to_tag.n) {
		buf_lit(&b, ";tag=");
		buf_put(&b, z->answer->to_tag);
	}
	buf_lit(&b, "\r\nCall-ID: ");
	if (in_dialog && z->answer)
		buf_put(&b, z->answer->call_id);
	else
		buf_u64(&b, z->cseq);
	buf_printf(&b, "\r\nCSeq: %u %s\r\nContact: <sip:b@192.0.2.1>\r\n", z->cseq, method);
	buf_put(&b, lines);
	buf_lit(&b, "\r\n\r\n");
	ua_receive(z->ua, &z->ground.udp.flow, buf_slice(&b), MSG_DATAGRAM);
	buf_deinit(&b);
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

static void verb(struct fuzz *z, unsigned letter)
{
	struct subscriber *s = z->n_known ? z->known[z->cseq % z->n_known] : NULL;
	struct subscriber_body b = { .content_type = SLICE("a/b") };

	if (letter == 'w' || letter == 'c')
		b.bytes = take_bytes(z);
	b.partial = letter == 'c';
	if (!s)
		return;
	switch (letter) {
	case 'a':
		(void)subscriber_accept(s, SUBSCRIBER_ACCEPT, 0, &b);
		break;
	case 'q':
		(void)subscriber_accept(s, SUBSCRIBER_LEAVE_PENDING, 60, NULL);
		break;
	case 'x':
		(void)subscriber_reject(s, 403, SLICE_NULL);
		break;
	case 'w':
	case 'c':
		(void)subscriber_notify(s, &b);
		break;
	case 'f':
		(void)subscriber_finish(s, SLICE_NULL, 0);
		break;
	case '0':
		subscriber_pass(s, SUBSCRIBER_NO_PACKAGE);
		break;
	case '1':
		subscriber_pass(s, SUBSCRIBER_NOBODY_THERE);
		break;
	default:
		break;
	}
}

static void step(struct fuzz *z)
{
	unsigned high, letter = take_byte(z);

	switch (letter) {
	case 's':
	case 'S':
		send(z, "SUBSCRIBE", take_bytes(z), letter == 'S');
		break;
	case 'B':
		send(z, "BYE", SLICE_NULL, true);
		break;
	case 'r':
		answer(z);
		break;
	case 't':
		high = take_byte(z);
		ua_advance(z->ua,
			z->ua->timers.now + (high * 256 + take_byte(z)) * 100 * USEC_PER_MSEC);
		break;
	case 'n':
		ua_network_changed(z->ua);
		break;
	default:
		verb(z, letter);
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
	p->own_packages = PROFILE_PACKAGE_DIALOG | PROFILE_PACKAGE_REG;
	ground_init(&z.ground, on_sent, &z);
	z.ua = ua_new(&z.ground.host, USEC_PER_SEC);
	ua_set_listener(z.ua, &listener, &z);
	ground_expect(endpoint_new(z.ua, &(struct endpoint_config){ .profile = p }, &z.ep) == 0);
	profile_unref(p);
	for (unsigned i = 0; i < STEPS_MAX && z.n; i++)
		step(&z);
	/* The end comes within 64*T1 whatever the peer does; then nothing is held. */
	ua_stop(z.ua);
	for (unsigned i = 0; i < 80; i++) {
		ground_resolve(&z.ground, z.ua);
		ua_advance(z.ua, z.ua->timers.now + USEC_PER_SEC);
	}
	ground_expect(ua_is_stopped(z.ua) && z.ep == NULL);
	ground_expect(z.n_told == 0 && z.ua->n_subscribers == 0);
	ground_expect(z.ua->txns.n == 0 && z.ua->dialogs.n == 0);
	ua_free(z.ua);
	ground_deinit(&z.ground);
	msg_unref(z.sent);
	msg_unref(z.answer);
	return 0;
}
