/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dialog/dialog.h"

#include <errno.h>

#include "protocol/base/buf.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

static struct dialog_table table;

static void set_up(void)
{
	dialog_table_init(&table, 7);
}

static void tear_down(void)
{
	ck_assert_uint_eq(table.n, 0);
	dialog_table_deinit(&table);
}

static struct msg *parsed(const char *text)
{
	struct slice bytes = exact_str(text);
	struct msg *m = NULL;

	ck_assert_int_eq(msg_parse(bytes, MSG_DATAGRAM, &m), 0);
	ck_assert_msg(m->fault.status == 0, "%s in %s", m->fault.reason, text);
	exact_free(bytes);
	return m;
}

/* An INVITE of alice to bob; more are whole lines. */
static struct msg *invite(const char *uri, const char *from_tag, const char *more)
{
	struct buf b = BUF_NULL;
	struct msg *m;
	char *text;

	buf_printf(&b,
		"INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n"
		"From: \"Alice \\\"A\\\"\" <sip:alice@example.com>%s\r\nTo: <%s>\r\n"
		"Call-ID: c1@a.example\r\nCSeq: 10 INVITE\r\n%sContent-Length: 0\r\n\r\n",
		uri, from_tag, uri, more);
	text = buf_take(&b);
	m = parsed(text);
	free(text);
	return m;
}

static struct msg *answer(unsigned status, const char *to_tag, const char *more)
{
	struct buf b = BUF_NULL;
	struct msg *m;
	char *text;

	buf_printf(&b,
		"SIP/2.0 %u Whatever\r\nVia: SIP/2.0/UDP a.example;branch=z9hG4bK1\r\n"
		"From: \"Alice \\\"A\\\"\" <sip:alice@example.com>;tag=a\r\n"
		"To: <sip:bob@example.com>%s\r\n"
		"Call-ID: c1@a.example\r\nCSeq: 10 INVITE\r\n%sContent-Length: 0\r\n\r\n",
		status, to_tag, more);
	text = buf_take(&b);
	m = parsed(text);
	free(text);
	return m;
}

/* A request of bob's to alice, whose dialogs as client are in the table. */
static struct msg *request_of_bob(const char *from_tag, const char *to_tag)
{
	struct buf b = BUF_NULL;
	struct msg *m;
	char *text;

	buf_printf(&b,
		"BYE sip:alice@a.example SIP/2.0\r\nVia: SIP/2.0/UDP b.example;branch=z9hG4bK2\r\n"
		"From: <sip:bob@example.com>%s\r\nTo: <sip:alice@example.com>%s\r\n"
		"Call-ID: c1@a.example\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
		from_tag, to_tag);
	text = buf_take(&b);
	m = parsed(text);
	free(text);
	return m;
}

static struct dialog *client_of(unsigned status, const char *to_tag, const char *more, int result)
{
	struct msg *request = invite("sip:bob@example.com", ";tag=a", "");
	struct msg *response = answer(status, to_tag, more);
	struct dialog *d = NULL;

	ck_assert_int_eq(dialog_new_client(&table, request, response, &d), result);
	ck_assert_ptr_nonnull(d);
	msg_unref(request);
	msg_unref(response);
	return d;
}

static struct dialog *server_of(const char *from_tag, const char *more)
{
	struct msg *request = invite("sip:bob@example.com", from_tag, more);
	struct dialog *d = NULL;

	ck_assert_int_eq(dialog_new_server(&table, request, SLICE("b"), &d), 0);
	msg_unref(request);
	return d;
}

static void assert_text(struct buf *b, const char *want)
{
	assert_slice(buf_slice(b), want);
	buf_deinit(b);
}

static void assert_routes(const struct dialog *d, const char *want)
{
	struct buf b = BUF_NULL;

	dialog_append_routes(&b, d);
	assert_text(&b, want);
}

/* ---- RFC 3261 12.1.1: server ---- */

START_TEST(uas_takes_routes_in_order_12_1_1)
{
	struct dialog *d = server_of(";tag=a",
		"Record-Route: <sip:p2.example;lr>, \"P1\" <sip:p1.example;lr;x=y>;rr=1\r\n"
		"Record-Route: <sip:p0.example;lr>\r\n"
		"Contact: <sip:alice@a.example:5070;transport=tcp>\r\n");

	assert_routes(d, "Route: <sip:p2.example;lr>\r\nRoute: <sip:p1.example;lr;x=y>\r\n"
			 "Route: <sip:p0.example;lr>\r\n");
	assert_slice(dialog_request_uri(d), "sip:alice@a.example:5070;transport=tcp");
	assert_slice(dialog_next_hop(d), "sip:p2.example;lr");
	ck_assert_uint_eq(d->state, DIALOG_EARLY);
	ck_assert_uint_eq(d->remote_cseq, 10);
	ck_assert_uint_eq(dialog_next_cseq(d), 1);
	dialog_free(d);
}
END_TEST

