/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS in memory: handshakes of two ends of ours, full and resumed, beside two ends of the bare
 * library that do the same with the same certificate in the same run, turn by turn; and what an
 * idle end keeps.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/tls-private.h"
#include "protocol/base/mem.h"
#include "tests/bench/bench-core.h"
#include "tests/support/duo.h"

enum { ROUNDS = 7, HANDSHAKES = 100, IDLE = 200 };

/* One end of the bare library. */
struct bare {
	gnutls_session_t session;
	struct buf *in, *out;
};

struct bare_pair {
	struct bare client, server;
	struct buf up, down;
};

struct bench {
	struct duo duo;
	gnutls_datum_t ticket_key, ticket;
	bool resume;
};

static void must(int r)
{
	if (r < 0)
		abort();
}

static ssize_t bare_push(gnutls_transport_ptr_t p, const void *data, size_t n)
{
	struct bare *b = p;

	buf_put(b->out, slice_of(data, n));
	return (ssize_t)n;
}

static ssize_t bare_pull(gnutls_transport_ptr_t p, void *data, size_t n)
{
	struct bare *b = p;

	if (!b->in->n) {
		gnutls_transport_set_errno(b->session, EAGAIN);
		return -1;
	}
	n = n < b->in->n ? n : b->in->n;
	memcpy(data, b->in->p, n);
	buf_consume(b->in, n);
	return (ssize_t)n;
}

static int bare_timeout(gnutls_transport_ptr_t p, unsigned ms)
{
	(void)ms;
	return ((struct bare *)p)->in->n > 0;
}

static void bare_init(struct bare *b, unsigned flags, const struct tls_creds *creds)
{
	must(gnutls_init(&b->session, flags | GNUTLS_NONBLOCK | GNUTLS_KEY_SHARE_TOP));
	must(gnutls_priority_set(b->session, creds->priority));
	must(gnutls_credentials_set(b->session, GNUTLS_CRD_CERTIFICATE, creds->cert));
	gnutls_transport_set_ptr(b->session, b);
	gnutls_transport_set_push_function(b->session, bare_push);
	gnutls_transport_set_pull_function(b->session, bare_pull);
	gnutls_transport_set_pull_timeout_function(b->session, bare_timeout);
}

static void bare_start(struct bench *b, struct bare_pair *p)
{
	*p = (struct bare_pair){ .client = { .in = &p->down, .out = &p->up },
		.server = { .in = &p->up, .out = &p->down } };
	bare_init(&p->client, GNUTLS_CLIENT, b->duo.client_identity->source->creds);
	bare_init(&p->server, GNUTLS_SERVER, b->duo.server_identity->source->creds);
	must(gnutls_server_name_set(p->client.session, GNUTLS_NAME_DNS, "example.com", 11));
	gnutls_session_set_verify_cert(p->client.session, "example.com", 0);
	must(gnutls_session_ticket_enable_server(p->server.session, &b->ticket_key));
	if (b->resume && b->ticket.data)
		must(gnutls_session_set_data(p->client.session, b->ticket.data, b->ticket.size));
}

static void bare_shake(struct bench *b, struct bare_pair *p)
{
	char byte;
	int c = GNUTLS_E_AGAIN, s = GNUTLS_E_AGAIN;

	bare_start(b, p);
	while (c != 0 || s != 0) {
		if (c != 0)
			c = gnutls_handshake(p->client.session);
		if (s != 0)
			s = gnutls_handshake(p->server.session);
		if ((c < 0 && gnutls_error_is_fatal(c)) || (s < 0 && gnutls_error_is_fatal(s)))
			abort();
	}
	(void)gnutls_record_recv(p->client.session, &byte, 1); /* the ticket */
	if (!b->resume)
		return;
	gnutls_free(b->ticket.data);
	must(gnutls_session_get_data2(p->client.session, &b->ticket));
}

static void bare_end(struct bare_pair *p)
{
	gnutls_deinit(p->client.session);
	gnutls_deinit(p->server.session);
	buf_deinit(&p->up);
	buf_deinit(&p->down);
}

static double time_bare(struct bench *b)
{
	const double start = bench_core_cpu_usec();

	for (int i = 0; i < HANDSHAKES; i++) {
		struct bare_pair p;

		bare_shake(b, &p);
		bare_end(&p);
	}
	return (bench_core_cpu_usec() - start) / HANDSHAKES;
}

static double time_ours(struct bench *b)
{
	const double start = bench_core_cpu_usec();

	b->duo.client_wish.ticket = b->resume ? "sip.example.com:5061" : NULL;
	for (int i = 0; i < HANDSHAKES; i++) {
		duo_shake(&b->duo);
		if (tls_state(b->duo.server) != TLS_UP)
			abort();
		duo_hang_up(&b->duo);
	}
	return (bench_core_cpu_usec() - start) / HANDSHAKES;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *list)
{
	qsort(list, ROUNDS, sizeof(*list), by_size);
	return list[ROUNDS / 2];
}

static void time_handshakes(struct bench *b, const char *what)
{
	double ours[ROUNDS], bare[ROUNDS], ratio[ROUNDS];

	(void)time_ours(b); /* warm, and with a ticket */
	(void)time_bare(b);
	for (int i = 0; i < ROUNDS; i++) {
		ours[i] = time_ours(b);
		bare[i] = time_bare(b);
		ratio[i] = ours[i] / bare[i];
	}
	printf("%s: %.0f us both sides, %.0f a second; bare library %.0f us; ratio %.3f\n", what,
		median(ours), 1e6 / median(ours), median(bare), median(ratio));
}

static double heap_of_ours(struct bench *b)
{
	static struct tls *ends[2 * IDLE];
	size_t start;
	double each;

	b->duo.client_wish.ticket = NULL;
	start = bench_core_heap();
	for (int i = 0; i < IDLE; i++) {
		duo_shake(&b->duo);
		tls_rest(b->duo.client);
		tls_rest(b->duo.server);
		ends[2 * i] = mem_take(&b->duo.client);
		ends[2 * i + 1] = mem_take(&b->duo.server);
	}
	each = (double)(bench_core_heap() - start) / (2 * IDLE);
	for (int i = 0; i < 2 * IDLE; i++)
		tls_free(ends[i]);
	return each;
}

static double heap_of_bare(struct bench *b)
{
	static struct bare_pair pairs[IDLE];
	const size_t start = bench_core_heap();
	double each;

	for (int i = 0; i < IDLE; i++) {
		bare_shake(b, &pairs[i]);
		buf_deinit(&pairs[i].up);
		buf_deinit(&pairs[i].down);
	}
	each = (double)(bench_core_heap() - start) / (2 * IDLE);
	for (int i = 0; i < IDLE; i++)
		bare_end(&pairs[i]);
	return each;
}

int main(void)
{
	const struct cert_wish good = { .name = "good", .san = { "dns:example.com" } };
	struct bench b = { .resume = false };

	duo_init(&b.duo);
	duo_certify(&b.duo, TLS_SERVER, &good);
	must(gnutls_session_ticket_key_generate(&b.ticket_key));
	duo_shake(&b.duo); /* makes the identities */
	duo_hang_up(&b.duo);
	time_handshakes(&b, "full");
	printf("idle end: %.0f bytes; bare library %.0f bytes\n", heap_of_ours(&b),
		heap_of_bare(&b));
	b.resume = true;
	time_handshakes(&b, "resumed");
	gnutls_free(b.ticket_key.data);
	gnutls_free(b.ticket.data);
	duo_deinit(&b.duo);
	return 0;
}
