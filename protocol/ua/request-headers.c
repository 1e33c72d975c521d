/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/request-headers.h"

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/build.h"
#include "protocol/ua/limits.h"

/* What only the stack writes: routing, identification, credentials, framing. */
static bool is_the_stacks(enum hdr_id id)
{
	static const enum hdr_id own[] = {
		HDR_AUTHORIZATION,
		HDR_CALL_ID,
		HDR_CONTACT,
		HDR_CONTENT_LENGTH,
		HDR_CONTENT_TYPE,
		HDR_CSEQ,
		HDR_FROM,
		HDR_MAX_FORWARDS,
		HDR_PATH,
		HDR_PROXY_AUTHENTICATE,
		HDR_PROXY_AUTHORIZATION,
		HDR_RECORD_ROUTE,
		HDR_ROUTE,
		HDR_SERVICE_ROUTE,
		HDR_TO,
		HDR_VIA,
		HDR_WWW_AUTHENTICATE,
	};

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (own[i] == id)
			return true;
	return false;
}

int request_headers_check(
	const struct request_header *h, size_t n, const struct request_header **ret_bad)
{
	if (n > LIMITS_USER_HEADERS) {
		*ret_bad = &h[LIMITS_USER_HEADERS];
		return -EMSGSIZE;
	}
	for (size_t i = 0; i < n; i++) {
		enum hdr_id id = hdr_find(h[i].name);

		if (is_the_stacks(id) || !build_header_is_safe(h[i].name, h[i].value)) {
			*ret_bad = &h[i];
			return -EINVAL;
		}
		for (size_t j = 0; j < i; j++)
			if (id != HDR_OTHER && hdr_multiplicity(id) == HDR_ONE &&
				hdr_find(h[j].name) == id) {
				*ret_bad = &h[i];
				return -EINVAL;
			}
	}
	return 0;
}
