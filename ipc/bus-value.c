/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libdbus ends the process when it is handed a string that is not UTF-8 or a path that is none, so
 * everything is looked at here first.
 */
#include "ipc/bus-value.h"

#include <string.h>

#include "ipc/bus-private.h"
#include "protocol/base/buf.h"

/* Room that a value takes beside its bytes: length, alignment and the NUL. */
enum { VALUE_OVERHEAD = 16 };

static size_t utf8_len(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xe0)
		return 2;
	return lead < 0xf0 ? 3 : 4;
}

char *bus_text(struct slice s)
{
	struct buf b = BUF_NULL;

	if (slice_is_utf8(s))
		return slice_dup(s);
	while (s.n) {
		struct slice c = slice_head(s, utf8_len((unsigned char)s.p[0]));

		if (slice_is_utf8(c)) {
			buf_put(&b, c);
		} else {
			c.n = 1;
			buf_lit(&b, "\xef\xbf\xbd");
		}
		s = slice_skip(s, c.n);
	}
	return buf_take(&b);
}

void bus_writer_init(struct bus_writer *ret_w, DBusMessage *m, const char *want)
{
	if (!m)
		abort();
	*ret_w = (struct bus_writer){ .message = m, .want = want ? want : "" };
	dbus_message_iter_init_append(m, &ret_w->at[0]);
}

/* Gives up: what is open is abandoned, the message will not leave. */
static void spoil(struct bus_writer *w, const char *flaw)
{
	for (; w->depth; w->depth--)
		dbus_message_iter_abandon_container(&w->at[w->depth - 1], &w->at[w->depth]);
	w->flaw = flaw;
}

void bus_writer_deinit(struct bus_writer *w)
{
	spoil(w, "it was dropped");
	if (w->message)
		dbus_message_unref(w->message);
	w->message = NULL;
}

DBusMessage *bus_writer_take(struct bus_writer *w)
{
	if (!w->flaw && w->depth)
		spoil(w, "a container was left open");
	if (!w->flaw && strcmp(dbus_message_get_signature(w->message), w->want) != 0)
		w->flaw = "its arguments are not those of the table";
	if (w->flaw)
		return NULL;
	return mem_take(&w->message);
}

static bool has_room(struct bus_writer *w, size_t n)
{
	if (w->flaw)
		return false;
	if (n > BUS_MESSAGE_MAX || w->size > BUS_MESSAGE_MAX - n) {
		spoil(w, "it is larger than a message may be");
		return false;
	}
	w->size += n;
	return true;
}

static void append(struct bus_writer *w, int type, const void *value)
{
	if (has_room(w, VALUE_OVERHEAD) &&
		!dbus_message_iter_append_basic(&w->at[w->depth], type, value))
		abort();
}

void bus_write_s(struct bus_writer *w, struct slice s)
{
	char *text;

	/* Each bad byte grows to three. */
	if (!has_room(w, s.n > BUS_MESSAGE_MAX ? s.n : 3 * s.n))
		return;
	text = bus_text(s);
	w->size -= 3 * s.n - strlen(text);
	append(w, DBUS_TYPE_STRING, &text);
	free(text);
}

void bus_write_str(struct bus_writer *w, const char *s)
{
	bus_write_s(w, slice_str(s));
}

void bus_write_o(struct bus_writer *w, const char *path)
{
	if (!path || !dbus_validate_path(path, NULL))
		path = "/";
	if (has_room(w, strlen(path)))
		append(w, DBUS_TYPE_OBJECT_PATH, &path);
}

void bus_write_b(struct bus_writer *w, bool v)
{
	dbus_bool_t b = v;

	append(w, DBUS_TYPE_BOOLEAN, &b);
}

void bus_write_i(struct bus_writer *w, int32_t v)
{
	append(w, DBUS_TYPE_INT32, &v);
}

void bus_write_u(struct bus_writer *w, uint32_t v)
{
	append(w, DBUS_TYPE_UINT32, &v);
}

void bus_write_t(struct bus_writer *w, uint64_t v)
{
	append(w, DBUS_TYPE_UINT64, &v);
}

