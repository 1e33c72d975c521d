/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-xml.h"

#include <expat.h>
#include <stdio.h>

#include "ipc/body-fault.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"

#define XML_NS "http://www.w3.org/XML/1998/namespace"

/* Between namespace and name: expat refuses namespaces that have it inside. */
enum { SEPARATOR = '\n', BLOCK_SIZE = 4096 };

/* Everything of a tree lies in few blocks that go together. */
struct block {
	struct block *next;
	size_t used, size;
	max_align_t bytes[];
};

struct body_xml {
	struct block *blocks;
	struct body_element *root;
	size_t n_elements, bytes; /* bytes: of all blocks */
};

/* An element that is not closed yet. */
struct level {
	struct body_element *element, *last; /* last: of its children */
	struct buf text;
};

struct reading {
	XML_Parser parser;
	struct body_xml *x;
	struct slice ns; /* the one that was stored last */
	struct level levels[BODY_XML_DEPTH_MAX];
	size_t depth;
	int error; /* negative errno: what follows is not looked at */
	struct body_fault *fault;
};

static void refuse(struct reading *r, int error, const char *why)
{
	if (r->error)
		return;
	r->error = body_fault_set(
		r->fault, error, "line %lu: %s", XML_GetCurrentLineNumber(r->parser), why);
	(void)XML_StopParser(r->parser, XML_FALSE);
}

/* ---- storage ---- */

/* Always some: what goes beyond the limit is the last of it. */
static void *store(struct reading *r, size_t n)
{
	struct body_xml *x = r->x;
	size_t aligned = (n + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	struct block *b = x->blocks;
	void *p;

	if (!b || b->size - b->used < aligned) {
		size_t size = aligned > BLOCK_SIZE ? aligned : BLOCK_SIZE;

		b = mem_alloc(sizeof(*b) + size);
		*b = (struct block){ .next = x->blocks, .size = size };
		x->blocks = b;
		x->bytes += size;
		if (x->bytes > BODY_XML_TREE_MAX)
			refuse(r, -EMSGSIZE, "the document says too much");
	}
	p = (char *)b->bytes + b->used;
	b->used += aligned;
	return p;
}

static struct slice store_text(struct reading *r, struct slice s)
{
	char *copy;

	if (!s.n)
		return SLICE("");
	copy = store(r, s.n);
	memcpy(copy, s.p, s.n);
	return slice_of(copy, s.n);
}

void body_xml_free(struct body_xml *x)
{
	if (!x)
		return;
	while (x->blocks) {
		struct block *next = x->blocks->next;

		free(x->blocks);
		x->blocks = next;
	}
	free(x);
}

/* ---- what expat tells ---- */

/* What is said once holds for many names, and would be kept as often. */
static struct slice store_ns(struct reading *r, struct slice ns)
{
	if (ns.n && !slice_eq(ns, r->ns))
		r->ns = store_text(r, ns);
	return ns.n ? r->ns : SLICE("");
}

/* "namespace\nname", or the name alone. */
static void store_name(struct reading *r, const char *text, struct slice *ret_ns, struct slice *ret)
{
	struct slice whole = slice_str(text), ns = SLICE_NULL, name = whole;

	if (whole.n > BODY_XML_NAME_MAX) {
		refuse(r, -EMSGSIZE, "a name with its namespace is too long");
		return;
	}
	(void)slice_cut(whole, SEPARATOR, &ns, &name);
	*ret_ns = store_ns(r, ns);
	*ret = store_text(r, name);
}

static void store_attributes(struct reading *r, struct body_element *e, const char **pairs)
{
	struct body_attribute **end = &e->attributes;
	size_t n = 0;

	for (; *pairs && !r->error; pairs += 2) {
		struct slice value = slice_str(pairs[1]);
		struct body_attribute *a;

		if (n++ == BODY_XML_ATTRIBUTES_MAX) {
			refuse(r, -EMSGSIZE, "an element has too many attributes");
			return;
		}
		if (value.n > BODY_XML_TEXT_MAX) {
			refuse(r, -EMSGSIZE, "an attribute is too long");
			return;
		}
		a = store(r, sizeof(*a));
		*a = (struct body_attribute){ .value = store_text(r, value) };
		store_name(r, pairs[0], &a->ns, &a->name);
		*end = a;
		end = &a->next;
	}
}

static void link_element(struct reading *r, struct body_element *e)
{
	struct level *up = r->depth ? &r->levels[r->depth - 1] : NULL;

	if (!up) {
		r->x->root = e;
		return;
	}
	e->parent = up->element;
	if (up->last)
		up->last->next = e;
	else
		up->element->child = e;
	up->last = e;
}

static void on_start(void *data, const char *name, const char **attributes)
{
	struct reading *r = data;
	struct body_element *e;

	if (r->error)
		return;
	if (r->depth == BODY_XML_DEPTH_MAX) {
		refuse(r, -EMSGSIZE, "elements are nested too deep");
		return;
	}
	if (r->x->n_elements++ == BODY_XML_ELEMENTS_MAX) {
		refuse(r, -EMSGSIZE, "there are too many elements");
		return;
	}
	e = store(r, sizeof(*e));
	*e = (struct body_element){ .text = SLICE("") };
	store_name(r, name, &e->ns, &e->name);
	store_attributes(r, e, attributes);
	link_element(r, e);
	r->levels[r->depth++] = (struct level){ .element = e };
}

static void on_end(void *data, const char *name)
{
	struct reading *r = data;
	struct level *l;

	(void)name;
	if (r->error)
		return;
	l = &r->levels[--r->depth];
	l->element->text = store_text(r, slice_trim(buf_slice(&l->text)));
	buf_deinit(&l->text);
}

static void on_text(void *data, const char *text, int n)
{
	struct reading *r = data;
	struct level *l;

	if (r->error || !r->depth)
		return;
	l = &r->levels[r->depth - 1];
	if (l->text.n + (size_t)n > BODY_XML_TEXT_MAX)
		refuse(r, -EMSGSIZE, "an element has too much text");
	else
		buf_put(&l->text, slice_of(text, (size_t)n));
}

/* XML 1.0 section 2.8; the internal subset has not been read when this is called. */
static void on_doctype(
	void *data, const char *name, const char *system, const char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	refuse(data, -EBADMSG, "a document type declaration (DOCTYPE) is not accepted");
}

/* ---- the whole ---- */

static void read_all(struct reading *r, struct slice bytes)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	if (XML_Parse(r->parser, bytes.p, (int)bytes.n, XML_TRUE) == XML_STATUS_ERROR)
		refuse(r, -EBADMSG, XML_ErrorString(XML_GetErrorCode(r->parser)));
	while (r->depth)
		buf_deinit(&r->levels[--r->depth].text);
}

