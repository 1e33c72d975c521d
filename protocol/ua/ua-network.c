/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/ua-network.h"

#include "protocol/ua/endpoint.h"
#include "protocol/ua/health.h"
#include "protocol/ua/pace.h"
#include "protocol/ua/publication.h"
#include "protocol/ua/registration.h"
#include "protocol/ua/session-endpoint.h"
#include "protocol/ua/subscriber.h"
#include "protocol/ua/subscription.h"

/* Its sessions follow once it has registered anew; without, nothing is to be waited for. */
static bool is_about_to_register(const struct endpoint *ep)
{
	const struct registration *r = ep->registration;

	return r && ep->auto_refresh && r->flow_gone;
}

static void network_changed(struct endpoint *ep)
{
	for (struct registration *r = ep->registration; r; r = r->next)
		registration_network_changed(r);
	publication_endpoint_hint(ep, PUBLICATION_NETWORK_CHANGED);
	if (!is_about_to_register(ep)) {
		session_endpoint_moved(ep);
		subscriber_endpoint_moved(ep);
		subscription_endpoint_revived(ep);
	}
}

void ua_network_changed(struct ua *ua)
{
	UA_SCOPE(ua);

	/* First, so that nobody waits for what was known of servers elsewhere. */
	map_for_each (node, &ua->paces)
		pace_forget(container_of(node, struct pace, by_key));
	health_clear(ua);
	list_for_each (node, &ua->endpoints)
		network_changed(list_entry(node, struct endpoint, node));
}

void ua_resumed(struct ua *ua)
{
	UA_SCOPE(ua);

	map_for_each (node, &ua->paces)
		pace_doubt(container_of(node, struct pace, by_key));
	list_for_each (node, &ua->endpoints) {
		struct endpoint *ep = list_entry(node, struct endpoint, node);

		for (struct registration *r = ep->registration; r; r = r->next)
			registration_resumed(r);
	}
}
