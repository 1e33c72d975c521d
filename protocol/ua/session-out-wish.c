/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/dialog-id.h"
#include "protocol/msg/params.h"
#include "protocol/msg/privacy.h"
#include "protocol/ua/request-route.h"
#include "protocol/ua/session-out.h"

/* What a client may wish of an INVITE, and how it is written down. */

static int refuse(const char *why, const char **ret_why)
{
	*ret_why = why;
	return -EINVAL;
}

int session_out_check_target(struct slice target, const char **ret_why)
{
	struct uri uri;

	if (uri_parse(target, &uri) < 0)
		return refuse("the target is no URI", ret_why);
	if (uri.scheme == URI_OTHER)
		return refuse("the target's scheme is none of sip, sips and tel", ret_why);
	if (uri.headers.n)
		return refuse("the target has header fields in it", ret_why);
	return 0;
}

static int read_target(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	struct buf remote = BUF_NULL;
	int r = session_out_check_target(spec->target, ret_why);

	if (r < 0)
		return r;
	s->request_uri = slice_dup(spec->target);
	addr_append(&remote, SLICE_NULL, spec->target);
	s->remote = buf_take(&remote);
	return 0;
}

static int read_offer(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	if (spec->offer.bytes.n && !spec->offer.type.n)
		return refuse("a description needs a content type", ret_why);
	if (!build_header_is_safe(SLICE("Content-Type"), spec->offer.type))
		return refuse("the content type has a line break in it", ret_why);
	leg_body_set(&s->out->offer, &spec->offer);
	s->first_offer = spec->offer.bytes.n ? OFFER_LOCAL : OFFER_NONE;
	return 0;
}

/* Types and parties as profiles list them: two phones are joined by a third party. */
static int read_type(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	static const struct {
		const char *type, *party;
	} types[] = {
		{ "pc2pc", "first" },
		{ "pc2ph", "first" },
		{ "im", "first" },
		{ "ph2ph", "third" },
	};
	struct slice asked = spec->type.n ? spec->type : SLICE("pc2pc");

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!slice_eq(asked, slice_str(types[i].type)))
			continue;
		s->type = mem_strdup(types[i].type);
		s->party = mem_strdup(types[i].party);
		return 0;
	}
	return refuse("the type is none of pc2pc, pc2ph, ph2ph and im", ret_why);
}

static int read_headers(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	int r = session_append_headers(&s->out->lines, &spec->headers);

	if (r < 0)
		*ret_why = "a header cannot be used";
	else
		leg_message_note_packages(s, &spec->headers);
	return r;
}

static int read_route(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	int r = request_route_check(s->ep, spec->route, ret_why);

	if (r == 0 && spec->route.n)
		s->out->route = slice_dup(spec->route);
	return r;
}

/* ---- Replaces and Join ---- */

static void append_dialog(struct buf *b, enum hdr_id id, struct slice value, bool required)
{
	build_header(b, id, value);
	if (required)
		build_header(
			b, HDR_REQUIRE, id == HDR_REPLACES ? SLICE("replaces") : SLICE("join"));
}

static int append_names(
	struct buf *b, enum hdr_id id, const struct session *other, const char **ret_why)
{
	const struct leg *l = other->leg;
	struct buf v = BUF_NULL;
	struct dialog_id names;

	/* RFC 3891 section 4: not an early dialog that its target did not begin. */
	if (!l || l->over)
		return refuse("the other session has no dialog to be named", ret_why);
	/* The tags stand as they are for the peer, who is to find the dialog (section 3). */
	names = (struct dialog_id){
		.call_id = l->usage.dialog->call_id,
		.to_tag = slice_str(l->usage.dialog->remote_tag),
		.from_tag = l->usage.dialog->local_tag,
	};
	dialog_id_append(&v, &names);
	append_dialog(b, id, buf_slice(&v), true);
	buf_deinit(&v);
	return 0;
}

static int append_value(
	struct buf *b, enum hdr_id id, const struct session_spec *spec, const char **ret_why)
{
	struct slice value = id == HDR_REPLACES ? spec->replaces_value : spec->join_value;
	struct dialog_id names;

	if (!build_header_is_safe(SLICE("Replaces"), value) || dialog_id_parse(value, &names) < 0)
		return refuse("Replaces or Join names no dialog", ret_why);
	append_dialog(b, id, value, spec->replaces_required);
	return 0;
}

