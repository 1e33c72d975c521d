/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"

/* Into the tables by which requests find ep, and out of them again. */
void endpoint_route_add(struct endpoint *ep);
void endpoint_route_remove(struct endpoint *ep);
/*
 * The endpoint that a request over f is for: the one whose contact token, GRUU (RFC 5627 section 5,
 * or as Microsoft's servers write it), endpoint id or instance id it names; else, of those with the
 * address of record, one that registered over f, the last to do so; else the oldest that does not
 * close. NULL: nobody's; one that is closing: nobody's else. In constant time but for endpoints of
 * one address of record that the request does not tell apart.
 */
struct endpoint *endpoint_route(struct ua *ua, const struct flow *f, const struct msg *request);
