/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/pace.h"
#include "protocol/ua/registration-binding.h"
#include "protocol/ua/request.h"

/*
 * Registration of one endpoint over one flow (RFC 3261 section 10, RFC 3608, RFC 3327, RFC 5626).
 *
 * What follows a failure: what passes (no answer, no way, 408, 430, 480, 5xx, most 6xx) is tried
 * again for ever, at intervals that grow by RFC 5626 section 4.5 and never below Retry-After.
 * Credentials that are refused or missing are not tried again until somebody asks. Other refusals
 * are tried again hourly. A binding whose refresh fails for a passing reason counts as registered
 * until it expires, and is tried sooner the nearer that is; it is WAITING once it has expired or
 * the flow is gone over which it was made.
 *
 * A 2xx without any Contact is taken for what we asked. One that lists others but not ours, or
 * ours with no time left, is a failure that passes.
 */

enum registration_state {
	REGISTRATION_UNREGISTERED,
	REGISTRATION_REGISTERING,
	REGISTRATION_REGISTERED, /* also while a refresh is under way */
	REGISTRATION_UNREGISTERING,
	REGISTRATION_WAITING, /* the last attempt failed, or the flow broke; next_attempt is set */
	REGISTRATION_FAILED,  /* refused; next_attempt may be set */
};

struct registration {
	struct endpoint *ep;
	enum registration_state state;
	unsigned reg_id; /* 1 and up, the same after every restart (RFC 5626 section 4.2.1) */
	struct registration *next; /* that with the next reg-id: registration-flows.h */
	enum registration_outbound outbound;
	struct flow *flow;   /* over which the last success came, until it breaks; NULL: none */
	struct list by_flow; /* in flow->registrations */
	char *server_key;    /* whom flow was opened for: struct endpoint's flow_key */
	/* What the last caller wants; an attempt under way ends first. */
	enum ua_verb wanted;
	bool wanted_all; /* unregister: every binding (Contact: *) */
	bool pending;    /* wanted has not been carried out yet */
	bool paced; /* it waits for its turn at the server; what the timer begins always does */
	struct pace_ticket ticket;
	struct request *request;
	enum ua_verb running;
	bool running_all, raised; /* raised: this attempt has answered a 423 */
	struct timer timer;       /* end of the registration or next attempt, what is earlier */
	usec_t expires;           /* moment the registration ends; 0 unless registered */
	usec_t next_attempt;      /* 0: none is planned */
	usec_t since;             /* moment of the last success */
	unsigned failures;        /* in a row, for the back-off */
	unsigned failures_before; /* before a success whose flow no keep-alive has proven yet */
	unsigned drops;           /* flows that broke in a row, soon after the registration */
	bool flow_gone;           /* the flow of the last success is no more */
	char *call_id, *from_tag;
	uint32_t cseq;
	uint32_t ask_expires;           /* seconds: the wish, raised by a 423 */
	struct request_header *headers; /* extra ones of the last Register */
	size_t n_headers;
	char *header_bytes; /* what they borrow from */

	struct registration_binding *bindings;
	size_t n_bindings;
	char **service_route, **path; /* RFC 3608; RFC 3327 */
	size_t n_service_route, n_path;
	uint32_t flow_timer; /* seconds; 0: the last 2xx had none */
	char *contact;       /* as registered; stays while the registrar may still have it */
	/* Why the last attempt failed; reason NULL: it did not. */
	unsigned last_status;
	char *last_reason;
	enum origin last_origin;
	struct list news; /* outcomes not told yet */
};

enum registration_haste {
	REGISTRATION_AT_ONCE, /* somebody means now */
	REGISTRATION_PACED,   /* one of many: pace.h */
};

struct registration_options {
	const struct request_header *headers;
	size_t n_headers;
	uint32_t expires; /* seconds; 0: the profile's */
	enum registration_haste haste;
};

struct registration *registration_new(struct endpoint *ep);
/* Without a word to the registrar. */
void registration_free(struct registration *r);
/*
 * Both verbs end in one outcome, which the listener may hear before they return.
 *
 * Registers, or refreshes at once if registered. The listener is told
 * registration_done(UA_REGISTER) once for the attempt that this caused or joined; an Unregister
 * that has not begun yet is told that it was overtaken. -EOPNOTSUPP: no registrar in the
 * profile; -ESTALE: the endpoint is closing; -EINVAL, -EMSGSIZE: a header may not be set, or too
 * many.
 */
int registration_start(struct registration *r, const struct registration_options *o);
enum registration_scope {
	REGISTRATION_OWN, /* our binding */
	REGISTRATION_ALL, /* every binding of the address of record, "Contact: *" */
};
/*
 * Ends in registration_done(UA_UNREGISTER), and in UNREGISTERED whatever the registrar says: a
 * binding that it did not remove expires. Nothing on the wire if we are not registered and scope
 * is OWN. -EOPNOTSUPP as above.
 */
int registration_stop(struct registration *r, enum registration_scope scope);
/*
 * The flow that we registered over broke: again within two seconds with auto-refresh, later if
 * that happens again and again; else with the next request, at the latest when a refresh was due.
 */
void registration_flow_down(struct registration *r);
/* A request is about to go out: the moment to register anew if the flow broke meanwhile. */
void registration_touch(struct registration *r);
void registration_network_changed(struct registration *r); /* ua-network.h */
void registration_resumed(struct registration *r);
const char *registration_state_name(enum registration_state s);
