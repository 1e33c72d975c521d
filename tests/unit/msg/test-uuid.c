/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 9562 section 4, and the order of bytes of a GUID in memory. */
#include <check.h>
#include <stdlib.h>

#include "protocol/base/buf.h"
#include "protocol/msg/uuid.h"
#include "tests/support/run.h"

static void expect_text(const uint8_t uuid[UUID_BYTES], const char *text)
{
	struct buf b = BUF_NULL;
	char *got;

	uuid_append(&b, uuid);
	got = buf_take(&b);
	ck_assert_str_eq(got, text);
	free(got);
}

static const uint8_t counting[UUID_BYTES] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
	0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

START_TEST(rfc9562_4_text)
{
	expect_text(counting, "00112233-4455-6677-8899-aabbccddeeff");
}
END_TEST

START_TEST(rfc9562_4_1_and_4_2)
{
	static const uint8_t ones[UUID_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t uuid[UUID_BYTES];

	for (size_t i = 0; i < UUID_BYTES; i++)
		uuid[i] = ones[i];
	uuid_mark(uuid, 5);
	expect_text(uuid, "ffffffff-ffff-5fff-bfff-ffffffffffff");
	for (size_t i = 0; i < UUID_BYTES; i++)
		uuid[i] = 0;
	uuid_mark(uuid, 8);
	expect_text(uuid, "00000000-0000-8000-8000-000000000000");
}
END_TEST

START_TEST(guid)
{
	uint8_t uuid[UUID_BYTES];

	for (size_t i = 0; i < UUID_BYTES; i++)
		uuid[i] = counting[i];
	uuid_swap(uuid);
	expect_text(uuid, "33221100-5544-7766-8899-aabbccddeeff");
	uuid_swap(uuid);
	expect_text(uuid, "00112233-4455-6677-8899-aabbccddeeff");
}
END_TEST

RUN_TESTS("msg-uuid", rfc9562_4_text, rfc9562_4_1_and_4_2, guid)
