/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/tls.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "daemon/tls-private.h"
#include "daemon/tls-store.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/uri.h"

static void wipe_buf(struct buf *b)
{
	if (b->p)
		mem_wipe(b->p, b->cap);
	buf_deinit(b);
}

void tls_blame(struct tls *t, enum tls_failure f, const char *fmt, ...)
{
	va_list ap;

	if (t->failure != TLS_NO_FAILURE)
		return;
	t->failure = f;
	buf_printf(&t->text, "%s: ", tls_failure_name(f));
	va_start(ap, fmt);
	buf_vprintf(&t->text, fmt, ap);
	va_end(ap);
	buf_putc(&t->text, '\0');
}

const char *tls_failure_name(enum tls_failure f)
{
	switch (f) {
	case TLS_NO_FAILURE:
		return "no failure";
	case TLS_EXPIRED:
		return "expired";
	case TLS_WRONG_NAME:
		return "wrong name";
	case TLS_UNTRUSTED:
		return "untrusted";
	case TLS_REVOKED:
		return "revoked";
	case TLS_TOO_OLD:
		return "too old";
	case TLS_NO_CERTIFICATE:
		return "no certificate";
	case TLS_NOT_ALLOWED:
		return "not allowed";
	case TLS_PIN:
		return "wrong pin";
	case TLS_CHANGED:
		return "changed";
	case TLS_REFUSED_BY_PEER:
		return "refused by peer";
	case TLS_BROKEN:
		return "broken";
	}
	return "broken";
}

/* The library's side: bytes in and out of the queues. */

static ssize_t pull(gnutls_transport_ptr_t p, void *data, size_t n)
{
	struct tls *t = p;
	const struct slice got = slice_head(t->feed, n);

	if (!got.n && t->ended)
		return 0;
	if (!got.n) {
		gnutls_transport_set_errno(t->session, EAGAIN);
		return -1;
	}
	memcpy(data, got.p, got.n);
	t->feed = slice_skip(t->feed, got.n);
	return (ssize_t)got.n;
}

static int pull_timeout(gnutls_transport_ptr_t p, unsigned ms)
{
	const struct tls *t = p;

	(void)ms;
	return t->feed.n || t->ended;
}

static ssize_t push(gnutls_transport_ptr_t p, const giovec_t *piece, int n)
{
	struct tls *t = p;
	ssize_t sum = 0;

	for (int i = 0; i < n; i++) {
		buf_put(&t->out, slice_of(piece[i].iov_base, piece[i].iov_len));
		sum += (ssize_t)piece[i].iov_len;
	}
	if (!t->out.overflow)
		return sum;
	gnutls_transport_set_errno(t->session, EIO);
	return -1;
}

/* A line of the NSS key log: label, client random, secret. Nothing unless it was asked for. */
static int log_key(gnutls_session_t session, const char *label, const gnutls_datum_t *secret)
{
	const struct tls *t = gnutls_session_get_ptr(session);
	gnutls_datum_t random;
	struct buf line = { 0 };

	if (t->identity->key_log < 0)
		return 0;
	gnutls_session_get_random(session, &random, NULL);
	buf_printf(&line, "%s ", label);
	buf_hex(&line, random.data, random.size);
	buf_putc(&line, ' ');
	buf_hex(&line, secret->data, secret->size);
	buf_putc(&line, '\n');
	/* Whole lines only; a full disk costs the trace, not the connection. */
	if (write(t->identity->key_log, line.p, line.n) < 0)
		mem_wipe(line.p, line.n);
	wipe_buf(&line);
	return 0;
}

static int on_certificate(gnutls_session_t session)
{
	struct tls *t = gnutls_session_get_ptr(session);

	if (t->failure != TLS_NO_FAILURE)
		return -1;
	switch (tls_verify(t)) {
	case TLS_GOOD:
		return 0;
	case TLS_BAD:
		return -1;
	case TLS_ASK:
		t->state = TLS_ASKING;
		return GNUTLS_E_AGAIN;
	}
	return -1;
}

/* Making and freeing. */

static bool is_numeric(const char *domain)
{
	return uri_host_is_numeric(slice_str(domain));
}

/* SNI: RFC 5922 section 7.8, never for numeric addresses (RFC 6066 section 3). */
static void init_client(struct tls *t)
{
	if (t->domain && !is_numeric(t->domain))
		(void)gnutls_server_name_set(
			t->session, GNUTLS_NAME_DNS, t->domain, strlen(t->domain));
}

