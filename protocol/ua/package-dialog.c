/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/privacy.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/package-private.h"
#include "protocol/ua/session-private.h"

/* RFC 4235: one dialog element for each session. */

/* ---- one session ---- */

/* 3.7.1. A 1xx with a tag makes a dialog; without one there is none yet. */
static const char *state_of(const struct session *s)
{
	switch (s->state) {
	case SESSION_INCOMING:
	case SESSION_TRYING:
		return "trying";
	case SESSION_RINGING:
	case SESSION_EARLY:
		return list_is_empty(&s->legs) ? "proceeding" : "early";
	case SESSION_ESTABLISHED:
		return "confirmed";
	case SESSION_TERMINATING:
	case SESSION_TERMINATED:
		break;
	}
	return "terminated";
}

static bool hides(const struct msg *m)
{
	return m && privacy_is_wanted(m);
}

/* Either side wants not to be known: then nothing but the state is said (6.3). */
static bool is_private(const struct session *s)
{
	const struct dialog *d = s->leg ? s->leg->usage.dialog : NULL;

	return hides(s->invite_msg) || hides(s->final_msg) || (d && d->anonymous);
}

/* The dialog that counts, or that came first. */
static const struct dialog *dialog_of(const struct session *s)
{
	const struct list *first = list_first(&s->legs);

	if (s->leg)
		return s->leg->usage.dialog;
	return first ? list_entry((struct list *)(uintptr_t)first, struct leg, node)->usage.dialog
		     : NULL;
}

static void append_names(struct buf *b, const struct session *s)
{
	const struct dialog *d = dialog_of(s);

	if (s->call_id)
		package_append_attribute(b, "call-id", slice_str(s->call_id));
	if (d) {
		package_append_attribute(b, "local-tag", d->local_tag);
		if (d->remote_tag[0])
			package_append_attribute(b, "remote-tag", slice_str(d->remote_tag));
	}
	package_append_attribute(
		b, "direction", s->outgoing ? SLICE("initiator") : SLICE("recipient"));
}

/* The schema has display-name, the text display: readers look for what the examples show. */
static void append_party(
	struct buf *b, const char *element, const char *name_addr, struct slice target)
{
	struct buf display = BUF_NULL;
	struct addr a;

	if (!name_addr || addr_parse(slice_str(name_addr), &a) < 0)
		return;
	buf_printf(b, "<%s><identity", element);
	if (a.display.n) {
		addr_append_display(&display, &a);
		package_append_attribute(b, "display", buf_slice(&display));
		buf_deinit(&display);
	}
	buf_putc(b, '>');
	package_append_text(b, a.uri.text);
	buf_lit(b, "</identity>");
	if (target.n) {
		buf_lit(b, "<target");
		package_append_attribute(b, "uri", target);
		buf_lit(b, "/>");
	}
	buf_printf(b, "</%s>", element);
}

static void append_session(struct buf *b, const struct session *s)
{
	bool open = !is_private(s);

	buf_lit(b, "<dialog");
	package_append_attribute(b, "id", slice_str(s->id));
	if (open)
		append_names(b, s);
	buf_printf(b, "><state>%s</state>", state_of(s));
	if (open) {
		append_party(b, "local", s->local, SLICE_NULL);
		append_party(b, "remote", s->remote, session_remote_target(s));
	}
	buf_lit(b, "</dialog>\n");
}

/* ---- the document ---- */

static void append_rest(struct buf *b, const struct endpoint *ep)
{
	unsigned n = 0;

	buf_lit(b, "\" state=\"full\"");
	package_append_attribute(b, "entity", slice_str(ep->uri));
	buf_lit(b, ">\n");
	list_for_each (node, &ep->sessions) {
		const struct session *s = list_entry(node, struct session, node);

		/* In a full state what is over is left out (4.3). */
		if (s->hidden || s->removed || s->state == SESSION_TERMINATED)
			continue;
		if (n++ < LIMITS_PACKAGE_ROWS)
			append_session(b, s);
	}
	buf_lit(b, "</dialog-info>\n");
}

const struct package package_dialog = {
	.name = PROFILE_PACKAGE_DIALOG,
	.event = "dialog",
	.type = "application/dialog-info+xml",
	.head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"",
	.append_rest = append_rest,
};
