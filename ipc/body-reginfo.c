/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-reginfo.h"

#include "ipc/body-document.h"
#include "ipc/body-fault.h"
#include "ipc/body-xml.h"
#include "protocol/base/err.h"

#define GRUU SLICE("urn:ietf:params:xml:ns:gruuinfo")

static const struct body_kind kind = {
	.ns = SLICE_INIT("urn:ietf:params:xml:ns:reginfo"),
	.root = SLICE_INIT("reginfo"),
	.name = "registration information",
	.extent = SLICE_INIT("state"),
	.full = SLICE_INIT("full"),
};

void body_reginfo_init(struct body_reginfo *g, uint64_t seed)
{
	*g = (struct body_reginfo){ 0 };
	body_table_init(&g->registrations, BODY_REGISTRATION_CELLS, 1, seed);
	body_table_init(&g->contacts, BODY_CONTACT_CELLS, 2, seed);
}

void body_reginfo_deinit(struct body_reginfo *g)
{
	body_table_deinit(&g->registrations);
	body_table_deinit(&g->contacts);
}

static struct slice instance_of(const struct body_element *contact)
{
	const struct body_element *param = body_xml_child(contact, SLICE("unknown-param"));

	for (; param; param = body_xml_find(param->next, param->ns, param->name))
		if (slice_eq_ci(body_xml_attribute(param, SLICE("name")), SLICE("+sip.instance")))
			return param->text;
	return SLICE("");
}

static struct slice gruu_of(const struct body_element *contact, struct slice name)
{
	return body_xml_attribute(body_xml_find(contact->child, GRUU, name), SLICE("uri"));
}

static int take_contact(
	struct body_reginfo *g, struct slice registration, const struct body_element *e)
{
	static const struct slice attributes[BODY_CONTACT_CELLS] = {
		[BODY_CONTACT_ID] = SLICE_INIT("id"),
		[BODY_CONTACT_STATE] = SLICE_INIT("state"),
		[BODY_CONTACT_EVENT] = SLICE_INIT("event"),
		[BODY_CONTACT_EXPIRES] = SLICE_INIT("expires"),
		[BODY_CONTACT_RETRY_AFTER] = SLICE_INIT("retry-after"),
		[BODY_CONTACT_DURATION] = SLICE_INIT("duration-registered"),
		[BODY_CONTACT_CSEQ] = SLICE_INIT("cseq"),
		[BODY_CONTACT_CALL_ID] = SLICE_INIT("callid"),
		[BODY_CONTACT_Q] = SLICE_INIT("q"),
	};
	struct slice cells[BODY_CONTACT_CELLS] = { 0 };
	struct body_row *row;

	for (size_t i = BODY_CONTACT_ID; i <= BODY_CONTACT_Q; i++)
		cells[i] = body_xml_attribute(e, attributes[i]);
	for (size_t i = BODY_CONTACT_EXPIRES; i <= BODY_CONTACT_CSEQ; i++)
		cells[i] = body_document_number(cells[i]);
	cells[BODY_CONTACT_REGISTRATION] = registration;
	cells[BODY_CONTACT_URI] = body_xml_child_text(e, SLICE("uri"));
	cells[BODY_CONTACT_DISPLAY_NAME] = body_xml_child_text(e, SLICE("display-name"));
	cells[BODY_CONTACT_INSTANCE] = instance_of(e);
	cells[BODY_CONTACT_PUBLIC_GRUU] = gruu_of(e, SLICE("pub-gruu"));
	cells[BODY_CONTACT_TEMPORARY_GRUU] = gruu_of(e, SLICE("temp-gruu"));
	return body_table_put(&g->contacts, cells, &row);
}

static int take_registration(struct body_reginfo *g, const struct body_element *e)
{
	struct slice cells[BODY_REGISTRATION_CELLS] = {
		[BODY_REGISTRATION_ID] = body_xml_attribute(e, SLICE("id")),
		[BODY_REGISTRATION_AOR] = body_xml_attribute(e, SLICE("aor")),
		[BODY_REGISTRATION_STATE] = body_xml_attribute(e, SLICE("state")),
	};
	const struct body_element *contact = body_xml_child(e, SLICE("contact"));
	struct body_row *row;
	int r = body_table_put(&g->registrations, cells, &row);

	for (; contact && r == 0;
		contact = body_xml_find(contact->next, contact->ns, contact->name))
		r = take_contact(g, cells[BODY_REGISTRATION_ID], contact);
	return r;
}

/* What this document did not tell, if it tells all; what was over before it came. */
static void sweep_table(struct body_table *t, size_t state, enum body_extent extent)
{
	list_for_each_safe (node, next, &t->rows) {
		struct body_row *row = body_row_of(node);

		if (!body_row_is_new(t, row) &&
			(extent == BODY_FULL || slice_eq(row->cells[state], SLICE("terminated"))))
			body_table_remove(t, row);
	}
}

/* Each contact below its registration, and none without one. */
static void gather(struct body_reginfo *g)
{
	list_for_each (node, &g->registrations.rows)
		list_init(&body_row_of(node)->below);
	list_for_each_safe (node, next, &g->contacts.rows) {
		struct body_row *row = body_row_of(node);
		struct body_row *registration =
			body_table_find(&g->registrations, &row->cells[BODY_CONTACT_REGISTRATION]);

		if (registration)
			list_append(&registration->below, &row->in_below);
		else
			body_table_remove(&g->contacts, row);
	}
}

static void sweep(struct body_reginfo *g, enum body_extent extent)
{
	sweep_table(&g->registrations, BODY_REGISTRATION_STATE, extent);
	sweep_table(&g->contacts, BODY_CONTACT_STATE, extent);
	gather(g);
}

static int take(struct body_reginfo *g, const struct body_document *doc, struct body_fault *fault)
{
	enum body_news news = body_version_take(&g->version, doc->version, doc->extent);
	const struct body_element *e = body_xml_child(doc->root, SLICE("registration"));
	int r = 0;

	if (news == BODY_NEWS_STALE)
		return (int)news;
	g->registrations.document++;
	g->contacts.document++;
	for (; e && r == 0; e = body_xml_find(e->next, e->ns, e->name))
		r = take_registration(g, e);
	sweep(g, doc->extent);
	if (r == 0)
		return (int)news;
	g->version.complete = false;
	return body_fault_set(fault, -EMSGSIZE, "there are too many contacts");
}

int body_reginfo_take(struct body_reginfo *g, struct slice body, struct body_fault *ret_fault)
{
	struct body_document doc;
	int r = body_document_parse(body, &kind, ret_fault, &doc);

	if (r < 0)
		return r;
	r = take(g, &doc, ret_fault);
	body_xml_free(doc.xml);
	return r;
}
