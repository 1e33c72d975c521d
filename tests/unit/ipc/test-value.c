/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values, options, path elements, errors and XML: what needs no bus at all. */
#include <check.h>
#include <dbus/dbus.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/bus-error.h"
#include "ipc/bus-option.h"
#include "ipc/bus-path.h"
#include "ipc/bus-private.h"
#include "ipc/bus-table.h"
#include "ipc/bus-xml.h"
#include "protocol/base/buf.h"
#include "tests/unit/ipc/lamp.h"
#include "tests/unit/ipc/recorder.h"

START_TEST(text_becomes_utf8)
{
	static const struct {
		struct slice in;
		const char *out;
	} rows[] = {
		{ SLICE_INIT(""), "" },
		{ SLICE_INIT("plain"), "plain" },
		{ SLICE_INIT("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f" },
		{ SLICE_INIT("gr\xfc\xdf"), "gr\xef\xbf\xbd\xef\xbf\xbd" },
		{ SLICE_INIT("a\0b"), "a\xef\xbf\xbd"
				      "b" },
		{ SLICE_INIT("\xf0\x9f\x98\x80\xf0\x9f\x98"),
			"\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ SLICE_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ SLICE_INIT("\xc3"), "\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text = BUF_NULL;

		bus_text_append(&text, rows[i].in);
		ck_assert(slice_eq(buf_slice(&text), slice_str(rows[i].out)));
		buf_deinit(&text);
	}
}
END_TEST

static void writer(struct bus_writer *w, const char *sig)
{
	const struct bus_head head = { .type = DBUS_MESSAGE_TYPE_METHOD_CALL,
		.path = "/",
		.interface = "a.b",
		.member = "C",
		.sig = sig };

	bus_writer_init(w, &head);
}

/* The message that w has become, and a reader at its beginning. */
static DBusMessage *written(struct bus_writer *w, struct bus_reader *ret_r)
{
	DBusMessage *m = bus_writer_take(w);

	ck_assert_msg(m != NULL, "%s", w->flaw);
	*ret_r = (struct bus_reader){ .bad = false };
	dbus_message_iter_init(m, &ret_r->at);
	return m;
}

START_TEST(values_go_in_and_out)
{
	struct bus_writer w;
	struct bus_reader r, list, pair, dict, entry;
	DBusMessage *m;

	writer(&w, "sobiutaya(ss)a{sv}");
	bus_write_s(&w, SLICE("s"));
	bus_write_o(&w, "not a path");
	bus_write_b(&w, true);
	bus_write_i(&w, -5);
	bus_write_u(&w, 5);
	bus_write_t(&w, UINT64_MAX);
	bus_write_ay(&w, SLICE("\0\1"));
	bus_open_array(&w, "(ss)");
	bus_write_ss(&w, SLICE("Via"), SLICE("x"));
	bus_close(&w);
	bus_open_dict(&w);
	bus_entry_s(&w, "s", SLICE("t"));
	bus_entry_str(&w, "n", NULL);
	bus_entry_o(&w, "o", "/a");
	bus_entry_b(&w, "b", false);
	bus_entry_u(&w, "u", 7);
	bus_entry_t(&w, "t", 8);
	bus_entry_ay(&w, "ay", SLICE_NULL);
	bus_close(&w);
	m = written(&w, &r);
	ck_assert(slice_eq(bus_read_s(&r), SLICE("s")));
	ck_assert(slice_eq(bus_read_s(&r), SLICE("/")));
	ck_assert(bus_read_b(&r));
	ck_assert_int_eq(bus_read_i(&r), -5);
	ck_assert_uint_eq(bus_read_u(&r), 5);
	ck_assert_uint_eq(bus_read_t(&r), UINT64_MAX);
	ck_assert(slice_eq(bus_read_ay(&r), SLICE("\0\1")));
	list = bus_enter(&r);
	pair = bus_enter(&list);
	ck_assert(slice_eq(bus_read_s(&pair), SLICE("Via")));
	ck_assert(slice_eq(bus_read_s(&pair), SLICE("x")));
	ck_assert(!bus_more(&pair) && !bus_more(&list));
	dict = bus_enter(&r);
	entry = bus_enter(&dict);
	ck_assert(slice_eq(bus_read_s(&entry), SLICE("s")));
	ck_assert(!bus_more(&r) && !r.bad);
	dbus_message_unref(m);
}
END_TEST

START_TEST(reading_the_wrong_type_is_noticed)
{
	struct bus_writer w;
	struct bus_reader start, r;
	DBusMessage *m;

	writer(&w, "u");
	bus_write_u(&w, 1);
	m = written(&w, &start);
	r = start;
	ck_assert_uint_eq(bus_read_s(&r).n, 0);
	ck_assert(r.bad && !bus_more(&r));
	ck_assert_uint_eq(bus_read_u(&r), 0); /* bad stays bad */
	r = start;
	ck_assert(bus_read_ay(&r).p == NULL && r.bad);
	r = start;
	ck_assert(bus_enter(&r).bad && r.bad);
	r = start;
	ck_assert_uint_eq(bus_read_u(&r), 1);
	ck_assert_uint_eq(bus_read_u(&r), 0); /* past the end */
	ck_assert(r.bad);
	dbus_message_unref(m);
}
END_TEST

START_TEST(writing_too_deep_or_unbalanced_is_noticed)
{
	struct bus_writer w;

	writer(&w, "((((((((((((((((((((((u))))))))))))))))))))))");
	for (unsigned i = 0; i < BUS_WRITER_DEPTH; i++)
		bus_open_struct(&w);
	ck_assert_ptr_null(w.flaw);
	bus_open_struct(&w);
	ck_assert_ptr_nonnull(w.flaw);
	bus_write_u(&w, 1);
	bus_close(&w);
	ck_assert_ptr_null(bus_writer_take(&w));
	bus_writer_deinit(&w);
	writer(&w, "");
	bus_close(&w);
	ck_assert_ptr_null(bus_writer_take(&w));
	bus_writer_deinit(&w);
	writer(&w, "a{sv}");
	bus_open_dict(&w);
	bus_open_entry(&w, "k", "s");
	ck_assert_ptr_null(bus_writer_take(&w));
	bus_writer_deinit(&w);
}
END_TEST

START_TEST(arrays_are_aligned)
{
	struct bus_reader r, list, item;
	struct bus_writer w;
	DBusMessage *m;

	writer(&w, "sa(ts)ata{oas}");
	bus_write_str(&w, "odd");
	bus_open_array(
		&w, "(ts)"); /* empty: the room before the first item is there all the same */
	bus_close(&w);
	bus_open_array(&w, "t");
	bus_write_t(&w, 1);
	bus_write_t(&w, 2);
	bus_close(&w);
	bus_open_array(&w, "{oas}");
	for (size_t i = 0; i < 2; i++) {
		bus_open_pair_o(&w, "/a/b");
		bus_open_array(&w, "s");
		bus_write_str(&w, "x");
		bus_write_str(&w, "");
		bus_close(&w);
		bus_close(&w);
	}
	bus_close(&w);
	m = written(&w, &r);
	ck_assert(slice_eq(bus_read_s(&r), SLICE("odd")));
	list = bus_enter(&r);
	ck_assert(!bus_more(&list));
	list = bus_enter(&r);
	ck_assert_uint_eq(bus_read_t(&list), 1);
	ck_assert_uint_eq(bus_read_t(&list), 2);
	ck_assert(!bus_more(&list));
	list = bus_enter(&r);
	for (size_t i = 0; i < 2; i++) {
		item = bus_enter(&list);
		ck_assert(slice_eq(bus_read_s(&item), SLICE("/a/b")));
		item = bus_enter(&item);
		ck_assert(slice_eq(bus_read_s(&item), SLICE("x")));
		ck_assert_uint_eq(bus_read_s(&item).n, 0);
		ck_assert(!bus_more(&item) && !item.bad);
	}
	ck_assert(!bus_more(&list) && !bus_more(&r));
	dbus_message_unref(m);
}
END_TEST

/* What is written has to be what the signature says, on every level. */
START_TEST(writing_the_wrong_type_is_noticed)
{
	struct bus_writer w;

	for (unsigned i = 0; i < 8; i++) {
		writer(&w, "ua(ss)v");
		bus_write_u(&w, 1);
		if (i == 1)
			bus_write_u(&w, 1);
		bus_open_array(&w, i == 2 ? "s" : "(ss)");
		bus_open_struct(&w);
		bus_write_str(&w, "a");
		if (i != 3)
			bus_write_str(&w, "b");
		if (i == 4)
			bus_write_str(&w, "c");
		bus_close(&w);
		bus_close(&w);
		bus_open_variant(&w, "u");
		if (i == 5)
			bus_write_b(&w, true);
		else if (i != 6)
			bus_write_u(&w, 1);
		bus_close(&w);
		if (i == 7)
			bus_write_ay(&w, SLICE("more"));
		if (i == 0)
			dbus_message_unref(bus_writer_take(&w));
		else
			ck_assert_ptr_null(bus_writer_take(&w));
		bus_writer_deinit(&w);
	}
}
END_TEST

START_TEST(writing_too_much_is_noticed)
{
	size_t n = BUS_MESSAGE_MAX / 2;
	char *block = calloc(1, n);
	struct bus_writer w;

	writer(&w, "ayay");
	bus_write_ay(&w, slice_of(block, n));
	ck_assert_ptr_null(w.flaw);
	bus_write_ay(&w, slice_of(block, n));
	ck_assert_ptr_nonnull(w.flaw);
	bus_writer_deinit(&w);
	writer(&w, "s");
	bus_write_s(&w, slice_of(block, SIZE_MAX)); /* never looked at */
	ck_assert_ptr_nonnull(w.flaw);
	bus_writer_deinit(&w);
	free(block);
}
END_TEST

static const struct bus_option table[] = { { "Headers", "a(ss)" }, { "Expires", "u" },
	{ "Body", "ay" }, { 0 } };

/* Reads the dictionary that *w has become by table; its values live as long as *ret_m. */
static int read_options(struct bus_writer *w, struct bus_value *values, struct bus_option_error *e,
	DBusMessage **ret_m)
{
	struct bus_reader r;

	*ret_m = written(w, &r);
	return bus_option_read(&r, table, values, e);
}

START_TEST(options_are_read)
{
	struct bus_value v[3];
	struct bus_option_error e;
	struct bus_reader pair;
	struct bus_writer w;
	DBusMessage *m;

	writer(&w, "a{sv}");
	bus_open_dict(&w);
	bus_entry_ay(&w, "Body", SLICE("\xff"));
	bus_open_entry(&w, "Headers", "a(ss)");
	bus_open_array(&w, "(ss)");
	bus_write_ss(&w, SLICE("X"), SLICE("y"));
	bus_close(&w);
	bus_close(&w);
	bus_close(&w);
	ck_assert_int_eq(read_options(&w, v, &e, &m), 0);
	ck_assert(v[0].given && !v[1].given && v[2].given);
	ck_assert(slice_eq(v[2].s, SLICE("\xff")));
	pair = bus_enter(&v[0].items);
	ck_assert(slice_eq(bus_read_s(&pair), SLICE("X")));
	ck_assert(!bus_more(&v[0].items));
	dbus_message_unref(m);
}
END_TEST

START_TEST(options_twice_or_misnamed_are_errors)
{
	static char long_key[300];
	struct bus_value v[3];
	struct bus_option_error e;
	struct bus_writer w;
	DBusMessage *m;

	writer(&w, "a{sv}");
	bus_open_dict(&w);
	bus_entry_u(&w, "Expires", 1);
	bus_entry_u(&w, "Expires", 2);
	bus_close(&w);
	ck_assert_int_eq(read_options(&w, v, &e, &m), -EINVAL);
	ck_assert_str_eq(e.text, "option \"Expires\" is given twice");
	dbus_message_unref(m);
	memset(long_key, 'k', sizeof(long_key) - 1);
	writer(&w, "a{sv}");
	bus_open_dict(&w);
	bus_entry_u(&w, long_key, 1);
	bus_close(&w);
	ck_assert_int_eq(read_options(&w, v, &e, &m), -EINVAL);
	ck_assert_uint_lt(strlen(e.text), sizeof(e.text) - 1);
	dbus_message_unref(m);
	writer(&w, "a{sv}");
	bus_open_dict(&w);
	bus_entry_u(&w, "expires", 1); /* case matters */
	bus_close(&w);
	ck_assert_int_eq(read_options(&w, v, &e, &m), -EINVAL);
	dbus_message_unref(m);
}
END_TEST

START_TEST(ids_become_path_elements)
{
	static const struct {
		struct slice id, element;
	} rows[] = {
		{ SLICE_INIT("alice"), SLICE_INIT("alice") },
		{ SLICE_INIT("my_phone"), SLICE_INIT("my_phone") },
		{ SLICE_INIT("my_face"), SLICE_INIT("my_5fface") },
		{ SLICE_INIT("a_FF"), SLICE_INIT("a_FF") },
		{ SLICE_INIT(""), SLICE_INIT("_") },
		{ SLICE_INIT("_"), SLICE_INIT("_5f") },
		{ SLICE_INIT("__"), SLICE_INIT("__") },
		{ SLICE_INIT("a@b.c"), SLICE_INIT("a_40b_2ec") },
		{ SLICE_INIT("../x"), SLICE_INIT("_2e_2e_2fx") },
		{ SLICE_INIT("\xc3\xbc\0"), SLICE_INIT("_c3_bc_00") },
		{ SLICE_INIT("_a"), SLICE_INIT("_a") },
		{ SLICE_INIT("_@a"), SLICE_INIT("__40a") },
	};
	struct buf b = BUF_NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_reset(&b);
		bus_path_append(&b, rows[i].id);
		ck_assert(slice_eq(buf_slice(&b), rows[i].element));
		buf_reset(&b);
		ck_assert(bus_path_decode(&b, rows[i].element));
		ck_assert(slice_eq(buf_slice(&b), rows[i].id));
	}
	buf_reset(&b);
	ck_assert(!bus_path_decode(&b, SLICE("")));
	ck_assert(!bus_path_decode(&b, SLICE("_61"))); /* "a" is written as it is */
	ck_assert(!bus_path_decode(&b, SLICE("a-b")));
	ck_assert_uint_eq(b.n, 0);
	buf_deinit(&b);
}
END_TEST

/* All ids of up to four characters from a nasty alphabet: valid, reversible, hence unique. */
START_TEST(path_elements_are_unique)
{
	static const char alphabet[] = { '_', '5', 'f', 'g', '@' };
	struct buf path = BUF_NULL, back = BUF_NULL;
	char id[4];

	for (unsigned code = 0; code < 5 * 5 * 5 * 5; code++) {
		unsigned rest = code;

		for (size_t i = 0; i < sizeof(id); i++, rest /= 5)
			id[i] = alphabet[rest % 5];
		for (size_t n = 0; n <= sizeof(id); n++) {
			buf_reset(&path);
			buf_reset(&back);
			buf_putc(&path, '/');
			bus_path_append(&path, slice_of(id, n));
			ck_assert(bus_path_decode(&back, slice_skip(buf_slice(&path), 1)));
			ck_assert(slice_eq(buf_slice(&back), slice_of(id, n)));
			buf_putc(&path, '\0');
			ck_assert(dbus_validate_path(path.p, NULL));
		}
	}
	buf_deinit(&path);
	buf_deinit(&back);
}
END_TEST

START_TEST(errors_go_both_ways)
{
	ck_assert_int_eq(bus_error_errno(BUS_ERROR("NotSupported")), -EOPNOTSUPP);
	ck_assert_int_eq(bus_error_errno(DBUS_ERROR_NO_REPLY), -ETIMEDOUT);
	ck_assert_int_eq(bus_error_errno(DBUS_ERROR_ACCESS_DENIED), -EPERM);
	ck_assert_int_eq(bus_error_errno("com.example.Odd"), -EIO);
	ck_assert_str_eq(bus_error_name(-ETIMEDOUT), BUS_ERROR("Timeout"));
	ck_assert_str_eq(bus_error_name(-1234), DBUS_ERROR_FAILED);
	ck_assert_ptr_nonnull(bus_error_text(-1234));
	for (int err = 1; err < 200; err++)
		ck_assert_ptr_nonnull(bus_error_text(-err));
}
END_TEST

START_TEST(documentation_is_in_the_xml)
{
	struct buf b = BUF_NULL;
	char *xml;

	bus_xml_begin(&b);
	bus_xml_interface(&b, &iface_lamp, BUS_XML_DOCUMENTED);
	bus_xml_child(&b, "desk");
	bus_xml_end(&b);
	xml = buf_take(&b);
	ck_assert_ptr_nonnull(
		strstr(xml, "  <!-- A lamp. -->\n  <interface name=\"org.example.Lamp\">"));
	/* "--" would end the comment. */
	ck_assert_ptr_nonnull(strstr(xml, "<!-- Sets the power ~- at once. -->"));
	ck_assert_ptr_nonnull(strstr(xml, "<!-- option Fade (u): Seconds. -->"));
	ck_assert_ptr_nonnull(strstr(xml, "  <node name=\"desk\"/>\n</node>\n"));
	free(xml);
}
END_TEST

int main(void)
{
	static const TTest *const *const tests[] = { &text_becomes_utf8, &values_go_in_and_out,
		&reading_the_wrong_type_is_noticed, &writing_too_deep_or_unbalanced_is_noticed,
		&arrays_are_aligned, &writing_the_wrong_type_is_noticed,
		&writing_too_much_is_noticed, &options_are_read,
		&options_twice_or_misnamed_are_errors, &ids_become_path_elements,
		&path_elements_are_unique, &errors_go_both_ways, &documentation_is_in_the_xml };

	return recorder_main("value", tests, sizeof(tests) / sizeof(tests[0]));
}
