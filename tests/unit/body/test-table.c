/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-table.h"

#include "protocol/base/err.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static struct body_row *put(struct body_table *t, const char *a, const char *b, const char *c)
{
	struct slice cells[] = { slice_str(a), slice_str(b), slice_str(c) };
	struct body_row *row = NULL;

	ck_assert_int_eq(body_table_put(t, cells, &row), 0);
	return row;
}

static struct body_row *find(struct body_table *t, const char *a, const char *b)
{
	struct slice keys[] = { slice_str(a), slice_str(b) };

	return body_table_find(t, keys);
}

START_TEST(rows_by_key)
{
	struct body_table t;
	struct body_row *row;

	body_table_init(&t, 3, 2, 7);
	ck_assert_ptr_null(find(&t, "a", "b"));
	(void)put(&t, "a", "b", "1");
	(void)put(&t, "ab", "", "2");
	(void)put(&t, "", "ab", "3");
	ck_assert_uint_eq(t.n, 3);
	t.document++;
	row = put(&t, "a", "b", "one");
	ck_assert_uint_eq(t.n, 3);
	ck_assert_ptr_eq(find(&t, "a", "b"), row);
	ck_assert_ptr_eq(body_row_of(list_first(&t.rows)), row);
	assert_slice(row->cells[2], "one");
	ck_assert(body_row_is_new(&t, row));
	ck_assert(!body_row_is_new(&t, find(&t, "ab", "")));
	assert_slice(find(&t, "", "ab")->cells[2], "3");
	body_table_remove(&t, find(&t, "ab", ""));
	ck_assert_ptr_null(find(&t, "ab", ""));
	ck_assert_uint_eq(t.n, 2);
	body_table_deinit(&t);
}
END_TEST

/* What is put may be of the row that goes. */
START_TEST(rows_of_themselves)
{
	struct slice cells[] = { SLICE_INIT("a"), SLICE_INIT("b"), SLICE_INIT("c") };
	struct body_table t;
	struct body_row *row;

	body_table_init(&t, 3, 2, 7);
	ck_assert_int_eq(body_table_put(&t, cells, &row), 0);
	ck_assert_int_eq(body_table_put(&t, row->cells, &row), 0);
	assert_slice(row->cells[2], "c");
	body_table_deinit(&t);
}
END_TEST

START_TEST(rows_are_bounded)
{
	struct body_table t;
	struct body_row *row;
	char key[16];

	body_table_init(&t, 1, 1, 7);
	for (unsigned i = 0; i < BODY_TABLE_ROWS_MAX; i++) {
		struct slice cell = slice_of(key, (size_t)snprintf(key, sizeof(key), "%u", i));

		HOLDS(body_table_put(&t, &cell, &row) == 0);
	}
	ck_assert_int_eq(body_table_put(&t, &SLICE("more"), &row), -ENOSPC);
	ck_assert_int_eq(body_table_put(&t, &SLICE("0"), &row), 0);
	body_table_deinit(&t);
}
END_TEST

START_TEST(bytes_are_bounded)
{
	struct slice cells[] = { SLICE_INIT("a"), SLICE_NULL };
	struct body_table t;
	struct body_row *row;

	cells[1] = slice_of(calloc(1, BODY_TABLE_BYTES_MAX), BODY_TABLE_BYTES_MAX);
	body_table_init(&t, 2, 1, 7);
	ck_assert_int_eq(body_table_put(&t, cells, &row), -ENOSPC);
	cells[1].n = BODY_TABLE_BYTES_MAX - 1024;
	ck_assert_int_eq(body_table_put(&t, cells, &row), 0);
	/* In the place of itself there is room for it. */
	ck_assert_int_eq(body_table_put(&t, cells, &row), 0);
	cells[0] = SLICE("b");
	ck_assert_int_eq(body_table_put(&t, cells, &row), -ENOSPC);
	ck_assert_uint_eq(t.n, 1);
	body_table_deinit(&t);
	free((char *)(uintptr_t)cells[1].p);
}
END_TEST

/* RFC 4235 section 4.3, RFC 3680 section 5.2, RFC 4662 section 5.6 */
START_TEST(rfc4235_4_3_versions)
{
	struct body_version v = { 0 };

	ck_assert_int_eq(body_version_take(&v, 5, BODY_FULL), BODY_NEWS);
	ck_assert_int_eq(body_version_take(&v, 6, BODY_PARTIAL), BODY_NEWS);
	ck_assert(v.complete);
	ck_assert_int_eq(body_version_take(&v, 6, BODY_PARTIAL), BODY_NEWS_STALE);
	ck_assert_int_eq(body_version_take(&v, 4, BODY_FULL), BODY_NEWS_STALE);
	ck_assert_int_eq(body_version_take(&v, 8, BODY_PARTIAL), BODY_NEWS_GAP);
	ck_assert(!v.complete);
	/* It was asked for full state already. */
	ck_assert_int_eq(body_version_take(&v, 9, BODY_PARTIAL), BODY_NEWS);
	ck_assert(!v.complete);
	ck_assert_int_eq(body_version_take(&v, 20, BODY_FULL), BODY_NEWS);
	ck_assert(v.complete);
	ck_assert_int_eq(body_version_take(&v, 20, BODY_FULL), BODY_NEWS);
	ck_assert_int_eq(body_version_take(&v, UINT32_MAX, BODY_FULL), BODY_NEWS);
	v = (struct body_version){ 0 };
	ck_assert_int_eq(body_version_take(&v, 0, BODY_PARTIAL), BODY_NEWS_GAP);
}
END_TEST

RUN_TESTS("body-table", rows_by_key, rows_of_themselves, rows_are_bounded, bytes_are_bounded,
	rfc4235_4_3_versions)
