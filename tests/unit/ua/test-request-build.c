/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of a request: RFC 3261 section 8.1.1, RFC 3608 section 6.1, RFC 3581 section 3. */
#include <check.h>
#include <stdlib.h>

#include "protocol/ua/registration.h"
#include "tests/unit/ua/try.h"

#define BOB "sip:bob@example.com"

static size_t count(const struct msg *m, enum hdr_id id)
{
	const struct hdr *h = NULL;
	size_t n = 0;

	while ((h = msg_header_next(m, id, h)))
		n++;
	return n;
}

START_TEST(what_every_request_has)
{
	const struct request_header headers[] = { { SLICE("Subject"), SLICE("a, \"b\"") },
		{ SLICE("X-Own"), SLICE("") } };
	struct request_spec spec = try_spec(BOB);
	const struct msg *m;
	struct try t;

	try_init(&t, &try_alice);
	t.ep->display_name = mem_strdup("Alice \"A\"");
	t.wu->host.user_agent = "sipbus/1";
	spec.headers = headers;
	spec.n_headers = 2;
	spec.to_display = SLICE("Bob");
	try_send(&t, &spec);
	m = world_expect_out(t.w, "MESSAGE");
	ck_assert(slice_eq(m->request_uri, SLICE(BOB)));
	/* 8.1.1.7, RFC 3581 3 */
	ck_assert(via_is_rfc3261(&m->via));
	ck_assert_uint_ge(m->via.branch.n, 7 + 16);
	ck_assert(m->via.rport.p && m->via.rport.n == 0);
	ck_assert(slice_eq(m->via.host, SLICE(TRY_UA)));
	ck_assert_uint_eq(m->via.port, 5060);
	ck_assert_int_eq(m->via.transport, TRANSPORT_UDP);
	/* 8.1.1.3: a From tag; 8.1.1.2: no To tag outside a dialog */
	ck_assert_uint_ge(m->from_tag.n, 8);
	ck_assert_ptr_null(m->to_tag.p);
	ck_assert(slice_starts(
		try_header(m, "From"), SLICE("\"Alice \\\"A\\\"\" <sip:alice@example.com>;tag=")));
	ck_assert(slice_eq(try_header(m, "To"), SLICE("\"Bob\" <" BOB ">")) ||
		  slice_eq(try_header(m, "To"), SLICE("Bob <" BOB ">")));
	ck_assert_uint_ge(m->call_id.n, 16);
	ck_assert_uint_eq(m->cseq, 1);
	ck_assert(slice_eq(try_header(m, "Max-Forwards"), SLICE("70")));
	ck_assert(slice_eq(try_header(m, "User-Agent"), SLICE("sipbus/1")));
	ck_assert(slice_eq(try_header(m, "Subject"), SLICE("a, \"b\"")));
	ck_assert_uint_eq(try_header(m, "X-Own").n, 0);
	ck_assert(slice_eq(try_header(m, "Content-Type"), SLICE("text/plain")));
	ck_assert(slice_eq(try_header(m, "Content-Length"), SLICE("5")));
	ck_assert(slice_eq(m->body, SLICE("hello")));
	/* RFC 3428 4, and nothing that was not asked for */
	ck_assert_uint_eq(count(m, HDR_CONTACT), 0);
	ck_assert_uint_eq(count(m, HDR_ROUTE), 0);
	ck_assert_uint_eq(count(m, HDR_AUTHORIZATION), 0);
	try_deinit(&t);
}
END_TEST

START_TEST(what_the_caller_may_choose)
{
	const struct request_header ua = { SLICE("User-Agent"), SLICE("mine") };
	struct request_spec spec = {
		.method = SLICE("REGISTER"),
		.uri = SLICE("sip:example.com"),
		.to = SLICE("sip:alice@example.com"),
		.server = REQUEST_TO_REGISTRAR,
		.contact = REQUEST_CONTACT,
		.contact_params = SLICE(";expires=60"),
		.headers = &ua,
		.n_headers = 1,
		.call_id = SLICE("call-1"),
		.from_tag = SLICE("tag-1"),
		.cseq = 41,
	};
	struct buf contact = BUF_NULL;
	const struct msg *m;
	struct try t;

	try_init(&t, &try_alice);
	t.wu->host.user_agent = "sipbus/1";
	try_send(&t, &spec);
	m = world_expect_out(t.w, "REGISTER");
	ck_assert(slice_eq(m->call_id, SLICE("call-1")));
	ck_assert(slice_eq(m->from_tag, SLICE("tag-1")));
	ck_assert_uint_eq(m->cseq, 41);
	ck_assert(slice_eq(try_header(m, "To"), SLICE("<sip:alice@example.com>")));
	buf_putc(&contact, '<');
	endpoint_append_contact_uri(&contact, t.ep, t.ep->flow, URI_SIP);
	buf_lit(&contact, ">;expires=60");
	ck_assert(slice_eq(try_header(m, "Contact"), buf_slice(&contact)));
	ck_assert_uint_eq(count(m, HDR_USER_AGENT), 1);
	ck_assert(slice_eq(try_header(m, "User-Agent"), SLICE("mine")));
	ck_assert(slice_eq(try_header(m, "Content-Length"), SLICE("0")));
	ck_assert_uint_eq(count(m, HDR_CONTENT_TYPE), 0);
	buf_deinit(&contact);
	try_deinit(&t);
}
END_TEST

