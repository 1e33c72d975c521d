/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Values into and out of messages, named by the letters of their signatures. Whatever bytes a
 * writer is given, the message stays valid: in strings, what is not UTF-8 becomes U+FFFD.
 */
#include <dbus/dbus.h>

#include "protocol/base/buf.h"

struct bus_object;

enum {
	BUS_WRITER_DEPTH = 20, /* containers open at once */
	/* Bytes of a message that we send. A bus may drop whoever sends more than 32 MiB. */
	BUS_MESSAGE_MAX = 31 << 20,
};

/* A container that is open. */
struct bus_level {
	char kind;               /* a, v, or what ends it: ) or } */
	unsigned char closes;    /* levels that end together */
	const char *items;       /* a: the signature of one */
	const char *after;       /* a, v: the rest of the signature that it stands in */
	size_t length_at, begin; /* a */
};

struct bus_writer {
	struct buf bytes; /* the message so far */
	size_t body;      /* where its arguments begin */
	const char *at;   /* the signature of what has to come now */
	struct bus_level levels[BUS_WRITER_DEPTH];
	unsigned depth;
	/* Set when writing went wrong: nothing more is written, and the message is not sent. */
	const char *flaw;
	/* Borrowed, as all signatures are; out: of the reply to a call. */
	const char *member, *destination, *out;
	struct bus_object *object; /* whose message it is; set by who opens it */
};

void bus_write_s(struct bus_writer *w, struct slice s);
/* NULL is "". */
void bus_write_str(struct bus_writer *w, const char *s);
/* NULL, and what is no object path, is "/". */
void bus_write_o(struct bus_writer *w, const char *path);
void bus_write_b(struct bus_writer *w, bool v);
void bus_write_i(struct bus_writer *w, int32_t v);
void bus_write_u(struct bus_writer *w, uint32_t v);
void bus_write_t(struct bus_writer *w, uint64_t v);
void bus_write_ay(struct bus_writer *w, struct slice bytes);
/* (ss), of which lists of headers are made. */
void bus_write_ss(struct bus_writer *w, struct slice a, struct slice b);

/* Everything opened is closed by one bus_close(). `element` is the signature of one item; that of a
 * variant lives until it is closed. */
void bus_open_array(struct bus_writer *w, const char *element);
void bus_open_struct(struct bus_writer *w);
void bus_open_variant(struct bus_writer *w, const char *sig);
/* a{sv} and an entry of it: write one value of type sig, then bus_close(). */
void bus_open_dict(struct bus_writer *w);
void bus_open_entry(struct bus_writer *w, const char *key, const char *sig);
/* An entry whose key is s and value of type sig without a variant around it, for a{st} and such. */
void bus_open_pair(struct bus_writer *w, const char *key);
/* The same with a path as key, for a{o...}. */
void bus_open_pair_o(struct bus_writer *w, const char *path);
void bus_close(struct bus_writer *w);

/* Whole entries of an a{sv}. */
void bus_entry_s(struct bus_writer *w, const char *key, struct slice v);
void bus_entry_str(struct bus_writer *w, const char *key, const char *v);
void bus_entry_o(struct bus_writer *w, const char *key, const char *path);
void bus_entry_b(struct bus_writer *w, const char *key, bool v);
void bus_entry_u(struct bus_writer *w, const char *key, uint32_t v);
void bus_entry_t(struct bus_writer *w, const char *key, uint64_t v);
void bus_entry_ay(struct bus_writer *w, const char *key, struct slice bytes);

/*
 * Reads values in order. Dispatch has checked the signature, so reading what the table declares
 * cannot fail; anything else sets `bad` and gives zero. Slices borrow from the message.
 */
struct bus_reader {
	DBusMessageIter at;
	bool bad;
};

/* Another item is there. */
bool bus_more(struct bus_reader *r);
struct slice bus_read_s(struct bus_reader *r); /* s, o and g */
bool bus_read_b(struct bus_reader *r);
int32_t bus_read_i(struct bus_reader *r);
uint32_t bus_read_u(struct bus_reader *r);
uint64_t bus_read_t(struct bus_reader *r);
struct slice bus_read_ay(struct bus_reader *r);
/* Steps over an array, struct, dictionary entry or variant, and returns a reader inside of it. */
struct bus_reader bus_enter(struct bus_reader *r);
