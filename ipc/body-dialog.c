/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-dialog.h"

#include "ipc/body-document.h"
#include "ipc/body-fault.h"
#include "ipc/body-xml.h"
#include "protocol/base/err.h"

static const struct body_kind kind = {
	.ns = SLICE_INIT("urn:ietf:params:xml:ns:dialog-info"),
	.root = SLICE_INIT("dialog-info"),
	.name = "dialog information",
	.extent = SLICE_INIT("state"),
	.full = SLICE_INIT("full"),
};

void body_dialog_init(struct body_dialog *d, uint64_t seed)
{
	*d = (struct body_dialog){ 0 };
	body_table_init(&d->table, BODY_DIALOG_CELLS, 1, seed);
}

void body_dialog_deinit(struct body_dialog *d)
{
	body_table_deinit(&d->table);
	free(d->entity);
}

/* Section 4.1.6.2; the names of RFC 3840 have a "+" in front, the examples do without. */
static struct slice rendering(const struct body_element *target)
{
	const struct body_element *param = body_xml_child(target, SLICE("param"));

	for (; param; param = body_xml_find(param->next, param->ns, param->name)) {
		struct slice name = body_xml_attribute(param, SLICE("pname"));

		if (slice_eq_ci(name, SLICE("+sip.rendering")) ||
			slice_eq_ci(name, SLICE("sip.rendering")))
			return body_xml_attribute(param, SLICE("pval"));
	}
	return SLICE("");
}

/* What one side says of itself, or else what it said before (section 4.1.6). */
static void read_side(const struct body_element *side, const struct slice *old, struct slice *cells)
{
	enum { IDENTITY, DISPLAY, TARGET, RENDERING };
	const struct body_element *identity = body_xml_child(side, SLICE("identity"));
	const struct body_element *target = body_xml_child(side, SLICE("target"));

	if (old && !identity) {
		cells[IDENTITY] = old[IDENTITY];
		cells[DISPLAY] = old[DISPLAY];
	} else if (identity) {
		cells[IDENTITY] = identity->text;
		cells[DISPLAY] = body_xml_attribute(identity, SLICE("display"));
	}
	if (old && !target) {
		cells[TARGET] = old[TARGET];
		cells[RENDERING] = old[RENDERING];
	} else if (target) {
		cells[TARGET] = body_xml_attribute(target, SLICE("uri"));
		cells[RENDERING] = rendering(target);
	}
}

static int take_dialog(struct body_dialog *d, const struct body_element *e)
{
	static const struct slice attributes[] = {
		[BODY_DIALOG_ID] = SLICE_INIT("id"),
		[BODY_DIALOG_CALL_ID] = SLICE_INIT("call-id"),
		[BODY_DIALOG_LOCAL_TAG] = SLICE_INIT("local-tag"),
		[BODY_DIALOG_REMOTE_TAG] = SLICE_INIT("remote-tag"),
		[BODY_DIALOG_DIRECTION] = SLICE_INIT("direction"),
	};
	const struct body_element *state = body_xml_child(e, SLICE("state"));
	struct slice cells[BODY_DIALOG_CELLS] = { 0 };
	struct body_row *row;
	const struct slice *old;

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		cells[i] = body_xml_attribute(e, attributes[i]);
	row = body_table_find(&d->table, cells);
	old = row ? row->cells : NULL;
	if (state)
		cells[BODY_DIALOG_STATE] = state->text;
	cells[BODY_DIALOG_EVENT] = body_xml_attribute(state, SLICE("event"));
	cells[BODY_DIALOG_CODE] = body_document_number(body_xml_attribute(state, SLICE("code")));
	cells[BODY_DIALOG_DURATION] =
		body_document_number(body_xml_child_text(e, SLICE("duration")));
	cells[BODY_DIALOG_REFERRED_BY] = body_xml_child_text(e, SLICE("referred-by"));
	read_side(body_xml_child(e, SLICE("local")), old ? old + BODY_DIALOG_LOCAL_IDENTITY : NULL,
		cells + BODY_DIALOG_LOCAL_IDENTITY);
	read_side(body_xml_child(e, SLICE("remote")),
		old ? old + BODY_DIALOG_REMOTE_IDENTITY : NULL,
		cells + BODY_DIALOG_REMOTE_IDENTITY);
	return body_table_put(&d->table, cells, &row);
}

/* What this document did not tell, if it tells all; what was over before it came. */
static void sweep(struct body_dialog *d, enum body_extent extent)
{
	list_for_each_safe (node, next, &d->table.rows) {
		struct body_row *row = body_row_of(node);

		if (!body_row_is_new(&d->table, row) &&
			(extent == BODY_FULL ||
				slice_eq(row->cells[BODY_DIALOG_STATE], SLICE("terminated"))))
			body_table_remove(&d->table, row);
	}
}

static int take(struct body_dialog *d, const struct body_document *doc, struct body_fault *fault)
{
	enum body_news news = body_version_take(&d->version, doc->version, doc->extent);
	const struct body_element *e = body_xml_child(doc->root, SLICE("dialog"));
	int r = 0;

	if (news == BODY_NEWS_STALE)
		return (int)news;
	free(d->entity);
	d->entity = slice_dup(body_xml_attribute(doc->root, SLICE("entity")));
	d->table.document++;
	for (; e && r == 0; e = body_xml_find(e->next, e->ns, e->name))
		r = take_dialog(d, e);
	sweep(d, doc->extent);
	if (r == 0)
		return (int)news;
	d->version.complete = false;
	return body_fault_set(fault, -EMSGSIZE, "there are too many dialogs");
}

int body_dialog_take(struct body_dialog *d, struct slice body, struct body_fault *ret_fault)
{
	struct body_document doc;
	int r = body_document_parse(body, &kind, ret_fault, &doc);

	if (r < 0)
		return r;
	r = take(d, &doc, ret_fault);
	body_xml_free(doc.xml);
	return r;
}
