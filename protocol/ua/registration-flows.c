/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/registration-flows.h"

#include "protocol/ua/registration-private.h"

/* Several flows of one endpoint, RFC 5626. */

/* ---- as one ---- */

static bool any_in(const struct registration *first, enum registration_state state)
{
	for (const struct registration *r = first; r; r = r->next)
		if (r->state == state)
			return true;
	return false;
}

enum registration_state registration_overall_state(const struct registration *first)
{
	if (!first)
		return REGISTRATION_UNREGISTERED;
	if (first->state == REGISTRATION_UNREGISTERING)
		return first->state;
	if (first->state == REGISTRATION_UNREGISTERED)
		return any_in(first->next, REGISTRATION_UNREGISTERING) ? REGISTRATION_UNREGISTERING
								       : first->state;
	if (any_in(first, REGISTRATION_REGISTERED))
		return REGISTRATION_REGISTERED;
	return any_in(first, REGISTRATION_REGISTERING) ? REGISTRATION_REGISTERING : first->state;
}

usec_t registration_overall_expires(const struct registration *first)
{
	usec_t last = 0;

	for (const struct registration *r = first; r; r = r->next)
		if (r->state == REGISTRATION_REGISTERED && r->expires > last)
			last = r->expires;
	return last;
}

usec_t registration_overall_next_attempt(const struct registration *first)
{
	usec_t next = 0;

	for (const struct registration *r = first; r; r = r->next)
		if (r->next_attempt && (!next || r->next_attempt < next))
			next = r->next_attempt;
	return next;
}

const struct registration *registration_over(const struct endpoint *ep, const struct flow *f)
{
	for (const struct registration *r = f ? ep->registration : NULL; r; r = r->next)
		if (r->flow == f)
			return r;
	return NULL;
}

const struct registration *registration_speaker(const struct endpoint *ep)
{
	const struct registration *r = registration_over(ep, ep->flow);

	if (!r)
		r = registration_other_flow(ep, NULL);
	return r ? r : ep->registration;
}

bool registration_is_busy(const struct registration *first)
{
	for (const struct registration *r = first; r; r = r->next)
		if (r->pending || r->request)
			return true;
	return false;
}

bool registration_has_contact(const struct registration *first)
{
	for (const struct registration *r = first; r; r = r->next)
		if (r->contact)
			return true;
	return false;
}

bool registration_owns(const struct registration *first, const struct request *request)
{
	for (const struct registration *r = first; r; r = r->next)
		if (r->request == request)
			return true;
	return false;
}

/* ---- flows ---- */

const struct registration *registration_other_flow(
	const struct endpoint *ep, const struct flow *than)
{
	for (const struct registration *r = ep->registration; r; r = r->next)
		if (r->flow && r->flow != than && r->flow->state != FLOW_DOWN &&
			r->state == REGISTRATION_REGISTERED)
			return r;
	return NULL;
}

struct flow *registration_flow_to(
	const struct endpoint *ep, enum transport transport, const struct flow_addr *addr)
{
	for (const struct registration *r = ep->registration; r; r = r->next)
		if (r->flow && r->flow->state != FLOW_DOWN && r->flow->transport == transport &&
			r->state == REGISTRATION_REGISTERED &&
			flow_addr_equal(&r->flow->peer, addr))
			return r->flow;
	return NULL;
}

struct flow *registration_known_flow(
	const struct endpoint *ep, unsigned reg_id, const char **ret_server_key)
{
	const struct registration *r = ep->registration, *other;

	while (reg_id && r && r->reg_id != reg_id)
		r = r->next;
	if (reg_id && r && r->flow) {
		*ret_server_key = r->server_key;
		return r->flow;
	}
	/* The first one takes what something else has opened before, unless that is another's, or
	 * is to be: over whose connection a REGISTER is under way. */
	other = registration_over(ep, ep->flow);
	if (reg_id > 1 || (reg_id && other && other->reg_id != reg_id))
		return NULL;
	if (reg_id && ep->flow && ep->flow->reg_id && ep->flow->reg_id != reg_id)
		return NULL;
	*ret_server_key = ep->flow_key;
	return ep->flow;
}

bool registration_is_elsewhere(
	const struct endpoint *ep, unsigned reg_id, const struct flow_addr *addr)
{
	for (const struct registration *r = ep->registration; r; r = r->next)
		if (r->reg_id != reg_id && r->flow && flow_addr_equal(&r->flow->peer, addr))
			return true;
	return false;
}

void registration_flow_proven(struct flow *f)
{
	list_for_each (node, &f->registrations) {
		struct registration *r = list_entry(node, struct registration, by_flow);

		r->failures_before = 0;
		endpoint_mark(r->ep, UA_CHANGE_REGISTRATION);
	}
}

/* ---- verbs ---- */

void registration_flows_begin(struct registration *first)
{
	for (struct registration *r = first->next; r; r = r->next)
		if (r->state == REGISTRATION_UNREGISTERED && !r->pending)
			registration_want(r, UA_REGISTER, REGISTRATION_OWN);
}

void registration_flows_retry(struct registration *first)
{
	for (struct registration *r = first->next; r; r = r->next)
		if (!r->request && r->state != REGISTRATION_REGISTERED)
			registration_want(r, UA_REGISTER, REGISTRATION_OWN);
}

void registration_flows_end(struct registration *first)
{
	for (struct registration *r = first->next; r; r = r->next)
		if (r->state != REGISTRATION_UNREGISTERED || r->pending)
			registration_want(r, UA_UNREGISTER, REGISTRATION_OWN);
}

void registration_flows_forget(struct registration *first)
{
	for (struct registration *r = first->next; r; r = r->next)
		registration_forget_contact(r);
}
