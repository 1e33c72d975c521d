/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/uri.h"

/*
 * name-addr or addr-spec with parameters, as in From, To, Contact, Route, Record-Route, Path,
 * Refer-To and their like (RFC 3261 section 20.10). Without "<>" everything after the first ";"
 * belongs to the header, not to the URI, and a "?" is malformed.
 */
struct addr {
	struct slice display; /* as received, quotes taken off, escapes kept; SLICE_NULL if none */
	struct uri uri;
	struct slice params; /* header parameters, from the first ";" on */
	struct slice tag;    /* the first tag of params; p == NULL: none, n == 0: without a value */
};

/* The whole of value must be one address. -EBADMSG otherwise. */
int addr_parse(struct slice value, struct addr *ret);
/*
 * Takes the next element of a comma-separated list off *rest: 1 and *ret filled, 0 at the end,
 * -EBADMSG when malformed.
 */
int addr_next(struct slice *rest, struct addr *ret);
bool addr_param(const struct addr *a, struct slice name, struct slice *ret_value);
/* The tag parameter; SLICE_NULL if there is none. */
struct slice addr_tag(const struct addr *a);
/* The q parameter in thousandths; 1000 if absent or malformed (RFC 3261 section 20.10). */
uint32_t addr_q(const struct addr *a);
/* The display name with its escapes resolved. */
void addr_append_display(struct buf *b, const struct addr *a);
/* "display" <uri>, the display name quoted and escaped as needed; no display: <uri>. */
void addr_append(struct buf *b, struct slice display, struct slice uri);
