/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/event.h"

#include "protocol/base/err.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

/* event-package *( "." event-template ), neither of which may be empty */
static bool is_event_type(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '.' && (i == 0 || i + 1 == text.n || text.p[i + 1] == '.'))
			return false;
	return text.n > 0;
}

/* The first id counts; without a value it is a parameter like any other. */
int event_parse(struct slice value, struct event *ret)
{
	struct scan s = scan_of(value);
	struct event e = { .id = SLICE_NULL };
	struct param param;
	struct slice rest;
	int r;

	scan_lws(&s);
	e.type = scan_run(&s, CHARS_TOKEN);
	if (!is_event_type(e.type))
		return -EBADMSG;
	rest = scan_rest(&s);
	while ((r = params_next(&rest, &param)) > 0)
		if (!e.id.p && slice_eq_ci(param.name, SLICE("id")))
			e.id = param.value;
	if (r == 0)
		*ret = e;
	return r;
}

bool event_equal(const struct event *a, const struct event *b)
{
	return slice_eq(a->type, b->type) && slice_eq(a->id, b->id);
}
