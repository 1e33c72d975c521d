/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-list.h"

#include "ipc/body-fault.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

#define TYPE "multipart/related;type=\"application/rlmi+xml\";boundary=b"
#define INNER "multipart/related;type=\"application/rlmi+xml\";boundary=i"
#define ROOT "--b\r\nContent-Type: application/rlmi+xml;charset=\"UTF-8\"\r\n\r\n"
#define LIST(version, full)                                                        \
	"<list xmlns='urn:ietf:params:xml:ns:rlmi' uri='sip:friends@example.com' " \
	"version='" version "' fullState='" full "'>"
#define RESOURCE(uri, instances) "<resource uri='" uri "'>" instances "</resource>"
#define INSTANCE(id, rest) "<instance id='" id "' " rest "/>"
#define END "</list>"
#define PART(id, text) "\r\n--b\r\nContent-ID: <" id ">\r\nContent-Type: text/x\r\n\r\n" text
#define CLOSE "\r\n--b--\r\n"

static int take_as(struct body_list *l, const char *type, const char *text)
{
	struct slice exact = exact_str(text);
	struct body_fault fault;
	int r = body_list_take(l, slice_str(type), exact, &fault);

	if (r < 0)
		ck_assert_str_ne(fault.text, "");
	exact_free(exact);
	return r;
}

static int take(struct body_list *l, const char *text)
{
	return take_as(l, TYPE, text);
}

static struct body_row *instance(
	struct body_list *l, const char *list, const char *uri, const char *id)
{
	struct slice keys[] = { slice_str(list), slice_str(uri), slice_str(id) };

	return body_table_find(&l->instances, keys);
}

static struct body_row *resource(struct body_list *l, const char *list, const char *uri)
{
	struct slice keys[] = { slice_str(list), slice_str(uri) };

	return body_table_find(&l->resources, keys);
}

static void assert_content(struct body_list *l, const char *uri, const char *id, const char *want)
{
	struct body_row *row = instance(l, "", uri, id);

	ck_assert_msg(row != NULL, "%s", uri);
	assert_slice(row->cells[BODY_INSTANCE_CONTENT], want);
}

/* RFC 4662 section 5.1's list, with section 6's way to write the parts. */
START_TEST(rfc4662_5_1_example)
{
	static const char body[] =
		"--50UBfW7LSCVLtggUPe5z\r\nContent-Transfer-Encoding: binary\r\n"
		"Content-ID: <nXYxAE@pres.vancouver.example.com>\r\n"
		"Content-Type: application/rlmi+xml;charset=\"UTF-8\"\r\n\r\n"
		"<?xml version=\"1.0\"?>\n<list xmlns=\"urn:ietf:params:xml:ns:rlmi\"\n"
		" uri=\"sip:adam-friends@lists.vancouver.example.com\" version=\"7\" fullState=\"true\">"
		"<name xml:lang=\"en\">Buddy List</name><name xml:lang=\"fr\">Liste d'amis</name>"
		"<resource uri=\"sip:bob@vancouver.example.com\"><name>Bob Smith</name>"
		"<instance id=\"juwigmtboe\" state=\"active\" cid=\"bUZBsM@pres.vancouver.example.com\"/>"
		"</resource><resource uri=\"sip:jim@vancouver.example.com\"><name>Jim</name>"
		"<instance id=\"oflzxqzuvg\" state=\"terminated\" reason=\"rejected\" /></resource>"
		"<resource uri=\"sip:ed@vancouver.example.com\"><name>Ed</name>"
		"<instance id=\"grqhzsppxb\" state=\"pending\"/></resource>"
		"<resource uri='sip:new@vancouver.example.com'/></list>\r\n"
		"--50UBfW7LSCVLtggUPe5z\r\nContent-Transfer-Encoding: binary\r\n"
		"Content-ID: <bUZBsM@pres.vancouver.example.com>\r\n"
		"Content-Type: application/pidf+xml;charset=\"UTF-8\"\r\n\r\n<presence/>\r\n"
		"--50UBfW7LSCVLtggUPe5z--\r\n";
	struct body_list l;
	struct body_row *row;

	body_list_init(&l, 1);
	ck_assert_ptr_null(body_list_outer(&l));
	ck_assert_int_eq(take_as(&l,
				 "multipart/related;type=\"application/rlmi+xml\";"
				 "start=\"<nXYxAE@pres.vancouver.example.com>\";"
				 "boundary=\"50UBfW7LSCVLtggUPe5z\"",
				 body),
		BODY_NEWS);
	ck_assert_str_eq(body_list_outer(&l)->uri, "sip:adam-friends@lists.vancouver.example.com");
	ck_assert_str_eq(body_list_outer(&l)->display, "Buddy List");
	ck_assert_uint_eq(body_list_outer(&l)->version.number, 7);
	ck_assert_uint_eq(l.resources.n, 4);
	ck_assert_uint_eq(l.instances.n, 3);
	assert_slice(resource(&l, "", "sip:bob@vancouver.example.com")->cells[BODY_RESOURCE_NAME],
		"Bob Smith");
	row = instance(&l, "", "sip:bob@vancouver.example.com", "juwigmtboe");
	assert_slice(row->cells[BODY_INSTANCE_STATE], "active");
	assert_slice(
		row->cells[BODY_INSTANCE_CONTENT_TYPE], "application/pidf+xml;charset=\"UTF-8\"");
	assert_slice(row->cells[BODY_INSTANCE_CONTENT], "<presence/>");
	row = instance(&l, "", "sip:jim@vancouver.example.com", "oflzxqzuvg");
	assert_slice(row->cells[BODY_INSTANCE_STATE], "terminated");
	assert_slice(row->cells[BODY_INSTANCE_REASON], "rejected");
	assert_slice(row->cells[BODY_INSTANCE_CONTENT], "");
	body_list_deinit(&l);
}
END_TEST

