/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "daemon/tls-private.h"
#include "protocol/base/mem.h"

/*
 * Session tickets. They are kept in the identity and under the name and the server for which the
 * certificate was found good, and end with it, so that resuming never trusts more than a full
 * handshake did.
 */

enum {
	TICKETS_MAX = 64,               /* servers of one identity; the oldest goes */
	TICKET_MAX_SIZE = 16 * 1024,    /* holds the peer's chain, too */
	TICKET_LIFE = 7 * 24 * 60 * 60, /* RFC 8446 section 4.6.1, seconds */
};

struct ticket {
	struct list link;
	char *key;
	uint64_t until;
	gnutls_datum_t session;
};

static void wipe(gnutls_datum_t *d)
{
	if (d->data)
		mem_wipe(d->data, d->size);
	gnutls_free(d->data);
	*d = (gnutls_datum_t){ 0 };
}

static void drop(struct tls_identity *i, struct ticket *k)
{
	list_remove(&k->link);
	i->n_tickets--;
	wipe(&k->session);
	free(k->key);
	free(k);
}

static char *key_of(const struct tls *t)
{
	struct buf b = { 0 };

	if (!t->ticket || !t->domain)
		return NULL;
	buf_printf(&b, "%s %s", t->domain, t->ticket);
	return buf_take(&b);
}

static struct ticket *find(struct tls_identity *i, const char *key)
{
	list_for_each (node, &i->tickets) {
		struct ticket *k = list_entry(node, struct ticket, link);

		if (strcmp(k->key, key) == 0)
			return k;
	}
	return NULL;
}

static void make_keys(struct tls_identity *i)
{
	for (size_t k = 0; k < ARRAY_LEN(i->ticket_keys); k++) {
		wipe(&i->ticket_keys[k]);
		if (gnutls_session_ticket_key_generate(&i->ticket_keys[k]) < 0)
			i->ticket_keys[k] = (gnutls_datum_t){ 0 };
	}
}

void tls_ticket_init(struct tls_identity *i)
{
	i->tickets_of = i->source->creds->reading;
	make_keys(i);
}

void tls_ticket_drop_all(struct tls_identity *i)
{
	list_for_each_safe (node, next, &i->tickets)
		drop(i, list_entry(node, struct ticket, link));
	for (size_t k = 0; k < ARRAY_LEN(i->ticket_keys); k++)
		wipe(&i->ticket_keys[k]);
}

/* New files: what was verified by the old ones is verified anew. */
static void follow_files(struct tls_identity *i)
{
	if (i->tickets_of == i->source->creds->reading)
		return;
	tls_ticket_drop_all(i);
	tls_ticket_init(i);
}

void tls_ticket_use(struct tls *t)
{
	char *key cleanup_free = key_of(t);
	struct ticket *k;

	follow_files(t->identity);
	k = key ? find(t->identity, key) : NULL;
	if (!k)
		return;
	/* It is no better for being used: a full handshake has to come in the end. */
	if (t->now < k->until &&
		gnutls_session_set_data(t->session, k->session.data, k->session.size) == 0)
		t->ticket_until = k->until;
	/* Once each (RFC 8446 appendix C.4): nobody who listens can tell that it was us again. */
	drop(t->identity, k);
}

static uint64_t end_of(const struct tls *t)
{
	const uint64_t life = t->peer.resumed ? t->ticket_until : t->now + TICKET_LIFE;

	return t->good_until < life ? t->good_until : life;
}

static void keep(struct tls *t, char *key, gnutls_datum_t session)
{
	struct tls_identity *i = t->identity;
	struct ticket *k = find(i, key);

	if (k)
		drop(i, k);
	if (i->n_tickets == TICKETS_MAX)
		drop(i, list_entry(list_first(&i->tickets), struct ticket, link));
	k = mem_new(struct ticket);
	k->key = key;
	k->until = end_of(t);
	k->session = session;
	list_append(&i->tickets, &k->link);
	i->n_tickets++;
}

/* TLS 1.2 goes on with the old ticket where the server gives no new one. */
static bool has_ticket(const struct tls *t)
{
	if (gnutls_session_get_flags(t->session) & GNUTLS_SFLAGS_SESSION_TICKET)
		return true;
	return t->peer.resumed && gnutls_protocol_get_version(t->session) == GNUTLS_TLS1_2;
}

void tls_ticket_keep(struct tls *t)
{
	gnutls_datum_t session = { 0 };
	char *key;

	if (t->ticket_kept || t->role != TLS_CLIENT || t->creds != t->identity->source->creds ||
		!has_ticket(t))
		return;
	follow_files(t->identity);
	key = key_of(t);
	if (!key || gnutls_session_get_data2(t->session, &session) < 0) {
		free(key);
		return;
	}
	t->ticket_kept = true;
	if (session.size <= TICKET_MAX_SIZE) {
		keep(t, key, session);
		return;
	}
	wipe(&session);
	free(key);
}

/* A session without client certificate may not become one with, so their keys differ. */
void tls_ticket_serve(struct tls *t)
{
	follow_files(t->identity);
	if (t->identity->ticket_keys[t->mutual].data)
		(void)gnutls_session_ticket_enable_server(
			t->session, &t->identity->ticket_keys[t->mutual]);
}
