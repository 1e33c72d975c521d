/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/event.h"

#include <errno.h>

#include "tests/support/exact.h"
#include "tests/support/run.h"

/* RFC 6665 section 8.4 */
START_TEST(events)
{
	static const struct {
		const char *text, *type, *id;
	} rows[] = {
		{ "refer", "refer", NULL },
		{ "refer;id=93809824", "refer", "93809824" },
		{ " presence.winfo.winfo ; x=\"id=1\" ; ID = a.b ;id=2", "presence.winfo.winfo",
			"a.b" },
		{ "vnd.x-!%*_+`'~", "vnd.x-!%*_+`'~", NULL },
		/* By the grammar a generic-param. */
		{ "foo;id;x", "foo", NULL },
		{ "foo;identity=1", "foo", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = exact_str(rows[i].text);
		struct event e;

		ck_assert_msg(event_parse(text, &e) == 0, "%s", rows[i].text);
		assert_slice(e.type, rows[i].type);
		ck_assert((e.id.p == NULL) == (rows[i].id == NULL));
		ck_assert(slice_eq(e.id, slice_str(rows[i].id)));
		exact_free(text);
	}
}
END_TEST

START_TEST(refused)
{
	static const char *const bad[] = { "", ";id=1", ".", ".a", "a.", "a..b", "a b", "a,b", "a;",
		"a;id=", "a;;id=1", "\"a\"", "a/b", "a\r\n;id=1" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice text = exact_str(bad[i]);
		struct event e = { .id = SLICE("kept") };

		ck_assert_msg(event_parse(text, &e) == -EBADMSG, "%s", bad[i]);
		assert_slice(e.id, "kept");
		exact_free(text);
	}
}
END_TEST

static bool equal(const char *a, const char *b)
{
	struct event x, y;

	ck_assert_int_eq(event_parse(slice_str(a), &x), 0);
	ck_assert_int_eq(event_parse(slice_str(b), &y), 0);
	ck_assert(event_equal(&x, &y) == event_equal(&y, &x));
	return event_equal(&x, &y);
}

/* RFC 6665 section 8.2.1 */
START_TEST(comparison)
{
	ck_assert(equal("foo; id=1234", "foo; param=abcd; id=1234"));
	ck_assert(!equal("foo; id=1234", "foo"));
	ck_assert(!equal("foo; id=1234", "Foo; id=1234"));
	ck_assert(!equal("foo; id=a", "foo; id=A"));
	ck_assert(!equal("foo", "foo.winfo"));
	ck_assert(equal("foo", "foo;id"));
}
END_TEST

RUN_TESTS("msg-event", events, refused, comparison)
