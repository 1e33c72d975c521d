/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/* The methods that this user agent knows by name. Method names are case-sensitive (RFC 3261 7.1).
 */
enum method {
	METHOD_UNKNOWN,
	METHOD_ACK,
	METHOD_BENOTIFY, /* Microsoft: a NOTIFY that gets no response */
	METHOD_BYE,
	METHOD_CANCEL,
	METHOD_INFO,
	METHOD_INVITE,
	METHOD_MESSAGE,
	METHOD_NOTIFY,
	METHOD_OPTIONS,
	METHOD_PRACK,
	METHOD_PUBLISH,
	METHOD_REFER,
	METHOD_REGISTER,
	METHOD_SERVICE, /* Microsoft */
	METHOD_SUBSCRIBE,
	METHOD_UPDATE,
};

enum method method_parse(struct slice text);
/* "" for METHOD_UNKNOWN. */
struct slice method_name(enum method m);
