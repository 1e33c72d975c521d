/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/registration-private.h"

/* What a registration does when its server or our network comes back, or we do. */

/* The last attempt failed for a reason that lies with the server, or on the way to it. */
static bool failed_on_the_way(const struct registration *r)
{
	if (!r->last_reason)
		return false;
	switch (r->last_origin) {
	case ORIGIN_NETWORK:
	case ORIGIN_TIMEOUT:
		return true;
	case ORIGIN_LOCAL:
		return false;
	case ORIGIN_REMOTE:
		break;
	}
	return r->last_status == 408 || r->last_status == 503 || r->last_status == 504;
}

/* Something is to be tried that is not under way, and may be tried now. */
static bool may_hurry(const struct registration *r)
{
	if (r->request || !r->next_attempt || !failed_on_the_way(r))
		return false;
	/* After a broken connection alone, who has no auto-refresh waits for the next request. */
	return r->failures || r->ep->auto_refresh || !r->flow_gone;
}

/* At that moment, unless it is tried sooner anyway. */
static void hurry(struct registration *r, usec_t at)
{
	if (r->next_attempt > at)
		r->next_attempt = at;
	registration_set_state(r, r->state);
}

void registration_revived(struct registration *r)
{
	if (may_hurry(r))
		hurry(r, r->ep->ua->timers.now);
}

void registration_network_changed(struct registration *r)
{
	UA_SCOPE(r->ep->ua);

	if (!may_hurry(r))
		return;
	r->failures = r->drops = 0;
	hurry(r, r->ep->ua->timers.now);
}

void registration_resumed(struct registration *r)
{
	UA_SCOPE(r->ep->ua);
	usec_t at = r->ep->ua->timers.now +
		    backoff_resume_delay(ua_random_below(r->ep->ua, UINT64_MAX));

	if (r->state == REGISTRATION_REGISTERED && !r->request)
		hurry(r, at);
	else
		registration_network_changed(r);
}
