/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-presence.h"

#include "ipc/body-fault.h"
#include "ipc/body-xml.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"

#define DATA_MODEL SLICE("urn:ietf:params:xml:ns:pidf:data-model")
#define RPID SLICE("urn:ietf:params:xml:ns:pidf:rpid")

enum { PRIORITY_DECIMALS = 3 };

const char *body_basic_name(enum body_basic b)
{
	switch (b) {
	case BODY_BASIC_UNKNOWN:
		return "";
	case BODY_BASIC_OPEN:
		return "open";
	case BODY_BASIC_CLOSED:
		return "closed";
	}
	return "";
}

/* RFC 3863 section 4.1.4 */
static enum body_basic basic_of(const struct body_element *tuple)
{
	struct slice word =
		body_xml_child_text(body_xml_child(tuple, SLICE("status")), SLICE("basic"));

	if (slice_eq(word, SLICE("open")))
		return BODY_BASIC_OPEN;
	return slice_eq(word, SLICE("closed")) ? BODY_BASIC_CLOSED : BODY_BASIC_UNKNOWN;
}

/* RFC 3863 section 4.1.5: 0, 0.021, 0.5, 1.00. */
static struct slice priority_of(const struct body_element *contact)
{
	struct slice text = slice_trim(body_xml_attribute(contact, SLICE("priority")));
	struct slice whole = text, decimals = SLICE("0");
	uint32_t one, part;

	(void)slice_cut(text, '.', &whole, &decimals);
	if (!slice_to_u32(whole, 1, &one) || decimals.n > PRIORITY_DECIMALS)
		return SLICE("");
	if (!slice_to_u32(decimals, one ? 0 : UINT32_MAX, &part))
		return SLICE("");
	return text;
}

/* One open tuple makes it open; the others count only while there is none. */
static enum body_basic overall(const struct body_element *tuples)
{
	enum body_basic basic = BODY_BASIC_UNKNOWN;
	struct body_tuple t;

	while (body_presence_next_tuple(&tuples, &t)) {
		if (t.basic == BODY_BASIC_OPEN)
			return BODY_BASIC_OPEN;
		if (t.basic == BODY_BASIC_CLOSED)
			basic = BODY_BASIC_CLOSED;
	}
	return basic;
}

static bool is_presence(const struct body_element *root)
{
	static const struct slice namespaces[] = {
		SLICE_INIT("urn:ietf:params:xml:ns:pidf"),
		/* The drafts before RFC 3863, with and without the colon. */
		SLICE_INIT("urn:ietf:params:xml:ns:cpim-pidf:"),
		SLICE_INIT("urn:ietf:params:xml:ns:cpim-pidf"),
	};

	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++)
		if (body_xml_is(root, namespaces[i], SLICE("presence")))
			return true;
	return false;
}

int body_presence_parse(
	struct slice body, struct body_fault *ret_fault, struct body_presence *ret_presence)
{
	const struct body_element *root;
	struct body_xml *x;
	int r = body_xml_parse(body, ret_fault, &x);

	if (r < 0)
		return r;
	root = body_xml_root(x);
	if (!is_presence(root)) {
		r = body_fault_set(ret_fault, -EBADMSG,
			"the root element <%.*s> is no PIDF presence", SLICE_ARGS(root->name));
		body_xml_free(x);
		return r;
	}
	*ret_presence = (struct body_presence){
		.xml = x,
		.entity = body_xml_attribute(root, SLICE("entity")),
		.notes = body_xml_child(root, SLICE("note")),
		.tuples = body_xml_child(root, SLICE("tuple")),
		.persons = body_xml_find(root->child, DATA_MODEL, SLICE("person")),
	};
	ret_presence->basic = overall(ret_presence->tuples);
	return 0;
}

void body_presence_deinit(struct body_presence *p)
{
	body_xml_free(p->xml);
	*p = (struct body_presence){ 0 };
}

/* What is at *at, which moves on to the next one of its kind. */
static const struct body_element *take(const struct body_element **at)
{
	const struct body_element *e = *at;

	if (e)
		*at = body_xml_find(e->next, e->ns, e->name);
	return e;
}

bool body_presence_next_tuple(const struct body_element **at, struct body_tuple *ret_tuple)
{
	const struct body_element *e = take(at), *contact = body_xml_child(e, SLICE("contact"));

	if (!e)
		return false;
	*ret_tuple = (struct body_tuple){
		.id = body_xml_attribute(e, SLICE("id")),
		.contact = body_xml_child_text(e, SLICE("contact")),
		.priority = priority_of(contact),
		.timestamp = body_xml_child_text(e, SLICE("timestamp")),
		.basic = basic_of(e),
		.notes = body_xml_child(e, SLICE("note")),
	};
	return true;
}

bool body_presence_next_note(const struct body_element **at, struct body_note *ret_note)
{
	const struct body_element *e = take(at);

	if (!e)
		return false;
	*ret_note = (struct body_note){ .text = e->text, .lang = body_xml_lang(e) };
	return true;
}

bool body_presence_next_person(const struct body_element **at, struct body_person *ret_person)
{
	const struct body_element *e = take(at), *activities;

	if (!e)
		return false;
	activities = body_xml_find(e->child, RPID, SLICE("activities"));
	*ret_person = (struct body_person){
		.id = body_xml_attribute(e, SLICE("id")),
		.notes = body_xml_child(e, SLICE("note")),
		.activities = activities ? activities->child : NULL,
	};
	return true;
}

bool body_presence_next_activity(const struct body_element **at, struct slice *ret_word)
{
	for (const struct body_element *e = *at; e; e = e->next) {
		/* Notes on what is done are no word for it, and neither are others' extensions. */
		if (!slice_eq(e->ns, RPID) || slice_eq(e->name, SLICE("note")))
			continue;
		*at = e->next;
		*ret_word = e->name;
		return true;
	}
	*at = NULL;
	return false;
}
