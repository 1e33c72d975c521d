/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates that nobody whom we trust has signed: trust on first use. */
#include <string.h>

#include "ipc/agent-private.h"
#include "ipc/bus-value.h"
#include "ipc/iface-certificate.h"
#include "ipc/iface-private.h"
#include "protocol/base/err.h"
#include "protocol/ua/endpoint.h"

/* Requests that wait for the connection give up after 32 s (Timer F). */
#define ASK_CERTIFICATE (30 * USEC_PER_SEC)

struct agent_certificate {
	char *server, *address, *subject, *issuer, *fingerprint;
	uint16_t port;
	uint64_t not_after;
	char *der;
	size_t n_der;
};

void agent_certificate_free(struct agent_certificate *c)
{
	if (!c)
		return;
	free(c->server);
	free(c->address);
	free(c->subject);
	free(c->issuer);
	free(c->fingerprint);
	free(c->der);
	free(c);
}

static struct agent_certificate *copy(const struct iface_certificate *what)
{
	struct agent_certificate *c = mem_new(struct agent_certificate);

	c->server = mem_strdup(what->server);
	c->address = mem_strdup(what->address);
	c->port = what->port;
	c->subject = mem_strdup(what->subject);
	c->issuer = mem_strdup(what->issuer);
	c->fingerprint = mem_strdup(what->fingerprint);
	c->not_after = what->not_after;
	c->der = slice_dup(what->bytes);
	c->n_der = what->bytes.n;
	return c;
}

void agent_certificate_write(struct bus_writer *w, const struct agent_ask *q)
{
	const struct agent_certificate *c = q->certificate;
	const struct endpoint *ep = endpoint_find(q->all->iface->ua, slice_str(q->endpoint_id));
	char *profile cleanup_free = iface_profile_path(ep->profile);

	bus_write_o(w, iface_endpoint_path(ep));
	bus_write_str(w, c->server);
	bus_write_ay(w, slice_of(c->der, c->n_der));
	bus_open_dict(w);
	bus_entry_o(w, "Profile", profile);
	bus_entry_str(w, "Address", c->address);
	bus_entry_u(w, "Port", c->port);
	bus_entry_str(w, "Subject", c->subject);
	bus_entry_str(w, "Issuer", c->issuer);
	bus_entry_str(w, "Fingerprint", c->fingerprint);
	bus_entry_t(w, "NotAfter", c->not_after);
	bus_close(w);
}

static void tell(const struct agent_ask *q, enum iface_trust trust)
{
	const struct iface_host *h = q->all->iface->host;

	h->certificate(h->ctx, q->query, trust);
}

bool agent_certificate_take(struct agent_ask *q, struct bus_reader *r)
{
	(void)r;
	tell(q, IFACE_TRUSTED);
	return true;
}

void agent_certificate_give_up(struct agent_ask *q)
{
	tell(q, IFACE_NOT_TRUSTED);
}

/* One of them, for the path that the agents are told: it is the profile that trusts. */
static struct endpoint *endpoint_of(struct ua *ua, const struct profile *p)
{
	list_for_each (node, &ua->endpoints) {
		struct endpoint *ep = list_entry(node, struct endpoint, node);

		if (strcmp(ep->profile->name, p->name) == 0)
			return ep;
	}
	return NULL;
}

int agent_certificate(struct agents *all, const struct iface_certificate *what)
{
	struct endpoint *ep = endpoint_of(all->iface->ua, what->profile);
	struct agent_ask *q;

	if (!ep)
		return -ENOENT;
	q = agent_ask_new(all, AGENT_CERTIFICATE, ASK_CERTIFICATE);
	q->query = what->query;
	q->endpoint_id = mem_strdup(ep->id);
	q->certificate = copy(what);
	return agent_ask_begin(q, ep);
}