START_TEST(ids_are_never_the_same)
{
	const struct msg *a, *b;
	struct try t;

	try_init(&t, &try_alice);
	try_page(&t, BOB);
	a = world_expect_out(t.w, "MESSAGE");
	world_reply(t.w, a, 200, NULL);
	try_expect(&t, 200, 0, ORIGIN_REMOTE);
	try_page(&t, BOB);
	b = world_expect_out(t.w, "MESSAGE");
	ck_assert(!slice_eq(a->via.branch, b->via.branch));
	ck_assert(!slice_eq(a->from_tag, b->from_tag));
	ck_assert(!slice_eq(a->call_id, b->call_id));
	try_deinit(&t);
}
END_TEST

START_TEST(ipv6_and_tcp)
{
	struct world_account a = try_alice;
	struct request_spec spec = try_spec(BOB);
	const struct msg *m;
	struct try t = { .w = world_new(3) };

	a.registrar = "2001:db8::1";
	a.transport = TRANSPORT_TCP;
	t.wu = world_ua(t.w, "2001:db8::10");
	t.ua = t.wu->ua;
	t.ep = world_endpoint(t.wu, &a);
	spec.contact = REQUEST_CONTACT;
	try_send(&t, &spec);
	m = world_expect_out(t.w, "MESSAGE");
	ck_assert_int_eq(m->via.transport, TRANSPORT_TCP);
	ck_assert(slice_eq(m->via.host, SLICE("[2001:db8::10]")));
	ck_assert(try_has(try_header(m, "Contact"), "@[2001:db8::10]:"));
	ck_assert(try_has(try_header(m, "Contact"), ";transport=tcp>"));
	try_deinit(&t);
}
END_TEST

static void set_service_route(struct endpoint *ep, const char *first, const char *second)
{
	struct registration *reg = ep->registration;

	reg->service_route = mem_zalloc(2 * sizeof(char *));
	reg->service_route[0] = mem_strdup(first);
	reg->service_route[1] = mem_strdup(second);
	reg->n_service_route = 2;
}

static void expect_routes(const struct msg *m, const char *const *routes, size_t n)
{
	const struct hdr *h = NULL;

	for (size_t i = 0; i < n; i++) {
		h = msg_header_next(m, HDR_ROUTE, h);
		ck_assert(h != NULL);
		ck_assert_msg(slice_eq(h->value, slice_str(routes[i])), "%.*s is not %s",
			SLICE_ARGS(h->value), routes[i]);
	}
	ck_assert_ptr_null(msg_header_next(m, HDR_ROUTE, h));
}

#define ROUTE_1 "<sip:orig@home.example.com;lr>"
#define ROUTE_2 "<sip:home2.example.com;lr>"

START_TEST(the_service_route)
{
	static const char *const both[] = { ROUTE_1, ROUTE_2 };
	struct request_spec spec = try_spec(BOB);
	struct try t;

	try_init(&t, &try_alice);
	set_service_route(t.ep, ROUTE_1, ROUTE_2);
	try_page(&t, BOB);
	/* In its order, and still over the endpoint's own server. */
	expect_routes(world_expect_out(t.w, "MESSAGE"), both, 2);
	request_free(t.r);
	/* RFC 3608 6.1 is about other requests than REGISTER. */
	spec.method = SLICE("REGISTER");
	spec.server = REQUEST_TO_REGISTRAR;
	try_send(&t, &spec);
	expect_routes(world_expect_out(t.w, "REGISTER"), NULL, 0);
	try_deinit(&t);
}
END_TEST

static void check_outbound(const char *proxy, const char *route)
{
	const char *const routes[] = { route, ROUTE_1, ROUTE_2 };
	struct try t;

	try_init(&t, &try_alice);
	t.ep->outbound_proxy = mem_strdup(proxy);
	try_page(&t, BOB);
	expect_routes(world_expect_out(t.w, "MESSAGE"), routes, 1);
	request_free(t.r);
	/* RFC 3608 6.1: what leads out of here comes first. */
	set_service_route(t.ep, ROUTE_1, ROUTE_2);
	try_page(&t, BOB);
	expect_routes(world_expect_out(t.w, "MESSAGE"), routes, 3);
	try_deinit(&t);
}

START_TEST(the_outbound_proxy_is_a_loose_route)
{
	static const char *const once[] = { "<sip:192.0.2.1:5080;lr>", ROUTE_2 };
	struct try t;

	check_outbound("192.0.2.1:5080", "<sip:192.0.2.1:5080;lr>");
	check_outbound("192.0.2.1", "<sip:192.0.2.1;lr>");
	check_outbound("192.0.2.1;transport=tcp", "<sip:192.0.2.1;transport=tcp;lr>");
	check_outbound("sip:192.0.2.1:5080", "<sip:192.0.2.1:5080;lr>");
	check_outbound("sip:192.0.2.1:5080;lr", "<sip:192.0.2.1:5080;lr>");
	check_outbound("[2001:db8::1]:5080", "<sip:[2001:db8::1]:5080;lr>");
	/* A service route that begins with it says it already. */
	try_init(&t, &try_alice);
	t.ep->outbound_proxy = mem_strdup("192.0.2.1:5080");
	set_service_route(t.ep, once[0], once[1]);
	try_page(&t, BOB);
	expect_routes(world_expect_out(t.w, "MESSAGE"), once, 2);
	try_deinit(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ua/request-build");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(tc, what_every_request_has);
	tcase_add_test(tc, what_the_caller_may_choose);
	tcase_add_test(tc, ids_are_never_the_same);
	tcase_add_test(tc, ipv6_and_tcp);
	tcase_add_test(tc, the_service_route);
	tcase_add_test(tc, the_outbound_proxy_is_a_loose_route);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