static void init_server(struct tls *t)
{
	gnutls_certificate_server_set_request(
		t->session, t->mutual ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
	if (!t->identity->has_ca_file)
		gnutls_certificate_send_x509_rdn_sequence(t->session, 1);
	tls_ticket_serve(t);
}

static void init_session(struct tls *t)
{
	const unsigned flags = GNUTLS_NONBLOCK | GNUTLS_FORCE_CLIENT_CERT | GNUTLS_KEY_SHARE_TOP |
			       (t->role == TLS_CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER);

	if (gnutls_init(&t->session, flags) < 0)
		abort(); /* no memory */
	gnutls_session_set_ptr(t->session, t);
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_pull_function(t->session, pull);
	gnutls_transport_set_pull_timeout_function(t->session, pull_timeout);
	gnutls_transport_set_vec_push_function(t->session, push);
	gnutls_session_set_verify_function(t->session, on_certificate);
	gnutls_session_set_keylog_function(t->session, log_key);
	gnutls_handshake_set_max_packet_length(t->session, TLS_MAX_HANDSHAKE);
	gnutls_handshake_set_timeout(t->session, GNUTLS_INDEFINITE_TIMEOUT);
	if (gnutls_priority_set(t->session, t->creds->priority) < 0 ||
		gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->creds->cert) < 0)
		abort();
}

struct tls *tls_new(struct tls_identity *i, const struct tls_wish *wish)
{
	struct tls *t = mem_new(struct tls);

	t->identity = tls_identity_ref(i);
	t->creds = tls_creds_ref(i->source->creds);
	t->role = wish->role;
	t->domain = mem_strdup(i->server_name ? i->server_name : wish->domain);
	t->ticket = mem_strdup(wish->ticket);
	t->mutual = wish->role == TLS_SERVER && wish->mutual;
	t->n_allowed = wish->n_allowed;
	t->allowed = mem_zalloc((t->n_allowed + 1) * sizeof(*t->allowed));
	for (size_t k = 0; k < t->n_allowed; k++)
		t->allowed[k] = mem_strdup(wish->allowed[k]);
	t->out.max = TLS_MAX_OUTPUT;
	t->plain.max = TLS_MAX_PLAIN;
	t->waiting.max = TLS_MAX_WAITING;
	t->in.max = TLS_MAX_EARLY;
	t->peer = (struct flow_tls){
		.version = "", .cipher = "", .subject = "", .issuer = "", .fingerprint = ""
	};
	init_session(t);
	if (t->role == TLS_CLIENT)
		init_client(t);
	else
		init_server(t);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	gnutls_deinit(t->session);
	for (size_t k = 0; k < t->n_allowed; k++)
		free(t->allowed[k]);
	free(t->allowed);
	free(t->domain);
	free(t->ticket);
	free(t->subject);
	free(t->issuer);
	free(t->matched);
	wipe_buf(&t->plain);
	wipe_buf(&t->waiting);
	buf_deinit(&t->in);
	buf_deinit(&t->out);
	buf_deinit(&t->text);
	buf_deinit(&t->der);
	tls_creds_unref(t->creds);
	tls_identity_unref(t->identity);
	free(t);
}

/* Failing. */

static void fail(struct tls *t)
{
	t->state = TLS_FAILED;
	wipe_buf(&t->waiting);
	buf_deinit(&t->in);
}

/* What the library calls it, in our words. */
static enum tls_failure failure_of(int r)
{
	switch (r) {
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
	case GNUTLS_E_NO_CIPHER_SUITES:
	case GNUTLS_E_UNKNOWN_CIPHER_SUITE:
	case GNUTLS_E_INSUFFICIENT_SECURITY:
	case GNUTLS_E_DH_PRIME_UNACCEPTABLE:
	case GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM:
	case GNUTLS_E_UNWANTED_ALGORITHM:
	case GNUTLS_E_NO_COMMON_KEY_SHARE:
	case GNUTLS_E_SESSION_USER_ID_CHANGED:
		return TLS_TOO_OLD;
	case GNUTLS_E_NO_CERTIFICATE_FOUND:
	case GNUTLS_E_CERTIFICATE_REQUIRED:
		return TLS_NO_CERTIFICATE;
	case GNUTLS_E_CERTIFICATE_ERROR:
	case GNUTLS_E_KEY_USAGE_VIOLATION:
		return TLS_UNTRUSTED;
	default: /* hundreds of numbers of the library */
		return TLS_BROKEN;
	}
}

