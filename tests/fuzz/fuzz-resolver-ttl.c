/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DNS messages as they come from servers, read for how long they may be kept. */
#include <stdlib.h>
#include <string.h>

#include "daemon/resolver-answer.h"
#include "daemon/resolver-ttl.h"
#include "protocol/base/err.h"

enum { TYPE_SRV = 33, TYPE_NAPTR = 35, STATUS_SUCCESS = 0 };

static void expect(int holds)
{
	if (!holds)
		abort();
}

static void check_answer(enum dns_kind kind, const uint8_t *bytes, size_t n)
{
	struct resolver_answer *a = resolver_answer_of_message(kind, STATUS_SUCCESS, bytes, n);

	expect(a->dns.n <= DNS_MAX_RECORDS);
	expect((a->dns.n == 0) == (a->dns.error != 0));
	for (size_t i = 0; kind == DNS_SRV && i < a->dns.n; i++)
		expect(memchr(a->dns.srv[i].target, 0, DNS_NAME_BYTES) != NULL);
	resolver_answer_unref(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);
	uint32_t seconds = 0;
	int r;

	expect(exact != NULL);
	if (n)
		memcpy(exact, data, n);
	r = resolver_ttl(exact, n, TYPE_SRV, &seconds);
	expect(r == 0 || r == -ENOENT || r == -EBADMSG);
	expect(r < 0 || n > 12);
	if (n <= 65535) {
		check_answer(DNS_SRV, exact, n);
		check_answer(DNS_NAPTR, exact, n);
	}
	free(exact);
	return 0;
}
