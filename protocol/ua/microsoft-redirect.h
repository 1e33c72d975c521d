/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

#include "protocol/base/slice.h"

struct buf;
struct endpoint;
struct msg;
struct profile_server;

/*
 * A pool of servers, of which one serves a user: the registrar leads there by 301 or 302
 * ([MS-SIPREGE] 3.1), and everything that went to it goes there from then on. Whoever is asked
 * gets credentials, so it has to be as trustworthy as the profile's own: inside its domain, and
 * over a transport that is no weaker.
 */

/* The endpoint's registrar as it is now, in place of what the profile says; NULL: no dialect. */
const struct profile_server *microsoft_home(const struct endpoint *ep);
/*
 * Takes the best Contact of that response to REGISTER that may be followed. false: none may, and
 * why says what is wrong with the best one; nothing in why: it is no redirection.
 */
bool microsoft_redirect(struct endpoint *ep, const struct msg *m, struct buf *why);
/* The same of a registrar by its name or URI; false: it is not to be trusted. */
bool microsoft_prefer(struct endpoint *ep, struct slice where);
/* An attempt has ended: the next one may be redirected as often again. */
void microsoft_redirect_ended(struct endpoint *ep);
/* Back to what the profile says. */
void microsoft_go_home(struct endpoint *ep);
