/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/registration.h"

/* What the files of a registration share; nobody else includes this, tests apart. */

/* ---- registration-pace.c: when; random is any 64 bits ---- */

/* From a 2xx that granted so many seconds to the refresh. */
usec_t registration_refresh_delay(uint32_t granted_seconds, uint64_t random);
/* After that many failures in a row, 1 or more: RFC 5626 section 4.5. */
usec_t registration_back_off(unsigned failures, uint64_t random);
/*
 * The next attempt while a binding is still good for `left`: as the back-off says, but
 * leaving time for another one after it.
 */
usec_t registration_hurry(usec_t back_off, usec_t left);
/* At least retry_after, a little more so that not everybody comes back at once. */
usec_t registration_not_before(usec_t delay, uint32_t retry_after_seconds, uint64_t random);
/* About an hour, for refusals that somebody may have put right meanwhile. */
usec_t registration_slow_delay(uint64_t random);
/* 0 to 2 s after a flow broke; a back-off from the second one in a row on. */
usec_t registration_flow_delay(unsigned drops, uint64_t random);
/* 0 to 10 s, for timers that are late because the machine slept. */
usec_t registration_resume_delay(uint64_t random);

/* ---- registration-bindings.c: what a 2xx says ---- */

void registration_free_bindings(struct registration *r);
void registration_free_route(struct registration *r);
/*
 * Takes in the contacts of a 2xx. contact is the URI that we registered with, NULL if we did not.
 * Returns the seconds granted to ours, 0 if it is not there.
 */
uint32_t registration_take_bindings(
	struct registration *r, const struct msg *m, const char *contact);
/* Service-Route, replacing what was known (RFC 3608 section 6.1). */
void registration_take_route(struct registration *r, const struct msg *m);

/* ---- registration-outcome.c ---- */

/* The attempt that was running ended so. */
void registration_ended(struct registration *r, const struct outcome *o, const struct flow *flow);
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
void registration_forget_news(struct registration *r);

/* The server that failed us for everybody answers again. */
void registration_revived(struct registration *r);

/* ---- registration.c ---- */

void registration_set_state(struct registration *r, enum registration_state state);
/* Sends what is running (again). */
void registration_send(struct registration *r);
/* The registrar has no contact of ours any more, as far as we know: no route leads to it either. */
void registration_forget_contact(struct registration *r);
