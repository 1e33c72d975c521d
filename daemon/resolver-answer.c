/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/resolver-answer.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/resolver-ttl.h"
#include "daemon/resolver.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/ua/limits.h"

struct resolver_answer *resolver_answer_of_error(int error, uint32_t ttl)
{
	struct resolver_answer *a = mem_new(struct resolver_answer);

	a->refs = 1;
	a->dns = (struct dns_answer){ .error = error, .ttl = ttl };
	return a;
}

struct resolver_answer *resolver_answer_of_addresses(
	const struct flow_addr *addrs, size_t n, uint32_t ttl)
{
	struct resolver_answer *a = resolver_answer_of_error(0, ttl);
	struct flow_addr *copy;

	n = n < LIMITS_ADDRESSES ? n : LIMITS_ADDRESSES;
	copy = mem_alloc(n * sizeof(*copy));
	memcpy(copy, addrs, n * sizeof(*copy));
	a->dns.addrs = copy;
	a->dns.n = n;
	return a;
}

struct resolver_answer *resolver_answer_ref(struct resolver_answer *a)
{
	a->refs++;
	return a;
}

void resolver_answer_unref(struct resolver_answer *a)
{
	if (!a || --a->refs)
		return;
	/* Made here, and constant only for those that look at them. */
	free((void *)(uintptr_t)a->dns.addrs);
	free((void *)(uintptr_t)a->dns.srv);
	free((void *)(uintptr_t)a->dns.naptr);
	free(a);
}

int resolver_answer_error(int status)
{
	switch (status) {
	case ARES_SUCCESS: /* and no record that is of use */
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
		return -ENOENT;
	case ARES_ETIMEOUT:
		return -ETIMEDOUT;
	default: /* c-ares has its own list, and may lengthen it */
		return -ECONNREFUSED;
	}
}

/* ---- SRV and NAPTR ---- */

/* False: there is no room for it. "." is the root and ends as "". */
static bool copy_text(char *to, size_t room, const char *text)
{
	size_t n = strlen(text);

	if (n && text[n - 1] == '.')
		n--;
	if (n >= room)
		return false;
	memcpy(to, text, n);
	to[n] = '\0';
	return true;
}

static bool copy_string(char *to, const unsigned char *text)
{
	size_t n = strlen((const char *)text);

	if (n >= DNS_STRING_BYTES)
		return false;
	memcpy(to, text, n + 1);
	return true;
}

static void take_srv(struct resolver_answer *a, const uint8_t *bytes, size_t n)
{
	struct dns_srv *srv = mem_zalloc(DNS_MAX_RECORDS * sizeof(*srv));
	struct ares_srv_reply *first = NULL;

	a->dns.srv = srv;
	if (ares_parse_srv_reply(bytes, (int)n, &first) != ARES_SUCCESS)
		return;
	for (const struct ares_srv_reply *r = first; r && a->dns.n < DNS_MAX_RECORDS; r = r->next) {
		struct dns_srv *to = &srv[a->dns.n];

		to->priority = r->priority;
		to->weight = r->weight;
		to->port = r->port;
		if (copy_text(to->target, sizeof(to->target), r->host))
			a->dns.n++;
	}
	ares_free_data(first);
}

static void take_naptr(struct resolver_answer *a, const uint8_t *bytes, size_t n)
{
	struct dns_naptr *naptr = mem_zalloc(DNS_MAX_RECORDS * sizeof(*naptr));
	struct ares_naptr_reply *first = NULL;

	a->dns.naptr = naptr;
	if (ares_parse_naptr_reply(bytes, (int)n, &first) != ARES_SUCCESS)
		return;
	for (const struct ares_naptr_reply *r = first; r && a->dns.n < DNS_MAX_RECORDS;
		r = r->next) {
		struct dns_naptr *to = &naptr[a->dns.n];

		to->order = r->order;
		to->preference = r->preference;
		to->has_regexp = r->regexp[0] != '\0';
		if (copy_string(to->flags, r->flags) && copy_string(to->services, r->service) &&
			copy_text(to->replacement, sizeof(to->replacement), r->replacement))
			a->dns.n++;
	}
	ares_free_data(first);
}

