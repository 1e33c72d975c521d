/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-dialog.h"

#include "ipc/body-fault.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

#define INFO(version, state)                                                        \
	"<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='" version \
	"' state='" state "' entity='sip:alice@example.com'>"
#define END "</dialog-info>"
#define DIALOG(id, state) "<dialog id='" id "'><state>" state "</state></dialog>"

static int take(struct body_dialog *d, const char *text)
{
	struct slice exact = exact_str(text);
	struct body_fault fault;
	int r = body_dialog_take(d, exact, &fault);

	ck_assert_int_eq(r < 0, fault.text[0] != '\0');
	exact_free(exact);
	return r;
}

static const char *cell(struct body_dialog *d, const char *id, enum body_dialog_cell which)
{
	static char text[128];
	struct slice key = slice_str(id);
	struct body_row *row = body_table_find(&d->table, &key);

	if (!row)
		return NULL;
	(void)snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(row->cells[which]));
	return text;
}

/* The samples of RFC 4235 sections 4.1.1, 4.1.2, 4.1.5 and 4.2 in one. */
START_TEST(rfc4235_4_2_sample)
{
	struct body_dialog d;

	body_dialog_init(&d, 1);
	ck_assert_int_eq(
		take(&d,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" INFO("1",
				"full") "<dialog id='123456' call-id='a84b4c76e66710' "
					"local-tag='1928301774' remote-tag='r' direction='initiator'>"
					"<state event='rejected' code='486'>terminated</state>"
					"<duration>274</duration>"
					"<referred-by display='Bob'>sip:bob@example.com</referred-by>"
					"<local><identity display='Alice'>sip:alice@example.com</identity>"
					"<target uri='sip:alice@pc33.example.com'>"
					"<param pname='isfocus' pval='true'/>"
					"<param pname='sip.rendering' pval='no'/></target></local>"
					"<remote><identity display='Bob'>\n sip:bob@example.org</identity>"
					"<target uri='sip:bobster@phone21.example.org'/></remote>"
					"</dialog>" END),
		BODY_NEWS);
	ck_assert_str_eq(d.entity, "sip:alice@example.com");
	ck_assert_uint_eq(d.table.n, 1);
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_CALL_ID), "a84b4c76e66710");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_LOCAL_TAG), "1928301774");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_REMOTE_TAG), "r");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_DIRECTION), "initiator");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_STATE), "terminated");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_EVENT), "rejected");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_CODE), "486");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_DURATION), "274");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_REFERRED_BY), "sip:bob@example.com");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_LOCAL_IDENTITY), "sip:alice@example.com");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_LOCAL_DISPLAY), "Alice");
	ck_assert_str_eq(
		cell(&d, "123456", BODY_DIALOG_LOCAL_TARGET), "sip:alice@pc33.example.com");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_LOCAL_RENDERING), "no");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_REMOTE_IDENTITY), "sip:bob@example.org");
	ck_assert_str_eq(
		cell(&d, "123456", BODY_DIALOG_REMOTE_TARGET), "sip:bobster@phone21.example.org");
	ck_assert_str_eq(cell(&d, "123456", BODY_DIALOG_REMOTE_RENDERING), "");
	body_dialog_deinit(&d);
}
END_TEST

START_TEST(rfc4235_4_3_coherent_state)
{
	struct body_dialog d;

	body_dialog_init(&d, 1);
	ck_assert_int_eq(take(&d, INFO("0", "full") DIALOG("a", "trying") DIALOG("b", "early") END),
		BODY_NEWS);
	ck_assert_int_eq(
		take(&d, INFO("1", "partial") DIALOG("b", "confirmed") DIALOG("c", "trying") END),
		BODY_NEWS);
	ck_assert_uint_eq(d.table.n, 3);
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_STATE), "trying");
	ck_assert_str_eq(cell(&d, "b", BODY_DIALOG_STATE), "confirmed");
	/* Older ones are discarded. */
	ck_assert_int_eq(take(&d, INFO("0", "full") END), BODY_NEWS_STALE);
	ck_assert_uint_eq(d.table.n, 3);
	/* A row that is terminated may go at any time: it is seen once. */
	ck_assert_int_eq(take(&d, INFO("2", "partial") DIALOG("a", "terminated") END), BODY_NEWS);
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_STATE), "terminated");
	/* More than one higher, and partial: used, but a refresh is to be sent. */
	ck_assert_int_eq(
		take(&d, INFO("9", "partial") DIALOG("b", "terminated") END), BODY_NEWS_GAP);
	ck_assert_ptr_null(cell(&d, "a", BODY_DIALOG_STATE));
	ck_assert(!d.version.complete);
	/* Full state flushes the table. */
	ck_assert_int_eq(take(&d, INFO("20", "full") DIALOG("x", "early") END), BODY_NEWS);
	ck_assert_uint_eq(d.table.n, 1);
	ck_assert(d.version.complete);
	body_dialog_deinit(&d);
}
END_TEST

