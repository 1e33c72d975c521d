/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct body_element;
struct body_fault;
struct body_xml;

/*
 * Presence as PIDF has it (RFC 3863), its older draft (application/cpim-pidf+xml) included, with
 * the notes and activities of a person (RFC 4479, RFC 4480). Extensions that are not known are
 * stepped over (RFC 3863 section 4.2.3).
 */
enum body_basic {
	BODY_BASIC_UNKNOWN, /* nothing was said, or what is neither of the two */
	BODY_BASIC_OPEN,
	BODY_BASIC_CLOSED,
};
/* "open", "closed", "" */
const char *body_basic_name(enum body_basic b);

/* Slices and elements live as long as the whole; notes, tuples: the first, for the readers below.
 */
struct body_presence {
	struct body_xml *xml;
	struct slice entity;
	/* Open if one of the tuples is: there is a way to reach somebody; closed if all are that
	 * say something. */
	enum body_basic basic;
	const struct body_element *notes, *tuples, *persons;
};

/* Priority as it was written; what is not in 0..1 with three decimals at most counts as not there
 * (4.1.5). */
struct body_tuple {
	struct slice id, contact, priority, timestamp;
	enum body_basic basic;
	const struct body_element *notes;
};

struct body_note {
	struct slice text, lang;
};

/* -EBADMSG, -EMSGSIZE: ret_fault says why. */
int body_presence_parse(
	struct slice body, struct body_fault *ret_fault, struct body_presence *ret_presence);
void body_presence_deinit(struct body_presence *p);

/*
 * Each gives what stands at *at and moves that to the next one; false at the end. Begin with a copy
 * of what the structs above point to.
 */
bool body_presence_next_tuple(const struct body_element **at, struct body_tuple *ret_tuple);
bool body_presence_next_note(const struct body_element **at, struct body_note *ret_note);
/* A person (RFC 4479 section 3.2): where its notes begin, and the words for what it does. */
struct body_person {
	struct slice id;
	const struct body_element *notes, *activities;
};
bool body_presence_next_person(const struct body_element **at, struct body_person *ret_person);
/* "away", "on-the-phone" and the like (RFC 4480 section 3.2). */
bool body_presence_next_activity(const struct body_element **at, struct slice *ret_word);
