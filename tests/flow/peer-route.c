/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The route set that a client gives a request of a peer-to-peer endpoint. */
#include <check.h>

#include "protocol/base/err.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/page.h"
#include "protocol/ua/refer.h"
#include "protocol/ua/request-route.h"
#include "protocol/ua/session.h"
#include "tests/flow/caller.h"
#include "tests/support/run.h"

#define EDGE "<sip:192.0.2.1;lr>"
#define CORE "<sip:core.example.com;lr>"
#define STRICT "<sip:old@192.0.2.1;transport=tcp>;x=1"
#define BOB "sip:bob@example.net"

struct peer {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *ep;
	unsigned status;
};

static void peer_init(struct peer *p, const char *outbound_proxy)
{
	struct profile *profile = profile_new();
	struct endpoint_config c = { .id = "alice",
		.uri = "sip:alice@192.0.2.10",
		.profile = profile,
		.outbound_proxy = outbound_proxy };

	*p = (struct peer){ .w = world_new(1) };
	p->wu = world_ua(p->w, "192.0.2.10");
	profile->name = mem_strdup("peer");
	profile->kind = PROFILE_PEER_TO_PEER;
	profile->registers = false;
	ck_assert_int_eq(endpoint_new(p->wu->ua, &c, &p->ep), 0);
	profile_unref(profile);
}

static void finish(struct peer *p)
{
	world_run(p->w, 70 * SEC);
	(void)world_skip_out(p->w);
	endpoint_close(p->ep);
	world_run(p->w, 180 * SEC);
	world_expect_idle(p->wu);
	world_free(p->w);
}

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	(void)r;
	((struct peer *)owner)->status = o->status;
}

static int page(struct peer *p, const char *target, const char *route, const char **ret_why)
{
	static const struct request_ops ops = { .done = on_done };
	struct page_spec spec = {
		.target = slice_str(target),
		.content_type = SLICE("text/plain"),
		.body = SLICE("hi"),
		.route = slice_str(route),
		.ops = &ops,
		.owner = p,
	};
	struct request *r;

	return page_send(p->ep, &spec, &r, ret_why);
}

static const struct msg *page_out(struct peer *p, const char *route)
{
	const char *why;

	ck_assert_int_eq(page(p, BOB, route, &why), 0);
	return world_expect_out(p->w, "MESSAGE");
}

/* These Route lines, in that order, and no other. */
static void expect_routes(const struct msg *m, const char *const *routes)
{
	const struct hdr *h = NULL;

	for (size_t i = 0; routes[i]; i++) {
		h = msg_header_next(m, HDR_ROUTE, h);
		ck_assert_msg(h && slice_eq(h->value, slice_str(routes[i])), "%s", routes[i]);
	}
	ck_assert_ptr_null(msg_header_next(m, HDR_ROUTE, h));
}
#define EXPECT_ROUTES(m, ...) expect_routes(m, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- the way ---- */

/* 8.1.2, 12.2.1.1: a loose router first; the target stays what is asked for. */
START_TEST(rfc3261_8_1_2_loose)
{
	struct peer p;
	const struct msg *m;

	peer_init(&p, NULL);
	m = page_out(&p, "\"Edge\" " EDGE " , " CORE);
	ck_assert(slice_eq(m->request_uri, SLICE(BOB)));
	EXPECT_ROUTES(m, EDGE, CORE);
	world_reply(p.w, m, 200, NULL);
	world_settle(p.w);
	ck_assert_uint_eq(p.status, 200);
	finish(&p);
}
END_TEST

/* 12.2.1.1, 16.12.1.1: a strict one is the Request-URI, and the target comes last. */
START_TEST(rfc3261_12_2_1_1_strict)
{
	struct peer p;
	const struct msg *m;

	peer_init(&p, NULL);
	m = page_out(&p, STRICT "," CORE);
	ck_assert(slice_eq(m->request_uri, SLICE("sip:old@192.0.2.1;transport=tcp")));
	ck_assert_int_eq(m->via.transport, TRANSPORT_TCP);
	EXPECT_ROUTES(m, CORE, "<" BOB ">");
	world_reply(p.w, m, 200, NULL);
	finish(&p);
}
END_TEST