static int read_dialogs(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	struct buf *b = &s->out->lines;
	int n = (spec->replaces != NULL) + (spec->join != NULL) + (spec->replaces_value.n > 0) +
		(spec->join_value.n > 0);

	if (n > 1) /* RFC 3891 section 3, RFC 3911 section 4 */
		return refuse("one dialog alone can be replaced or joined", ret_why);
	if (spec->replaces)
		return append_names(b, HDR_REPLACES, spec->replaces, ret_why);
	if (spec->join)
		return append_names(b, HDR_JOIN, spec->join, ret_why);
	if (spec->replaces_value.n)
		return append_value(b, HDR_REPLACES, spec, ret_why);
	if (spec->join_value.n)
		return append_value(b, HDR_JOIN, spec, ret_why);
	return 0;
}

/* ---- privacy ---- */

/*
 * The user agent hides the user itself and does not ask the network for that ("user", RFC 3323
 * section 4.2); what only the network can do is asked for, and "critical" means that alone.
 */
static void append_privacy(struct buf *b, struct slice levels, unsigned mask)
{
	struct buf v = BUF_NULL;

	while (levels.n) {
		size_t end = 0;
		struct slice level;

		while (end < levels.n && levels.p[end] != ';' && levels.p[end] != ',')
			end++;
		level = slice_trim(slice_head(levels, end));
		levels = slice_skip(levels, end + 1);
		if (slice_eq_ci(level, SLICE("user")) || slice_eq_ci(level, SLICE("critical")))
			continue;
		if (v.n)
			buf_putc(&v, ';');
		buf_put(&v, level);
	}
	if (v.n && mask & PRIVACY_CRITICAL)
		buf_lit(&v, ";critical");
	if (v.n)
		build_header(b, HDR_PRIVACY, buf_slice(&v));
	buf_deinit(&v);
}

static int read_privacy(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	unsigned mask = 0;

	if (!spec->privacy.n)
		return 0;
	if (!build_header_is_safe(SLICE("Privacy"), spec->privacy) ||
		privacy_parse(spec->privacy, &mask) < 0)
		return refuse("the privacy level is malformed", ret_why);
	if (mask & PRIVACY_NONE && mask != PRIVACY_NONE) /* RFC 3323 section 4.2 */
		return refuse("no other privacy level goes with none", ret_why);
	append_privacy(&s->out->lines, spec->privacy, mask);
	if (mask & (PRIVACY_USER | PRIVACY_ID | PRIVACY_HEADER)) {
		s->out->from = mem_strdup("sip:anonymous@anonymous.invalid"); /* 4.1.1.3 */
		s->out->from_display = mem_strdup("Anonymous");
	}
	return 0;
}

static int read_from(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	const struct session_out *o = s->out;
	struct buf local = BUF_NULL;

	(void)spec;
	(void)ret_why;
	addr_append(&local, slice_str(o->from ? o->from_display : s->ep->display_name),
		slice_str(o->from ? o->from : s->ep->uri));
	s->local = buf_take(&local);
	return 0;
}

static int read_referred_by(
	struct session *s, const struct session_spec *spec, const char **ret_why)
{
	struct addr a;

	if (!spec->referred_by.n)
		return 0;
	if (!build_header_is_safe(SLICE("Referred-By"), spec->referred_by) ||
		addr_parse(spec->referred_by, &a) < 0) /* RFC 3892 section 3 */
		return refuse("Referred-By is no address", ret_why);
	build_header(&s->out->lines, HDR_REFERRED_BY, spec->referred_by);
	return 0;
}

int session_out_read(struct session *s, const struct session_spec *spec, const char **ret_why)
{
	static int (*const readers[])(
		struct session *, const struct session_spec *, const char **) = {
		read_target,
		read_offer,
		read_type,
		read_headers,
		read_route,
		read_dialogs,
		read_privacy,
		read_from,
		read_referred_by,
	};
	int r = 0;

	s->out = mem_new(struct session_out);
	s->out->timeout = spec->timeout;
	for (size_t i = 0; i < ARRAY_LEN(readers) && r == 0; i++)
		r = readers[i](s, spec, ret_why);
	return r;
}
