/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/endpoint-listen.h"

#include "protocol/ua/host.h"

int endpoint_listen_start(struct endpoint *ep, const struct uri *uri)
{
	const struct host *host = ep->ua->host;
	const struct host_listen where = {
		.transport = ep->transport ? ep->transport : TRANSPORT_UDP,
		.host = uri_host_is_numeric(uri_bare_host(uri)) ? uri_bare_host(uri) : SLICE_NULL,
		.port = uri->port,
		.pool = ep->pool,
		.profile = ep->profile,
	};

	if (!ep->listens || !host->ops->listen)
		return 0;
	return host->ops->listen(host->ctx, &where, &ep->listen_at, &ep->listener);
}

void endpoint_listen_stop(struct endpoint *ep)
{
	const struct host *host = ep->ua->host;

	if (ep->listener)
		host->ops->unlisten(host->ctx, mem_take(&ep->listener));
}
