/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoint.SendPage and QueryCapabilities: calls that wait for the far end's final answer. */
#include "ipc/bus-call.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/iface-begin.h"
#include "ipc/iface-private.h"
#include "protocol/base/err.h"
#include "protocol/ua/page.h"

/* A request under way for a caller, who may be gone by the time it ends. */
struct iface_page {
	struct bus_call *call;
	void (*answer)(struct bus_call *c, const struct outcome *o);
};

static void on_caller_gone(struct bus_call *c, void *ctx)
{
	struct iface_page *page = ctx;

	(void)c;
	/* What was sent cannot be called back: the request ends by itself, unheard. */
	page->call = NULL;
}

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	struct iface_page *page = owner;

	(void)r;
	if (page->call)
		page->answer(page->call, o);
	free(page);
}

static const struct request_ops page_ops = { .done = on_done };

static int start(struct bus_call *c, struct endpoint *ep, struct page_spec *spec,
	void (*answer)(struct bus_call *, const struct outcome *))
{
	struct iface_page *page = mem_new(struct iface_page);
	struct request *request;
	const char *why;
	int r;

	/* Kept first: from then on the call may be answered any time. */
	page->answer = answer;
	page->call = c;
	r = bus_call_keep(c, on_caller_gone, page);
	if (r < 0) {
		free(page);
		return r;
	}
	spec->ops = &page_ops;
	spec->owner = page;
	r = page_send(ep, spec, &request, &why);
	if (r < 0) {
		free(page);
		(void)bus_call_fail(c, r, why ? "%s" : NULL, why);
	}
	return 0;
}

static usec_t read_timeout(const struct bus_value *v)
{
	return v->given ? v->u * USEC_PER_SEC : 0;
}

static int begin(struct bus_call *c, struct iface_endpoint *ie, struct page_spec *spec,
	unsigned headers_row, void (*answer)(struct bus_call *, const struct outcome *))
{
	struct iface_begin b;
	int r = iface_begin_read(c, headers_row, ie->ep, &b);

	spec->headers = b.list;
	spec->n_headers = b.n;
	spec->route = slice_str(b.route);
	if (r == 0)
		r = start(c, ie->ep, spec, answer);
	iface_begin_deinit(&b);
	return r;
}

/* ---- SendPage ---- */

static void answer_page(struct bus_call *c, const struct outcome *o)
{
	struct bus_writer w;

	if (o->error) {
		(void)iface_fail(c, o);
		return;
	}
	bus_call_open(c, &w);
	bus_write_u(&w, o->status);
	bus_write_s(&w, o->reason);
	bus_call_send(c, &w);
}

int iface_page_send(struct bus_call *c, void *object)
{
	struct iface_endpoint *ie = object;
	struct bus_reader *args = bus_call_args(c);
	const struct bus_value *method = bus_call_option(c, IFACE_PAGE_METHOD);
	struct page_spec spec = { .target = bus_read_s(args) };

	spec.content_type = bus_read_s(args);
	spec.body = bus_read_ay(args);
	if (method->given)
		spec.method = method->s;
	spec.timeout = read_timeout(bus_call_option(c, IFACE_PAGE_TIMEOUT));
	return begin(c, ie, &spec, IFACE_PAGE_HEADERS, answer_page);
}

/* ---- QueryCapabilities ---- */

static void answer_query(struct bus_call *c, const struct outcome *o)
{
	struct bus_writer w;

	/* A refusal is an answer here: it tells what the far end is. */
	if (!o->response || o->error == -EACCES) {
		(void)iface_fail(c, o);
		return;
	}
	bus_call_open(c, &w);
	bus_write_u(&w, o->status);
	iface_write_headers(&w, o->response);
	bus_write_s(&w, o->response->content_type);
	bus_write_ay(&w, o->response->body);
	bus_call_send(c, &w);
}

int iface_page_query(struct bus_call *c, void *object)
{
	struct iface_endpoint *ie = object;
	struct page_spec spec = { .target = bus_read_s(bus_call_args(c)),
		.method = SLICE("OPTIONS") };

	spec.timeout = read_timeout(bus_call_option(c, IFACE_QUERY_TIMEOUT));
	return begin(c, ie, &spec, IFACE_QUERY_HEADERS, answer_query);
}