/* The first route is located like any other host, and a sips URI reached over TLS. */
START_TEST(rfc3263_4_first_route)
{
	struct peer p;
	const struct msg *m;

	peer_init(&p, NULL);
	world_set_name(p.w, "edge.example.com", "192.0.2.1");
	m = page_out(&p, "<sips:edge.example.com;lr>");
	ck_assert_int_eq(m->via.transport, TRANSPORT_TLS);
	EXPECT_ROUTES(m, "<sips:edge.example.com;lr>");
	world_reply(p.w, m, 200, NULL);
	finish(&p);
}
END_TEST

/* 8.1.2: what a client says of one request is nearer than what is set for all. */
START_TEST(rfc3261_8_1_2_before_outbound_proxy)
{
	struct peer p;
	const struct msg *m;

	peer_init(&p, "192.0.2.77");
	m = page_out(&p, EDGE);
	EXPECT_ROUTES(m, EDGE);
	world_reply(p.w, m, 200, NULL);
	finish(&p);
}
END_TEST

/* 8.1.3.4: the headers of the request, and so its way, are kept for where it was sent on to. */
START_TEST(rfc3261_8_1_3_4_redirected)
{
	struct peer p;
	const struct msg *m;

	peer_init(&p, NULL);
	world_reply(p.w, page_out(&p, EDGE), 302, "Contact: <sip:carol@example.org>\n");
	m = world_expect_out(p.w, "MESSAGE");
	ck_assert(slice_eq(m->request_uri, SLICE("sip:carol@example.org")));
	EXPECT_ROUTES(m, EDGE);
	world_reply(p.w, m, 200, NULL);
	finish(&p);
}
END_TEST

/* ---- what begins a dialog ---- */

/*
 * 9.1 and 17.1.1.3: CANCEL and the ACK for a refusal go the INVITE's way; 12.1.2: the dialog has
 * the routes of the Record-Route alone, here none.
 */
START_TEST(rfc3261_12_1_2_dialog_has_its_own)
{
	struct session_spec spec = { .target = SLICE(BOB),
		.offer = { .type = SLICE("application/sdp"), .bytes = SLICE("v=0\r\n") },
		.route = SLICE(EDGE "," CORE) };
	struct session *s;
	const struct msg *m;
	const char *why;
	struct peer p;

	peer_init(&p, NULL);
	ck_assert_int_eq(session_new(p.ep, &spec, &s, &why), 0);
	m = world_expect_out(p.w, "INVITE");
	EXPECT_ROUTES(m, EDGE, CORE);
	world_reply(p.w, m, 486, NULL);
	EXPECT_ROUTES(world_expect_out(p.w, "ACK"), EDGE, CORE);
	world_run(p.w, 40 * SEC);

	ck_assert_int_eq(session_new(p.ep, &spec, &s, &why), 0);
	world_reply(p.w, world_expect_out(p.w, "INVITE"), 200,
		"Contact: <sip:bob@192.0.2.1>\nContent-Type: application/sdp\n\nv=0\n");
	m = world_expect_out(p.w, "ACK");
	ck_assert(slice_eq(m->request_uri, SLICE("sip:bob@192.0.2.1")));
	EXPECT_ROUTES(m, NULL);
	world_settle(p.w);
	ck_assert_int_eq(session_terminate(s, &(struct session_end){ 0 }), 0);
	m = world_expect_out(p.w, "BYE");
	EXPECT_ROUTES(m, NULL);
	world_reply(p.w, m, 200, NULL);
	finish(&p);
}
END_TEST

START_TEST(rfc3261_9_1_cancel)
{
	struct session_spec spec = { .target = SLICE(BOB), .route = SLICE(STRICT) };
	struct session *s;
	const struct msg *invite, *m;
	const char *why;
	struct peer p;

	peer_init(&p, NULL);
	ck_assert_int_eq(session_new(p.ep, &spec, &s, &why), 0);
	invite = world_expect_out(p.w, "INVITE");
	world_reply(p.w, invite, 180, "Contact: <sip:bob@192.0.2.1>\n");
	world_settle(p.w);
	ck_assert_int_eq(session_terminate(s, &(struct session_end){ 0 }), 0);
	m = world_expect_out(p.w, "CANCEL");
	ck_assert(slice_eq(m->request_uri, invite->request_uri));
	EXPECT_ROUTES(m, "<" BOB ">");
	world_reply(p.w, m, 200, NULL);
	world_reply(p.w, invite, 487, NULL);
	m = world_expect_out(p.w, "ACK");
	ck_assert(slice_eq(m->request_uri, invite->request_uri));
	EXPECT_ROUTES(m, "<" BOB ">");
	finish(&p);
}
END_TEST