static void blame_alert(struct tls *t)
{
	const gnutls_alert_description_t alert = gnutls_alert_get(t->session);
	const char *name = gnutls_alert_get_name(alert);
	/* Later, and to a server, these two speak of a certificate (RFC 5246 section 7.2.2). */
	const bool early =
		t->role == TLS_CLIENT && !t->der.n &&
		(alert == GNUTLS_A_INSUFFICIENT_SECURITY || alert == GNUTLS_A_HANDSHAKE_FAILURE);
	const bool old = alert == GNUTLS_A_PROTOCOL_VERSION || early;

	tls_blame(t, old ? TLS_TOO_OLD : TLS_REFUSED_BY_PEER, "its alert says \"%s\" (%d)",
		name ? name : "unknown", (int)alert);
}

static void blame_error(struct tls *t, int r)
{
	if (r == GNUTLS_E_PREMATURE_TERMINATION || t->ended)
		tls_blame(t, TLS_BROKEN, "cut off without goodbye");
	else if (r == GNUTLS_E_REHANDSHAKE)
		tls_blame(t, TLS_BROKEN, "the peer wants to renegotiate");
	else if (t->out.overflow)
		tls_blame(t, TLS_BROKEN, "the peer takes nothing");
	else
		tls_blame(t, failure_of(r), "%s", gnutls_strerror(r));
}

static void tell_peer(struct tls *t, int r)
{
	gnutls_alert_description_t alert = tls_verify_alert(t->failure);

	if (r == GNUTLS_E_PREMATURE_TERMINATION || t->out.overflow)
		return;
	if (r == GNUTLS_E_REHANDSHAKE)
		alert = GNUTLS_A_NO_RENEGOTIATION;
	else if (r != GNUTLS_E_CERTIFICATE_ERROR) {
		(void)gnutls_alert_send_appropriate(t->session, r);
		return;
	}
	(void)gnutls_alert_send(t->session, GNUTLS_AL_FATAL, alert);
}

/* r is the library's; the verdict on a certificate is blamed already. */
static void fail_by(struct tls *t, int r)
{
	if (r == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		blame_alert(t);
	} else {
		blame_error(t, r);
		tell_peer(t, r);
	}
	fail(t);
}

/* Moving on. */

static void encrypt(struct tls *t, struct slice s)
{
	while (s.n && t->state == TLS_UP) {
		const ssize_t r = gnutls_record_send(t->session, s.p, s.n);

		if (r < 0)
			fail_by(t, (int)r);
		else
			s = slice_skip(s, (size_t)r);
	}
}

static void come_up(struct tls *t)
{
	const bool resumed = gnutls_session_is_resumed(t->session);

	/* What a ticket stands for is looked at with today's date and files. */
	if (resumed && (t->role == TLS_CLIENT || t->mutual) && tls_verify(t) != TLS_GOOD) {
		fail_by(t, GNUTLS_E_CERTIFICATE_ERROR);
		return;
	}
	t->peer.version = gnutls_protocol_get_name(gnutls_protocol_get_version(t->session));
	t->peer.cipher = gnutls_ciphersuite_get(t->session);
	t->peer.resumed = resumed;
	t->state = TLS_UP;
	encrypt(t, buf_slice(&t->waiting));
	wipe_buf(&t->waiting);
}

