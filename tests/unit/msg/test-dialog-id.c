/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/dialog-id.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "protocol/msg/target-dialog.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 3891 section 6.1, its examples, and what may stand beside them */
START_TEST(replaces)
{
	static const struct {
		const char *text, *call_id, *to_tag, *from_tag;
		bool early_only;
	} rows[] = {
		{ "98732@sip.example.com ;from-tag=r33th4x0r ;to-tag=ff87ff",
			"98732@sip.example.com", "ff87ff", "r33th4x0r", false },
		{ "12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only", "12adf2f34456gs5",
			"12345", "54321", true },
		{ "87134@171.161.34.23;to-tag=24796;from-tag=0", "87134@171.161.34.23", "24796",
			"0", false },
		{ " a ; x=\"to-tag=1;\" ; To-Tag = 1;FROM-TAG=2;Early-Only;y\t", "a", "1", "2",
			true },
		{ "<w>:\\\"[/]?{}@%x(!);to-tag=a.b;from-tag=~c", "<w>:\\\"[/]?{}@%x(!)", "a.b",
			"~c", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text);
		struct dialog_id d;

		ck_assert_msg(dialog_id_parse(text, &d) == 0, "%s", rows[i].text);
		assert_slice(d.call_id, rows[i].call_id);
		assert_slice(d.to_tag, rows[i].to_tag);
		assert_slice(d.from_tag, rows[i].from_tag);
		ck_assert(d.early_only == rows[i].early_only);
		exact_free(text);
	}
}
END_TEST

/* RFC 3891 section 6.1 and RFC 3911 section 7.1: "exactly one to-tag and exactly one from-tag" */
START_TEST(refused)
{
	static const char *const bad[] = { "", ";to-tag=1;from-tag=2", "a", "a;to-tag=1",
		"a;from-tag=1", "a;to-tag=1;to-tag=1;from-tag=2",
		"a;to-tag=1;from-tag=2;From-Tag=3", "a;to-tag;from-tag=2", "a;to-tag=;from-tag=2",
		"a;to-tag=\"1\";from-tag=2", "a b;to-tag=1;from-tag=2", "a;to-tag=1;from-tag=2;",
		"a;to-tag=1;from-tag=2, b;to-tag=1;from-tag=2", "a;;to-tag=1;from-tag=2",
		"a;to-tag=1;from-tag=2 x", "a\r\n;to-tag=1;from-tag=2",
		"a;local-tag=1;remote-tag=2" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		struct dialog_id d = { .early_only = true };

		ck_assert_msg(dialog_id_parse(text, &d) == -EBADMSG, "%s", bad[i]);
		ck_assert(d.early_only && !d.call_id.p);
		exact_free(text);
	}
}
END_TEST

/* RFC 3891 section 6.1: "a tag of zero matches both tags of zero and null" */
START_TEST(tag_of_zero)
{
	ck_assert(dialog_id_tag_matches(SLICE("a"), SLICE("a")));
	ck_assert(!dialog_id_tag_matches(SLICE("a"), SLICE("A")));
	ck_assert(!dialog_id_tag_matches(SLICE("a"), SLICE_NULL));
	ck_assert(dialog_id_tag_matches(SLICE("0"), SLICE("0")));
	ck_assert(dialog_id_tag_matches(SLICE("0"), SLICE_NULL));
	ck_assert(!dialog_id_tag_matches(SLICE("0"), SLICE("00")));
}
END_TEST

START_TEST(written)
{
	struct dialog_id d = { .call_id = SLICE("a@b"),
		.to_tag = SLICE("t"),
		.from_tag = SLICE("f"),
		.early_only = true };
	struct buf cleanup_buf b = BUF_NULL;

	dialog_id_append(&b, &d);
	assert_slice(buf_slice(&b), "a@b;to-tag=t;from-tag=f;early-only");
	buf_reset(&b);
	target_dialog_append(&b, &d);
	assert_slice(buf_slice(&b), "a@b;local-tag=t;remote-tag=f");
	buf_reset(&b);
	/* RFC 3891 section 6.1: the peer of RFC 2543 has no tag. */
	dialog_id_append(&b, &(struct dialog_id){ .call_id = SLICE("a"), .to_tag = SLICE("t") });
	assert_slice(buf_slice(&b), "a;to-tag=t;from-tag=0");
}
END_TEST

/* RFC 4538 sections 3, 4 and 7: local and remote as the recipient sees them, and both needed */
START_TEST(target)
{
	static const char *const bad[] = { "", "a", "a;local-tag=1", "a;remote-tag=1",
		"a;local-tag=1;local-tag=1;remote-tag=2", "a;to-tag=1;from-tag=2" };
	struct slice text = exact_str("fa77as7dad8-sd98ajzz@host.example.com ;local-tag=kkaz- "
				      ";remote-tag=6544;early-only");
	struct dialog_id d;

	ck_assert_int_eq(target_dialog_parse(text, &d), 0);
	assert_slice(d.call_id, "fa77as7dad8-sd98ajzz@host.example.com");
	assert_slice(d.to_tag, "kkaz-");
	assert_slice(d.from_tag, "6544");
	ck_assert(!d.early_only);
	exact_free(text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(target_dialog_parse(slice_str(bad[i]), &d) == -EBADMSG, "%s", bad[i]);
}
END_TEST

RUN_TESTS("msg-dialog-id", replaces, refused, tag_of_zero, written, target)