int body_xml_parse(struct slice bytes, struct body_fault *ret_fault, struct body_xml **ret_xml)
{
	static const XML_Memory_Handling_Suite memory = { mem_alloc, mem_realloc, free };
	static const char separator[] = { SEPARATOR, '\0' };
	struct reading r = { .fault = ret_fault };

	ret_fault->text[0] = '\0';
	if (bytes.n > BODY_XML_SIZE_MAX)
		return body_fault_set(ret_fault, -EMSGSIZE, "the document is too large");
	if (!bytes.n)
		return body_fault_set(ret_fault, -EBADMSG, "the document is empty");
	r.parser = XML_ParserCreate_MM(NULL, &memory, separator);
	r.x = mem_new(struct body_xml);
	read_all(&r, bytes);
	XML_ParserFree(r.parser);
	if (r.error) {
		body_xml_free(r.x);
		return r.error;
	}
	*ret_xml = r.x;
	return 0;
}

/* ---- looking at it ---- */

const struct body_element *body_xml_root(const struct body_xml *x)
{
	return x->root;
}

bool body_xml_is(const struct body_element *e, struct slice ns, struct slice name)
{
	return slice_eq(e->name, name) && slice_eq(e->ns, ns);
}

const struct body_element *body_xml_find(
	const struct body_element *e, struct slice ns, struct slice name)
{
	while (e && !body_xml_is(e, ns, name))
		e = e->next;
	return e;
}

const struct body_element *body_xml_child(const struct body_element *e, struct slice name)
{
	return e ? body_xml_find(e->child, e->ns, name) : NULL;
}

struct slice body_xml_child_text(const struct body_element *e, struct slice name)
{
	const struct body_element *child = body_xml_child(e, name);

	return child ? child->text : SLICE("");
}

static struct slice attribute(const struct body_element *e, struct slice ns, struct slice name)
{
	for (const struct body_attribute *a = e ? e->attributes : NULL; a; a = a->next)
		if (slice_eq(a->name, name) && slice_eq(a->ns, ns))
			return a->value;
	return SLICE_NULL;
}

struct slice body_xml_attribute(const struct body_element *e, struct slice name)
{
	return attribute(e, SLICE(""), name);
}

struct slice body_xml_lang(const struct body_element *e)
{
	for (; e; e = e->parent) {
		struct slice lang = attribute(e, SLICE(XML_NS), SLICE("lang"));

		if (lang.p)
			return lang;
	}
	return SLICE("");
}
