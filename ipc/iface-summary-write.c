/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bodies say, as entries of an a{sv}; what they do not say is left out. */
#include "ipc/iface-summary-write.h"

#include "ipc/body-dialog.h"
#include "ipc/body-list.h"
#include "ipc/body-presence.h"
#include "ipc/body-reginfo.h"
#include "ipc/bus-value.h"
#include "ipc/iface-summary.h"
#include "protocol/msg/message-summary.h"

/* ---- rows of tables ---- */

/* One cell of a row: a text, or a number that was found to be one. */
struct column {
	size_t cell;
	const char *key;
	bool number;
};

static void entry_if(struct bus_writer *w, const char *key, struct slice text)
{
	if (text.n)
		bus_entry_s(w, key, text);
}

static void write_cells(
	struct bus_writer *w, const struct slice *cells, const struct column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct slice text = cells[columns[i].cell];
		uint32_t number;

		if (!columns[i].number)
			entry_if(w, columns[i].key, text);
		else if (slice_to_u32(text, UINT32_MAX, &number))
			bus_entry_u(w, columns[i].key, number);
	}
}

static void write_version(struct bus_writer *w, const struct body_version *v)
{
	bus_entry_u(w, "Version", v->number);
	bus_entry_b(w, "Complete", v->complete);
}

/* ---- presence ---- */

static void write_notes(struct bus_writer *w, const struct body_element *at)
{
	struct body_note note;

	if (!at)
		return;
	bus_open_entry(w, "Notes", "a(ss)");
	bus_open_array(w, "(ss)");
	while (body_presence_next_note(&at, &note))
		bus_write_ss(w, note.text, note.lang);
	bus_close(w);
	bus_close(w);
}

static struct slice first_note(const struct body_element *at)
{
	struct body_note note;

	return body_presence_next_note(&at, &note) ? note.text : SLICE("");
}

/* Of the whole, of a person, of a tuple: the first that there is. */
static struct slice any_note(const struct body_presence *p)
{
	const struct body_element *tuples = p->tuples, *persons = p->persons;
	struct slice text = first_note(p->notes);
	struct body_person person;
	struct body_tuple tuple;

	while (!text.n && body_presence_next_person(&persons, &person))
		text = first_note(person.notes);
	while (!text.n && body_presence_next_tuple(&tuples, &tuple))
		text = first_note(tuple.notes);
	return text;
}

static void write_tuple(struct bus_writer *w, const struct body_tuple *t)
{
	bus_open_dict(w);
	bus_entry_s(w, "Id", t->id);
	bus_entry_str(w, "Basic", body_basic_name(t->basic));
	entry_if(w, "Contact", t->contact);
	entry_if(w, "Priority", t->priority);
	entry_if(w, "Note", first_note(t->notes));
	write_notes(w, t->notes);
	entry_if(w, "Timestamp", t->timestamp);
	bus_close(w);
}

static void write_activities(struct bus_writer *w, const struct body_element *persons)
{
	struct body_person person;
	struct slice word;

	bus_open_entry(w, "Activities", "as");
	bus_open_array(w, "s");
	while (body_presence_next_person(&persons, &person))
		while (body_presence_next_activity(&person.activities, &word))
			bus_write_s(w, word);
	bus_close(w);
	bus_close(w);
}

void iface_summary_write_presence(struct bus_writer *w, const struct body_presence *p)
{
	const struct body_element *at = p->tuples;
	struct body_tuple t;

	bus_entry_s(w, "Entity", p->entity);
	bus_entry_str(w, "Basic", body_basic_name(p->basic));
	bus_entry_s(w, "Note", any_note(p));
	write_notes(w, p->notes);
	write_activities(w, p->persons);
	bus_open_entry(w, "Tuples", "aa{sv}");
	bus_open_array(w, "a{sv}");
	while (body_presence_next_tuple(&at, &t))
		write_tuple(w, &t);
	bus_close(w);
	bus_close(w);
}

/* ---- dialogs ---- */