/* Opens one more container; those that close with it count as one for bus_close(). */
static void open_container(
	struct bus_writer *w, int type, const char *sig, unsigned char closes_with)
{
	if (!has_room(w, VALUE_OVERHEAD))
		return;
	if (w->depth == BUS_WRITER_DEPTH) {
		spoil(w, "its containers are nested too deep");
		return;
	}
	if (!dbus_message_iter_open_container(&w->at[w->depth], type, sig, &w->at[w->depth + 1]))
		abort();
	w->depth++;
	w->closes[w->depth] = closes_with;
}

void bus_write_ay(struct bus_writer *w, struct slice bytes)
{
	const char *p = bytes.p ? bytes.p : "";

	if (!has_room(w, bytes.n))
		return;
	bus_open_array(w, "y");
	if (!w->flaw && !dbus_message_iter_append_fixed_array(
				&w->at[w->depth], DBUS_TYPE_BYTE, &p, (int)bytes.n))
		abort();
	bus_close(w);
}

void bus_write_ss(struct bus_writer *w, struct slice a, struct slice b)
{
	bus_open_struct(w);
	bus_write_s(w, a);
	bus_write_s(w, b);
	bus_close(w);
}

void bus_open_array(struct bus_writer *w, const char *element)
{
	open_container(w, DBUS_TYPE_ARRAY, element, 1);
}

void bus_open_struct(struct bus_writer *w)
{
	open_container(w, DBUS_TYPE_STRUCT, NULL, 1);
}

void bus_open_variant(struct bus_writer *w, const char *sig)
{
	open_container(w, DBUS_TYPE_VARIANT, sig, 1);
}

void bus_open_dict(struct bus_writer *w)
{
	bus_open_array(w, "{sv}");
}

void bus_open_entry(struct bus_writer *w, const char *key, const char *sig)
{
	bus_open_pair(w, key);
	open_container(w, DBUS_TYPE_VARIANT, sig, 2);
}

void bus_open_pair(struct bus_writer *w, const char *key)
{
	open_container(w, DBUS_TYPE_DICT_ENTRY, NULL, 1);
	bus_write_str(w, key);
}

void bus_open_pair_o(struct bus_writer *w, const char *path)
{
	open_container(w, DBUS_TYPE_DICT_ENTRY, NULL, 1);
	bus_write_o(w, path);
}

void bus_close(struct bus_writer *w)
{
	if (w->flaw)
		return;
	if (!w->depth) {
		spoil(w, "more was closed than opened");
		return;
	}
	for (unsigned n = w->closes[w->depth]; n; n--, w->depth--)
		if (!dbus_message_iter_close_container(&w->at[w->depth - 1], &w->at[w->depth]))
			abort();
}

void bus_entry_s(struct bus_writer *w, const char *key, struct slice v)
{
	bus_open_entry(w, key, "s");
	bus_write_s(w, v);
	bus_close(w);
}

void bus_entry_str(struct bus_writer *w, const char *key, const char *v)
{
	bus_entry_s(w, key, slice_str(v));
}

void bus_entry_o(struct bus_writer *w, const char *key, const char *path)
{
	bus_open_entry(w, key, "o");
	bus_write_o(w, path);
	bus_close(w);
}

void bus_entry_b(struct bus_writer *w, const char *key, bool v)
{
	bus_open_entry(w, key, "b");
	bus_write_b(w, v);
	bus_close(w);
}

void bus_entry_u(struct bus_writer *w, const char *key, uint32_t v)
{
	bus_open_entry(w, key, "u");
	bus_write_u(w, v);
	bus_close(w);
}

void bus_entry_t(struct bus_writer *w, const char *key, uint64_t v)
{
	bus_open_entry(w, key, "t");
	bus_write_t(w, v);
	bus_close(w);
}

void bus_entry_ay(struct bus_writer *w, const char *key, struct slice bytes)
{
	bus_open_entry(w, key, "ay");
	bus_write_ay(w, bytes);
	bus_close(w);
}

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
