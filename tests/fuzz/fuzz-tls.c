/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as what a peer sends over TLS: to a client and to a server, before, within and after
 * the handshake and while somebody is asked; and as a certificate. The first byte says which, the
 * second in what pieces. The library's random numbers differ from run to run, so the bytes that are
 * meant for a certain state do their work best at its beginning.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tls-name.h"
#include "daemon/tls.h"
#include "protocol/base/mem.h"
#include "tests/support/duo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	FRESH_SERVER,
	FRESH_CLIENT,
	MID_SERVER,
	MID_CLIENT,
	UP_SERVER,
	UP_CLIENT,
	ASKING_CLIENT,
	CERTIFICATE,
	WHICH = 7,   /* mask */
	OLD = 8,     /* TLS 1.2 */
	MUTUAL = 16, /* with a certificate of the client */
};

static struct duo duo;

static void finish(void)
{
	duo_deinit(&duo);
}

static void begin(void)
{
	static char everybody[] = "*", *allowed[] = { everybody };
	const struct cert_wish good = { .name = "good", .san = { "uri:sip:example.com" } };

	duo_init(&duo);
	duo_certify(&duo, TLS_SERVER, &good);
	duo_certify(&duo, TLS_CLIENT, &good);
	duo.server_wish.allowed = allowed;
	duo.server_wish.n_allowed = 1;
	(void)atexit(finish);
}

/* The names in it are text that fits a log. */
static void read_certificate(struct slice bytes)
{
	const gnutls_datum_t der = { (unsigned char *)(uintptr_t)bytes.p, (unsigned)bytes.n };
	struct tls_names names;
	gnutls_x509_crt_t crt;

	if (gnutls_x509_crt_init(&crt) < 0)
		abort();
	if (gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) == 0) {
		tls_names_read(&names, crt);
		for (size_t i = 0; i < names.n; i++)
			for (const char *p = names.all[i].text; *p; p++)
				if (*p <= ' ' || *p > '~')
					abort();
		(void)tls_names_match(&names, "example.com");
		tls_names_deinit(&names);
	}
	gnutls_x509_crt_deinit(crt);
}

/* Half of what the one has said is heard by the other. */
static void hear_half(struct tls *from, struct tls *to)
{
	struct buf *b = tls_output(from);

	tls_receive(to, slice_head(buf_slice(b), b->n / 2), duo.now);
	buf_consume(b, b->n);
}

static struct tls *bring_to(unsigned which)
{
	duo_start(&duo);
	switch (which) {
	case MID_SERVER:
		hear_half(duo.client, duo.server);
		return duo.server;
	case MID_CLIENT:
		tls_receive(duo.server, buf_slice(tls_output(duo.client)), duo.now);
		hear_half(duo.server, duo.client);
		return duo.client;
	case UP_SERVER:
	case UP_CLIENT:
	case ASKING_CLIENT:
		duo_pump(&duo);
		break;
	default:
		break;
	}
	return which == FRESH_SERVER || which == UP_SERVER ? duo.server : duo.client;
}

static void check(struct tls *t, bool was_up)
{
	const char *text;
	const char *name = tls_failure_name(tls_failure(t, &text));

	/* Nobody says anything in a connection that is not theirs. */
	if (was_up && tls_plain(t)->n)
		abort();
	if (tls_state(t) == TLS_FAILED &&
		(strncmp(text, name, strlen(name)) != 0 || !slice_is_utf8(slice_str(text))))
		abort();
	if (tls_state(t) != TLS_FAILED && tls_state(t) != TLS_CLOSED)
		abort(); /* the bytes have ended */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes;
	size_t piece;
	struct tls *t;
	bool was_up;

	if (size < 2)
		return 0;
	if (!duo.store)
		begin();
	bytes = slice_of((const char *)data + 2, size - 2);
	piece = data[1] ? data[1] : bytes.n;
	if ((data[0] & WHICH) == CERTIFICATE) {
		read_certificate(bytes);
		return 0;
	}
	duo.server_priority = data[0] & OLD ? DUO_ONLY_12 : NULL;
	duo.server_wish.mutual = data[0] & MUTUAL;
	duo.client_conf.trust_on_first_use = (data[0] & WHICH) == ASKING_CLIENT;
	duo.client_wish.ticket = NULL;
	t = bring_to(data[0] & WHICH);
	was_up = tls_state(t) == TLS_UP;
	while (bytes.n) {
		tls_receive(t, slice_head(bytes, piece), duo.now);
		bytes = slice_skip(bytes, piece);
	}
	tls_decide(t, TLS_NO_FAILURE, duo.now);
	tls_end(t);
	check(t, was_up);
	duo_hang_up(&duo);
	return 0;
}
