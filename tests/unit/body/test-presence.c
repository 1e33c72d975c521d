/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-presence.h"

#include "ipc/body-fault.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

#define PIDF "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:someone@example.com'"
#define TUPLE(id, status) "<tuple id='" id "'><status>" status "</status></tuple>"
#define OPEN "<basic>open</basic>"
#define CLOSED "<basic>closed</basic>"

static struct body_presence read_text(const char *text)
{
	struct slice exact = exact_str(text);
	struct body_presence p = { 0 };
	struct body_fault fault;

	if (body_presence_parse(exact, &fault, &p) != 0)
		ck_abort_msg("%s", fault.text);
	exact_free(exact);
	return p;
}

static void assert_refused(const char *text, const char *why)
{
	struct slice exact = exact_str(text);
	struct body_presence p = { 0 };
	struct body_fault fault;

	ck_assert_int_eq(body_presence_parse(exact, &fault, &p), -EBADMSG);
	ck_assert_str_eq(fault.text, why);
	exact_free(exact);
}

static void assert_note(const struct body_element **at, const char *text, const char *lang)
{
	struct body_note note;

	ck_assert(body_presence_next_note(at, &note));
	assert_slice(note.text, text);
	assert_slice(note.lang, lang);
}

/* RFC 3863 section 4.3.1, and the notes of 4.3.2. */
START_TEST(rfc3863_4_3_example)
{
	struct body_presence p = read_text(
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<impp:presence xmlns:impp=\"urn:ietf:params:xml:ns:pidf\"\n"
		"  entity=\"pres:someone@example.com\">\n"
		" <impp:tuple id=\"bs35r9\"><impp:status><impp:basic>open</impp:basic></impp:status>\n"
		"  <impp:contact priority=\"0.8\">im:someone@mobilecarrier.net</impp:contact>\n"
		"  <impp:note xml:lang=\"en\">Don't Disturb Please!</impp:note>\n"
		"  <impp:note xml:lang=\"fr\">Ne derangez pas, s'il vous plait</impp:note>\n"
		"  <impp:timestamp>2001-10-27T16:49:29Z</impp:timestamp></impp:tuple>\n"
		" <impp:tuple id=\"eg92n8\"><impp:status><impp:basic> closed </impp:basic></impp:status>"
		"  <impp:contact>mailto:someone@example.com</impp:contact></impp:tuple>\n"
		" <impp:note>I'll be in Tokyo next week</impp:note></impp:presence>\n");
	const struct body_element *at = p.tuples, *notes = p.notes;
	struct body_tuple t;
	struct body_note note;

	assert_slice(p.entity, "pres:someone@example.com");
	ck_assert_str_eq(body_basic_name(p.basic), "open");
	ck_assert(body_presence_next_tuple(&at, &t));
	assert_slice(t.id, "bs35r9");
	ck_assert_str_eq(body_basic_name(t.basic), "open");
	assert_slice(t.contact, "im:someone@mobilecarrier.net");
	assert_slice(t.priority, "0.8");
	assert_slice(t.timestamp, "2001-10-27T16:49:29Z");
	assert_note(&t.notes, "Don't Disturb Please!", "en");
	assert_note(&t.notes, "Ne derangez pas, s'il vous plait", "fr");
	ck_assert(!body_presence_next_note(&t.notes, &note));
	ck_assert(body_presence_next_tuple(&at, &t));
	assert_slice(t.id, "eg92n8");
	ck_assert_str_eq(body_basic_name(t.basic), "closed");
	assert_slice(t.priority, "");
	assert_slice(t.timestamp, "");
	ck_assert_ptr_null(t.notes);
	ck_assert(!body_presence_next_tuple(&at, &t));
	assert_note(&notes, "I'll be in Tokyo next week", "");
	body_presence_deinit(&p);
}
END_TEST

/* 4.1.3: <basic> is optional; 4.1.4: two words, no others; 4.1.2: tuples may contradict. */
static const struct {
	const char *text, *basic;
} overall[] = {
	{ PIDF "/>", "" },
	{ PIDF ">" TUPLE("a", "") "</presence>", "" },
	{ PIDF ">" TUPLE("a", "<basic>busy</basic>") "</presence>", "" },
	{ PIDF ">" TUPLE("a", "<basic>OPEN</basic>") "</presence>", "" },
	{ PIDF ">" TUPLE("a", CLOSED) TUPLE("b", "") "</presence>", "closed" },
	{ PIDF ">" TUPLE("a", CLOSED) TUPLE("b", OPEN) "</presence>", "open" },
	{ PIDF ">" TUPLE("a", OPEN) TUPLE("a", CLOSED) "</presence>", "open" },
	/* 4.2.3: what is inside of something unknown is not looked at, nor other namespaces. */
	{ PIDF ">" TUPLE("a", "<x xmlns='urn:x'>" OPEN "</x>") "</presence>", "" },
	{ PIDF "><x>" TUPLE("a", OPEN) "</x></presence>", "" },
	{ PIDF ">" TUPLE("a", "<basic xmlns='urn:x'>open</basic>") "</presence>", "" },
	{ PIDF "><tuple><basic>open</basic></tuple></presence>", "" },
	{ "<presence xmlns='urn:ietf:params:xml:ns:cpim-pidf:'>" TUPLE("a", OPEN) "</presence>",
		"open" },
	{ "<presence xmlns='urn:ietf:params:xml:ns:cpim-pidf'>" TUPLE("a", OPEN) "</presence>",
		"open" },
};

