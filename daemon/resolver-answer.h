/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "protocol/ua/dns.h"

/* An answer as the core wants it, shared by those who asked and the memory. */
struct resolver_answer {
	unsigned refs;
	struct dns_answer dns; /* its arrays are ours */
};

/* Nothing but the error, good for that many seconds. */
struct resolver_answer *resolver_answer_of_error(int error, uint32_t ttl);
/* Copies at most LIMITS_ADDRESSES; best first already. */
struct resolver_answer *resolver_answer_of_addresses(
	const struct flow_addr *addrs, size_t n, uint32_t ttl);
/*
 * SRV or NAPTR out of what ares_query() gave: its status, and the whole message or NULL. Records
 * with names or strings that are too long are left out, as are those beyond DNS_MAX_RECORDS.
 */
struct resolver_answer *resolver_answer_of_message(
	enum dns_kind kind, int status, const uint8_t *bytes, size_t n);
struct resolver_answer *resolver_answer_ref(struct resolver_answer *a);
/* NULL is fine. */
void resolver_answer_unref(struct resolver_answer *a);

/* A status of c-ares as struct dns_answer names it. */
int resolver_answer_error(int status);
/* Puts what is reachable from here and preferred first (RFC 6724 section 6, rules 1 and 6). */
void resolver_answer_sort(struct flow_addr *addrs, size_t n);
