/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-xml.h"

#include "ipc/body-fault.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static struct body_xml *read_slice(struct slice s)
{
	struct slice exact = exact_copy(s);
	struct body_fault fault;
	struct body_xml *x = NULL;

	if (body_xml_parse(exact, &fault, &x) != 0)
		ck_abort_msg("%s", fault.text);
	exact_free(exact);
	return x;
}

static struct body_xml *read_text(const char *text)
{
	return read_slice(slice_str(text));
}

static void assert_refused(struct slice s, int error, const char *why)
{
	struct slice exact = exact_copy(s);
	struct body_fault fault;
	struct body_xml *x = NULL;

	ck_assert_int_eq(body_xml_parse(exact, &fault, &x), error);
	ck_assert_str_eq(fault.text, why);
	ck_assert_ptr_null(x);
	exact_free(exact);
}

START_TEST(a_tree)
{
	struct body_xml *x =
		read_text("<?xml version='1.0'?><!-- c --><a xmlns='urn:1' xmlns:b='urn:2' "
			  "k='v' b:k='w'> one <b:c/>two<c>in</c><![CDATA[<3>]]>\n</a>\n");
	const struct body_element *a = body_xml_root(x), *c = a->child;

	ck_assert(body_xml_is(a, SLICE("urn:1"), SLICE("a")));
	assert_slice(a->text, "one two<3>");
	assert_slice(body_xml_attribute(a, SLICE("k")), "v");
	assert_slice(a->attributes->next->ns, "urn:2");
	assert_slice(a->attributes->next->value, "w");
	ck_assert(body_xml_is(c, SLICE("urn:2"), SLICE("c")));
	ck_assert_ptr_eq(body_xml_child(a, SLICE("c")), c->next);
	ck_assert_ptr_eq(c->next->parent, a);
	assert_slice(body_xml_child_text(a, SLICE("c")), "in");
	ck_assert_ptr_eq(body_xml_find(a->child, SLICE("urn:2"), SLICE("c")), c);
	ck_assert_ptr_null(body_xml_child(a, SLICE("d")));
	ck_assert_ptr_null(body_xml_child(NULL, SLICE("d")));
	assert_slice(body_xml_child_text(a, SLICE("d")), "");
	ck_assert_ptr_null(body_xml_attribute(a, SLICE("d")).p);
	ck_assert_ptr_null(body_xml_attribute(NULL, SLICE("d")).p);
	body_xml_free(x);
	body_xml_free(NULL);
}
END_TEST

/* XML 1.0 section 4.6: these five exist without any declaration; section 4.1. */
START_TEST(xml_4_6_entities)
{
	struct body_xml *x = read_text("<a k='&quot;&#x41;'>&lt;&amp;&gt;&apos;&#228;</a>");

	assert_slice(body_xml_root(x)->text, "<&>'\xc3\xa4");
	assert_slice(body_xml_attribute(body_xml_root(x), SLICE("k")), "\"A");
	body_xml_free(x);
}
END_TEST

/* XML 1.0 section 2.12: the nearest one holds; an empty one takes it back. */
START_TEST(xml_2_12_lang)
{
	struct body_xml *x =
		read_text("<a xml:lang='de'><b/><c xml:lang='en'/><d xml:lang=''><e/></d></a>");
	const struct body_element *b = body_xml_root(x)->child;

	assert_slice(body_xml_lang(b), "de");
	assert_slice(body_xml_lang(b->next), "en");
	assert_slice(body_xml_lang(b->next->next->child), "");
	body_xml_free(x);
	x = read_text("<a lang='de'/>");
	assert_slice(body_xml_lang(body_xml_root(x)), "");
	body_xml_free(x);
}
END_TEST

