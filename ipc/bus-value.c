/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values out of messages; bus-write.c is the other way. */
#include "ipc/bus-value.h"

#include <string.h>

bool bus_more(struct bus_reader *r)
{
	return !r->bad && dbus_message_iter_get_arg_type(&r->at) != DBUS_TYPE_INVALID;
}

/* The basic value that comes next, if it has one of the types; a zeroed one if not. */
static DBusBasicValue read_basic(struct bus_reader *r, const char *types)
{
	int type = r->bad ? DBUS_TYPE_INVALID : dbus_message_iter_get_arg_type(&r->at);
	DBusBasicValue v = { .u64 = 0 };

	if (type == DBUS_TYPE_INVALID || !strchr(types, type)) {
		r->bad = true;
		return v;
	}
	dbus_message_iter_get_basic(&r->at, &v);
	dbus_message_iter_next(&r->at);
	return v;
}

struct slice bus_read_s(struct bus_reader *r)
{
	return slice_str(read_basic(r, "sog").str);
}

bool bus_read_b(struct bus_reader *r)
{
	return read_basic(r, "b").bool_val;
}

int32_t bus_read_i(struct bus_reader *r)
{
	return read_basic(r, "i").i32;
}

uint32_t bus_read_u(struct bus_reader *r)
{
	return read_basic(r, "u").u32;
}

uint64_t bus_read_t(struct bus_reader *r)
{
	return read_basic(r, "t").u64;
}

struct slice bus_read_ay(struct bus_reader *r)
{
	struct bus_reader bytes = { .bad = true };
	const char *p = NULL;
	int n = 0;

	if (bus_more(r) && dbus_message_iter_get_arg_type(&r->at) == DBUS_TYPE_ARRAY &&
		dbus_message_iter_get_element_type(&r->at) == DBUS_TYPE_BYTE)
		bytes = bus_enter(r);
	r->bad = bytes.bad;
	if (!bytes.bad)
		dbus_message_iter_get_fixed_array(&bytes.at, &p, &n);
	return slice_of(p, (size_t)n);
}

struct bus_reader bus_enter(struct bus_reader *r)
{
	struct bus_reader inner = { .bad = true };
	int type = r->bad ? DBUS_TYPE_INVALID : dbus_message_iter_get_arg_type(&r->at);

	if (!dbus_type_is_valid(type) || !dbus_type_is_container(type)) {
		r->bad = true;
		return inner;
	}
	inner.bad = false;
	dbus_message_iter_recurse(&r->at, &inner.at);
	dbus_message_iter_next(&r->at);
	return inner;
}
