/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stddef.h>
#include <stdint.h>

/*
 * How many seconds a DNS message (RFC 1035 section 4, from a server, so anything) may be kept for
 * others: the least time to live of the records in its answer section if one is of that type; else
 * what the SOA in the authority section says of nothing (RFC 2308 section 5). -ENOENT: it says
 * nothing about it; -EBADMSG: it is no DNS message.
 */
int resolver_ttl(const uint8_t *bytes, size_t n, uint16_t type, uint32_t *ret_seconds);
