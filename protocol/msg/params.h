/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct buf;
struct scan;

/*
 * ";name=value;flag;q=\"a;b\"" after a header value, and the same inside a URI. Names compare
 * ignoring case. Values come as they stand, quotes included; params_unquote() takes them off.
 */
struct param {
	struct slice name, value; /* value.p == NULL: the parameter has no "=" */
};

/*
 * Takes the next parameter off *rest. Returns 1 and fills *ret; 0 at the end; -EBADMSG when what
 * follows is no parameter (an empty one, ";;", is). LWS round ";" and "=" is skipped.
 */
int params_next(struct slice *rest, struct param *ret);
/* The same off a cursor, where 0 means that no ";" follows; the cursor moves only on 1. */
int params_scan(struct scan *s, struct param *ret);
/* True if the whole text is a well-formed, possibly empty, list of parameters. */
bool params_valid(struct slice params);
/* The first parameter of that name; false if there is none. *ret_value as in struct param. */
bool params_find(struct slice params, struct slice name, struct slice *ret_value);
/* Without surrounding quotes; backslash escapes stay. A token comes back as it is. */
struct slice params_unquote(struct slice value);
/* The inside of a quoted-string with its quoted-pairs resolved (RFC 3261 section 25.1). */
void params_append_unescaped(struct buf *b, struct slice inside);
/* text as a quoted-string, with what needs it escaped. */
void params_append_quoted(struct buf *b, struct slice text);
