/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-reginfo.h"

#include "ipc/body-fault.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

#define INFO(version, state) \
	"<reginfo xmlns='urn:ietf:params:xml:ns:reginfo' version='" version "' state='" state "'>"
#define END "</reginfo>"
#define AOR(id, state, contacts)                                                           \
	"<registration aor='sip:user@example.com' id='" id "' state='" state "'>" contacts \
	"</registration>"
#define CONTACT(id, state) "<contact id='" id "' state='" state "' event='created'/>"

static int take(struct body_reginfo *g, const char *text)
{
	struct slice exact = exact_str(text);
	struct body_fault fault;
	int r = body_reginfo_take(g, exact, &fault);

	ck_assert_int_eq(r < 0, fault.text[0] != '\0');
	exact_free(exact);
	return r;
}

static struct body_row *contact(struct body_reginfo *g, const char *registration, const char *id)
{
	struct slice keys[] = { slice_str(registration), slice_str(id) };

	return body_table_find(&g->contacts, keys);
}

/* RFC 3680 section 5.3, with the parameter of RFC 5628 section 5. */
START_TEST(rfc3680_5_3_example)
{
	struct body_reginfo g;
	struct body_row *row;

	body_reginfo_init(&g, 1);
	ck_assert_int_eq(
		take(&g,
			"<?xml version=\"1.0\"?>\n"
			"<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" "
			"xmlns:gr='urn:ietf:params:xml:ns:gruuinfo' version=\"0\" state=\"full\">\n"
			"<registration aor=\"sip:user@example.com\" id=\"as9\" state=\"active\">\n"
			" <contact id=\"76\" state=\"active\" event=\"registered\" "
			"duration-registered=\"7322\" q=\"0.8\" expires='60' retry-after='5' "
			"cseq='2' callid='c@h'>\n"
			"  <uri>sip:user@pc887.example.com</uri><display-name>U</display-name>"
			"<unknown-param name='+sip.instance'>\"&lt;urn:uuid:1&gt;\"</unknown-param>"
			"<gr:pub-gruu uri='sip:user@example.com;gr=1'/>"
			"<gr:temp-gruu uri='sip:t@example.com;gr' first-cseq='54301'/></contact>\n"
			" <contact id=\"77\" state=\"terminated\" event=\"expired\" q=\"0.5\">"
			"<uri>sip:user@university.edu</uri></contact></registration></reginfo>"),
		BODY_NEWS);
	ck_assert_uint_eq(g.registrations.n, 1);
	row = body_table_find(&g.registrations, &SLICE("as9"));
	assert_slice(row->cells[BODY_REGISTRATION_AOR], "sip:user@example.com");
	assert_slice(row->cells[BODY_REGISTRATION_STATE], "active");
	row = contact(&g, "as9", "76");
	assert_slice(row->cells[BODY_CONTACT_STATE], "active");
	assert_slice(row->cells[BODY_CONTACT_EVENT], "registered");
	assert_slice(row->cells[BODY_CONTACT_EXPIRES], "60");
	assert_slice(row->cells[BODY_CONTACT_RETRY_AFTER], "5");
	assert_slice(row->cells[BODY_CONTACT_DURATION], "7322");
	assert_slice(row->cells[BODY_CONTACT_CSEQ], "2");
	assert_slice(row->cells[BODY_CONTACT_CALL_ID], "c@h");
	assert_slice(row->cells[BODY_CONTACT_Q], "0.8");
	assert_slice(row->cells[BODY_CONTACT_URI], "sip:user@pc887.example.com");
	assert_slice(row->cells[BODY_CONTACT_DISPLAY_NAME], "U");
	assert_slice(row->cells[BODY_CONTACT_INSTANCE], "\"<urn:uuid:1>\"");
	assert_slice(row->cells[BODY_CONTACT_PUBLIC_GRUU], "sip:user@example.com;gr=1");
	assert_slice(row->cells[BODY_CONTACT_TEMPORARY_GRUU], "sip:t@example.com;gr");
	assert_slice(contact(&g, "as9", "77")->cells[BODY_CONTACT_EVENT], "expired");
	body_reginfo_deinit(&g);
}
END_TEST

