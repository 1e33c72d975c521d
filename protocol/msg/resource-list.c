/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/resource-list.h"

#include "protocol/base/buf.h"

/* Empty: it stands for itself. */
static struct slice entity_of(char c)
{
	switch (c) {
	case '&':
		return SLICE("&amp;");
	case '<':
		return SLICE("&lt;");
	case '>':
		return SLICE("&gt;");
	case '"':
		return SLICE("&quot;");
	case '\'':
		return SLICE("&apos;");
	default:
		return SLICE_NULL;
	}
}

void resource_list_append_escaped(struct buf *b, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		struct slice entity = entity_of(text.p[i]);

		buf_put(b, entity.n ? entity : slice_of(text.p + i, 1));
	}
}

void resource_list_append(struct buf *b, const struct slice *uris, size_t n)
{
	buf_lit(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
		   "<resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">\r\n"
		   "<list>\r\n");
	for (size_t i = 0; i < n; i++) {
		buf_lit(b, "<entry uri=\"");
		resource_list_append_escaped(b, uris[i]);
		buf_lit(b, "\"/>\r\n");
	}
	buf_lit(b, "</list>\r\n</resource-lists>\r\n");
}