START_TEST(rfc3863_4_1_basic)
{
	for (size_t i = 0; i < ARRAY_LEN(overall); i++) {
		struct body_presence p = read_text(overall[i].text);

		ck_assert_msg(strcmp(body_basic_name(p.basic), overall[i].basic) == 0, "%s",
			overall[i].text);
		body_presence_deinit(&p);
	}
}
END_TEST

START_TEST(rfc3863_4_1_5_priority)
{
	static const char *const good[] = { "0", "1", "0.021", "0.5", "1.00", "1.000", "0.000" };
	static const char *const bad[] = { "", "2", "-1", "1.001", "0.1234", "0.", ".5", "x", "0.x",
		"1.", "0,5", "00000000000000000001.5" };
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		bool ok = i < ARRAY_LEN(good);
		const char *value = ok ? good[i] : bad[i - ARRAY_LEN(good)];
		struct body_presence p;
		struct body_tuple t;

		(void)snprintf(text, sizeof(text),
			PIDF
			"><tuple id='a'><contact priority='%s'>sip:a</contact></tuple></presence>",
			value);
		p = read_text(text);
		ck_assert(body_presence_next_tuple(&p.tuples, &t));
		assert_slice(t.priority, ok ? value : "");
		assert_slice(t.contact, "sip:a");
		body_presence_deinit(&p);
	}
}
END_TEST

/* RFC 4480 section 5 gives this document; RFC 4479 section 3.2 the person. */
START_TEST(rfc4480_3_2_activities)
{
	struct body_presence p = read_text(
		PIDF " xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' "
		     "xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid' xmlns:x='urn:x' xml:lang='de'>"
		     "<dm:person id='p1'><rpid:activities from='2005-05-30T12:00:00+05:00'>"
		     "<rpid:note>Far away</rpid:note><rpid:away/><x:away2/><rpid:other>juggling"
		     "</rpid:other></rpid:activities><dm:note xml:lang='en'>Scoring 120</dm:note>"
		     "<dm:note>zwei</dm:note></dm:person><dm:person id='p2'/></presence>");
	struct body_person person;
	struct slice word;

	ck_assert(body_presence_next_person(&p.persons, &person));
	assert_slice(person.id, "p1");
	assert_note(&person.notes, "Scoring 120", "en");
	assert_note(&person.notes, "zwei", "de");
	ck_assert(body_presence_next_activity(&person.activities, &word));
	assert_slice(word, "away");
	ck_assert(body_presence_next_activity(&person.activities, &word));
	assert_slice(word, "other");
	ck_assert(!body_presence_next_activity(&person.activities, &word));
	ck_assert(!body_presence_next_activity(&person.activities, &word));
	ck_assert(body_presence_next_person(&p.persons, &person));
	ck_assert(!body_presence_next_activity(&person.activities, &word));
	ck_assert(!body_presence_next_person(&p.persons, &person));
	body_presence_deinit(&p);
}
END_TEST

START_TEST(no_presence)
{
	assert_refused("<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info'/>",
		"the root element <dialog-info> is no PIDF presence");
	assert_refused("<presence/>", "the root element <presence> is no PIDF presence");
	assert_refused("<tuple xmlns='urn:ietf:params:xml:ns:pidf'/>",
		"the root element <tuple> is no PIDF presence");
	assert_refused(PIDF ">", "line 1: no element found");
	assert_refused("", "the document is empty");
}
END_TEST

/* A document cut off anywhere is refused, and says why. */
START_TEST(every_prefix)
{
	struct slice whole = SLICE(PIDF ">" TUPLE("a", OPEN) "<note>n</note></presence>");

	for (size_t n = 0; n < whole.n; n++) {
		struct slice exact = exact_copy(slice_head(whole, n));
		struct body_presence p;
		struct body_fault fault;

		HOLDS(body_presence_parse(exact, &fault, &p) == -EBADMSG && fault.text[0]);
		exact_free(exact);
	}
}
END_TEST

RUN_TESTS("body-presence", rfc3863_4_3_example, rfc3863_4_1_basic, rfc3863_4_1_5_priority,
	rfc4480_3_2_activities, no_presence, every_prefix)