START_TEST(rfc3680_5_2_coherent_state)
{
	struct body_reginfo g;

	body_reginfo_init(&g, 1);
	ck_assert_int_eq(take(&g, INFO("0", "full") AOR("r", "active",
					  CONTACT("1", "active") CONTACT("2", "active"))
					  AOR("s", "init", "") END),
		BODY_NEWS);
	/* What changed: one contact is over, one is new, one stays as it was. */
	ck_assert_int_eq(take(&g, INFO("1", "partial") AOR("r", "active",
					  CONTACT("1", "terminated") CONTACT("3", "active")) END),
		BODY_NEWS);
	ck_assert_uint_eq(g.contacts.n, 3);
	assert_slice(contact(&g, "r", "1")->cells[BODY_CONTACT_STATE], "terminated");
	ck_assert_int_eq(take(&g, INFO("1", "partial") AOR("r", "init", "") END), BODY_NEWS_STALE);
	/* A registration that is over is seen once, and takes its contacts with it. */
	ck_assert_int_eq(
		take(&g, INFO("3", "partial") AOR("r", "terminated", "") END), BODY_NEWS_GAP);
	ck_assert_ptr_null(contact(&g, "r", "1"));
	ck_assert_uint_eq(g.contacts.n, 2);
	ck_assert_int_eq(take(&g, INFO("4", "partial") END), BODY_NEWS);
	ck_assert_uint_eq(g.registrations.n, 1);
	ck_assert_uint_eq(g.contacts.n, 0);
	ck_assert_int_eq(take(&g, INFO("5", "full") AOR("t", "active", CONTACT("1", "active")) END),
		BODY_NEWS);
	ck_assert_uint_eq(g.registrations.n, 1);
	ck_assert_uint_eq(g.contacts.n, 1);
	ck_assert(g.version.complete);
	body_reginfo_deinit(&g);
}
END_TEST

static void assert_below(struct body_reginfo *g, const char *registration, const char *want)
{
	struct slice id = slice_str(registration);
	struct body_row *row = body_table_find(&g->registrations, &id);
	struct buf b = BUF_NULL;

	list_for_each (node, &row->below) {
		const struct body_row *c = list_entry(node, struct body_row, in_below);

		buf_printf(&b, "%.*s ", SLICE_ARGS(c->cells[BODY_CONTACT_ID]));
	}
	assert_slice(buf_slice(&b), want);
	buf_deinit(&b);
}

/* Section 5.1: contacts are found by their registration, not by a look at all of them. */
START_TEST(rfc3680_5_1_contacts_of_a_registration)
{
	struct body_reginfo g;

	body_reginfo_init(&g, 1);
	ck_assert_int_eq(take(&g, INFO("0", "full") AOR("r", "active", CONTACT("1", "active"))
					  AOR("s", "active", CONTACT("2", "active"))
						  AOR("t", "init", "") END),
		BODY_NEWS);
	ck_assert_int_eq(take(&g, INFO("1", "partial") AOR("r", "active",
					  CONTACT("3", "active") CONTACT("1", "active")) END),
		BODY_NEWS);
	assert_below(&g, "r", "1 3 ");
	assert_below(&g, "s", "2 ");
	assert_below(&g, "t", "");
	ck_assert_int_eq(take(&g, INFO("2", "full") AOR("r", "active", CONTACT("3", "active")) END),
		BODY_NEWS);
	assert_below(&g, "r", "3 ");
	body_reginfo_deinit(&g);
}
END_TEST

/* One id in two registrations are two contacts; twice in one, it is one. */
START_TEST(rfc3680_5_1_ids)
{
	struct body_reginfo g;

	body_reginfo_init(&g, 1);
	ck_assert_int_eq(take(&g, INFO("0", "full") AOR("r", "active",
					  CONTACT("1", "active") CONTACT("1", "terminated"))
					  AOR("s", "active", CONTACT("1", "active")) END),
		BODY_NEWS);
	ck_assert_uint_eq(g.contacts.n, 2);
	assert_slice(contact(&g, "r", "1")->cells[BODY_CONTACT_STATE], "terminated");
	ck_assert_int_eq(take(&g, "<reginfo version='1' state='full'/>"), -EBADMSG);
	ck_assert_int_eq(take(&g, INFO("x", "full") END), -EBADMSG);
	ck_assert_int_eq(take(&g, INFO("1", "full")), -EBADMSG);
	ck_assert_uint_eq(g.contacts.n, 2);
	body_reginfo_deinit(&g);
}
END_TEST

RUN_TESTS("body-reginfo", rfc3680_5_3_example, rfc3680_5_2_coherent_state,
	rfc3680_5_1_contacts_of_a_registration, rfc3680_5_1_ids)
