/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/build.h"
#include "protocol/msg/params.h"
#include "protocol/ua/microsoft.h"
#include "protocol/ua/registration-flows.h"
#include "protocol/ua/request-private.h"
#include "protocol/ua/request-route.h"

/* The text of a request outside dialogs (RFC 3261 section 8.1.1). */

enum {
	MAX_FORWARDS = 70, /* 8.1.1.6 */
	TAG_BYTES = 8,     /* 19.3 asks for 32 random bits at least */
	CALL_ID_BYTES = 16,
	BRANCH_BYTES = 12,
};

static void append_epid(struct buf *b, struct slice epid)
{
	if (!epid.n)
		return;
	buf_lit(b, ";epid=");
	buf_put(b, epid);
}

static void append_from(struct request *r, const struct request_spec *spec)
{
	const struct endpoint *ep = r->ep;
	struct buf v = BUF_NULL;

	if (spec->from.n)
		addr_append(&v, spec->from_display, spec->from);
	else
		addr_append(&v,
			spec->from_display.n ? spec->from_display : slice_str(ep->display_name),
			slice_str(ep->uri));
	buf_lit(&v, ";tag=");
	if (spec->from_tag.n)
		buf_put(&v, spec->from_tag);
	else
		ua_random_hex(ep->ua, &v, TAG_BYTES);
	/* It would tell who hides behind another name. */
	if (!spec->from.n)
		append_epid(&v, microsoft_epid(ep));
	build_header(&r->common, HDR_FROM, buf_slice(&v));
	buf_deinit(&v);
}

/* [MS-SIPRE] 3.2: a URI that names one endpoint of its user has that beside it in To. */
static void append_point(struct buf *b, struct slice display, const struct uri *uri)
{
	struct slice rest = uri->params, epid = SLICE_NULL;
	struct buf plain = BUF_NULL;
	struct param p;

	buf_put(&plain, slice_of(uri->text.p, (size_t)(uri->params.p - uri->text.p)));
	while (params_next(&rest, &p) == 1) {
		if (slice_eq_ci(p.name, SLICE("epid"))) {
			epid = p.value;
			continue;
		}
		buf_putc(&plain, ';');
		buf_put(&plain, p.name);
		if (p.value.p) {
			buf_putc(&plain, '=');
			buf_put(&plain, p.value);
		}
	}
	addr_append(b, display, buf_slice(&plain));
	append_epid(b, epid);
	buf_deinit(&plain);
}

static void append_to(struct request *r, const struct request_spec *spec)
{
	struct slice text = spec->to.n ? spec->to : spec->uri, epid;
	struct buf v = BUF_NULL;
	struct uri uri;

	if (microsoft_is_on(r->ep) && uri_parse(text, &uri) == 0 &&
		uri_param(&uri, SLICE("epid"), &epid))
		append_point(&v, spec->to_display, &uri);
	else
		addr_append(&v, spec->to_display, text);
	build_header(&r->common, HDR_TO, buf_slice(&v));
	buf_deinit(&v);
}

static void append_call_id(struct request *r, struct slice call_id)
{
	struct buf v = BUF_NULL;

	if (call_id.n)
		buf_put(&v, call_id);
	else
		ua_random_hex(r->ep->ua, &v, CALL_ID_BYTES);
	build_header(&r->common, HDR_CALL_ID, buf_slice(&v));
	buf_deinit(&v);
}

void request_build_common(struct request *r, const struct request_spec *spec)
{
	const char *user_agent = r->ep->ua->host->user_agent;

	build_header_u64(&r->common, HDR_MAX_FORWARDS, MAX_FORWARDS);
	if (spec->dialog) {
		dialog_append_names(&r->common, spec->dialog,
			spec->dialog->anonymous ? SLICE_NULL : microsoft_epid(r->ep));
	} else {
		append_from(r, spec);
		append_to(r, spec);
		append_call_id(r, spec->call_id);
	}
	for (size_t i = 0; i < spec->n_headers; i++) {
		build_header_named(&r->common, spec->headers[i].name, spec->headers[i].value);
		if (hdr_find(spec->headers[i].name) == HDR_USER_AGENT)
			user_agent = NULL;
	}
	buf_put(&r->common, spec->lines);
	if (user_agent)
		build_header(&r->common, HDR_USER_AGENT, slice_str(user_agent));
}

static void append_via(struct buf *b, struct request *r, const struct flow *f)
{
	struct buf branch = BUF_NULL;
	struct build_via via = {
		.transport = slice_str(transport_via_name(f->transport)),
		.host = flow_local_host(f),
		.port = f->local.port,
		/* What is negotiated by a registration holds for it (RFC 6223 section 4.2.2). */
		.keep = r->way.reg_id && r->contact == REQUEST_CONTACT,
	};

	/* 8.1.1.7: unique across space and time */
	buf_lit(&branch, VIA_COOKIE);
	ua_random_hex(r->ep->ua, &branch, BRANCH_BYTES);
	via.branch = buf_slice(&branch);
	build_via(b, &via);
	buf_deinit(&branch);
}

