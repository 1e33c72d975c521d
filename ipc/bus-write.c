/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages as the bytes that they are (D-Bus specification, "Marshaling" and "Message Format").
 * libdbus checks them as it checks what comes from the bus; its own way of appending rewrites the
 * header with every argument and costs two to four times as much.
 */
#include <string.h>

#include "ipc/bus-private.h"
#include "ipc/bus-value.h"

#define MISMATCH "its arguments are not those of the table"

/* Where the fixed part of a header has the length of the body. */
enum { BODY_LENGTH_AT = 4 };

/* ---- text ---- */

static size_t utf8_len(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xe0)
		return 2;
	return lead < 0xf0 ? 3 : 4;
}

void bus_text_append(struct buf *b, struct slice s)
{
	if (slice_is_utf8(s)) {
		buf_put(b, s);
		return;
	}
	while (s.n) {
		struct slice c = slice_head(s, utf8_len((unsigned char)s.p[0]));

		if (slice_is_utf8(c)) {
			buf_put(b, c);
		} else {
			c.n = 1;
			buf_lit(b, "\xef\xbf\xbd");
		}
		s = slice_skip(s, c.n);
	}
}

/* ---- bytes ---- */

/* Gives up: nothing more is written, the message will not leave. */
static void spoil(struct bus_writer *w, const char *flaw)
{
	if (!w->flaw)
		w->flaw = flaw;
}

static void put(struct bus_writer *w, const void *bytes, size_t n)
{
	buf_put(&w->bytes, slice_of(bytes, n));
	if (w->bytes.overflow)
		spoil(w, "it is larger than a message may be");
}

static void put_byte(struct bus_writer *w, unsigned char c)
{
	put(w, &c, 1);
}

static void align(struct bus_writer *w, size_t to)
{
	static const char zeros[8];

	put(w, zeros, -w->bytes.n & (to - 1));
}

static void put_u32(struct bus_writer *w, uint32_t v)
{
	align(w, sizeof(v));
	put(w, &v, sizeof(v));
}

static void patch_u32(struct bus_writer *w, size_t at, size_t v)
{
	uint32_t u = (uint32_t)v;

	if (!w->flaw)
		memcpy(w->bytes.p + at, &u, sizeof(u));
}

static void put_signature(struct bus_writer *w, const char *sig)
{
	size_t n = strlen(sig);

	if (n > DBUS_MAXIMUM_SIGNATURE_LENGTH)
		spoil(w, "its signature is too long");
	put_byte(w, (unsigned char)n);
	put(w, sig, n + 1);
}

static void put_text(struct bus_writer *w, struct slice s)
{
	size_t begin;

	if (s.n > BUS_MESSAGE_MAX) {
		spoil(w, "it is larger than a message may be");
		return;
	}
	put_u32(w, 0);
	begin = w->bytes.n;
	bus_text_append(&w->bytes, s);
	put_byte(w, '\0');
	patch_u32(w, begin - sizeof(uint32_t), w->bytes.n - 1 - begin);
}

/* ---- the header ---- */

static void put_field(struct bus_writer *w, unsigned char field, const char *sig)
{
	align(w, 8);
	put_byte(w, field);
	put_signature(w, sig);
}

static void put_field_text(
	struct bus_writer *w, unsigned char field, const char *sig, const char *text)
{
	if (!text)
		return;
	put_field(w, field, sig);
	put_text(w, slice_str(text));
}

static void put_fields(struct bus_writer *w, const struct bus_head *head)
{
	put_field_text(w, DBUS_HEADER_FIELD_PATH, "o", head->path);
	put_field_text(w, DBUS_HEADER_FIELD_INTERFACE, "s", head->interface);
	put_field_text(w, DBUS_HEADER_FIELD_MEMBER, "s", head->member);
	put_field_text(w, DBUS_HEADER_FIELD_ERROR_NAME, "s", head->error);
	put_field_text(w, DBUS_HEADER_FIELD_DESTINATION, "s", head->destination);
	if (head->reply_serial) {
		put_field(w, DBUS_HEADER_FIELD_REPLY_SERIAL, "u");
		put_u32(w, head->reply_serial);
	}
	if (*w->at) {
		put_field(w, DBUS_HEADER_FIELD_SIGNATURE, "g");
		put_signature(w, w->at);
	}
}