static const char first[] = ROOT LIST("0", "true") "<name>Friends</name>" RESOURCE(
	"a", "<name>A</name>" INSTANCE("1", "state='active' cid='1'"))
	RESOURCE("b", INSTANCE("1", "state='active' cid='2'") INSTANCE("2", "state='pending'"))
		RESOURCE("c", "") END PART("1", "one") PART("2", "two") CLOSE;

START_TEST(rfc4662_5_6_2_partial)
{
	struct body_list l;

	body_list_init(&l, 1);
	ck_assert_int_eq(take(&l, first), BODY_NEWS);
	ck_assert_uint_eq(l.resources.n, 3);
	ck_assert_uint_eq(l.instances.n, 3);
	/* A row is updated to what is told of it; the others stay. */
	ck_assert_int_eq(take(&l, ROOT LIST("1", "false") RESOURCE("a",
					  INSTANCE("1", "state='active' cid='9'")) RESOURCE("b",
					  INSTANCE("2", "state='active' cid='8'")) RESOURCE("d", "")
					  END PART("9", "ONE") PART("8", "TWO") CLOSE),
		BODY_NEWS);
	ck_assert_uint_eq(l.resources.n, 4);
	assert_content(&l, "a", "1", "ONE");
	assert_slice(resource(&l, "", "a")->cells[BODY_RESOURCE_NAME], "A");
	ck_assert_ptr_null(instance(&l, "", "b", "1"));
	assert_content(&l, "b", "2", "TWO");
	ck_assert(body_row_is_new(&l.instances, instance(&l, "", "a", "1")));
	ck_assert(!body_row_is_new(&l.resources, resource(&l, "", "c")));
	/* Not higher: discarded. More than one higher: used, and full state is to be asked for. */
	ck_assert_int_eq(
		take(&l, ROOT LIST("1", "false") RESOURCE("e", "") END CLOSE), BODY_NEWS_STALE);
	ck_assert_ptr_null(resource(&l, "", "e"));
	ck_assert_int_eq(take(&l, ROOT LIST("3", "0") RESOURCE("e", "") END CLOSE), BODY_NEWS_GAP);
	ck_assert_ptr_nonnull(resource(&l, "", "e"));
	ck_assert(!body_list_outer(&l)->version.complete);
	body_list_deinit(&l);
}
END_TEST

