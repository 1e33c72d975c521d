/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct scan;

/*
 * host of RFC 3261 section 25.1, with "_" let in: a hostname, an IPv4 address or "[" IPv6 "]".
 * Takes it off the cursor; false, and the cursor stays, if none is there.
 */
bool host_scan(struct scan *s, struct slice *ret);
/* Decimal digits from 1 to 65535; false, and the cursor stays, otherwise. */
bool host_scan_port(struct scan *s, uint16_t *ret);
/* Dotted quad with every number below 256. */
bool host_is_ipv4(struct slice text);
/* Without brackets; RFC 4291 section 2.2, no zone. */
bool host_is_ipv6(struct slice text);
