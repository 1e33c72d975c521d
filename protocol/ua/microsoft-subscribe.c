/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/microsoft-subscribe.h"

#include "protocol/base/mem.h"
#include "protocol/msg/build.h"
#include "protocol/msg/event.h"
#include "protocol/msg/msg.h"
#include "protocol/msg/resource-list.h"
#include "protocol/ua/microsoft-private.h"
#include "protocol/ua/subscription-list.h"

/* [MS-PRES] 2.2.2.4: the newer of two forms, for which the client says that it reads categories. */
#define CATEGORIES "application/msrtc-event-categories+xml"

enum {
	REFRESH_MARGIN = 15 * 60, /* seconds, of UCMA's SipSubscription */
	MOST_CSEQ = INT32_MAX,    /* RFC 3261 8.1.1.5 */
};

/* ---- what a SUBSCRIBE says ---- */

void microsoft_append_subscribe(struct buf *b, const struct endpoint *ep)
{
	if (!microsoft_is_on(ep))
		return;
	/* One for each, as the servers' own clients have it. */
	build_header(b, HDR_SUPPORTED, SLICE("com.microsoft.autoextend"));
	build_header(b, HDR_SUPPORTED, SLICE("ms-benotify"));
	build_header(b, HDR_PROXY_REQUIRE, SLICE("ms-benotify"));
	build_header(b, HDR_SUPPORTED, SLICE("ms-piggyback-first-notify"));
}

/* ---- many resources in one ---- */

void microsoft_learn_batches(struct endpoint *ep, const struct msg *m)
{
	if (ep->microsoft)
		ep->microsoft->no_batches = !msg_has_token(m, HDR_SUPPORTED, SLICE("adhoclist"));
}

static bool contains_ci(struct slice text, struct slice part)
{
	for (size_t i = 0; i + part.n <= text.n; i++)
		if (slice_eq_ci(slice_of(text.p + i, part.n), part))
			return true;
	return false;
}

static void append_resources(struct buf *b, const struct slice *uris, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_lit(b, "<resource uri=\"");
		resource_list_append_escaped(b, uris[i]);
		buf_lit(b, "\"/>\r\n");
	}
}

/* The list is the user's own: uri is who subscribes ([MS-SIP] 3.3.4.1). */
static void append_owner(struct buf *b, const struct endpoint *ep)
{
	buf_lit(b, " uri=\"");
	resource_list_append_escaped(b, slice_str(ep->uri));
	buf_lit(b, "\" name=\"");
}

static void write_adrl(struct subscription_targets *t, const struct endpoint *ep,
	const struct slice *uris, size_t n)
{
	struct buf *b = &t->body;

	t->content_type = SLICE("application/adrl+xml");
	t->lines = SLICE("Require: adhoclist\r\n");
	t->accept = SLICE("text/xml+msrtc.pidf");
	buf_lit(b, "<adhoclist xmlns=\"urn:ietf:params:xml:ns:adrl\"");
	append_owner(b, ep);
	resource_list_append_escaped(b, slice_str(ep->uri));
	buf_lit(b, "\">\r\n<create xmlns=\"\">\r\n");
	append_resources(b, uris, n);
	buf_lit(b, "</create>\r\n</adhoclist>\r\n");
}

static void write_categories(struct subscription_targets *t, const struct endpoint *ep,
	const struct slice *uris, size_t n)
{
	struct buf *b = &t->body;

	t->content_type = SLICE("application/msrtc-adrl-categorylist+xml");
	t->lines = SLICE("Require: adhoclist, categoryList\r\n");
	buf_lit(b, "<batchSub xmlns=\"http://schemas.microsoft.com/2006/01/sip/batch-subscribe\"");
	append_owner(b, ep);
	buf_lit(b, "\">\r\n<action name=\"subscribe\" id=\"1\">\r\n<adhocList>\r\n");
	append_resources(b, uris, n);
	buf_lit(b, "</adhocList>\r\n<categoryList "
		   "xmlns=\"http://schemas.microsoft.com/2006/09/sip/categorylist\">\r\n"
		   "<category name=\"calendarData\"/>\r\n"
		   "<category name=\"contactCard\"/>\r\n"
		   "<category name=\"note\"/>\r\n"
		   "<category name=\"services\"/>\r\n"
		   "<category name=\"state\"/>\r\n"
		   "</categoryList>\r\n</action>\r\n</batchSub>\r\n");
}

bool microsoft_batch(struct subscription_targets *t, const struct endpoint *ep,
	const struct subscription_spec *spec, const struct slice *uris, size_t n)
{
	if (!ep->microsoft || ep->microsoft->no_batches)
		return false;
	if (contains_ci(spec->accept, SLICE(CATEGORIES)))
		write_categories(t, ep, uris, n);
	else
		write_adrl(t, ep, uris, n);
	t->repeated = true;
	return true;
}

/* ---- what comes back ---- */

bool microsoft_is_piggyback(const struct endpoint *ep, const struct msg *m, uint32_t *ret_cseq)
{
	struct slice cseq = msg_header_named(m, SLICE("ms-piggyback-cseq"));

	if (!microsoft_is_on(ep) ||
		(!cseq.p && (!m->body.n || !msg_has_token(m, HDR_SUPPORTED,
						   SLICE("ms-piggyback-first-notify")))))
		return false;
	if (!slice_to_u32(cseq, MOST_CSEQ, ret_cseq))
		*ret_cseq = 0;
	return true;
}

bool microsoft_takes_benotify(const struct endpoint *ep, const struct msg *m)
{
	return m->method == METHOD_BENOTIFY && microsoft_is_on(ep);
}

usec_t microsoft_refresh_delay(const struct endpoint *ep, uint32_t granted)
{
	if (!microsoft_is_on(ep))
		return 0;
	return (granted > 2 * REFRESH_MARGIN ? granted - REFRESH_MARGIN : granted / 2) *
	       USEC_PER_SEC;
}

bool microsoft_is_exclusive(const struct endpoint *ep, struct slice event)
{
	struct event e;

	return microsoft_is_on(ep) && event_parse(event, &e) == 0 &&
	       slice_eq_ci(e.type, SLICE("vnd-microsoft-roaming-self"));
}