START_TEST(rfc4662_5_6_1_full)
{
	struct body_list l;

	body_list_init(&l, 1);
	ck_assert_int_eq(take(&l, first), BODY_NEWS);
	/* The same version is no news, full or not. */
	ck_assert_int_eq(take(&l, ROOT LIST("0", "true") END CLOSE), BODY_NEWS_STALE);
	ck_assert_uint_eq(l.resources.n, 3);
	ck_assert_int_eq(
		take(&l, ROOT LIST("5", "1") RESOURCE("c", INSTANCE("1", "state='pending'"))
				 RESOURCE("a", "") END CLOSE),
		BODY_NEWS);
	ck_assert_uint_eq(l.resources.n, 2);
	ck_assert_uint_eq(l.instances.n, 1);
	ck_assert_uint_eq(list_length(&l.gone), 1);
	ck_assert_ptr_nonnull(l.gone.next);
	assert_slice(body_row_of(l.gone.next)->cells[BODY_RESOURCE_URI], "b");
	ck_assert_int_eq(take(&l, ROOT LIST("6", "false") END CLOSE), BODY_NEWS);
	ck_assert(list_is_empty(&l.gone));
	ck_assert_int_eq(take(&l, ROOT LIST("7", "true") END CLOSE), BODY_NEWS);
	ck_assert_uint_eq(l.resources.n, 0);
	ck_assert_uint_eq(list_length(&l.gone), 2);
	body_list_deinit(&l);
}
END_TEST

/* Section 5.2: the first one has to be full; what begins in the middle asks for it. */
START_TEST(rfc4662_5_2_begins_in_the_middle)
{
	struct body_list l;

	body_list_init(&l, 1);
	ck_assert_int_eq(
		take(&l, ROOT LIST("4", "false") RESOURCE("a", "") END CLOSE), BODY_NEWS_GAP);
	ck_assert_uint_eq(l.resources.n, 1);
	/* An RLMI document without any parts is one without any state. */
	ck_assert_int_eq(take_as(&l, "application/rlmi+xml",
				 LIST("5", "true") RESOURCE(
					 "b", INSTANCE("1", "state='active' cid='1'")) END),
		BODY_NEWS);
	assert_content(&l, "b", "1", "");
	body_list_deinit(&l);
}
END_TEST

/* Section 5.5: a cid that leads nowhere, or to the root, or is told twice. */
START_TEST(rfc4662_5_5_cids)
{
	struct body_list l;

	body_list_init(&l, 1);
	ck_assert_int_eq(take(&l, first), BODY_NEWS);
	ck_assert_int_eq(
		take(&l, ROOT LIST("1", "false") RESOURCE(
				 "a", INSTANCE("1", "state='active' cid='nowhere'")) RESOURCE("b",
				 INSTANCE("1", "state='terminated' reason='x'") INSTANCE("3",
					 "cid='1' state='active'") INSTANCE("3", "state='pending'"))
				 RESOURCE("c", INSTANCE("1", "cid='1'")) END PART("1", "1") CLOSE),
		BODY_NEWS);
	/* What was known of it stays. */
	assert_content(&l, "a", "1", "one");
	assert_content(&l, "b", "1", "two");
	assert_slice(instance(&l, "", "b", "1")->cells[BODY_INSTANCE_STATE], "terminated");
	assert_content(&l, "b", "3", "1");
	assert_slice(instance(&l, "", "b", "3")->cells[BODY_INSTANCE_STATE], "active");
	assert_content(&l, "c", "1", "1");
	body_list_deinit(&l);
}
END_TEST

#define INNER_LIST(version, full)                                                           \
	"--i\r\nContent-Type: application/rlmi+xml\r\n\r\n<list "                           \
	"xmlns='urn:ietf:params:xml:ns:rlmi' uri='sip:inner@example.com' version='" version \
	"' fullState='" full "'>"
#define INNER_PART(id, text) "\r\n--i\r\nContent-ID: <" id ">\r\nContent-Type: text/y\r\n\r\n" text
#define NESTED(id, inner) \
	"\r\n--b\r\nContent-ID: <" id ">\r\nContent-Type: " INNER "\r\n\r\n" inner "\r\n--i--"