void bus_writer_init(struct bus_writer *ret_w, const struct bus_head *head)
{
	struct bus_writer *w = ret_w;
	const uint16_t one = 1;
	size_t begin;

	*w = (struct bus_writer){ .bytes.max = BUS_MESSAGE_MAX,
		.at = head->sig ? head->sig : "",
		.member = head->member,
		.destination = head->destination };
	put_byte(w, *(const unsigned char *)&one ? DBUS_LITTLE_ENDIAN : DBUS_BIG_ENDIAN);
	put_byte(w, head->type);
	put_byte(w, head->flags);
	put_byte(w, DBUS_MAJOR_PROTOCOL_VERSION);
	put_u32(w, 0);
	put_u32(w, 1); /* a serial, until libdbus gives one */
	put_u32(w, 0);
	begin = w->bytes.n;
	put_fields(w, head);
	patch_u32(w, begin - sizeof(uint32_t), w->bytes.n - begin);
	align(w, 8);
	w->body = w->bytes.n;
}

void bus_writer_deinit(struct bus_writer *w)
{
	buf_deinit(&w->bytes);
	spoil(w, "it was dropped");
}

DBusMessage *bus_writer_take(struct bus_writer *w)
{
	DBusMessage *m = NULL;

	if (w->depth)
		spoil(w, "a container was left open");
	if (*w->at)
		spoil(w, MISMATCH);
	patch_u32(w, BODY_LENGTH_AT, w->bytes.n - w->body);
	if (!w->flaw)
		m = dbus_message_demarshal(w->bytes.p, (int)w->bytes.n, NULL);
	if (!m) {
		spoil(w, "libdbus refuses it");
		return NULL;
	}
	dbus_message_set_serial(m, 0);
	bus_writer_deinit(w);
	return m;
}

bool bus_writer_is_full(const struct bus_writer *w)
{
	return w->bytes.overflow || w->bytes.n > BUS_MESSAGE_MAX / 2;
}

/* ---- what the signature wants next ---- */

static bool is_next(struct bus_writer *w, char type)
{
	const struct bus_level *in = w->depth ? &w->levels[w->depth - 1] : NULL;

	if (w->flaw)
		return false;
	if (in && in->kind == DBUS_TYPE_ARRAY && w->at == in->after)
		w->at = in->items;
	if (*w->at != type) {
		spoil(w, MISMATCH);
		return false;
	}
	w->at++;
	return true;
}

static void put_fixed(struct bus_writer *w, char type, const void *value, size_t n)
{
	if (!is_next(w, type))
		return;
	align(w, n);
	put(w, value, n);
}

/* ---- values ---- */

void bus_write_s(struct bus_writer *w, struct slice s)
{
	if (is_next(w, DBUS_TYPE_STRING))
		put_text(w, s);
}

void bus_write_str(struct bus_writer *w, const char *s)
{
	bus_write_s(w, slice_str(s));
}

void bus_write_o(struct bus_writer *w, const char *path)
{
	if (!path || !dbus_validate_path(path, NULL))
		path = "/";
	if (is_next(w, DBUS_TYPE_OBJECT_PATH))
		put_text(w, slice_str(path));
}

void bus_write_b(struct bus_writer *w, bool v)
{
	uint32_t b = v;

	put_fixed(w, DBUS_TYPE_BOOLEAN, &b, sizeof(b));
}

void bus_write_i(struct bus_writer *w, int32_t v)
{
	put_fixed(w, DBUS_TYPE_INT32, &v, sizeof(v));
}

void bus_write_u(struct bus_writer *w, uint32_t v)
{
	put_fixed(w, DBUS_TYPE_UINT32, &v, sizeof(v));
}

void bus_write_t(struct bus_writer *w, uint64_t v)
{
	put_fixed(w, DBUS_TYPE_UINT64, &v, sizeof(v));
}

void bus_write_ay(struct bus_writer *w, struct slice bytes)
{
	if (!is_next(w, DBUS_TYPE_ARRAY) || *w->at != DBUS_TYPE_BYTE) {
		spoil(w, MISMATCH);
		return;
	}
	w->at++;
	put_u32(w, (uint32_t)bytes.n);
	put(w, bytes.p, bytes.n);
}