struct resolver_answer *resolver_answer_of_message(
	enum dns_kind kind, int status, const uint8_t *bytes, size_t n)
{
	uint16_t type = kind == DNS_SRV ? ns_t_srv : ns_t_naptr;
	int error = resolver_answer_error(status);
	struct resolver_answer *a = resolver_answer_of_error(0, RESOLVER_FAILURE_TTL);

	if (bytes && status == ARES_SUCCESS) {
		if (kind == DNS_SRV)
			take_srv(a, bytes, n);
		else
			take_naptr(a, bytes, n);
	}
	if (a->dns.n == 0)
		a->dns.error = error;
	if (bytes && a->dns.error != -ETIMEDOUT && a->dns.error != -ECONNREFUSED)
		(void)resolver_ttl(bytes, n, type, &a->dns.ttl);
	return a;
}

/* ---- addresses in order, RFC 6724 ---- */

/* Section 2.1: the default policy table's precedence. */
static int precedence(const struct in6_addr *a)
{
	static const struct {
		uint8_t prefix[16];
		unsigned bits;
		int value;
	} policy[] = {
		{ { [15] = 1 }, 128, 50 },
		{ { [10] = 0xff, [11] = 0xff }, 96, 35 },
		{ { 0x20, 0x02 }, 16, 30 },
		{ { 0x20, 0x01, 0, 0 }, 32, 5 },
		{ { 0xfc }, 7, 3 },
		{ { 0x3f, 0xfe }, 16, 1 },
		{ { 0xfe, 0xc0 }, 10, 1 },
		{ { 0 }, 96, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(policy); i++) {
		unsigned bytes = policy[i].bits / 8, rest = policy[i].bits % 8;

		if (memcmp(a->s6_addr, policy[i].prefix, bytes) == 0 &&
			(rest == 0 ||
				((a->s6_addr[bytes] ^ policy[i].prefix[bytes]) >> (8 - rest)) == 0))
			return policy[i].value;
	}
	return 40;
}

/* Rule 1: whether this machine has a route and an address to use with it. Sends nothing. */
static bool has_way(const struct sockaddr *to, socklen_t n)
{
	int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && connect(fd, to, n) == 0;

	if (fd >= 0)
		(void)close(fd);
	return has;
}

/* Higher is better; what has no way comes after all that has. */
static int rank(const struct flow_addr *addr)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	bool has;

	if (inet_pton(AF_INET6, addr->host, &to.sin6_addr) == 1) {
		has = has_way((const struct sockaddr *)&to, sizeof(to));
	} else {
		(void)inet_pton(AF_INET, addr->host, &four.sin_addr);
		has = has_way((const struct sockaddr *)&four, sizeof(four));
		to.sin6_addr.s6_addr[10] = to.sin6_addr.s6_addr[11] = 0xff;
		memcpy(&to.sin6_addr.s6_addr[12], &four.sin_addr, 4);
	}
	return precedence(&to.sin6_addr) + (has ? 100 : 0);
}

void resolver_answer_sort(struct flow_addr *addrs, size_t n)
{
	int ranks[LIMITS_ADDRESSES];

	n = n < LIMITS_ADDRESSES ? n : LIMITS_ADDRESSES;
	for (size_t i = 0; i < n; i++) {
		struct flow_addr a = addrs[i];
		int of = rank(&a);
		size_t at = i;

		/* Stable: servers turn their lists around to spread the load. */
		for (; at > 0 && ranks[at - 1] < of; at--) {
			addrs[at] = addrs[at - 1];
			ranks[at] = ranks[at - 1];
		}
		addrs[at] = a;
		ranks[at] = of;
	}
}
