/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/ipc/dump.h"

#include <stdio.h>

#include "protocol/base/buf.h"

static void dump_items(struct buf *b, DBusMessageIter *at, int parent);

static void dump_basic(struct buf *b, DBusMessageIter *at, int type)
{
	DBusBasicValue v;

	dbus_message_iter_get_basic(at, &v);
	if (type == DBUS_TYPE_STRING || type == DBUS_TYPE_OBJECT_PATH)
		buf_str(b, v.str);
	else if (type == DBUS_TYPE_BOOLEAN)
		buf_str(b, v.bool_val ? "true" : "false");
	else if (type == DBUS_TYPE_UINT32)
		buf_u64(b, v.u32);
	else
		buf_u64(b, v.u64);
}

static void dump_array(struct buf *b, DBusMessageIter *at)
{
	int element = dbus_message_iter_get_element_type(at);
	bool dict = element == DBUS_TYPE_DICT_ENTRY;
	DBusMessageIter in;

	dbus_message_iter_recurse(at, &in);
	if (element == DBUS_TYPE_BYTE) {
		const char *bytes;
		int n;

		dbus_message_iter_get_fixed_array(&in, &bytes, &n);
		buf_put(b, slice_of(bytes, (size_t)n));
		return;
	}
	buf_putc(b, dict ? '{' : '[');
	dump_items(b, &in, DBUS_TYPE_ARRAY);
	buf_putc(b, dict ? '}' : ']');
}

static void dump_one(struct buf *b, DBusMessageIter *at)
{
	int type = dbus_message_iter_get_arg_type(at);
	DBusMessageIter in;

	if (type == DBUS_TYPE_ARRAY) {
		dump_array(b, at);
		return;
	}
	if (dbus_type_is_basic(type)) {
		dump_basic(b, at, type);
		return;
	}
	dbus_message_iter_recurse(at, &in);
	if (type == DBUS_TYPE_STRUCT)
		buf_putc(b, '(');
	dump_items(b, &in, type);
	if (type == DBUS_TYPE_STRUCT)
		buf_putc(b, ')');
}

static void dump_items(struct buf *b, DBusMessageIter *at, int parent)
{
	for (bool first = true; dbus_message_iter_get_arg_type(at) != DBUS_TYPE_INVALID;
		first = false) {
		if (!first)
			buf_putc(b, parent == DBUS_TYPE_DICT_ENTRY ? '=' : ' ');
		dump_one(b, at);
		dbus_message_iter_next(at);
	}
}

const char *dump_arguments(DBusMessage *m)
{
	static char text[8192];
	struct buf b = BUF_NULL;
	DBusMessageIter at;

	if (dbus_message_iter_init(m, &at))
		dump_items(&b, &at, DBUS_TYPE_STRUCT);
	(void)snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(buf_slice(&b)));
	buf_deinit(&b);
	return text;
}
