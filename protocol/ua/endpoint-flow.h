/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"

/*
 * The connections of an endpoint, for those who look at it: over which it sent or was sent
 * something, while they last. Links hold no references: what nobody needs may be closed.
 */
struct endpoint_connection {
	struct flow_link link;
	struct list node; /* in endpoint->connections */
	struct endpoint *ep;
	struct flow *flow;
};

/* f is a connection of ep's from now on; datagrams have none, unless it keeps their way. */
void endpoint_flow_use(struct endpoint *ep, struct flow *f);
/* Of that id; NULL if the endpoint has no such connection. */
struct flow *endpoint_flow_find(const struct endpoint *ep, uint64_t id);
/* Endpoints of other profiles use it as well. */
bool endpoint_flow_has_others(const struct endpoint *ep, const struct flow *f);
/* Unlinks all, silently. */
void endpoint_flow_deinit(struct endpoint *ep);
