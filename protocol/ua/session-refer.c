/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/session-refer.h"

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/refer-to.h"
#include "protocol/msg/target-dialog.h"
#include "protocol/msg/uri-headers.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/refer-in-private.h"
#include "protocol/ua/session-private.h"

/* The verbs of transfer: what a session refers to, and what becomes of a REFER to it. */

/* ---- ours ---- */

static struct leg *established_leg(const struct session *s)
{
	return s->state == SESSION_ESTABLISHED && s->leg && !s->leg->over ? s->leg : NULL;
}

/* As the recipient of Replaces, the peer of that dialog, sees it (RFC 3891 section 6.1). */
static struct dialog_id id_for_peer(const struct dialog *d)
{
	return (struct dialog_id){
		.call_id = d->call_id,
		.to_tag = slice_str(d->remote_tag),
		.from_tag = d->local_tag,
	};
}

/* The URI with Replaces as one of its headers (RFC 5589 section 7). */
static int append_target(struct buf *b, const struct session_refer *r)
{
	struct leg *other = r->replaces ? established_leg(r->replaces) : NULL;
	struct slice target = r->target;
	struct buf value = BUF_NULL;
	struct dialog_id id;
	struct uri uri;

	if (r->replaces && !other)
		return -ESTALE;
	if (!target.n && other)
		target = slice_str(other->usage.dialog->remote_target);
	if (uri_parse(target, &uri) < 0)
		return -EINVAL;
	buf_put(b, target);
	if (!other)
		return 0;
	if (uri.scheme != URI_SIP && uri.scheme != URI_SIPS)
		return -EINVAL;
	buf_putc(b, uri.headers.p ? '&' : '?');
	buf_lit(b, "Replaces=");
	id = id_for_peer(other->usage.dialog);
	dialog_id_append(&value, &id);
	uri_append_header_value(b, buf_slice(&value));
	buf_deinit(&value);
	/* Whoever gets the call instead is not to take it for one of its own (7.3). */
	buf_lit(b, "&Require=replaces");
	return 0;
}

static bool is_gruu(const char *text)
{
	struct slice value;
	struct uri uri;

	return uri_parse(slice_str(text), &uri) == 0 && uri_param(&uri, SLICE("gr"), &value);
}

/*
 * RFC 7647 section 4: where the peer has a GRUU, the REFER goes outside of the dialog and names it
 * by Target-Dialog.
 */
static int send(struct leg *l, struct refer_wish *w, struct buf *lines, struct refer **ret_refer)
{
	const struct dialog *d = l->usage.dialog;
	struct buf value = BUF_NULL;
	struct dialog_id id;
	int error;

	if (!is_gruu(d->remote_target)) {
		w->lines = buf_slice(lines);
		return refer_send(l->s->ep, l, w, ret_refer);
	}
	id = id_for_peer(d);
	target_dialog_append(&value, &id);
	build_header(lines, HDR_TARGET_DIALOG, buf_slice(&value));
	buf_deinit(&value);
	w->lines = buf_slice(lines);
	w->target = slice_str(d->remote_target);
	error = refer_send(l->s->ep, NULL, w, ret_refer);
	return error;
}

int session_refer(struct session *s, const struct session_refer *r)
{
	UA_SCOPE(s->ua);
	struct refer_wish w = { .no_subscription = r->no_subscription };
	struct buf target = BUF_NULL, lines = BUF_NULL;
	struct leg *l = established_leg(s);
	struct refer *refer = NULL;
	int error;

	if (!l)
		return -ESTALE;
	if (list_length(&l->refers) >= LIMITS_REFERS_PER_SESSION)
		return -ENOSPC;
	error = append_target(&target, r);
	if (error == 0)
		error = session_append_headers(&lines, &r->headers);
	if (error == 0) {
		w.refer_to = buf_slice(&target);
		if (!refer_names_referrer(&r->headers))
			w.referred_by = slice_str(s->local);
		error = send(l, &w, &lines, &refer);
	}
	if (refer) {
		refer->leg = l;
		list_append(&l->refers, &refer->in_leg);
	}
	buf_deinit(&target);
	buf_deinit(&lines);
	return error;
}

/* ---- the peer's ---- */

static struct refer_in *find(const struct session *s, uint32_t id)
{
	list_for_each (node, &s->legs) {
		const struct leg *l = list_entry(node, struct leg, node);

		list_for_each (at, &l->refers_in) {
			struct refer_in *r = list_entry(at, struct refer_in, in_leg);

			if (r->id == id)
				return r;
		}
	}
	return NULL;
}

int session_accept_refer(struct session *s, uint32_t id)
{
	UA_SCOPE(s->ua);
	struct refer_in *r = find(s, id);

	return r ? refer_in_accept(r) : -ENOENT;
}

int session_reject_refer(struct session *s, uint32_t id, unsigned status)
{
	UA_SCOPE(s->ua);
	struct refer_in *r = find(s, id);

	if (status && (status < 300 || status > 699))
		return -EINVAL;
	return r ? refer_in_reject(r, status ? status : 603) : -ENOENT;
}