START_TEST(uas_names_12_1_1)
{
	struct dialog *d = server_of(";tag=a", "Contact: <sip:alice@a.example>\r\n");
	struct buf b = BUF_NULL;

	dialog_append_names(&b, d, SLICE_NULL);
	assert_text(&b, "From: <sip:bob@example.com>;tag=b\r\n"
			"To: \"Alice \\\"A\\\"\" <sip:alice@example.com>;tag=a\r\n"
			"Call-ID: c1@a.example\r\n");
	ck_assert(!d->secure);
	dialog_free(d);
}
END_TEST

/* Neither a Contact that is no SIP URI, nor a Record-Route that is none: 400, no dialog. */
START_TEST(uas_needs_contact_and_sound_routes_12_1_1)
{
	static const char *const bad[] = {
		"",
		"Contact: *\r\n",
		"Contact: <tel:+4930123>\r\n",
		"Contact: <sip:a@a.example>\r\nRecord-Route: <sip:p1.example;lr\r\n",
		"Contact: <sip:a@a.example>\r\nRecord-Route: <sip:p1.example;lr>, <tel:+49>\r\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct msg *request = invite("sip:bob@example.com", ";tag=a", bad[i]);
		struct dialog *d = NULL;

		ck_assert_msg(dialog_new_server(&table, request, SLICE("b"), &d) == -EBADMSG, "%s",
			bad[i]);
		ck_assert_ptr_null(d);
		msg_unref(request);
	}
}
END_TEST

START_TEST(uas_sips_is_secure_12_1_1)
{
	struct msg *request =
		invite("sips:bob@example.com", ";tag=a", "Contact: <sips:alice@a.example>\r\n");
	struct dialog *d;

	ck_assert_int_eq(dialog_new_server(&table, request, SLICE("b"), &d), 0);
	ck_assert(d->secure);
	msg_unref(request);
	dialog_free(d);
}
END_TEST

/* The values go back as they are, parameters of the header included. */
START_TEST(record_routes_are_copied_12_1_1)
{
	struct msg *request = invite("sip:bob@example.com", ";tag=a",
		"Record-Route: <sip:p2.example;lr>;x=1, <sip:p1.example;lr>\r\n"
		"Contact: <sip:alice@a.example>\r\nRecord-Route: <sip:p0.example>\r\n");
	struct buf b = BUF_NULL;

	dialog_append_record_routes(&b, request);
	assert_text(&b, "Record-Route: <sip:p2.example;lr>;x=1, <sip:p1.example;lr>\r\n"
			"Record-Route: <sip:p0.example>\r\n");
	msg_unref(request);
}
END_TEST

/* A peer of RFC 2543 has no tag: null, and its requests carry none either. */
START_TEST(uas_peer_without_tag_12_1_1)
{
	struct dialog *d = server_of("", "Contact: <sip:alice@a.example>\r\n");
	struct buf b = BUF_NULL;

	dialog_append_names(&b, d, SLICE_NULL);
	assert_text(&b, "From: <sip:bob@example.com>;tag=b\r\n"
			"To: \"Alice \\\"A\\\"\" <sip:alice@example.com>\r\n"
			"Call-ID: c1@a.example\r\n");
	ck_assert_ptr_eq(dialog_find(&table, SLICE("c1@a.example"), SLICE("b"), SLICE("")), d);
	ck_assert_ptr_eq(dialog_find(&table, SLICE("c1@a.example"), SLICE("b"), SLICE("0")), d);
	dialog_free(d);
}
END_TEST

START_TEST(routes_are_bounded)
{
	struct buf more = BUF_NULL;
	struct msg *request;
	struct dialog *d = NULL;
	char *text;

	buf_lit(&more, "Contact: <sip:alice@a.example>\r\n");
	for (size_t i = 0; i < DIALOG_MAX_ROUTES; i++)
		buf_lit(&more, "Record-Route: <sip:p.example;lr>\r\n");
	text = buf_take(&more);
	request = invite("sip:bob@example.com", ";tag=a", text);
	ck_assert_int_eq(dialog_new_server(&table, request, SLICE("b"), &d), 0);
	ck_assert_uint_eq(d->n_routes, DIALOG_MAX_ROUTES);
	dialog_free(d);
	msg_unref(request);
	buf_str(&more, text);
	buf_lit(&more, "Record-Route: <sip:p.example;lr>\r\n");
	free(text);
	text = buf_take(&more);
	request = invite("sip:bob@example.com", ";tag=a", text);
	ck_assert_int_eq(dialog_new_server(&table, request, SLICE("b"), &d), -EBADMSG);
	msg_unref(request);
	free(text);
}
END_TEST