/* Section 5.5's picture: parts of the inner list are no parts of the outer one. */
START_TEST(rfc4662_5_5_nested)
{
	struct body_list l;

	body_list_init(&l, 1);
	ck_assert_int_eq(take(&l, ROOT LIST("0", "true") RESOURCE("in",
					  INSTANCE("1", "cid='B' state='active'")) RESOURCE("c",
					  INSTANCE("1", "cid='E' state='active'")) END NESTED("B",
					  INNER_LIST("0", "true") RESOURCE(
						  "x", INSTANCE("1", "cid='E' state='active'"))
						  RESOURCE("y", INSTANCE("1", "cid='C'"))
							  END INNER_PART("E", "inner state"))
					  PART("C", "outer state") CLOSE),
		BODY_NEWS);
	ck_assert_uint_eq(l.n_lists, 2);
	assert_content(&l, "in", "1", "");
	assert_content(&l, "c", "1", "");
	assert_slice(instance(&l, "in", "x", "1")->cells[BODY_INSTANCE_CONTENT], "inner state");
	assert_slice(instance(&l, "in", "x", "1")->cells[BODY_INSTANCE_CONTENT_TYPE], "text/y");
	assert_slice(instance(&l, "in", "y", "1")->cells[BODY_INSTANCE_CONTENT], "");
	/* Section 4.6: full state of the outer one says nothing of the inner one, which may be
	 * partial; a gap in that is one of the whole. */
	ck_assert_int_eq(take(&l, ROOT LIST("1", "true") RESOURCE("in",
					  INSTANCE("1", "cid='B' state='active'")) END NESTED("B",
					  INNER_LIST("2", "false") RESOURCE("z", "") END) CLOSE),
		BODY_NEWS_GAP);
	ck_assert_ptr_nonnull(resource(&l, "in", "x"));
	ck_assert_ptr_nonnull(resource(&l, "in", "z"));
	ck_assert_ptr_null(resource(&l, "", "c"));
	/* The list goes, and its resources with it. */
	ck_assert_int_eq(take(&l, ROOT LIST("2", "true") RESOURCE("c", "") END CLOSE), BODY_NEWS);
	ck_assert_uint_eq(l.n_lists, 1);
	ck_assert_uint_eq(l.resources.n, 1);
	ck_assert_uint_eq(l.instances.n, 0);
	ck_assert_uint_eq(list_length(&l.gone), 4);
	body_list_deinit(&l);
}
END_TEST

/* An inner list that cannot be read stays bytes, and the outer one is what it is. */
START_TEST(nested_and_broken)
{
	struct body_list l;

	body_list_init(&l, 1);
	ck_assert_int_eq(take(&l, ROOT LIST("0", "true")
					  RESOURCE("in", INSTANCE("1", "cid='B' state='active'"))
						  END NESTED("B", "--i\r\n\r\nno list") CLOSE),
		BODY_NEWS);
	assert_content(&l, "in", "1", "--i\r\n\r\nno list\r\n--i--");
	ck_assert_uint_eq(l.n_lists, 1);
	body_list_deinit(&l);
}
END_TEST

/* Lists in lists, each in a boundary of its own. */
static void append_nested(struct buf *b, unsigned depth)
{
	struct buf inner = BUF_NULL, outer = BUF_NULL;

	buf_lit(&inner, "bytes");
	for (unsigned i = depth; i-- > 0;) {
		buf_reset(&outer);
		buf_printf(&outer,
			"--n%u\r\nContent-Type: application/rlmi+xml\r\n\r\n"
			"<list xmlns='urn:ietf:params:xml:ns:rlmi' uri='l' version='0' "
			"fullState='true'><resource uri='r%u'><instance id='1' state='active' "
			"cid='1'/></resource></list>\r\n--n%u\r\nContent-ID: <1>\r\n"
			"Content-Type: %s;boundary=n%u\r\n\r\n",
			i, i, i, i + 1 < depth ? "multipart/related" : "text/x", i + 1);
		buf_put(&outer, buf_slice(&inner));
		buf_printf(&outer, "\r\n--n%u--", i);
		buf_reset(&inner);
		buf_put(&inner, buf_slice(&outer));
	}
	buf_put(b, buf_slice(&inner));
	buf_deinit(&inner);
	buf_deinit(&outer);
}

