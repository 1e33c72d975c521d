/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/microsoft-redirect.h"

#include <string.h>

#include "protocol/msg/build.h"
#include "protocol/ua/locate.h"
#include "protocol/ua/microsoft-private.h"

/* ---- where the registrar is ---- */

const struct profile_server *microsoft_home(const struct endpoint *ep)
{
	return ep->microsoft ? &ep->microsoft->server : NULL;
}

static void set_server(struct microsoft *ms, struct slice host, uint16_t port, enum transport t)
{
	char *copy = slice_dup(host);

	free(ms->server.host);
	ms->server.host = copy;
	ms->server.port = port;
	ms->server.protocol = t;
}

/* The profile's own, with the transport that the endpoint has chosen. */
static struct locate_target origin(const struct microsoft *ms)
{
	const struct profile_server *s = profile_registrar(ms->ep->profile);

	return (struct locate_target){
		.host = s ? slice_str(s->host) : SLICE_NULL,
		.port = s ? s->port : 0,
		.transport = ms->ep->transport || !s ? ms->ep->transport : s->protocol,
	};
}

void microsoft_redirect_ended(struct endpoint *ep)
{
	struct microsoft *ms = ep->microsoft;

	while (ms && ms->n_visited)
		free(ms->visited[--ms->n_visited]);
}

void microsoft_go_home(struct endpoint *ep)
{
	struct microsoft *ms = ep->microsoft;
	struct locate_target home;

	if (!ms)
		return;
	home = origin(ms);
	set_server(ms, home.host, home.port, home.transport);
	ms->away = false;
}

void microsoft_redirect_init(struct microsoft *ms)
{
	const struct profile_server *s = profile_registrar(ms->ep->profile);

	if (s)
		ms->server = *s;
	ms->server.host = NULL;
	microsoft_go_home(ms->ep);
}

void microsoft_redirect_deinit(struct microsoft *ms)
{
	microsoft_redirect_ended(ms->ep);
	free(ms->server.host);
}

/* ---- whom to trust ---- */

/* host is that domain, or below it. */
static bool is_within(struct slice host, struct slice domain)
{
	size_t rest;

	if (!domain.n || host.n < domain.n)
		return false;
	rest = host.n - domain.n;
	return slice_eq_ci(slice_skip(host, rest), domain) &&
	       (rest == 0 || host.p[rest - 1] == '.');
}

/* NULL: it may be followed. */
static const char *find_fault(const struct microsoft *ms, const struct locate_target *to)
{
	struct locate_target home = origin(ms);
	struct uri aor;

	if (ms->ep->outbound_proxy)
		return "redirected, but every request goes to the outbound proxy";
	if (home.transport == TRANSPORT_TLS && to->transport != TRANSPORT_TLS)
		return "redirected to a weaker transport";
	if (slice_eq_ci(to->host, home.host))
		return NULL;
	/* An address is in no domain. */
	if (uri_host_is_numeric(to->host) || uri_parse(slice_str(ms->ep->uri), &aor) < 0 ||
		(!is_within(to->host, aor.host) &&
			(uri_host_is_numeric(home.host) || !is_within(to->host, home.host))))
		return "redirected out of the domain of the profile";
	return NULL;
}

static char *key_of(struct slice host, uint16_t port, enum transport transport)
{
	struct buf b = BUF_NULL;

	buf_str(&b, transport_name(transport));
	buf_putc(&b, ':');
	for (size_t i = 0; i < host.n; i++)
		buf_putc(&b, host.p[i] >= 'A' && host.p[i] <= 'Z' ? (char)(host.p[i] | 0x20)
								  : host.p[i]);
	buf_putc(&b, ':');
	buf_u64(&b, port ? port : transport_default_port(transport));
	return buf_take(&b);
}

/* Two servers that lead to one another would do so for ever. */
static const char *find_circle(const struct microsoft *ms, const char *key)
{
	for (unsigned i = 0; i < ms->n_visited; i++)
		if (strcmp(ms->visited[i], key) == 0)
			return "redirected in a circle";
	return ms->n_visited > ms->ep->profile->register_redirections ? "redirected too often"
								      : NULL;
}

/* ---- following ---- */

static void visit_current(struct microsoft *ms)
{
	const struct profile_server *s = &ms->server;

	if (ms->n_visited == 0)
		ms->visited[ms->n_visited++] = key_of(slice_str(s->host), s->port, s->protocol);
}

static const char *follow(struct microsoft *ms, struct locate_target *to)
{
	const char *why;
	char *key;

	/* Without a word of it what we have; sips says it (RFC 3261 26.2.2). */
	if (to->transport == TRANSPORT_NONE)
		to->transport = to->sips ? TRANSPORT_TLS : ms->server.protocol;
	why = find_fault(ms, to);
	if (why)
		return why;
	visit_current(ms);
	key = key_of(to->host, to->port, to->transport);
	why = find_circle(ms, key);
	if (why) {
		free(key);
		return why;
	}
	ms->visited[ms->n_visited++] = key;
	set_server(ms, to->host, to->port, to->transport);
	ms->away = true;
	return NULL;
}

/* The one with the highest q, the first of equals; value: where its URI lives. */
static bool best_contact(const struct msg *m, struct locate_target *ret)
{
	struct msg_list it = { 0 };
	struct locate_target to;
	uint32_t best = 0;
	bool found = false;
	struct slice value;
	struct addr a;

	while (msg_list_next(m, HDR_CONTACT, &it, &value) == 1) {
		if (addr_parse(value, &a) < 0 || locate_target_of_uri(&a.uri, &to) < 0 ||
			(found && addr_q(&a) <= best))
			continue;
		found = true;
		best = addr_q(&a);
		*ret = to;
	}
	return found;
}

bool microsoft_redirect(struct endpoint *ep, const struct msg *m, struct buf *why)
{
	struct locate_target to;
	const char *fault;

	if (!ep->microsoft || (m->status != 301 && m->status != 302))
		return false;
	if (!best_contact(m, &to)) {
		buf_lit(why, "redirected nowhere");
		return false;
	}
	fault = follow(ep->microsoft, &to);
	if (!fault)
		return true;
	buf_str(why, fault);
	buf_lit(why, ", to ");
	buf_put(why, to.host);
	return false;
}

bool microsoft_prefer(struct endpoint *ep, struct slice where)
{
	struct locate_target to;
	struct addr a;

	if (addr_parse(where, &a) < 0 || locate_target_of_uri(&a.uri, &to) < 0)
		if (locate_target_parse(where, &to) < 0)
			return false;
	microsoft_redirect_ended(ep);
	return !follow(ep->microsoft, &to);
}
