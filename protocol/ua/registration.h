/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/request.h"

/* Registration of one endpoint (RFC 3261 section 10, RFC 3608, RFC 3327). */

enum registration_state {
	REGISTRATION_UNREGISTERED,
	REGISTRATION_REGISTERING,
	REGISTRATION_REGISTERED,
	REGISTRATION_UNREGISTERING,
	REGISTRATION_WAITING, /* the last attempt failed for a reason that passes; next_attempt is
				 set */
	REGISTRATION_FAILED, /* refused: wrong credentials, or a 4xx/6xx that repeating won't change
			      */
};

/* One contact that the registrar reported: a point of presence. Strings are owned. */
struct registration_binding {
	char *uri, *display_name, *instance, *params;
	usec_t expires;         /* moment on the core's clock */
	uint32_t q_thousandths; /* 1000 if absent */
	uint32_t reg_id;        /* 0 if absent */
	bool own;
};

struct registration {
	struct endpoint *ep;
	enum registration_state state;
	/* What the last caller wants; an attempt under way ends first. */
	enum ua_verb wanted;
	bool wanted_all; /* unregister: every binding (Contact: *) */
	bool pending;    /* wanted has not been carried out yet */
	struct request *request;
	enum ua_verb running;
	struct timer timer;  /* refresh when registered, next attempt when waiting */
	usec_t expires;      /* moment the registration ends; 0 unless registered */
	usec_t next_attempt; /* 0: none is planned */
	unsigned failures;   /* in a row, for the back-off */
	char *call_id, *from_tag;
	uint32_t cseq;
	uint32_t ask_expires;           /* seconds: the wish, raised by a 423 */
	struct request_header *headers; /* extra ones of the last Register, owned strings */
	size_t n_headers;

	struct registration_binding *bindings;
	size_t n_bindings;
	char **service_route;
	size_t n_service_route;
	char *contact; /* as registered */
	/* Why the last attempt failed; reason NULL: it did not. */
	unsigned last_status;
	char *last_reason;
	enum origin last_origin;
};

struct registration_options {
	const struct request_header *headers;
	size_t n_headers;
	uint32_t expires; /* seconds; 0: the profile's */
};

struct registration *registration_new(struct endpoint *ep);
/* Without a word to the registrar. */
void registration_free(struct registration *r);
/*
 * Registers, or refreshes at once if registered. The listener is told
 * registration_done(UA_REGISTER) once for the attempt that this caused or joined. -EOPNOTSUPP: no
 * registrar in the profile; -EINVAL: a header may not be set.
 */
int registration_start(struct registration *r, const struct registration_options *o);
enum registration_scope {
	REGISTRATION_OWN, /* our binding */
	REGISTRATION_ALL, /* every binding of the address of record, "Contact: *" */
};
/* Ends in registration_done(UA_UNREGISTER). Nothing on the wire if we are not registered and scope
 * is OWN. */
int registration_stop(struct registration *r, enum registration_scope scope);
/* The flow that we registered over broke: again at once with auto-refresh, else with the next
 * request. */
void registration_flow_down(struct registration *r);
const char *registration_state_name(enum registration_state s);