START_TEST(depth_is_bounded)
{
	struct body_list l;
	struct body_fault fault;
	struct buf b = BUF_NULL;

	for (unsigned depth = 1; depth <= BODY_LIST_DEPTH_MAX + 2; depth++) {
		bool whole = depth <= BODY_LIST_DEPTH_MAX;

		buf_reset(&b);
		append_nested(&b, depth);
		body_list_init(&l, 1);
		ck_assert_int_eq(body_list_take(&l, SLICE("multipart/related;boundary=n0"),
					 buf_slice(&b), &fault),
			BODY_NEWS);
		ck_assert_uint_eq(l.n_lists, whole ? depth : BODY_LIST_DEPTH_MAX);
		ck_assert_uint_eq(l.instances.n, l.n_lists);
		body_list_deinit(&l);
	}
	buf_deinit(&b);
}
END_TEST

/* As many inner lists as there may be; what is above stays bytes. */
START_TEST(lists_are_bounded)
{
	struct body_list l;
	struct body_fault fault;
	struct buf b = BUF_NULL;

	buf_lit(&b, ROOT LIST("0", "true"));
	for (unsigned i = 0; i < 4 * BODY_LIST_LISTS_MAX; i++)
		buf_printf(&b,
			"<resource uri='r%u'><instance id='1' state='active' cid='1'/></resource>",
			i);
	buf_lit(&b, END NESTED("1", INNER_LIST("0", "true") END) CLOSE);
	body_list_init(&l, 1);
	ck_assert_int_eq(body_list_take(&l, SLICE(TYPE), buf_slice(&b), &fault), BODY_NEWS);
	ck_assert_uint_eq(l.n_lists, BODY_LIST_LISTS_MAX);
	assert_content(&l, "r0", "1", "");
	assert_content(&l, "r62", "1", "");
	ck_assert_uint_gt(instance(&l, "", "r63", "1")->cells[BODY_INSTANCE_CONTENT].n, 0);
	ck_assert_uint_gt(instance(&l, "", "r255", "1")->cells[BODY_INSTANCE_CONTENT].n, 0);
	body_list_deinit(&l);
	buf_deinit(&b);
}
END_TEST

static const struct {
	const char *type, *text;
} bad[] = {
	{ "application/pidf+xml", "<presence/>" },
	{ "", "" },
	{ "multipart/mixed;boundary=b", ROOT LIST("9", "true") END CLOSE },
	{ TYPE, ROOT LIST("9", "true") END },
	{ TYPE, ROOT LIST("9", "true") CLOSE },
	{ TYPE, ROOT LIST("x", "true") END CLOSE },
	{ TYPE, ROOT "<list version='1' fullState='true'/>" CLOSE },
	{ TYPE, "--b\r\n\r\n" LIST("9", "true") END CLOSE },
	{ TYPE ";start=\"<1>\"", ROOT LIST("9", "true") END PART("1", "one") CLOSE },
	{ TYPE, ROOT "<!DOCTYPE list>" LIST("9", "true") END CLOSE },
};

START_TEST(bad_lists)
{
	struct body_list l;

	body_list_init(&l, 1);
	ck_assert_int_eq(take(&l, first), BODY_NEWS);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_eq(take_as(&l, bad[i].type, bad[i].text), -EBADMSG);
		ck_assert_uint_eq(l.resources.n, 3);
		ck_assert_uint_eq(l.instances.n, 3);
		ck_assert_uint_eq(body_list_outer(&l)->version.number, 0);
	}
	body_list_deinit(&l);
}
END_TEST

RUN_TESTS("body-list", rfc4662_5_1_example, rfc4662_5_6_2_partial, rfc4662_5_6_1_full,
	rfc4662_5_2_begins_in_the_middle, rfc4662_5_5_cids, rfc4662_5_5_nested, nested_and_broken,
	depth_is_bounded, lists_are_bounded, bad_lists)
