/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net-socket.h"

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "conf/daemon-conf.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"

static void clear_tls(struct net_socket *s)
{
	tls_identity_unref(mem_take(&s->identity));
	for (size_t i = 0; i < s->n_allowed; i++)
		free(s->allowed[i]);
	free(mem_take(&s->allowed));
	s->n_allowed = 0;
}

int net_socket_configure(struct net_socket *s, struct net *net, const struct daemon_listen *l)
{
	struct tls_identity *identity;
	int r;

	s->idle_timeout = l->idle_timeout;
	s->first_timeout = l->first_message_timeout;
	if (s->transport != TRANSPORT_TLS)
		return 0;
	r = net_identities_get(&net->identities, NULL, TLS_SERVER, &identity, NULL);
	if (r < 0)
		return r;
	clear_tls(s);
	s->identity = tls_identity_ref(identity);
	s->mutual = l->mutual_tls;
	s->n_allowed = l->n_allowed_domains;
	s->allowed = mem_zalloc((s->n_allowed + 1) * sizeof(*s->allowed));
	for (size_t i = 0; i < s->n_allowed; i++)
		s->allowed[i] = mem_strdup(l->allowed_domains[i]);
	return 0;
}

/* An address that comes later, or goes and comes back, needs no new socket then. */
static void bind_freely(const struct net_socket *s)
{
	bool v6 = s->asked.sa.sa_family == AF_INET6;
	struct flow_addr at;
	int on = 1;

	if (net_addr_is_any(&s->asked))
		return;
	(void)setsockopt(s->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_FREEBIND : IP_FREEBIND,
		&on, sizeof(on));
	if (net_addr_is_ours(&s->asked))
		return;
	net_addr_show_scoped(&s->asked, &at);
	log_line(s->net->log, LOG_LEVEL_WARNING, "%s is no address of this machine yet", at.host);
}

int net_socket_open(struct net_socket *s, struct net *net, int type)
{
	int family = s->asked.sa.sa_family, on = 1, r = 0;
	struct flow_addr at;

	s->net = net;
	list_init(&s->uses);
	s->fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		r = -errno;
	if (r == 0 && family == AF_INET6)
		(void)setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* For TCP: what is left of old connections must not keep us from listening again. */
	if (r == 0 && type == SOCK_STREAM)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (r == 0)
		bind_freely(s);
	if (r == 0 && bind(s->fd, &s->asked.sa, s->asked.len) < 0)
		r = -errno;
	s->bound = (struct net_addr){ .len = sizeof(s->bound.v6) };
	if (r == 0 && getsockname(s->fd, &s->bound.sa, &s->bound.len) < 0)
		r = -errno;
	if (r < 0) {
		net_addr_show_scoped(&s->asked, &at);
		log_line(net->log, LOG_LEVEL_ERROR, "cannot use %s %s port %u: %s",
			transport_name(s->transport), at.host, at.port, strerror(-r));
		if (s->fd >= 0)
			(void)close(s->fd);
		s->fd = -1;
	}
	return r;
}

void net_socket_close(struct net_socket *s)
{
	list_remove(&s->node);
	if (s->readable)
		event_free(mem_take(&s->readable));
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	clear_tls(s);
}
