/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/txn/flow.h"

/*
 * What the domain name system says, as plain data: the host fills it, locate.c reads it. Names are
 * text without the last dot, in the escaped form of RFC 1035 section 5.1; the root is "". The host
 * follows CNAMEs, and keeps an answer for others no longer than its time to live.
 */

enum {
	DNS_NAME_BYTES = 254,   /* RFC 1035 section 2.3.4 as text, and a NUL */
	DNS_STRING_BYTES = 256, /* of a character-string, and a NUL */
	DNS_MAX_RECORDS = 32,   /* handed over of one answer */
};

enum dns_kind {
	DNS_ADDRESSES, /* A and AAAA, asked at once */
	DNS_SRV,
	DNS_NAPTR,
};

/* RFC 2782. */
struct dns_srv {
	uint16_t priority, weight, port;
	char target[DNS_NAME_BYTES]; /* "": the service is not available there */
};

/* RFC 3403 section 4.1; what has a regular expression is nothing for us and only told as such. */
struct dns_naptr {
	uint16_t order, preference;
	bool has_regexp;
	char flags[DNS_STRING_BYTES], services[DNS_STRING_BYTES];
	char replacement[DNS_NAME_BYTES];
};

/* Of the three arrays only that of the kind that was asked for is looked at. Lent for the call. */
struct dns_answer {
	/*
	 * 0; -ENOENT: no such name, or nothing of that kind; -ETIMEDOUT: no server answered;
	 * -ECONNREFUSED: the servers failed or refuse; -ENOSPC: too much is being looked up.
	 */
	int error;
	uint32_t ttl; /* seconds that all of it is good for, of an answer without error */
	size_t n;     /* records */
	const struct flow_addr *addrs; /* best first, ports 0 */
	const struct dns_srv *srv;
	const struct dns_naptr *naptr;
};

/* "A and AAAA", "SRV", "NAPTR": for the log. */
const char *dns_kind_name(enum dns_kind kind);