/* ---- RFC 3261 12.1.2: client ---- */

START_TEST(uac_reverses_routes_12_1_2)
{
	struct dialog *d = client_of(180, ";tag=b",
		"Record-Route: <sip:p2.example;lr>\r\nRecord-Route: <sip:p1.example;lr>,"
		"<sip:p0.example;lr>\r\nContact: <sip:bob@b.example>\r\n",
		0);

	assert_routes(d, "Route: <sip:p0.example;lr>\r\nRoute: <sip:p1.example;lr>\r\n"
			 "Route: <sip:p2.example;lr>\r\n");
	ck_assert_uint_eq(d->state, DIALOG_EARLY);
	ck_assert(!d->has_remote_cseq);
	ck_assert_uint_eq(dialog_next_cseq(d), 11);
	ck_assert_uint_eq(dialog_next_cseq(d), 12);
	dialog_free(d);
}
END_TEST

START_TEST(uac_names_12_1_2)
{
	struct dialog *d = client_of(200, ";tag=b", "Contact: <sip:bob@b.example>\r\n", 0);
	struct buf b = BUF_NULL;

	dialog_append_names(&b, d, SLICE_NULL);
	assert_text(&b, "From: \"Alice \\\"A\\\"\" <sip:alice@example.com>;tag=a\r\n"
			"To: <sip:bob@example.com>;tag=b\r\nCall-ID: c1@a.example\r\n");
	ck_assert_uint_eq(d->state, DIALOG_CONFIRMED);
	assert_routes(d, "");
	dialog_free(d);
}
END_TEST

/* No Contact: what is sent goes where the INVITE went. */
START_TEST(uac_without_contact_12_1_2)
{
	struct dialog *d =
		client_of(180, ";tag=b", "Record-Route: <sip:p.example;lr>\r\n", -EBADMSG);

	assert_slice(dialog_request_uri(d), "sip:bob@example.com");
	assert_routes(d, "Route: <sip:p.example;lr>\r\n");
	dialog_free(d);
	d = client_of(200, ";tag=b", "Contact: <mailto:b@b.example>\r\n", -EBADMSG);
	assert_slice(dialog_next_hop(d), "sip:bob@example.com");
	dialog_free(d);
}
END_TEST

START_TEST(uac_broken_routes_12_1_2)
{
	struct dialog *d = client_of(200, ";tag=b",
		"Contact: <sip:bob@b.example>\r\nRecord-Route: <sip:p.example;lr>, nonsense\r\n",
		-EBADMSG);

	assert_routes(d, "");
	assert_slice(dialog_request_uri(d), "sip:bob@b.example");
	dialog_free(d);
}
END_TEST

START_TEST(uac_sips_is_secure_12_1_2)
{
	struct msg *request = invite("sips:bob@example.com", ";tag=a", "");
	struct msg *response = answer(200, ";tag=b", "Contact: <sips:bob@b.example>\r\n");
	struct dialog *d;

	ck_assert_int_eq(dialog_new_client(&table, request, response, &d), 0);
	ck_assert(d->secure);
	dialog_free(d);
	msg_unref(request);
	msg_unref(response);
}
END_TEST

/* A 2xx of an RFC 2543 peer has no tag; its requests have none either. */
START_TEST(uac_peer_without_tag_12_1_2)
{
	struct dialog *d = client_of(200, "", "Contact: <sip:bob@b.example>\r\n", 0);
	struct msg *bye = request_of_bob("", ";tag=a");

	ck_assert_ptr_eq(dialog_find_of_request(&table, bye), d);
	msg_unref(bye);
	bye = request_of_bob(";tag=0", ";tag=a"); /* a tag, not the absence of one */
	ck_assert_ptr_null(dialog_find_of_request(&table, bye));
	msg_unref(bye);
	dialog_free(d);
}
END_TEST

/* ---- RFC 3261 12.2.1.1: strict routers, and what may not stand in a Request-URI ---- */