/* The outbound proxy as a loose route, RFC 3261 8.1.2 and 16.12.1.1. */
static void append_outbound_route(struct buf *v, const char *proxy)
{
	struct slice text = slice_str(proxy), lr;
	struct locate_target t;
	struct uri u;

	if (uri_parse(text, &u) == 0 && (u.scheme == URI_SIP || u.scheme == URI_SIPS)) {
		buf_putc(v, '<');
		buf_put(v, text);
		buf_str(v, uri_param(&u, SLICE("lr"), &lr) ? ">" : ";lr>");
	} else if (locate_target_parse(text, &t) == 0) {
		buf_lit(v, "<sip:");
		build_hostport(v, t.host, t.port);
		if (t.transport)
			buf_printf(v, ";transport=%s", transport_name(t.transport));
		buf_lit(v, ";lr>");
	}
}

/* The service route begins with the outbound proxy itself: visiting it once will do. */
static bool begins_with_proxy(const struct registration *reg, const char *proxy)
{
	struct locate_target t;
	struct addr a;
	struct slice first = slice_str(reg->service_route[0]);

	return addr_next(&first, &a) == 1 && locate_target_parse(slice_str(proxy), &t) == 0 &&
	       slice_eq_ci(uri_bare_host(&a.uri), t.host) && a.uri.port == t.port;
}

/*
 * Preloaded routes: what leads out of here first, then the Service-Route in its order (RFC 3608
 * sections 5 and 6.1), which is not for REGISTER. A dialog has its own (RFC 3261 12.2.1.1).
 */
static void append_routes(struct buf *b, const struct request *r)
{
	const struct registration *reg = registration_speaker(r->ep);
	const char *proxy = r->ep->outbound_proxy;
	size_t n = reg && r->way.server == REQUEST_TO_PROXY ? reg->n_service_route : 0;
	struct buf v = BUF_NULL;

	if (r->way.dialog) {
		dialog_append_routes(b, r->way.dialog);
		return;
	}
	if (r->way.route.n) {
		request_route_append(b, r->way.route, slice_str(r->targets[r->target].uri));
		return;
	}
	if (proxy && !(n && begins_with_proxy(reg, proxy))) {
		append_outbound_route(&v, proxy);
		build_header(b, HDR_ROUTE, buf_slice(&v));
		buf_deinit(&v);
	}
	for (size_t i = 0; i < n; i++)
		build_header(b, HDR_ROUTE, slice_str(reg->service_route[i]));
}

/*
 * 8.1.1.8: a sips URI as Request-URI or top Route asks for a sips Contact, as does a dialog that
 * began with one (12.1.1).
 */
static enum uri_scheme contact_scheme(const struct request *r)
{
	struct uri target, hop;

	if (request_route_first(r->way.route, &hop) && hop.scheme == URI_SIPS)
		return URI_SIPS;
	if (uri_parse(slice_str(r->targets[r->target].uri), &target) == 0 &&
		target.scheme == URI_SIPS)
		return URI_SIPS;
	if (r->way.dialog &&
		(r->way.dialog->secure || (uri_parse(dialog_next_hop(r->way.dialog), &hop) == 0 &&
						  hop.scheme == URI_SIPS)))
		return URI_SIPS;
	return URI_SIP;
}

/* The registrar drops the binding to where we were, in the same step (RFC 3261 10.2.2, 10.3). */
static void append_stale_contact(struct buf *b, const struct request *r, const struct flow *f)
{
	struct buf v = BUF_NULL;
	struct uri stale, now;

	endpoint_append_contact_uri(&v, r->ep, f, contact_scheme(r));
	if (uri_parse(slice_str(r->stale_contact), &stale) == 0 &&
		uri_parse(buf_slice(&v), &now) == 0 && !uri_equal(&stale, &now)) {
		buf_reset(&v);
		buf_printf(&v, "<%s>;expires=0", r->stale_contact);
		build_header(b, HDR_CONTACT, buf_slice(&v));
	}
	buf_deinit(&v);
}

/* What is registered is where we are, never a GRUU of it (RFC 5627 4.1). */
static void append_binding(struct buf *b, const struct request *r, const struct flow *f)
{
	struct buf v = BUF_NULL;

	buf_putc(&v, '<');
	endpoint_append_contact_uri(&v, r->ep, f, contact_scheme(r));
	buf_putc(&v, '>');
	buf_str(&v, r->contact_params);
	build_header(b, HDR_CONTACT, buf_slice(&v));
	buf_deinit(&v);
	append_stale_contact(b, r, f);
}

static void append_contact(struct buf *b, const struct request *r, const struct flow *f)
{
	struct contact c = {
		.ep = r->ep,
		.flow = f,
		.scheme = contact_scheme(r),
		.privacy = r->privacy,
	};

	if (r->way.server == REQUEST_TO_REGISTRAR)
		append_binding(b, r, f);
	else
		contact_append(b, &c);
}

void request_build(struct buf *b, struct request *r, const struct flow *f, struct slice credentials)
{
	struct buf uri = BUF_NULL;

	request_route_append_uri(&uri, r->way.route, slice_str(r->targets[r->target].uri));
	build_request_line(b, slice_str(r->method), buf_slice(&uri));
	buf_deinit(&uri);
	append_via(b, r, f);
	append_routes(b, r);
	buf_put(b, buf_slice(&r->common));
	build_cseq(b, r->cseq, slice_str(r->method));
	if (r->contact == REQUEST_CONTACT)
		append_contact(b, r, f);
	buf_put(b, credentials);
	build_body(b, slice_str(r->content_type), slice_of(r->body, r->body_n));
}