static void on_terminated(void *owner, struct refer *r, const struct refer_end *end)
{
	(void)owner;
	(void)r;
	(void)end;
}

START_TEST(rfc3515_refer)
{
	static const struct refer_ops ops = { .terminated = on_terminated };
	struct refer_spec spec = { .target = SLICE(BOB),
		.refer_to = SLICE("sip:carol@example.org"),
		.route = SLICE(EDGE),
		.no_subscription = true };
	struct refer *r;
	const struct msg *m;
	struct peer p;

	peer_init(&p, NULL);
	ck_assert_int_eq(refer_new(p.ep, &spec, &ops, NULL, &r), 0);
	m = world_expect_out(p.w, "REFER");
	EXPECT_ROUTES(m, EDGE);
	world_reply(p.w, m, 603, NULL);
	finish(&p);
}
END_TEST

/* ---- what cannot be one ---- */

START_TEST(rfc3261_20_34_malformed)
{
	static const char *const bad[] = { "sip:192.0.2.1;lr", "<tel:+1>", "<sip:x", ",", ",,",
		"<sip:192.0.2.1;lr?a=b>", "<sip:192.0.2.1;method=INVITE>", EDGE "\r\nX: y",
		EDGE ",sip:192.0.2.1", EDGE ",," CORE, EDGE ",", "*" };
	const char *why = NULL;
	struct peer p;

	peer_init(&p, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(page(&p, BOB, bad[i], &why) == -EINVAL, "%s", bad[i]);
		ck_assert_ptr_nonnull(why);
	}
	/* A transport that we do not speak. */
	ck_assert_int_eq(page(&p, BOB, "<sip:192.0.2.1;transport=sctp;lr>", &why), -EOPNOTSUPP);
	/* 8.1.2: sips needs a way that is secure. */
	ck_assert_int_eq(page(&p, "sips:bob@example.net", "<sip:192.0.2.1;transport=tcp;lr>", &why),
		-EOPNOTSUPP);
	finish(&p);
}
END_TEST

START_TEST(limit)
{
	struct buf b = BUF_NULL;
	const char *why;
	struct peer p;

	peer_init(&p, NULL);
	for (int i = 0; i < LIMITS_ROUTES; i++)
		buf_str(&b, i ? "," EDGE : EDGE);
	ck_assert_int_eq(request_route_check(p.ep, buf_slice(&b), &why), 0);
	buf_lit(&b, "," EDGE);
	ck_assert_int_eq(request_route_check(p.ep, buf_slice(&b), &why), -EMSGSIZE);
	buf_deinit(&b);
	finish(&p);
}
END_TEST

/* What registers sends everything to its server. */
START_TEST(registered)
{
	struct world_account a = { .id = "bob", .domain = "example.com", .registrar = "192.0.2.2" };
	const char *why;
	struct peer p, other;

	peer_init(&p, NULL);
	other = p;
	other.ep = world_endpoint(p.wu, &a);
	ck_assert_int_eq(page(&other, BOB, EDGE, &why), -EOPNOTSUPP);
	ck_assert_ptr_nonnull(why);
	endpoint_close(other.ep);
	finish(&p);
}
END_TEST

RUN_TESTS("peer-route", rfc3261_8_1_2_loose, rfc3261_12_2_1_1_strict, rfc3263_4_first_route,
	rfc3261_8_1_2_before_outbound_proxy, rfc3261_8_1_3_4_redirected,
	rfc3261_12_1_2_dialog_has_its_own, rfc3261_9_1_cancel, rfc3515_refer,
	rfc3261_20_34_malformed, limit, registered)
