/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/method.h"

#include "tests/support/exact.h"
#include "tests/support/run.h"

START_TEST(names_and_back)
{
	for (enum method m = METHOD_ACK; m <= METHOD_UPDATE; m++) {
		struct slice name = exact_copy(method_name(m));

		ck_assert(name.n >= 3);
		ck_assert_int_eq(method_parse(name), m);
		ck_assert_int_eq(method_parse(slice_head(name, name.n - 1)), METHOD_UNKNOWN);
		exact_free(name);
	}
	assert_slice(method_name(METHOD_UNKNOWN), "");
}
END_TEST

/* RFC 3261 section 7.1: the method is case-sensitive. RFC 4475 3.1.1.5: "%" is no escape there. */
START_TEST(others)
{
	static const char *const names[] = { "", "invite", "Invite", "INVITES", "RE%47IST%45R",
		" ACK" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(method_parse(slice_str(names[i])), METHOD_UNKNOWN);
}
END_TEST

RUN_TESTS("msg-method", names_and_back, others)
