/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-document.h"

#include "ipc/body-fault.h"
#include "ipc/body-xml.h"
#include "protocol/base/err.h"

struct slice body_document_number(struct slice text)
{
	uint32_t number;

	text = slice_trim(text);
	return slice_to_u32(text, UINT32_MAX, &number) ? text : SLICE("");
}

static int read_root(
	const struct body_kind *kind, struct body_fault *fault, struct body_document *d)
{
	struct slice version = slice_trim(body_xml_attribute(d->root, SLICE("version")));
	struct slice extent = slice_trim(body_xml_attribute(d->root, kind->extent));

	if (!body_xml_is(d->root, kind->ns, kind->root))
		return body_fault_set(fault, -EBADMSG, "the root element <%.*s> is no %s",
			SLICE_ARGS(d->root->name), kind->name);
	if (!slice_to_u32(version, UINT32_MAX, &d->version))
		return body_fault_set(
			fault, -EBADMSG, "the version '%.*s' is no number", SLICE_ARGS(version));
	/* xs:boolean has two ways to say true. */
	d->extent = slice_eq(extent, kind->full) || (slice_eq(kind->full, SLICE("true")) &&
							    slice_eq(extent, SLICE("1")))
			    ? BODY_FULL
			    : BODY_PARTIAL;
	return 0;
}

int body_document_parse(struct slice body, const struct body_kind *kind,
	struct body_fault *ret_fault, struct body_document *ret)
{
	struct body_document d;
	int r = body_xml_parse(body, ret_fault, &d.xml);

	if (r < 0)
		return r;
	d.root = body_xml_root(d.xml);
	r = read_root(kind, ret_fault, &d);
	if (r < 0)
		body_xml_free(d.xml);
	else
		*ret = d;
	return r;
}
