/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

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
/* True if the whole text is a well-formed, possibly empty, list of parameters. */
bool params_valid(struct slice params);
/* The first parameter of that name; false if there is none. *ret_value as in struct param. */
bool params_find(struct slice params, struct slice name, struct slice *ret_value);
/* Without surrounding quotes; backslash escapes stay. A token comes back as it is. */
struct slice params_unquote(struct slice value);
