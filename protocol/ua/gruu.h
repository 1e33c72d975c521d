/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"
#include "protocol/base/map.h"

struct endpoint;
struct msg;
struct ua;
struct uri;

/*
 * Globally routable URIs that a registrar gave an endpoint (RFC 5627, and the gruu parameter of
 * draft-ietf-sip-gruu-10 where the profile speaks Microsoft's dialect). Text is kept as it came:
 * nothing in it is ours to change (4.2).
 */

enum gruu_kind {
	GRUU_PUBLIC,
	GRUU_TEMPORARY,
};

struct gruu;

/* An endpoint's; zeroed is empty. */
struct gruu_set {
	struct gruu *public;   /* NULL: none */
	struct list temporary; /* oldest first: all of one registration stay valid (3.2) */
	size_t n_temporary;
};

/*
 * Learns from the 2xx to a REGISTER with our contact (4.2): from every Contact that has the
 * endpoint's instance id. A public one that is not there any more is gone; temporary ones add up
 * to LIMITS_TEMPORARY_GRUUS, of which the oldest go first. Malformed ones count as none.
 */
void gruu_take(struct endpoint *ep, const struct msg *response);
/*
 * One that somebody gave an endpoint which does not register, and who knows that it leads to it
 * (4.3). -EINVAL: it is none; -EEXIST: it is another's, or of another's address of record;
 * -EOPNOTSUPP: the endpoint registers, and has its registrar's.
 */
int gruu_give(struct endpoint *ep, const char *text);
/* The registration is over, or has another Call-ID: none is valid any more. */
void gruu_forget(struct endpoint *ep);
/* The public one, or the newest temporary one; NULL: none. */
const char *gruu_get(const struct endpoint *ep, enum gruu_kind kind);
/* Whose GRUU that is, by the rules for comparing URIs but for sip and sips; NULL: nobody's. */
struct endpoint *gruu_find(const struct ua *ua, const struct uri *uri);
/* It has the parameters of a GRUU, of either kind (4.5). */
bool gruu_is(const struct uri *uri);