START_TEST(strict_router_12_2_1_1)
{
	struct dialog *d = client_of(200, ";tag=b",
		"Record-Route: <sip:p2.example;lr>, <sip:p1.example;method=INVITE;x=y?h=v>\r\n"
		"Contact: <sip:bob@b.example>\r\n",
		0);

	assert_slice(dialog_request_uri(d), "sip:p1.example;x=y");
	assert_slice(dialog_next_hop(d), "sip:p1.example;x=y");
	assert_routes(d, "Route: <sip:p2.example;lr>\r\nRoute: <sip:bob@b.example>\r\n");
	dialog_free(d);
}
END_TEST

START_TEST(strict_router_alone_12_2_1_1)
{
	struct dialog *d = server_of(";tag=a", "Record-Route: <sip:p1.example:5080>\r\n"
					       "Contact: <sip:alice@a.example>\r\n");

	assert_slice(dialog_request_uri(d), "sip:p1.example:5080");
	assert_routes(d, "Route: <sip:alice@a.example>\r\n");
	dialog_free(d);
}
END_TEST

/* Only the first one decides: a strict router behind a loose one is that one's business. */
START_TEST(strict_router_behind_a_loose_one_12_2_1_1)
{
	struct dialog *d =
		server_of(";tag=a", "Record-Route: <sip:p1.example;LR>, <sip:p0.example>\r\n"
				    "Contact: <sip:alice@a.example>\r\n");

	assert_slice(dialog_request_uri(d), "sip:alice@a.example");
	assert_routes(d, "Route: <sip:p1.example;LR>\r\nRoute: <sip:p0.example>\r\n");
	dialog_free(d);
}
END_TEST

/* Section 19.1.1, table 1: no headers and no method in a Request-URI. */
START_TEST(target_is_stripped_19_1_1)
{
	struct dialog *d = client_of(200, ";tag=b",
		"Contact: <sip:bob:pw@[2001:db8::1]:5070;ob;method=BYE;maddr=m?Route=%3Csip:evil%3E>\r\n",
		0);

	assert_slice(dialog_request_uri(d), "sip:bob:pw@[2001:db8::1]:5070;ob;maddr=m");
	dialog_free(d);
}
END_TEST

/* ---- RFC 3261 12.2: finding, sequence numbers, target refresh ---- */

START_TEST(finds_forks_by_remote_tag_12_2_2)
{
	struct dialog *one = client_of(180, ";tag=b1", "Contact: <sip:bob@b1.example>\r\n", 0);
	struct dialog *two = client_of(180, ";tag=b2", "Contact: <sip:bob@b2.example>\r\n", 0);
	struct msg *m = request_of_bob(";tag=b1", ";tag=a");

	ck_assert_ptr_eq(dialog_find_of_request(&table, m), one);
	msg_unref(m);
	m = answer(200, ";tag=b2", "");
	ck_assert_ptr_eq(dialog_find_of_response(&table, m), two);
	msg_unref(m);
	m = answer(200, ";tag=b3", "");
	ck_assert_ptr_null(dialog_find_of_response(&table, m));
	msg_unref(m);
	m = request_of_bob(";tag=b1", "");
	ck_assert_ptr_null(dialog_find_of_request(&table, m));
	msg_unref(m);
	m = request_of_bob(";tag=b1", ";tag=A");
	ck_assert_ptr_null(dialog_find_of_request(&table, m));
	msg_unref(m);
	dialog_free(one);
	m = request_of_bob(";tag=b1", ";tag=a");
	ck_assert_ptr_null(dialog_find_of_request(&table, m));
	msg_unref(m);
	dialog_free(two);
}
END_TEST

/* RFC 3891 section 3: "0" stands for a peer without tag, and for a tag "0". */
START_TEST(finds_by_names)
{
	struct dialog *one = client_of(180, ";tag=b1", "Contact: <sip:bob@b1.example>\r\n", 0);
	struct dialog *zero = client_of(180, ";tag=0", "Contact: <sip:bob@b2.example>\r\n", 0);
	struct slice call_id = SLICE("c1@a.example"), local = SLICE("a");

	ck_assert_ptr_eq(dialog_find(&table, call_id, local, SLICE("b1")), one);
	ck_assert_ptr_eq(dialog_find(&table, call_id, local, SLICE("0")), zero);
	ck_assert_ptr_null(dialog_find(&table, call_id, local, SLICE("")));
	ck_assert_ptr_null(dialog_find(&table, SLICE("c1@A.example"), local, SLICE("b1")));
	dialog_free(one);
	dialog_free(zero);
}
END_TEST