/* XML 1.0 section 4.3.3 and appendix F */
START_TEST(xml_4_3_3_encodings)
{
	static const char utf16le[] = "\xff\xfe<\0a\0>\0\xe4\0<\0/\0a\0>";
	static const char utf16be[] = "\xfe\xff\0<\0a\0>\0\xe4\0<\0/\0a\0>";
	static const struct slice same[] = {
		SLICE_INIT("<a>\xc3\xa4</a>"),
		SLICE_INIT("\xef\xbb\xbf<a>\xc3\xa4</a>"),
		SLICE_INIT("<?xml version='1.0' encoding='UTF-8'?><a>\xc3\xa4</a>"),
		SLICE_INIT("<?xml version='1.0' encoding='iso-8859-1'?><a>\xe4</a>"),
		SLICE_INIT("<?xml version='1.0' encoding='US-ASCII'?><a>&#xe4;</a>"),
		{ utf16le, sizeof(utf16le) },
		{ utf16be, sizeof(utf16be) - 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		struct body_xml *x = read_slice(same[i]);

		assert_slice(body_xml_root(x)->text, "\xc3\xa4");
		body_xml_free(x);
	}
}
END_TEST

static const struct {
	struct slice bytes;
	const char *why;
} broken[] = {
	{ SLICE_INIT(""), "the document is empty" },
	{ SLICE_INIT("  "), "line 1: no element found" },
	{ SLICE_INIT("<a>\n<b>\n</a>"), "line 3: mismatched tag" },
	{ SLICE_INIT("<a>\n<b>"), "line 2: no element found" },
	{ SLICE_INIT("<a k='1"), "line 1: unclosed token" },
	{ SLICE_INIT("<a k='1' k='2'/>"), "line 1: duplicate attribute" },
	{ SLICE_INIT("<a/><b/>"), "line 1: junk after document element" },
	{ SLICE_INIT("<x:a/>"), "line 1: unbound prefix" },
	{ SLICE_INIT("<a xmlns='u&#10;rn'/>"), "line 1: syntax error" },
	{ SLICE_INIT("<a>&auml;</a>"), "line 1: undefined entity" },
	{ SLICE_INIT("<a>&#0;</a>"), "line 1: reference to invalid character number" },
	{ SLICE_INIT("<a>\xe4</a>"), "line 1: not well-formed (invalid token)" },
	{ SLICE_INIT("<a>\0</a>"), "line 1: not well-formed (invalid token)" },
	{ SLICE_INIT("<?xml version='1.0' encoding='UTF-16'?><a/>"),
		"line 1: encoding specified in XML declaration is incorrect" },
	{ SLICE_INIT("<?xml version='1.0' encoding='KOI8-R'?><a/>"), "line 1: unknown encoding" },
	{ SLICE_INIT("Messages-Waiting: yes\r\n"), "line 1: syntax error" },
};

START_TEST(broken_documents)
{
	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		assert_refused(broken[i].bytes, -EBADMSG, broken[i].why);
}
END_TEST

/* RFC 3023 section 10: no entities of a stranger, local or remote. */
START_TEST(rfc3023_10_no_doctype)
{
	static const char why[] = "line 1: a document type declaration (DOCTYPE) is not accepted";

	assert_refused(SLICE("<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>"
			     "<!ENTITY c '&b;&b;&b;&b;&b;'>]><a>&c;</a>"),
		-EBADMSG, why);
	assert_refused(SLICE("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"),
		-EBADMSG, why);
	assert_refused(SLICE("<!DOCTYPE a SYSTEM 'http://127.0.0.1/a.dtd'><a/>"), -EBADMSG, why);
	assert_refused(SLICE("<!DOCTYPE a [<!ENTITY % p SYSTEM 'x'> %p;]><a/>"), -EBADMSG, why);
	assert_refused(SLICE("<!DOCTYPE a><a/>"), -EBADMSG, why);
}
END_TEST

/* n times `text`, between what opens and what closes the document. */
static struct slice repeat(struct buf *b, const char *open, const char *text, size_t n)
{
	buf_reset(b);
	buf_str(b, open);
	for (size_t i = 0; i < n; i++)
		buf_str(b, text);
	return buf_slice(b);
}

static void close_with(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_str(b, text);
}

START_TEST(depth_is_bounded)
{
	struct buf b = BUF_NULL;

	(void)repeat(&b, "", "<a>", BODY_XML_DEPTH_MAX);
	close_with(&b, "</a>", BODY_XML_DEPTH_MAX);
	body_xml_free(read_slice(buf_slice(&b)));
	(void)repeat(&b, "", "<a>", BODY_XML_DEPTH_MAX + 1);
	close_with(&b, "</a>", BODY_XML_DEPTH_MAX + 1);
	assert_refused(buf_slice(&b), -EMSGSIZE, "line 1: elements are nested too deep");
	assert_refused(
		repeat(&b, "", "<a>", 100000), -EMSGSIZE, "line 1: elements are nested too deep");
	buf_deinit(&b);
}
END_TEST

START_TEST(elements_are_bounded)
{
	struct buf b = BUF_NULL;

	(void)repeat(&b, "<a>", "<b/>", BODY_XML_ELEMENTS_MAX - 1);
	buf_lit(&b, "</a>");
	body_xml_free(read_slice(buf_slice(&b)));
	(void)repeat(&b, "<a>", "<b/>", BODY_XML_ELEMENTS_MAX);
	buf_lit(&b, "</a>");
	assert_refused(buf_slice(&b), -EMSGSIZE, "line 1: there are too many elements");
	buf_deinit(&b);
}
END_TEST

START_TEST(attributes_are_bounded)
{
	struct buf b = BUF_NULL;

	buf_lit(&b, "<a");
	for (unsigned i = 0; i < BODY_XML_ATTRIBUTES_MAX; i++)
		buf_printf(&b, " a%u=''", i);
	buf_lit(&b, "/>");
	body_xml_free(read_slice(buf_slice(&b)));
	b.n -= 2;
	buf_lit(&b, " b=''/>");
	assert_refused(buf_slice(&b), -EMSGSIZE, "line 1: an element has too many attributes");
	(void)repeat(&b, "<a k='", "x", BODY_XML_TEXT_MAX);
	buf_lit(&b, "'/>");
	body_xml_free(read_slice(buf_slice(&b)));
	(void)repeat(&b, "<a k='", "x", BODY_XML_TEXT_MAX + 1);
	buf_lit(&b, "'/>");
	assert_refused(buf_slice(&b), -EMSGSIZE, "line 1: an attribute is too long");
	buf_deinit(&b);
}
END_TEST

START_TEST(names_are_bounded)
{
	static const char why[] = "line 1: a name with its namespace is too long";
	struct buf b = BUF_NULL;

	(void)repeat(&b, "<", "n", BODY_XML_NAME_MAX);
	buf_lit(&b, "/>");
	body_xml_free(read_slice(buf_slice(&b)));
	(void)repeat(&b, "<", "n", BODY_XML_NAME_MAX + 1);
	buf_lit(&b, "/>");
	assert_refused(buf_slice(&b), -EMSGSIZE, why);
	(void)repeat(&b, "<a ", "n", BODY_XML_NAME_MAX + 1);
	buf_lit(&b, "=''/>");
	assert_refused(buf_slice(&b), -EMSGSIZE, why);
	/* A namespace that is said once and would be kept for each element. */
	(void)repeat(&b, "<a xmlns='urn:", "n", BODY_XML_NAME_MAX);
	buf_lit(&b, "'><b/><b/></a>");
	assert_refused(buf_slice(&b), -EMSGSIZE, why);
	buf_deinit(&b);
}
END_TEST

START_TEST(text_is_bounded)
{
	struct buf b = BUF_NULL;

	(void)repeat(&b, "<a>", "x", BODY_XML_TEXT_MAX);
	buf_lit(&b, "</a>");
	body_xml_free(read_slice(buf_slice(&b)));
	(void)repeat(&b, "<a>", "x<b/>", BODY_XML_TEXT_MAX / 4);
	buf_lit(&b, "</a>");
	body_xml_free(read_slice(buf_slice(&b)));
	(void)repeat(&b, "<a>", "x", BODY_XML_TEXT_MAX + 1);
	buf_lit(&b, "</a>");
	assert_refused(buf_slice(&b), -EMSGSIZE, "line 1: an element has too much text");
	buf_deinit(&b);
}
END_TEST

/* Each attribute is some bytes there, and a multiple of that in the tree. */
START_TEST(tree_is_bounded)
{
	struct buf element = BUF_NULL, b = BUF_NULL;

	buf_lit(&element, "<b");
	for (unsigned i = 0; i < BODY_XML_ATTRIBUTES_MAX; i++)
		buf_printf(&element, " a%u=''", i);
	buf_lit(&element, "/>");
	buf_putc(&element, '\0');
	(void)repeat(&b, "<a>", element.p, 2500);
	buf_lit(&b, "</a>");
	body_xml_free(read_slice(buf_slice(&b)));
	(void)repeat(&b, "<a>", element.p, 2700);
	buf_lit(&b, "</a>");
	assert_refused(buf_slice(&b), -EMSGSIZE, "line 1: the document says too much");
	buf_deinit(&element);
	buf_deinit(&b);
}
END_TEST

/* What is said once and holds for many is kept once. */
START_TEST(a_namespace_is_kept_once)
{
	struct buf b = BUF_NULL;
	const struct body_element *a;
	struct body_xml *x;

	(void)repeat(&b, "<a xmlns='urn:", "n", 240);
	buf_lit(&b, "'>");
	close_with(&b, "<b/>", BODY_XML_ELEMENTS_MAX - 1);
	buf_lit(&b, "</a>");
	x = read_slice(buf_slice(&b));
	a = body_xml_root(x);
	ck_assert_uint_eq(a->ns.n, 244);
	ck_assert_ptr_eq(a->child->next->ns.p, a->ns.p);
	body_xml_free(x);
	x = read_text("<a xmlns='urn:1' xmlns:p='urn:2'><p:b p:k=''/><c/></a>");
	a = body_xml_root(x);
	assert_slice(a->child->ns, "urn:2");
	assert_slice(a->child->attributes->ns, "urn:2");
	assert_slice(a->child->next->ns, "urn:1");
	body_xml_free(x);
	buf_deinit(&b);
}
END_TEST

START_TEST(size_is_bounded)
{
	struct buf b = BUF_NULL;

	(void)repeat(&b, "<a/>", "\n", BODY_XML_SIZE_MAX - 4);
	body_xml_free(read_slice(buf_slice(&b)));
	buf_putc(&b, '\n');
	assert_refused(buf_slice(&b), -EMSGSIZE, "the document is too large");
	buf_deinit(&b);
}
END_TEST

RUN_TESTS("body-xml", a_tree, xml_4_6_entities, xml_2_12_lang, xml_4_3_3_encodings,
	broken_documents, rfc3023_10_no_doctype, depth_is_bounded, elements_are_bounded,
	attributes_are_bounded, names_are_bounded, text_is_bounded, tree_is_bounded,
	a_namespace_is_kept_once, size_is_bounded)
