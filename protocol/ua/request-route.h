/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"

struct endpoint;
struct uri;

/*
 * The route set that a client gives a request outside of dialogs, before any peer has said one (RFC
 * 3261 8.1.1.1): values of Route, comma-separated. Empty: none. Such a request goes to the first of
 * them instead of an outbound proxy (8.1.2).
 */

/*
 * 0; -EOPNOTSUPP: the endpoint registers, and sends everything to its server; -EINVAL: not a list
 * of name-addrs with sip or sips URIs as they may stand in Route; -EMSGSIZE: more than
 * LIMITS_ROUTES. *ret_why follows "Route" in a sentence.
 */
int request_route_check(const struct endpoint *ep, struct slice route, const char **ret_why);
/* Of one that was checked: where the request goes; false: there is none. */
bool request_route_first(struct slice route, struct uri *ret);
/*
 * The Request-URI and the Route lines of a request for target (12.2.1.1, 16.12.1.1): behind a
 * strict router, one without lr, the target is the last route, and the router the Request-URI.
 */
void request_route_append_uri(struct buf *b, struct slice route, struct slice target);
void request_route_append(struct buf *b, struct slice route, struct slice target);
