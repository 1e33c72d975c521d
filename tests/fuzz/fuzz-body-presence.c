/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as presence: every tuple, note and activity can be read, and the overall word fits them. */
#include <stdlib.h>

#include "ipc/body-fault.h"
#include "ipc/body-presence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void read_notes(const struct body_element *at)
{
	struct body_note note;

	while (body_presence_next_note(&at, &note))
		require(slice_is_utf8(note.text) && slice_is_utf8(note.lang));
}

static void read_persons(const struct body_element *at)
{
	struct body_person person;
	struct slice word;

	while (body_presence_next_person(&at, &person)) {
		read_notes(person.notes);
		while (body_presence_next_activity(&person.activities, &word))
			require(word.n > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct body_element *at;
	struct body_presence p;
	struct body_fault fault;
	struct body_tuple t;
	bool open = false;

	if (body_presence_parse(slice_of((const char *)data, size), &fault, &p) < 0) {
		require(fault.text[0]);
		return 0;
	}
	at = p.tuples;
	while (body_presence_next_tuple(&at, &t)) {
		open |= t.basic == BODY_BASIC_OPEN;
		read_notes(t.notes);
	}
	require(open == (p.basic == BODY_BASIC_OPEN));
	read_notes(p.notes);
	read_persons(p.persons);
	body_presence_deinit(&p);
	return 0;
}