static const struct column dialog_columns[] = {
	{ BODY_DIALOG_ID, "Id" },
	{ BODY_DIALOG_STATE, "State" },
	{ BODY_DIALOG_DIRECTION, "Direction" },
	{ BODY_DIALOG_EVENT, "Event" },
	{ BODY_DIALOG_CODE, "Code", true },
	{ BODY_DIALOG_DURATION, "Duration", true },
	{ BODY_DIALOG_CALL_ID, "CallId" },
	{ BODY_DIALOG_LOCAL_TAG, "LocalTag" },
	{ BODY_DIALOG_REMOTE_TAG, "RemoteTag" },
	{ BODY_DIALOG_REFERRED_BY, "ReferredBy" },
	{ BODY_DIALOG_LOCAL_IDENTITY, "LocalIdentity" },
	{ BODY_DIALOG_LOCAL_DISPLAY, "LocalDisplayName" },
	{ BODY_DIALOG_LOCAL_TARGET, "LocalTarget" },
	{ BODY_DIALOG_LOCAL_RENDERING, "LocalRendering" },
	{ BODY_DIALOG_REMOTE_IDENTITY, "RemoteIdentity" },
	{ BODY_DIALOG_REMOTE_DISPLAY, "RemoteDisplayName" },
	{ BODY_DIALOG_REMOTE_TARGET, "RemoteTarget" },
	{ BODY_DIALOG_REMOTE_RENDERING, "RemoteRendering" },
};

/* Where the furthest of all dialogs has come (RFC 4235 section 3.7.1); one that is over is none. */
static struct slice furthest(const struct body_dialog *d)
{
	static const struct slice states[] = { SLICE_INIT("confirmed"), SLICE_INIT("early"),
		SLICE_INIT("proceeding"), SLICE_INIT("trying") };
	size_t best = ARRAY_LEN(states);

	list_for_each (node, &d->table.rows)
		for (size_t i = 0; i < best; i++)
			if (slice_eq(body_row_of(node)->cells[BODY_DIALOG_STATE], states[i]))
				best = i;
	return best < ARRAY_LEN(states) ? states[best] : SLICE("");
}

void iface_summary_write_dialog(struct bus_writer *w, const struct body_dialog *d)
{
	write_version(w, &d->version);
	bus_entry_str(w, "Entity", d->entity);
	bus_entry_s(w, "State", furthest(d));
	bus_open_entry(w, "Dialogs", "aa{sv}");
	bus_open_array(w, "a{sv}");
	list_for_each (node, &d->table.rows) {
		bus_open_dict(w);
		write_cells(w, body_row_of(node)->cells, dialog_columns, ARRAY_LEN(dialog_columns));
		bus_close(w);
	}
	bus_close(w);
	bus_close(w);
}

/* ---- registrations ---- */

static const struct column registration_columns[] = {
	{ BODY_REGISTRATION_ID, "Id" },
	{ BODY_REGISTRATION_AOR, "Aor" },
	{ BODY_REGISTRATION_STATE, "State" },
};

static const struct column contact_columns[] = {
	{ BODY_CONTACT_ID, "Id" },
	{ BODY_CONTACT_URI, "Uri" },
	{ BODY_CONTACT_STATE, "State" },
	{ BODY_CONTACT_EVENT, "Event" },
	{ BODY_CONTACT_EXPIRES, "Expires", true },
	{ BODY_CONTACT_RETRY_AFTER, "RetryAfter", true },
	{ BODY_CONTACT_DURATION, "Duration", true },
	{ BODY_CONTACT_CSEQ, "CSeq", true },
	{ BODY_CONTACT_CALL_ID, "CallId" },
	{ BODY_CONTACT_Q, "Q" },
	{ BODY_CONTACT_DISPLAY_NAME, "DisplayName" },
	{ BODY_CONTACT_INSTANCE, "InstanceId" },
	{ BODY_CONTACT_PUBLIC_GRUU, "Gruu" },
	{ BODY_CONTACT_TEMPORARY_GRUU, "TemporaryGruu" },
};

static void write_contacts(struct bus_writer *w, const struct body_row *registration)
{
	bus_open_entry(w, "Contacts", "aa{sv}");
	bus_open_array(w, "a{sv}");
	list_for_each (node, &registration->below) {
		const struct body_row *contact = list_entry(node, struct body_row, in_below);

		bus_open_dict(w);
		write_cells(w, contact->cells, contact_columns, ARRAY_LEN(contact_columns));
		bus_close(w);
	}
	bus_close(w);
	bus_close(w);
}