/* Section 4.1.6: identities and targets are not repeated; what comes takes their place. */
START_TEST(rfc4235_4_1_6_not_repeated)
{
	struct body_dialog d;

	body_dialog_init(&d, 1);
	(void)take(&d,
		INFO("0",
			"full") "<dialog id='a'><state>early</state><local><identity display='A'>sip:a</identity>"
				"<target uri='sip:a@1'><param pname='+sip.rendering' pval='no'/></target></local>"
				"<remote><identity>sip:b</identity></remote></dialog>" END);
	(void)take(&d,
		INFO("1",
			"partial") "<dialog id='a'><state>confirmed</state><local><target uri='sip:a@2'/></local>"
				   "</dialog>" END);
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_STATE), "confirmed");
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_LOCAL_IDENTITY), "sip:a");
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_LOCAL_DISPLAY), "A");
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_LOCAL_TARGET), "sip:a@2");
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_LOCAL_RENDERING), "");
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_REMOTE_IDENTITY), "sip:b");
	body_dialog_deinit(&d);
}
END_TEST

/* One id is one row; the last one of a document holds. */
START_TEST(rfc4235_4_1_1_ids)
{
	struct body_dialog d;

	body_dialog_init(&d, 1);
	ck_assert_int_eq(
		take(&d, INFO("0", "full") DIALOG("a", "early") DIALOG(
				 "a", "confirmed") "<dialog><state>trying</state></dialog>" END),
		BODY_NEWS);
	ck_assert_uint_eq(d.table.n, 2);
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_STATE), "confirmed");
	ck_assert_str_eq(cell(&d, "", BODY_DIALOG_STATE), "trying");
	body_dialog_deinit(&d);
}
END_TEST

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "the document is empty" },
	{ "<dialog-info version='0' state='full'/>",
		"the root element <dialog-info> is no dialog information" },
	{ INFO("", "full") END, "the version '' is no number" },
	{ INFO("-1", "full") END, "the version '-1' is no number" },
	{ INFO("4294967296", "full") END, "the version '4294967296' is no number" },
	{ INFO("1", "full") "<dialog>" END, "line 1: mismatched tag" },
};

START_TEST(bad_documents)
{
	struct body_dialog d;

	body_dialog_init(&d, 1);
	(void)take(&d, INFO("0", "full") DIALOG("a", "early") END);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct body_fault fault;

		ck_assert_int_eq(body_dialog_take(&d, slice_str(bad[i].text), &fault), -EBADMSG);
		ck_assert_str_eq(fault.text, bad[i].why);
	}
	ck_assert_uint_eq(d.table.n, 1);
	ck_assert_uint_eq(d.version.number, 0);
	body_dialog_deinit(&d);
}
END_TEST

/* Numbers are numbers, or are not there. */
START_TEST(rfc4235_4_1_2_numbers)
{
	struct body_dialog d;

	body_dialog_init(&d, 1);
	(void)take(&d,
		INFO("0",
			"full") "<dialog id='a'><state code='4x6'>early</state><duration>1.5</duration></dialog>"
				"<dialog id='b'/>" END);
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_CODE), "");
	ck_assert_str_eq(cell(&d, "a", BODY_DIALOG_DURATION), "");
	ck_assert_str_eq(cell(&d, "b", BODY_DIALOG_STATE), "");
	body_dialog_deinit(&d);
}
END_TEST

/* Many documents cannot make more than the table holds; the state is then not complete. */
START_TEST(dialogs_are_bounded)
{
	enum { PER_DOCUMENT = 4096, DOCUMENTS = BODY_TABLE_ROWS_MAX / PER_DOCUMENT };
	struct body_dialog d;
	struct body_fault fault;
	struct buf b = BUF_NULL;

	body_dialog_init(&d, 1);
	for (unsigned n = 0; n <= DOCUMENTS; n++) {
		buf_reset(&b);
		buf_printf(&b,
			"<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='%u' "
			"state='%s'>",
			n, n ? "partial" : "full");
		for (unsigned i = 0; i < PER_DOCUMENT; i++)
			buf_printf(&b, "<dialog id='%u-%u'/>", n, i);
		buf_lit(&b, "</dialog-info>");
		ck_assert_int_eq(body_dialog_take(&d, buf_slice(&b), &fault),
			n < DOCUMENTS ? (int)BODY_NEWS : -EMSGSIZE);
		ck_assert(d.version.complete == (n < DOCUMENTS));
	}
	ck_assert_str_eq(fault.text, "there are too many dialogs");
	ck_assert_uint_eq(d.table.n, BODY_TABLE_ROWS_MAX);
	body_dialog_deinit(&d);
	buf_deinit(&b);
}
END_TEST

RUN_TESTS("body-dialog", rfc4235_4_2_sample, rfc4235_4_3_coherent_state, rfc4235_4_1_6_not_repeated,
	rfc4235_4_1_1_ids, bad_documents, rfc4235_4_1_2_numbers, dialogs_are_bounded)
