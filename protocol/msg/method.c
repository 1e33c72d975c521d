/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/method.h"

#include "protocol/base/mem.h"

static const struct slice names[] = {
	[METHOD_UNKNOWN] = SLICE_INIT(""),
	[METHOD_ACK] = SLICE_INIT("ACK"),
	[METHOD_BENOTIFY] = SLICE_INIT("BENOTIFY"),
	[METHOD_BYE] = SLICE_INIT("BYE"),
	[METHOD_CANCEL] = SLICE_INIT("CANCEL"),
	[METHOD_INFO] = SLICE_INIT("INFO"),
	[METHOD_INVITE] = SLICE_INIT("INVITE"),
	[METHOD_MESSAGE] = SLICE_INIT("MESSAGE"),
	[METHOD_NOTIFY] = SLICE_INIT("NOTIFY"),
	[METHOD_OPTIONS] = SLICE_INIT("OPTIONS"),
	[METHOD_PRACK] = SLICE_INIT("PRACK"),
	[METHOD_PUBLISH] = SLICE_INIT("PUBLISH"),
	[METHOD_REFER] = SLICE_INIT("REFER"),
	[METHOD_REGISTER] = SLICE_INIT("REGISTER"),
	[METHOD_SERVICE] = SLICE_INIT("SERVICE"),
	[METHOD_SUBSCRIBE] = SLICE_INIT("SUBSCRIBE"),
	[METHOD_UPDATE] = SLICE_INIT("UPDATE"),
};

enum method method_parse(struct slice text)
{
	for (enum method m = METHOD_ACK; m <= METHOD_UPDATE; m++)
		if (names[m].n == text.n && names[m].p[0] == text.p[0] && slice_eq(names[m], text))
			return m;
	return METHOD_UNKNOWN;
}

struct slice method_name(enum method m)
{
	return m < ARRAY_LEN(names) ? names[m] : names[METHOD_UNKNOWN];
}
