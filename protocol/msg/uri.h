/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"
#include "protocol/msg/transport.h"

struct buf;

/* Ceilings: comparing two URIs costs the square of these. */
enum {
	URI_MAX_PARAMS = 64,
	URI_MAX_HEADERS = 32,
};

enum uri_scheme {
	URI_OTHER, /* any absoluteURI: only scheme_name and text are filled */
	URI_SIP,
	URI_SIPS,
	URI_TEL, /* user holds the number as written; params the rest (RFC 3966) */
};

/*
 * A URI taken apart (RFC 3261 section 25.1, RFC 3966). Slices borrow from the input, escapes are
 * as received. port 0: none given.
 */
struct uri {
	enum uri_scheme scheme;
	struct slice text;        /* all of it */
	struct slice scheme_name; /* without ":" */
	struct slice user;        /* SLICE_NULL if there is no "@" */
	struct slice password;
	struct slice host; /* IPv6 with its brackets */
	uint16_t port;
	struct slice params;  /* from the first ";" on, that included */
	struct slice headers; /* after "?" */
};

/* The whole of text must be one URI. -EBADMSG if it is none. */
int uri_parse(struct slice text, struct uri *ret);
/* Equality of RFC 3261 section 19.1.4 (sip, sips), RFC 3966 section 4 (tel); bytes otherwise. */
bool uri_equal(const struct uri *a, const struct uri *b);
bool uri_param(const struct uri *u, struct slice name, struct slice *ret_value);
/* The transport parameter; TLS for a sips URI without one or with tcp; TRANSPORT_NONE if not said.
 */
enum transport uri_transport(const struct uri *u);
/* host without the brackets of an IPv6 reference. */
struct slice uri_bare_host(const struct uri *u);
/* Canonical form of user and host for look-up: "user@host", host lower case, escapes resolved. */
void uri_append_aor(struct buf *b, const struct uri *u);
/* Takes one character off *rest (which is not empty), an escape resolved; true if it was one. */
bool uri_next_char(struct slice *rest, unsigned char *ret);
enum uri_case { URI_KEEP_CASE, URI_FOLD_CASE };
/* Equal where "%" HEX HEX stands for its character, unless that is reserved (RFC 3261 19.1.4). */
bool uri_text_equal(struct slice a, struct slice b, enum uri_case fold);
/* Resolves %HH once, into b. */
void uri_append_unescaped(struct buf *b, struct slice text);
/* "%" and two digits */
void uri_append_escape(struct buf *b, unsigned char c);
/* text with everything that may not stand in the user part as %HH. */
void uri_append_user(struct buf *b, struct slice text);
/* true for IPv4 dotted-quad, IPv6 with or without brackets. */
bool uri_host_is_numeric(struct slice host);
