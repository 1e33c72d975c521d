/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/registration.h"

/*
 * The registrations of one endpoint taken together (RFC 5626): endpoint->registration is the first,
 * with reg-id 1, and leads to the others, as many as the profile's Flows. The others begin once the
 * first has succeeded and the registrar has said that it tells flows apart; the endpoint is
 * registered as long as one of them is. NULL is fine everywhere: an endpoint that registers
 * nothing.
 */

/* Registered if one is; else what the verb that is under way says; else the first one's. */
enum registration_state registration_overall_state(const struct registration *first);
/* The last moment at which a binding ends; 0: none is. */
usec_t registration_overall_expires(const struct registration *first);
/* Of the next attempt; 0: none is planned. */
usec_t registration_overall_next_attempt(const struct registration *first);
/* The one that speaks for the endpoint: that over its flow, else any registered one, else first. */
const struct registration *registration_speaker(const struct endpoint *ep);
/* The one that was made over f; NULL: none. */
const struct registration *registration_over(const struct endpoint *ep, const struct flow *f);
/* A verb waits or is being carried out. */
bool registration_is_busy(const struct registration *first);
/* The registrar may have a contact of ours. */
bool registration_has_contact(const struct registration *first);
/* One of them sends r. */
bool registration_owns(const struct registration *first, const struct request *r);
/* A living flow over which the endpoint is registered, other than the one given; NULL: none. */
const struct registration *registration_other_flow(
	const struct endpoint *ep, const struct flow *than);
/* The same, but one that leads to that very address; NULL: none. */
struct flow *registration_flow_to(
	const struct endpoint *ep, enum transport transport, const struct flow_addr *addr);
/*
 * What leads to the endpoint's server already, and whom it was opened for: for reg_id 0 the
 * endpoint's own flow, else the one that this registration was made over. NULL: a new one has to be
 * made.
 */
struct flow *registration_known_flow(
	const struct endpoint *ep, unsigned reg_id, const char **ret_server_key);
/*
 * A keep-alive over f was answered for the first time: what was registered over it was a success
 * (section 4.5).
 */
void registration_flow_proven(struct flow *f);
/* Another registration of the endpoint lives at that address. */
bool registration_is_elsewhere(
	const struct endpoint *ep, unsigned reg_id, const struct flow_addr *addr);
