/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct body_fault;
struct body_xml;

/*
 * XML from strangers as a tree, by expat, which nobody else sees. A document type declaration is
 * refused, so there are no entities but the five of XML itself, nothing that grows when it is
 * expanded, and nothing that would have to be fetched. UTF-8, UTF-16, ISO-8859-1 and US-ASCII come
 * in; everything in the tree is UTF-8. Who walks the tree does so by these pointers, in loops.
 */
enum {
	BODY_XML_SIZE_MAX = 1 << 20, /* bytes of the document */
	BODY_XML_TREE_MAX = 8 << 20, /* bytes read from it; an honest one: six-fold */
	BODY_XML_DEPTH_MAX = 32,     /* elements in elements, the root included */
	BODY_XML_ELEMENTS_MAX = 32768,
	BODY_XML_ATTRIBUTES_MAX = 32, /* of one element */
	BODY_XML_NAME_MAX = 256,      /* bytes of a name together with its namespace */
	BODY_XML_TEXT_MAX = 65536, /* bytes of one attribute, or of what one element says itself */
};

struct body_attribute {
	struct slice ns, name, value; /* ns is empty for a name without prefix */
	struct body_attribute *next;
};

/* text: the characters directly in it, without those of its children and blanks at the ends. */
struct body_element {
	struct slice ns, name, text;
	struct body_attribute *attributes;
	struct body_element *parent, *child,
		*next; /* of children and siblings the first, the next */
};

/*
 * -EBADMSG: no well-formed document, or one that is refused by the above; -EMSGSIZE: one of the
 * limits. ret_fault names line and reason. The tree does not borrow from bytes.
 */
int body_xml_parse(struct slice bytes, struct body_fault *ret_fault, struct body_xml **ret_xml);
/* With everything that was read from it. NULL is fine. */
void body_xml_free(struct body_xml *x);

const struct body_element *body_xml_root(const struct body_xml *x);
/* Is it that element? */
bool body_xml_is(const struct body_element *e, struct slice ns, struct slice name);
/* e itself or its next sibling of that name and namespace; NULL: none, also for e == NULL. */
const struct body_element *body_xml_find(
	const struct body_element *e, struct slice ns, struct slice name);
/* The first child of that name in the namespace of e; NULL: none, also for e == NULL. */
const struct body_element *body_xml_child(const struct body_element *e, struct slice name);
/* What that child says; empty if there is none. */
struct slice body_xml_child_text(const struct body_element *e, struct slice name);
/* The attribute without prefix; p == NULL if there is none, also for e == NULL. */
struct slice body_xml_attribute(const struct body_element *e, struct slice name);
/* xml:lang of e or of what it stands in (XML 1.0 section 2.12); empty: not said. */
struct slice body_xml_lang(const struct body_element *e);
