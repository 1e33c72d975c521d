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
		HDR_AUTHENTICATION_INFO,
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
		HDR_PROXY_AUTHENTICATION_INFO,
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

static bool is_repeated(const struct request_header *h, size_t i)
{
	enum hdr_id id = hdr_find(h[i].name);

	for (size_t j = 0; j < i; j++)
		if (id != HDR_OTHER && hdr_multiplicity(id) == HDR_ONE && hdr_find(h[j].name) == id)
			return true;
	return false;
}

/* What is wrong with the i-th; NULL: nothing. */
static const char *find_fault(const struct request_header *h, size_t i)
{
	if (is_the_stacks(hdr_find(h[i].name)))
		return "belongs to the stack";
	if (!build_header_is_safe(h[i].name, SLICE_NULL))
		return "is no name of a header";
	if (!build_header_is_safe(h[i].name, h[i].value))
		return "has a line break in it";
	return is_repeated(h, i) ? "is there twice" : NULL;
}

int request_headers_check(
	const struct request_header *h, size_t n, struct request_header_fault *ret_fault)
{
	for (size_t i = 0; i < n; i++) {
		const char *why = i < LIMITS_USER_HEADERS ? find_fault(h, i) : "is one too many";

		if (!why)
			continue;
		*ret_fault = (struct request_header_fault){ .name = h[i].name, .why = why };
		return i < LIMITS_USER_HEADERS ? -EINVAL : -EMSGSIZE;
	}
	return 0;
}
