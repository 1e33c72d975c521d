/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/backoff.h"
#include "protocol/ua/registration.h"

/* What the files of a registration share; nobody else includes this, tests apart. */

/* RFC 5626 section 4.5: the base time if all flows have failed, and if one has not. */
#define REGISTRATION_BASE_ALL (30 * USEC_PER_SEC)
#define REGISTRATION_BASE_OTHERS (90 * USEC_PER_SEC)

/* ---- registration-bindings.c: what a 2xx says ---- */

void registration_free_bindings(struct registration *r);
void registration_free_routes(struct registration *r);
/*
 * Takes in the contacts of a 2xx. contact is the URI that we registered with, NULL if we did not.
 * Returns the seconds granted to ours, 0 if it is not there.
 */
uint32_t registration_take_bindings(
	struct registration *r, const struct msg *m, const char *contact);
/* Service-Route and Path, replacing what was known (RFC 3608 section 6.1, RFC 3327 section 5.1). */
void registration_take_routes(struct registration *r, const struct msg *m);

/* ---- registration-outcome.c ---- */

/* The attempt that was running ended so. */
void registration_ended(
	struct registration *r, const struct outcome *o, const struct request *request);
/*
 * The registrar ended the registration that stands, by itself and as o says; what follows is our
 * own affair, nobody who waits for a verb is told.
 */
enum registration_again {
	REGISTRATION_NOT_AGAIN, /* until somebody asks */
	REGISTRATION_AGAIN,     /* within two seconds */
	REGISTRATION_AGAIN_LATER,
};
void registration_withdrawn(
	struct registration *r, const struct outcome *o, enum registration_again again);
/* Queues registration_done; copies. */
void registration_tell(struct registration *r, enum ua_verb verb, const struct outcome *o);
/* It expired while it waited for its turn at a server that is silent: nothing of its own failed. */
void registration_overtaken(struct registration *r);
void registration_forget_news(struct registration *r);

/* ---- registration-network.c ---- */

/* The server that failed us for everybody answers again. */
void registration_revived(struct registration *r);
/* What was held back until the others had ended too. */
void registration_release_news(struct registration *first);

/* ---- registration-flows.c: the others ---- */

/* Those that have not begun yet register as the first has. */
void registration_flows_begin(struct registration *first);
/* Somebody asks: so do those that wait for their next attempt. */
void registration_flows_retry(struct registration *first);
/* They unregister. */
void registration_flows_end(struct registration *first);
/* Their contacts went with "*". */
void registration_flows_forget(struct registration *first);

/* ---- registration.c ---- */

/* That verb is carried out, after what is under way. */
void registration_want(struct registration *r, enum ua_verb verb, enum registration_scope scope);

void registration_set_state(struct registration *r, enum registration_state state);
/* Sends what is running (again). */
void registration_send(struct registration *r);
/* It is registered over that flow from now on; NULL lets go. key: struct registration. */
void registration_set_flow(struct registration *r, struct flow *f, const char *key);
/* The registrar has no contact of ours any more, as far as we know: no route leads to it either. */
void registration_forget_contact(struct registration *r);
