/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 3263 section 4 as far as addresses: numeric hosts, A and AAAA, what a URI says. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "protocol/ua/locate.h"
#include "tests/support/world-record.h"

struct fixture {
	struct world *w;
	struct world_ua *wu;
	struct locate l;
};

static unsigned n_done;
static int last_error;

static void on_done(struct locate *l, int error)
{
	ck_assert_ptr_nonnull(l);
	n_done++;
	last_error = error;
}

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .w = world_new(1), .l = { .done = on_done } };
	f->wu = world_ua(f->w, "192.0.2.10");
	n_done = 0;
	last_error = 1;
}

static void teardown(struct fixture *f)
{
	locate_cancel(&f->l);
	world_free(f->w);
}

START_TEST(numeric_hosts_are_known_at_once)
{
	static const struct {
		struct locate_target t;
		const char *host;
		enum transport transport;
		uint16_t port;
	} rows[] = {
		{ { TRANSPORT_NONE, SLICE_INIT("192.0.2.1"), 0 }, "192.0.2.1", TRANSPORT_UDP,
			5060 },
		{ { TRANSPORT_TCP, SLICE_INIT("192.0.2.1"), 5070 }, "192.0.2.1", TRANSPORT_TCP,
			5070 },
		/* 19.1.2: the default of sips and TLS */
		{ { TRANSPORT_TLS, SLICE_INIT("2001:db8::1"), 0 }, "2001:db8::1", TRANSPORT_TLS,
			5061 },
	};
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &rows[i].t), 1);
		ck_assert_uint_eq(f.l.n_addrs, 1);
		ck_assert_str_eq(f.l.addrs[0].host, rows[i].host);
		ck_assert_uint_eq(f.l.addrs[0].port, rows[i].port);
		ck_assert_int_eq(f.l.transport, rows[i].transport);
	}
	ck_assert_uint_eq(n_done, 0);
	teardown(&f);
}
END_TEST

START_TEST(names_are_looked_up)
{
	struct locate_target t = { TRANSPORT_TCP, SLICE_INIT("sip.example.com"), 5070 };
	struct fixture f;

	setup(&f);
	world_set_name(f.w, "sip.example.com", "2001:db8::1");
	world_set_name(f.w, "sip.example.com", "192.0.2.1");
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	ck_assert_uint_eq(n_done, 0);
	world_settle(f.w);
	ck_assert_uint_eq(n_done, 1);
	ck_assert_int_eq(last_error, 0);
	/* In the order of the answer. */
	ck_assert_uint_eq(f.l.n_addrs, 2);
	ck_assert_str_eq(f.l.addrs[0].host, "2001:db8::1");
	ck_assert_str_eq(f.l.addrs[1].host, "192.0.2.1");
	ck_assert_uint_eq(f.l.addrs[0].port, 5070);
	ck_assert_uint_eq(f.l.addrs[1].port, 5070);
	teardown(&f);
}
END_TEST

START_TEST(a_name_may_not_exist)
{
	struct locate_target t = { .host = SLICE_INIT("nowhere.example.com") };
	struct fixture f;

	setup(&f);
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	world_settle(f.w);
	ck_assert_uint_eq(n_done, 1);
	ck_assert_int_eq(last_error, -ENOENT);
	/* No address and no error is the same. */
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	ua_resolved(f.wu->ua, f.l.query.id, &(struct dns_answer){ .n = 0 });
	ck_assert_int_eq(last_error, -ENOENT);
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	ua_resolved(f.wu->ua, f.l.query.id, &(struct dns_answer){ .error = -ETIMEDOUT });
	ck_assert_int_eq(last_error, -ETIMEDOUT);
	ck_assert_uint_eq(n_done, 3);
	world_settle(f.w);
	ck_assert_uint_eq(n_done, 3);
	teardown(&f);
}
END_TEST

START_TEST(cancelled_means_silent)
{
	struct locate_target t = { .host = SLICE_INIT("sip.example.com") };
	struct fixture f;

	setup(&f);
	world_set_name(f.w, "sip.example.com", "192.0.2.1");
	locate_cancel(&f.l); /* idle */
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	locate_cancel(&f.l);
	world_settle(f.w);
	ck_assert_uint_eq(n_done, 0);
	ck_assert_uint_eq(f.wu->ua->queries.n, 0);
	/* A new question forgets the old one. */
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	world_settle(f.w);
	ck_assert_uint_eq(n_done, 1);
	teardown(&f);
}
END_TEST

START_TEST(limit_of_addresses)
{
	struct locate_target t = { .host = SLICE_INIT("many.example.com") };
	struct flow_addr many[LIMITS_ADDRESSES + 4] = { 0 };
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i].host[0] = (char)('a' + i);
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	ua_resolved(f.wu->ua, f.l.query.id,
		&(struct dns_answer){ .addrs = many, .n = ARRAY_LEN(many) });
	ck_assert_uint_eq(n_done, 1);
	ck_assert_uint_eq(f.l.n_addrs, LIMITS_ADDRESSES);
	ck_assert_int_eq(f.l.addrs[LIMITS_ADDRESSES - 1].host[0], 'a' + LIMITS_ADDRESSES - 1);
	teardown(&f);
}
END_TEST

