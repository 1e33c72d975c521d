/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

#include "protocol/base/slice.h"

struct buf;
struct endpoint;
struct host;
struct microsoft;
struct msg;
struct registration;

/*
 * The dialect of Office Communications Server and Lync ([MS-SIPRE], [MS-SIPREGE], [MS-CONMGMT],
 * [MS-OCER]), for profiles with MicrosoftExtensions alone: without it not a byte of it goes out.
 */

bool microsoft_is_on(const struct endpoint *ep);
/* The endpoint's part in it; NULL if the profile has no such extensions. */
struct microsoft *microsoft_new(struct endpoint *ep);
void microsoft_free(struct microsoft *ms);

/* ---- who we are ---- */

/* "urn:uuid:..." of an endpoint id, [MS-SIPRE] 3.3.3.1. The caller frees. */
char *microsoft_instance(const struct host *host, const char *endpoint_id);
/* The endpoint id for From; empty: none goes. */
struct slice microsoft_epid(const struct endpoint *ep);
/* What tells endpoints of one machine apart in a Request-URI: ten hexadecimal digits. */
struct slice microsoft_opaque(const struct endpoint *ep);

/* ---- REGISTER ([MS-SIPREGE] 3.1) ---- */

/* Parameters of the Contact that is registered. */
void microsoft_append_contact_params(struct buf *b);
/* Whole lines, but for those that the client of r gave itself. */
void microsoft_append_register(struct buf *b, const struct registration *r);
/* Keep-alives over the endpoint's connection as that 2xx says ([MS-CONMGMT]). */
void microsoft_keepalive_obey(struct endpoint *ep, const struct msg *m);
/* That 2xx to a refresh tells that there was nothing to refresh (3.1.1.5.1). */
bool microsoft_has_lost(const struct registration *r, const struct msg *m);
/* Appends what the server's diagnostics say in plain words, "; ..." ([MS-OCER] 2.2.1). */
void microsoft_append_diagnostics(struct buf *b, const struct msg *m);
