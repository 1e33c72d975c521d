/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-extent.h"

#include "ipc/body-fault.h"
#include "ipc/body-multipart.h"
#include "ipc/body-xml.h"
#include "protocol/base/mem.h"

/* Which attribute of the root says it, or, where there is no attribute, the root's name. */
struct way {
	struct slice type, attribute;
	struct slice full[2];       /* values that mean: all there is */
	enum body_extent otherwise; /* when nothing is said */
};

static const struct way ways[] = {
	{ SLICE_INIT("application/dialog-info+xml"), SLICE_INIT("state"), { SLICE_INIT("full") },
		BODY_PARTIAL },
	{ SLICE_INIT("application/reginfo+xml"), SLICE_INIT("state"), { SLICE_INIT("full") },
		BODY_PARTIAL },
	{ SLICE_INIT("application/watcherinfo+xml"), SLICE_INIT("state"), { SLICE_INIT("full") },
		BODY_PARTIAL },
	/* RFC 4575 section 4.4: full is the default. */
	{ SLICE_INIT("application/conference-info+xml"), SLICE_INIT("state"),
		{ SLICE_INIT("full") }, BODY_FULL },
	/* An xs:boolean, which has two ways to say true. */
	{ SLICE_INIT("application/rlmi+xml"), SLICE_INIT("fullState"),
		{ SLICE_INIT("true"), SLICE_INIT("1") }, BODY_PARTIAL },
	{ SLICE_INIT("application/pidf-diff+xml"), { 0 }, { SLICE_INIT("pidf-full") },
		BODY_PARTIAL },
};

static enum body_extent read_root(const struct way *way, const struct body_element *root)
{
	struct slice said = way->attribute.n ? slice_trim(body_xml_attribute(root, way->attribute))
					     : root->name;

	if (!said.n)
		return way->otherwise;
	for (size_t i = 0; i < ARRAY_LEN(way->full); i++)
		if (slice_eq(said, way->full[i]))
			return BODY_FULL;
	return BODY_PARTIAL;
}

static enum body_extent read_document(struct slice content_type, struct slice body)
{
	struct body_fault fault = { 0 };
	struct body_xml *xml;
	enum body_extent extent = BODY_FULL;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (!body_type_is(content_type, ways[i].type))
			continue;
		if (body_xml_parse(body, &fault, &xml) < 0)
			return BODY_FULL;
		extent = read_root(&ways[i], body_xml_root(xml));
		body_xml_free(xml);
	}
	return extent;
}

enum body_extent body_extent_of(struct slice content_type, struct slice body)
{
	struct body_fault fault = { 0 };
	struct body_multipart m;
	enum body_extent extent;

	if (!body_type_is(content_type, SLICE("multipart/related")))
		return read_document(content_type, body);
	if (body_multipart_parse(content_type, body, &fault, &m) < 0)
		return BODY_FULL;
	extent = read_document(m.parts[m.root].content_type, m.parts[m.root].content);
	body_multipart_deinit(&m);
	return extent;
}
