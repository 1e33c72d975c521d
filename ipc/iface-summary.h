/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Bodies as values that a script can use: an a{sv} by type of content, whose keys are those of
 * IFACE_SUMMARY_DOC. What comes in pieces is put together.
 */
#include "protocol/base/slice.h"

struct body_fault;
struct body_list;
struct bus_call;
struct bus_writer;
struct iface_summary;

/* Nothing read yet; seed: of the tables, nobody else's to guess. */
struct iface_summary *iface_summary_new(uint64_t seed);
void iface_summary_free(struct iface_summary *s);
/*
 * A body that came. An enum body_news (body-table.h); -EBADMSG, -EMSGSIZE: ret_fault says why, what
 * was known stays; -EOPNOTSUPP: nothing is known about that type.
 */
int iface_summary_take(struct iface_summary *s, struct slice content_type, struct slice body,
	struct body_fault *ret_fault);
/* Does what such a body says depend on those before it? Lists are asked for apart. */
bool iface_summary_is_piece(struct slice content_type);
bool iface_summary_is_list(struct slice content_type);
/* What comes next is of another dialog, with versions of its own; what is known stays until then.
 */
void iface_summary_restart(struct iface_summary *s);
/* Nothing is missing, as far as the documents' versions tell. */
bool iface_summary_is_complete(struct iface_summary *s);
/* A whole a{sv} of all that was taken; empty before. */
void iface_summary_write(struct bus_writer *w, const struct iface_summary *s);
/* The same of one body alone, with a seed as above; empty if it cannot be read. */
void iface_summary_write_body(
	struct bus_writer *w, uint64_t seed, struct slice content_type, struct slice body);
/* NULL: what was taken is no list. */
const struct body_list *iface_summary_list(const struct iface_summary *s);
/* Answers a call whose body could not be read. */
int iface_summary_fail(
	struct bus_call *c, int error, struct slice content_type, const struct body_fault *fault);

/* Manager.ReadBody. */
int iface_summary_read(struct bus_call *c, void *object);

#define IFACE_SUMMARY_DOC                                                                           \
	"By type of content; what was not said is left out. All: Kind s, and, of what comes in "    \
	"pieces, Version u and Complete b (false: something was lost, full state is asked for). "   \
	"presence (application/pidf+xml, RFC 3863): Entity s, Basic s (open if one tuple is, "      \
	"closed, or empty), Note s (the first), Notes a(ss) (text, language), Activities as "       \
	"(RFC 4480), Tuples aa{sv} with Id s, Basic s, Contact s, Priority s, Note s, "             \
	"Notes a(ss), Timestamp s. dialog (application/dialog-info+xml, RFC 4235): Entity s, "      \
	"State s (the furthest of all: confirmed, early, proceeding, trying, or empty), "           \
	"Dialogs aa{sv} with Id s, State s, Direction s, Event s, Code u, Duration u, CallId s, "   \
	"LocalTag s, RemoteTag s, ReferredBy s, LocalIdentity s, LocalDisplayName s, "              \
	"LocalTarget s, LocalRendering s, and Remote of the same. registration "                    \
	"(application/reginfo+xml, RFC 3680): Registrations aa{sv} with Id s, Aor s, State s, "     \
	"Contacts aa{sv} with Id s, Uri s, State s, Event s, Expires u, RetryAfter u, "             \
	"Duration u, CSeq u, CallId s, Q s, DisplayName s, InstanceId s, Gruu s, TemporaryGruu s. " \
	"messages (application/simple-message-summary, RFC 3842): MessagesWaiting b, Account s, "   \
	"Voice, Fax, Pager, Multimedia, Text, None (uuuu) (new, old, of these urgent new, urgent "  \
	"old), Headers s. "                                                                         \
	"list (multipart/related with application/rlmi+xml, RFC 4662): Uri s, Name s, "             \
	"Resources aa{sv}, one for each instance, with Uri s, Name s, State s (active, pending, "   \
	"terminated; empty: nothing is known), List s (the resource that is the list it is in), "   \
	"Instance s, Reason s, ContentType s, Body ay, Summary a{sv}."
