/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/session-expires.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

static enum refresher find_refresher(struct slice value)
{
	if (slice_eq_ci(value, SLICE("uac")))
		return REFRESHER_UAC;
	return slice_eq_ci(value, SLICE("uas")) ? REFRESHER_UAS : REFRESHER_NONE;
}

/* delta-seconds *(SEMI se-params); the first refresher counts. */
int session_expires_parse(struct slice value, struct session_expires *ret)
{
	struct scan s = scan_of(value);
	struct session_expires v = { .refresher = REFRESHER_NONE };
	struct param param;
	struct slice rest;
	int r;

	scan_lws(&s);
	if (!slice_to_u32(scan_run(&s, CHARS_DIGIT), UINT32_MAX, &v.seconds))
		return -EBADMSG;
	rest = scan_rest(&s);
	while ((r = params_next(&rest, &param)) > 0)
		if (v.refresher == REFRESHER_NONE && slice_eq_ci(param.name, SLICE("refresher")))
			v.refresher = find_refresher(param.value);
	if (r == 0)
		*ret = v;
	return r;
}

void session_expires_append(struct buf *b, const struct session_expires *s)
{
	buf_u64(b, s->seconds);
	switch (s->refresher) {
	case REFRESHER_NONE:
		return;
	case REFRESHER_UAC:
		buf_lit(b, ";refresher=uac");
		return;
	case REFRESHER_UAS:
		buf_lit(b, ";refresher=uas");
		return;
	}
}