START_TEST(sequence_numbers_12_2_2)
{
	struct dialog *d = server_of(";tag=a", "Contact: <sip:alice@a.example>\r\n");

	ck_assert_int_eq(dialog_take_cseq(d, 9), -ESTALE);
	ck_assert_int_eq(dialog_take_cseq(d, 10), 0);
	ck_assert_int_eq(dialog_take_cseq(d, 4000), 0); /* gaps are no fault */
	ck_assert_int_eq(dialog_take_cseq(d, 3999), -ESTALE);
	ck_assert_uint_eq(d->remote_cseq, 4000);
	dialog_free(d);
}
END_TEST

/* As client there is none before the first request of the peer, which may be 0. */
START_TEST(first_sequence_number_sets_it_12_2_2)
{
	struct dialog *d = client_of(200, ";tag=b", "Contact: <sip:bob@b.example>\r\n", 0);

	ck_assert_int_eq(dialog_take_cseq(d, 0), 0);
	ck_assert(d->has_remote_cseq);
	ck_assert_int_eq(dialog_take_cseq(d, 7), 0);
	ck_assert_int_eq(dialog_take_cseq(d, 6), -ESTALE);
	dialog_free(d);
}
END_TEST

START_TEST(target_refresh_12_2_2)
{
	struct dialog *d = server_of(";tag=a", "Record-Route: <sip:p.example;lr>\r\n"
					       "Contact: <sip:alice@a.example>\r\n");
	struct msg *m = invite("sip:bob@example.com", ";tag=a",
		"Contact: <sip:alice@new.example>\r\nRecord-Route: <sip:other.example;lr>\r\n");

	dialog_refresh_target(d, m);
	assert_slice(dialog_request_uri(d), "sip:alice@new.example");
	assert_routes(d, "Route: <sip:p.example;lr>\r\n"); /* the route set stays, 12.2 */
	msg_unref(m);
	m = invite("sip:bob@example.com", ";tag=a", "");
	dialog_refresh_target(d, m);
	assert_slice(dialog_request_uri(d), "sip:alice@new.example");
	msg_unref(m);
	dialog_free(d);
}
END_TEST

/* ---- RFC 3261 13.2.2.4 ---- */

START_TEST(confirming_computes_routes_anew_13_2_2_4)
{
	struct dialog *d = client_of(180, ";tag=b",
		"Record-Route: <sip:early.example;lr>\r\nContact: <sip:bob@b.example>\r\n", 0);
	struct msg *m = answer(200, ";tag=b",
		"Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>\r\n"
		"Contact: <sip:bob@final.example>\r\n");

	dialog_confirm(d, m);
	ck_assert_uint_eq(d->state, DIALOG_CONFIRMED);
	assert_routes(d, "Route: <sip:p1.example;lr>\r\nRoute: <sip:p2.example;lr>\r\n");
	assert_slice(dialog_request_uri(d), "sip:bob@final.example");
	msg_unref(m);
	m = answer(200, ";tag=b", "Contact: <sip:bob@late.example>\r\n");
	dialog_confirm(d, m); /* once */
	assert_routes(d, "Route: <sip:p1.example;lr>\r\nRoute: <sip:p2.example;lr>\r\n");
	msg_unref(m);
	dialog_free(d);
}
END_TEST

START_TEST(server_confirms_and_keeps_its_routes)
{
	struct dialog *d = server_of(";tag=a", "Record-Route: <sip:p.example;lr>\r\n"
					       "Contact: <sip:alice@a.example>\r\n");

	dialog_confirm(d, NULL);
	ck_assert_uint_eq(d->state, DIALOG_CONFIRMED);
	assert_routes(d, "Route: <sip:p.example;lr>\r\n");
	dialog_free(d);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { uas_takes_routes_in_order_12_1_1, uas_names_12_1_1,
		uas_needs_contact_and_sound_routes_12_1_1, uas_sips_is_secure_12_1_1,
		record_routes_are_copied_12_1_1, uas_peer_without_tag_12_1_1, routes_are_bounded,
		uac_reverses_routes_12_1_2, uac_names_12_1_2, uac_without_contact_12_1_2,
		uac_broken_routes_12_1_2, uac_sips_is_secure_12_1_2, uac_peer_without_tag_12_1_2,
		strict_router_12_2_1_1, strict_router_alone_12_2_1_1,
		strict_router_behind_a_loose_one_12_2_1_1, target_is_stripped_19_1_1,
		finds_forks_by_remote_tag_12_2_2, finds_by_names, sequence_numbers_12_2_2,
		first_sequence_number_sets_it_12_2_2, target_refresh_12_2_2,
		confirming_computes_routes_anew_13_2_2_4, server_confirms_and_keeps_its_routes };
	Suite *s = suite_create("dialog");
	TCase *tc = tcase_create("dialog");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
