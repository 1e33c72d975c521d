/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/outcome.h"

#include "protocol/base/buf.h"
#include "protocol/msg/msg.h"

/* Of what a peer says that much. */
enum { MAX_DETAILS = 1024 };

const char *outcome_origin_name(enum origin o)
{
	switch (o) {
	case ORIGIN_LOCAL:
		return "local";
	case ORIGIN_REMOTE:
		return "remote";
	case ORIGIN_NETWORK:
		return "network";
	case ORIGIN_TIMEOUT:
		return "timeout";
	}
	return "";
}

static void append_details(struct buf *b, const struct msg *m, enum hdr_id id)
{
	const struct hdr *h = NULL;

	while ((h = msg_header_next(m, id, h))) {
		if (!h->value.n || b->n + h->value.n > MAX_DETAILS)
			continue;
		if (b->n)
			buf_lit(b, "; ");
		buf_put(b, hdr_name(id));
		buf_lit(b, ": ");
		buf_put(b, h->value);
	}
}

void outcome_append_reason(struct buf *b, const struct outcome *o)
{
	static const enum hdr_id telling[] = {
		HDR_ERROR_INFO,  /* RFC 3261 20.18 */
		HDR_REASON,      /* RFC 3326 */
		HDR_REQUIRE,     /* 20.32, in a 421 */
		HDR_RETRY_AFTER, /* RFC 3261 20.33 */
		HDR_UNSUPPORTED, /* 20.40 */
		HDR_WARNING,     /* 20.43 */
	};
	struct buf details = BUF_NULL;

	buf_put(b, o->reason);
	if (!o->response || o->response->status < 300)
		return;
	if (o->response->status < 400)
		append_details(&details, o->response, HDR_CONTACT);
	for (size_t i = 0; i < sizeof(telling) / sizeof(*telling); i++)
		append_details(&details, o->response, telling[i]);
	if (details.n) {
		buf_lit(b, " (");
		buf_put(b, buf_slice(&details));
		buf_putc(b, ')');
	}
	buf_deinit(&details);
}