void bus_write_ss(struct bus_writer *w, struct slice a, struct slice b)
{
	bus_open_struct(w);
	bus_write_s(w, a);
	bus_write_s(w, b);
	bus_close(w);
}

/* ---- containers ---- */

/* NULL: it is not what comes next, or too deep. */
static struct bus_level *enter(struct bus_writer *w, char opens, char kind)
{
	struct bus_level *in;

	if (!is_next(w, opens))
		return NULL;
	if (w->depth == BUS_WRITER_DEPTH) {
		spoil(w, "its containers are nested too deep");
		return NULL;
	}
	in = &w->levels[w->depth++];
	*in = (struct bus_level){ .kind = kind, .closes = 1, .after = w->at };
	return in;
}

static size_t alignment_of(char type)
{
	switch (type) {
	case DBUS_TYPE_BYTE:
	case DBUS_TYPE_SIGNATURE:
	case DBUS_TYPE_VARIANT:
		return 1;
	case DBUS_TYPE_INT64:
	case DBUS_TYPE_UINT64:
	case DBUS_TYPE_DOUBLE:
	case DBUS_STRUCT_BEGIN_CHAR:
	case DBUS_DICT_ENTRY_BEGIN_CHAR:
		return 8;
	}
	return 4; /* all others of ours */
}

void bus_open_array(struct bus_writer *w, const char *element)
{
	struct bus_level *in = enter(w, DBUS_TYPE_ARRAY, DBUS_TYPE_ARRAY);
	size_t n = strlen(element);

	if (!in)
		return;
	if (strncmp(w->at, element, n) != 0) {
		spoil(w, MISMATCH);
		return;
	}
	in->items = w->at;
	w->at = in->after = in->items + n;
	put_u32(w, 0);
	in->length_at = w->bytes.n - sizeof(uint32_t);
	align(w, alignment_of(*element));
	in->begin = w->bytes.n;
}

void bus_open_struct(struct bus_writer *w)
{
	if (enter(w, DBUS_STRUCT_BEGIN_CHAR, DBUS_STRUCT_END_CHAR))
		align(w, 8);
}

static void open_entry(struct bus_writer *w)
{
	if (enter(w, DBUS_DICT_ENTRY_BEGIN_CHAR, DBUS_DICT_ENTRY_END_CHAR))
		align(w, 8);
}

void bus_open_variant(struct bus_writer *w, const char *sig)
{
	if (!enter(w, DBUS_TYPE_VARIANT, DBUS_TYPE_VARIANT))
		return;
	w->at = sig;
	put_signature(w, sig);
}

/* What opened it is complete: on with what comes after it. */
static void leave(struct bus_writer *w, const struct bus_level *in)
{
	switch (in->kind) {
	case DBUS_TYPE_ARRAY:
		if (w->at != in->after)
			spoil(w, MISMATCH);
		patch_u32(w, in->length_at, w->bytes.n - in->begin);
		break;
	case DBUS_TYPE_VARIANT:
		if (*w->at)
			spoil(w, MISMATCH);
		w->at = in->after;
		break;
	default: /* of a struct or dictionary entry */
		if (*w->at++ != in->kind)
			spoil(w, MISMATCH);
	}
}

void bus_close(struct bus_writer *w)
{
	if (w->flaw)
		return;
	if (!w->depth) {
		spoil(w, "more was closed than opened");
		return;
	}
	for (unsigned n = w->levels[w->depth - 1].closes; n && !w->flaw; n--)
		leave(w, &w->levels[--w->depth]);
}

void bus_open_dict(struct bus_writer *w)
{
	bus_open_array(w, "{sv}");
}

void bus_open_pair(struct bus_writer *w, const char *key)
{
	open_entry(w);
	bus_write_str(w, key);
}

void bus_open_pair_o(struct bus_writer *w, const char *path)
{
	open_entry(w);
	bus_write_o(w, path);
}

void bus_open_entry(struct bus_writer *w, const char *key, const char *sig)
{
	bus_open_pair(w, key);
	bus_open_variant(w, sig);
	if (!w->flaw)
		w->levels[w->depth - 1].closes = 2;
}

/* ---- whole entries ---- */

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
