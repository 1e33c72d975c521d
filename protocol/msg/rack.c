/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/rack.h"

#include "protocol/base/err.h"
#include "protocol/msg/rseq.h"
#include "protocol/msg/scan.h"

/* LWS, which separates here and has to be there. */
static bool read_blank(struct scan *s)
{
	return scan_run(s, CHARS_LWS).n > 0;
}

/* response-num LWS CSeq-num LWS Method */
int rack_parse(struct slice value, struct rack *ret)
{
	struct scan s = scan_of(slice_trim(value));
	struct rack rack;

	if (rseq_parse(scan_run(&s, CHARS_DIGIT), &rack.rseq) < 0 || !read_blank(&s))
		return -EBADMSG;
	/* RFC 3261 section 8.1.1.5 bounds CSeq. */
	if (!slice_to_u32(scan_run(&s, CHARS_DIGIT), INT32_MAX, &rack.cseq) || !read_blank(&s))
		return -EBADMSG;
	rack.method = scan_run(&s, CHARS_TOKEN);
	if (rack.method.n == 0 || !scan_at_end(&s))
		return -EBADMSG;
	*ret = rack;
	return 0;
}
