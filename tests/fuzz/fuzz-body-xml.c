/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as XML: the tree is bounded, linked as it should be, and there is a reason if there is
 * none. */
#include <stdlib.h>

#include "ipc/body-fault.h"
#include "ipc/body-xml.h"
#include "protocol/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static size_t check_element(const struct body_element *e)
{
	size_t depth = 0, n = 0;

	for (const struct body_element *up = e; up; up = up->parent)
		depth++;
	require(depth <= BODY_XML_DEPTH_MAX);
	require(e->name.n > 0 && e->ns.n + e->name.n <= BODY_XML_NAME_MAX);
	require(e->text.n <= BODY_XML_TEXT_MAX && slice_is_utf8(e->text));
	for (const struct body_attribute *a = e->attributes; a; a = a->next) {
		require(slice_is_utf8(a->value));
		n++;
	}
	require(n <= BODY_XML_ATTRIBUTES_MAX);
	return depth;
}

static void walk(const struct body_element *root)
{
	const struct body_element *e = root;
	size_t n = 0;

	while (e) {
		(void)check_element(e);
		require(n++ < BODY_XML_ELEMENTS_MAX);
		if (e->child) {
			require(e->child->parent == e);
			e = e->child;
			continue;
		}
		while (e && !e->next)
			e = e->parent;
		e = e ? e->next : NULL;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct body_fault fault;
	struct body_xml *x = NULL;
	int r = body_xml_parse(slice_of((const char *)data, size), &fault, &x);

	if (r == 0)
		walk(body_xml_root(x));
	else
		require((r == -EBADMSG || r == -EMSGSIZE) && fault.text[0] && !x);
	body_xml_free(x);
	return 0;
}