START_TEST(a_name_has_a_length)
{
	char name[254];
	struct locate_target t = { .host = { name, sizeof(name) } };
	struct fixture f;

	setup(&f);
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = 'a';
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), -EINVAL);
	t.host.n--;
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), 0);
	t.host.n = 0;
	ck_assert_int_eq(locate_start(&f.l, f.wu->ua, &t), -EINVAL);
	teardown(&f);
}
END_TEST

struct row {
	const char *text;
	int error;
	enum transport transport;
	const char *host;
	uint16_t port;
};

static void check_row(const struct row *row, int error, const struct locate_target *t)
{
	ck_assert_msg(error == row->error, "%s: %d", row->text, error);
	if (error)
		return;
	ck_assert_msg(slice_eq(t->host, slice_str(row->host)), "%s: %.*s", row->text,
		SLICE_ARGS(t->host));
	ck_assert_msg(t->port == row->port, "%s: %u", row->text, t->port);
	ck_assert_msg(t->transport == row->transport, "%s: %d", row->text, (int)t->transport);
}

START_TEST(what_a_uri_says)
{
	static const struct row rows[] = {
		{ "sip:alice@example.com", 0, TRANSPORT_NONE, "example.com", 0 },
		{ "sip:alice@[2001:db8::1]:5070", 0, TRANSPORT_NONE, "2001:db8::1", 5070 },
		/* 4.1: the parameter decides */
		{ "sip:example.com;transport=TCP", 0, TRANSPORT_TCP, "example.com", 0 },
		{ "sip:example.com;transport=udp", 0, TRANSPORT_UDP, "example.com", 0 },
		{ "sip:example.com;transport=sctp", -EOPNOTSUPP, 0, NULL, 0 },
		/* 4: maddr is the target */
		{ "sip:a@example.com:5080;maddr=192.0.2.7", 0, TRANSPORT_NONE, "192.0.2.7", 5080 },
		{ "sip:a@example.com;maddr=[2001:db8::7]", 0, TRANSPORT_NONE, "2001:db8::7", 0 },
		/* RFC 3261 26.2.2 */
		{ "sips:alice@example.com", 0, TRANSPORT_TLS, "example.com", 0 },
		{ "sips:alice@example.com;transport=tcp", 0, TRANSPORT_TLS, "example.com", 0 },
		{ "sips:alice@example.com;transport=udp", -EOPNOTSUPP, 0, NULL, 0 },
		{ "tel:+123", -EOPNOTSUPP, 0, NULL, 0 },
		{ "mailto:a@example.com", -EOPNOTSUPP, 0, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct locate_target t = { 0 };
		struct uri u;

		ck_assert_int_eq(uri_parse(slice_str(rows[i].text), &u), 0);
		check_row(&rows[i], locate_target_of_uri(&u, &t), &t);
	}
}
END_TEST

START_TEST(what_an_outbound_proxy_says)
{
	static const struct row rows[] = {
		{ "proxy.example.com", 0, TRANSPORT_NONE, "proxy.example.com", 0 },
		{ "proxy.example.com:5070", 0, TRANSPORT_NONE, "proxy.example.com", 5070 },
		{ "192.0.2.1:5070;transport=tcp", 0, TRANSPORT_TCP, "192.0.2.1", 5070 },
		{ "[2001:db8::1]:5070", 0, TRANSPORT_NONE, "2001:db8::1", 5070 },
		{ "[2001:db8::1]", 0, TRANSPORT_NONE, "2001:db8::1", 0 },
		{ "2001:db8::1", 0, TRANSPORT_NONE, "2001:db8::1", 0 },
		{ "sip:proxy.example.com;lr", 0, TRANSPORT_NONE, "proxy.example.com", 0 },
		{ "SIPS:proxy.example.com", 0, TRANSPORT_TLS, "proxy.example.com", 0 },
		{ "proxy.example.com;transport=sctp", -EINVAL, 0, NULL, 0 },
		{ "proxy.example.com:99999", -EINVAL, 0, NULL, 0 },
		{ "two words", -EINVAL, 0, NULL, 0 },
		{ "", -EINVAL, 0, NULL, 0 },
		{ "tel:+123", -EINVAL, 0, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct locate_target t = { 0 };

		check_row(&rows[i], locate_target_parse(slice_str(rows[i].text), &t), &t);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ua/locate");
	TCase *tc = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_add_test(tc, numeric_hosts_are_known_at_once);
	tcase_add_test(tc, names_are_looked_up);
	tcase_add_test(tc, a_name_may_not_exist);
	tcase_add_test(tc, cancelled_means_silent);
	tcase_add_test(tc, limit_of_addresses);
	tcase_add_test(tc, a_name_has_a_length);
	tcase_add_test(tc, what_a_uri_says);
	tcase_add_test(tc, what_an_outbound_proxy_says);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