int session_notify_refer(struct session *s, uint32_t id, unsigned status, struct slice reason)
{
	UA_SCOPE(s->ua);
	struct refer_in *r = find(s, id);

	if (status < 100 || status > 699 || !build_header_is_safe(SLICE("Reason-Phrase"), reason))
		return -EINVAL;
	return r ? refer_in_notify(r, status, reason) : -ENOENT;
}

/* ---- doing what the peer asks for ---- */

enum { MAX_WISHES = 8 };

/* What Refer-To asks for, beside the client's own. */
struct wish {
	struct buf target, replaces, join;
	bool required; /* Require names Replaces or Join */
	struct request_header headers[LIMITS_USER_HEADERS + MAX_WISHES];
	size_t n;
	char *values[MAX_WISHES];
	size_t n_values;
};

/*
 * RFC 3261 19.1.5: a header of a URI is a wish of whoever wrote it. Those that choose whom to reach
 * or say why are granted; none may speak for us.
 */
static bool is_harmless(struct slice name)
{
	static const enum hdr_id ids[] = {
		HDR_ACCEPT_CONTACT,
		HDR_PRIORITY,
		HDR_REJECT_CONTACT,
		HDR_REQUEST_DISPOSITION,
		HDR_SUBJECT,
	};
	enum hdr_id id = hdr_find(name);

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		if (ids[i] == id)
			return true;
	return slice_eq_ci(name, SLICE("User-to-User")); /* RFC 7433 4.2: UUI through REFER */
}

static void add_header(struct wish *w, struct slice name, struct slice value)
{
	if (w->n_values == MAX_WISHES || !is_harmless(name))
		return;
	w->values[w->n_values] = slice_dup(value);
	w->headers[w->n].name = name;
	w->headers[w->n].value = slice_str(w->values[w->n_values]);
	w->n++;
	w->n_values++;
}

static int read_headers(struct wish *w, struct slice headers)
{
	struct buf value = BUF_NULL;
	struct slice name;
	int more;

	while ((more = uri_header_next(&headers, &name, &value)) == 1) {
		if (hdr_find(name) == HDR_REPLACES && !w->replaces.n)
			buf_put(&w->replaces, buf_slice(&value));
		else if (hdr_find(name) == HDR_JOIN && !w->join.n)
			buf_put(&w->join, buf_slice(&value));
		else if (hdr_find(name) == HDR_REQUIRE)
			w->required = w->required ||
				      slice_eq_ci(buf_slice(&value), SLICE("replaces")) ||
				      slice_eq_ci(buf_slice(&value), SLICE("join"));
		else
			add_header(w, name, buf_slice(&value));
	}
	buf_deinit(&value);
	return more;
}

static int read_wish(struct wish *w, const struct refer_in *r)
{
	struct refer_to to;

	if (refer_to_parse(msg_header(r->request, HDR_REFER_TO), &to) < 0 ||
		to.addr.uri.scheme == URI_OTHER || to.method != METHOD_INVITE)
		return -EOPNOTSUPP;
	refer_to_append_target(&w->target, &to);
	return read_headers(w, to.addr.uri.headers) < 0 ? -EOPNOTSUPP : 0;
}

static void clear_wish(struct wish *w)
{
	buf_deinit(&w->target);
	buf_deinit(&w->replaces);
	buf_deinit(&w->join);
	for (size_t i = 0; i < w->n_values; i++)
		free(w->values[i]);
}

static int call(struct refer_in *r, const struct session_spec *spec, struct wish *w,
	struct session **ret_session, const char **ret_why)
{
	struct session_spec s = *spec;

	*ret_why = "no INVITE to a SIP or tel URI";
	for (size_t i = 0; i < spec->headers.n && i < LIMITS_USER_HEADERS; i++)
		w->headers[w->n++] = spec->headers.list[i];
	if (read_wish(w, r) < 0)
		return -EOPNOTSUPP;
	s.target = buf_slice(&w->target);
	s.replaces = s.join = NULL;
	s.replaces_value = buf_slice(&w->replaces);
	s.join_value = buf_slice(&w->join);
	s.replaces_required = w->required;
	s.referred_by = msg_header(r->request, HDR_REFERRED_BY);
	s.headers = (struct session_headers){ .list = w->headers, .n = w->n };
	return session_new(r->ep, &s, ret_session, ret_why);
}

int session_follow_refer(struct session *s, uint32_t id, const struct session_spec *spec,
	struct session **ret_session, const char **ret_why)
{
	UA_SCOPE(s->ua);
	struct refer_in *r = find(s, id);
	struct wish w = { .n = 0 };
	int error;

	*ret_why = "no such REFER";
	if (!r)
		return -ENOENT;
	*ret_why = "it is followed, or ended, already";
	if (r->follows || r->status >= 200)
		return -ESTALE;
	error = call(r, spec, &w, ret_session, ret_why);
	clear_wish(&w);
	if (error < 0)
		return error;
	/* A REFER that cannot be accepted is answered so; the call goes on by itself. */
	if (r->accepted || refer_in_accept(r) == 0)
		refer_in_follow(r, *ret_session);
	return 0;
}