static void shake_hands(struct tls *t)
{
	int r;

	do
		r = gnutls_handshake(t->session);
	while (r == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (t->state != TLS_HANDSHAKE)
		return;
	if (r == GNUTLS_E_SUCCESS)
		come_up(t);
	else if (gnutls_error_is_fatal(r))
		fail_by(t, r);
}

static void take_plain(struct tls *t, gnutls_packet_t packet)
{
	gnutls_datum_t d = { 0 };

	gnutls_packet_get(packet, &d, NULL);
	buf_put(&t->plain, slice_of((const char *)d.data, d.size));
	gnutls_packet_deinit(packet);
	if (!t->plain.overflow)
		return;
	tls_blame(t, TLS_BROKEN, "more than %d bytes that nobody takes", (int)TLS_MAX_PLAIN);
	fail(t);
}

static void read_records(struct tls *t)
{
	while (t->state == TLS_UP) {
		gnutls_packet_t packet = NULL;
		const size_t left = t->feed.n; /* it says "again" after a ticket, too */
		const ssize_t r = gnutls_record_recv_packet(t->session, &packet);

		if (r > 0) {
			take_plain(t, packet);
		} else if (r == 0) {
			/* close_notify; RFC 5246 section 7.2.1 asks for ours. */
			(void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
			t->state = TLS_CLOSED;
		} else if (r == GNUTLS_E_AGAIN && t->feed.n == left) {
			break;
		} else if (r != GNUTLS_E_AGAIN && r != GNUTLS_E_INTERRUPTED &&
			   r != GNUTLS_E_WARNING_ALERT_RECEIVED) {
			fail_by(t, (int)r);
		}
	}
	if (t->state == TLS_UP)
		tls_ticket_keep(t);
}

static void advance(struct tls *t)
{
	if (t->state == TLS_HANDSHAKE)
		shake_hands(t);
	if (t->state == TLS_UP)
		read_records(t);
}

/* The verbs. */

void tls_start(struct tls *t, uint64_t now)
{
	t->now = now;
	if (t->role == TLS_CLIENT)
		tls_ticket_use(t);
	advance(t);
}

/* The bytes are read where they are; only what has to wait is copied. */
void tls_receive(struct tls *t, struct slice bytes, uint64_t now)
{
	t->now = now;
	if (t->state == TLS_CLOSED || t->state == TLS_FAILED)
		return;
	if (t->state == TLS_ASKING) {
		buf_put(&t->in, bytes);
		if (!t->in.overflow)
			return;
		tls_blame(t, TLS_BROKEN, "more than %d bytes before it is trusted",
			(int)TLS_MAX_EARLY);
		fail(t);
		return;
	}
	t->feed = bytes;
	advance(t);
	if (t->state == TLS_ASKING)
		buf_put(&t->in, t->feed);
	t->feed = SLICE_NULL;
}

void tls_decide(struct tls *t, enum tls_failure verdict, uint64_t now)
{
	struct buf held;

	if (t->state != TLS_ASKING)
		return;
	t->now = now;
	t->state = TLS_HANDSHAKE;
	if (verdict == TLS_NO_FAILURE) {
		t->trusted = true;
		/* If the disk does not take it, this connection is as good as it was decided. */
		(void)tls_known_add(&t->identity->store->known, t->domain, t->key_pin);
	} else {
		tls_blame(t, verdict, "nobody trusts the certificate of %s", t->subject);
	}
	held = t->in;
	t->in = (struct buf){ .max = TLS_MAX_EARLY };
	t->feed = buf_slice(&held);
	advance(t);
	t->feed = SLICE_NULL;
	buf_deinit(&held);
}

void tls_end(struct tls *t)
{
	t->ended = true;
	if (t->state == TLS_ASKING) {
		blame_error(t, GNUTLS_E_PREMATURE_TERMINATION);
		fail(t);
	}
	advance(t);
}

void tls_send(struct tls *t, struct slice bytes)
{
	if (t->state == TLS_UP) {
		encrypt(t, bytes);
		return;
	}
	if (t->state == TLS_CLOSED || t->state == TLS_FAILED)
		return;
	buf_put(&t->waiting, bytes);
	if (!t->waiting.overflow)
		return;
	tls_blame(t, TLS_BROKEN, "more than %d bytes wait for it", (int)TLS_MAX_WAITING);
	fail(t);
}

void tls_close(struct tls *t)
{
	if (t->state == TLS_UP)
		(void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
	if (t->state != TLS_FAILED)
		t->state = TLS_CLOSED;
	wipe_buf(&t->waiting);
}

enum tls_state tls_state(const struct tls *t)
{
	return t->state;
}

enum tls_failure tls_failure(const struct tls *t, const char **ret_text)
{
	*ret_text = t->text.n ? t->text.p : "";
	return t->failure;
}

struct buf *tls_output(struct tls *t)
{
	return &t->out;
}

struct buf *tls_plain(struct tls *t)
{
	return &t->plain;
}

static void rest(struct buf *b)
{
	const size_t max = b->max;

	if (b->n)
		return;
	wipe_buf(b);
	b->max = max;
}

void tls_rest(struct tls *t)
{
	rest(&t->out);
	rest(&t->plain);
}

const struct flow_tls *tls_peer(const struct tls *t)
{
	return *t->peer.version || t->der.n ? &t->peer : NULL;
}

struct slice tls_certificate(const struct tls *t)
{
	return buf_slice(&t->der);
}