void iface_summary_write_reginfo(struct bus_writer *w, const struct body_reginfo *g)
{
	write_version(w, &g->version);
	bus_open_entry(w, "Registrations", "aa{sv}");
	bus_open_array(w, "a{sv}");
	list_for_each (node, &g->registrations.rows) {
		const struct body_row *row = body_row_of(node);

		bus_open_dict(w);
		write_cells(w, row->cells, registration_columns, ARRAY_LEN(registration_columns));
		write_contacts(w, row);
		bus_close(w);
	}
	bus_close(w);
	bus_close(w);
}

/* ---- messages ---- */

static void write_counts(struct bus_writer *w, const char *name, const struct message_counts *c)
{
	bus_open_entry(w, name, "(uuuu)");
	bus_open_struct(w);
	bus_write_u(w, c->fresh);
	bus_write_u(w, c->old);
	bus_write_u(w, c->urgent_fresh);
	bus_write_u(w, c->urgent_old);
	bus_close(w);
	bus_close(w);
}

void iface_summary_write_messages(struct bus_writer *w, const struct message_summary *m)
{
	static const char *const names[] = {
		[MESSAGE_VOICE] = "Voice",
		[MESSAGE_FAX] = "Fax",
		[MESSAGE_PAGER] = "Pager",
		[MESSAGE_MULTIMEDIA] = "Multimedia",
		[MESSAGE_TEXT] = "Text",
		[MESSAGE_NONE] = "None",
	};

	bus_entry_b(w, "MessagesWaiting", m->waiting);
	entry_if(w, "Account", m->account);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (m->counts[i].told)
			write_counts(w, names[i], &m->counts[i]);
	entry_if(w, "Headers", m->headers);
}

/* ---- lists ---- */

static const struct column instance_columns[] = {
	{ BODY_INSTANCE_LIST, "List" },
	{ BODY_INSTANCE_ID, "Instance" },
	{ BODY_INSTANCE_REASON, "Reason" },
};

void iface_summary_write_instance(struct bus_writer *w, const struct body_row *instance)
{
	write_cells(w, instance->cells, instance_columns, ARRAY_LEN(instance_columns));
}

/* instance NULL: nothing is known of it. */
static void write_resource(struct bus_writer *w, const struct slice *resource,
	const struct body_row *instance, uint64_t seed)
{
	struct slice type = instance ? instance->cells[BODY_INSTANCE_CONTENT_TYPE] : SLICE("");

	bus_open_dict(w);
	bus_entry_s(w, "Uri", resource[BODY_RESOURCE_URI]);
	entry_if(w, "Name", resource[BODY_RESOURCE_NAME]);
	bus_entry_s(w, "State", instance ? instance->cells[BODY_INSTANCE_STATE] : SLICE(""));
	if (instance)
		iface_summary_write_instance(w, instance);
	else
		entry_if(w, "List", resource[BODY_RESOURCE_LIST]);
	if (type.n) {
		bus_entry_s(w, "ContentType", type);
		bus_entry_ay(w, "Body", instance->cells[BODY_INSTANCE_CONTENT]);
		bus_open_entry(w, "Summary", "a{sv}");
		iface_summary_write_body(w, seed, type, instance->cells[BODY_INSTANCE_CONTENT]);
		bus_close(w);
	}
	bus_close(w);
}

void iface_summary_write_list(struct bus_writer *w, const struct body_list *l)
{
	const struct body_sublist *outer = body_list_outer(l);

	if (outer) {
		write_version(w, &outer->version);
		bus_entry_str(w, "Uri", outer->uri);
		entry_if(w, "Name", slice_str(outer->display));
	}
	bus_open_entry(w, "Resources", "aa{sv}");
	bus_open_array(w, "a{sv}");
	list_for_each (node, &l->instances.rows) {
		struct body_row *row = body_row_of(node);

		write_resource(w, body_list_resource_of(l, row)->cells, row, l->seed);
	}
	list_for_each (node, &l->resources.rows)
		if (list_is_empty(&body_row_of(node)->below))
			write_resource(w, body_row_of(node)->cells, NULL, l->seed);
	bus_close(w);
	bus_close(w);
}
