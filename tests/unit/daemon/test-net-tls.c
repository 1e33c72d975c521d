/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections with TLS: both ends are ours, or the peer does what it should not. */
#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/daemon-conf.h"
#include "daemon/loop.h"
#include "daemon/net-conn.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/ua.h"
#include "tests/support/duo.h"
#include "tests/unit/daemon/net-case.h"

#define OPTIONS                                                                             \
	"OPTIONS sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bKa\r\n" \
	"To: <sip:a@h>\r\nFrom: <sip:b@h>;tag=1\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"       \
	"Max-Forwards: 1\r\nContent-Length: "

/* The certificates and their files; its own ends are not used. */
static struct duo d;
static struct daemon_listen listens[2];
static struct host_target target;

static const struct cert_wish good = { .name = "example.com", .san = { "uri:sip:example.com" } };

static void configure(void)
{
	struct daemon_conf c = { .listens = listens,
		.n_listens = 2,
		.max_message_size = 1 << 20,
		.tls = d.server_conf };
	struct net_listening at[2];

	ck_assert_int_eq(net_configure(net, &c), 0);
	ck_assert_uint_eq(net_listening(net, at, 2), 2);
	target = (struct host_target){
		.transport = TRANSPORT_TLS, .addr = at[0].at, .domain = "example.com"
	};
	if (at[0].transport != TRANSPORT_TLS)
		target.addr = at[1].at;
}

static char here[] = "127.0.0.1";

static void set_up(void)
{
	duo_init(&d);
	duo_certify(&d, TLS_SERVER, &good);
	net_set_up();
	listens[0] = (struct daemon_listen){ .transport = TRANSPORT_TLS,
		.address = here,
		.idle_timeout = 900 * USEC_PER_SEC,
		.first_message_timeout = 60 * USEC_PER_SEC };
	listens[1] = listens[0];
	listens[1].transport = TRANSPORT_TCP;
	configure();
}

static void tear_down(void)
{
	net_tear_down();
	duo_deinit(&d);
}

static const char *reason_of(const struct flow *f)
{
	return container_of((struct flow *)(uintptr_t)f, struct net_flow, flow)->reason;
}

static struct flow *open_tls(void)
{
	struct flow *f = flow_ref(net_open(net, &target));

	ck_assert_int_eq(f->state, FLOW_OPENING);
	net_turn();
	net_turn();
	return f;
}

static struct flow *open_up(void)
{
	struct flow *f = open_tls();

	ck_assert_msg(f->state == FLOW_UP, "%s", reason_of(f) ? reason_of(f) : "still opening");
	return f;
}

static void expect_down(struct flow *f, const char *part)
{
	ck_assert_int_eq(f->state, FLOW_DOWN);
	ck_assert_msg(
		strstr(reason_of(f), part) != NULL, "\"%s\" lacks \"%s\"", reason_of(f), part);
	flow_unref(f);
	net_turn();
}

static void expect_refused(const char *name)
{
	struct flow *f = open_tls();

	ck_assert_int_eq(strncmp(reason_of(f), name, strlen(name)), 0);
	expect_down(f, ": ");
}

/* The accepted end of the only connection. */
static struct net_conn *accepted(void)
{
	list_for_each (node, &net->connections) {
		struct net_conn *c = list_entry(node, struct net_conn, node);

		if (c->peer)
			return c;
	}
	ck_abort_msg("nothing was accepted");
}

static uint16_t tcp_port(void)
{
	struct net_listening at[2];

	(void)net_listening(net, at, 2);
	return at[0].transport == TRANSPORT_TCP ? at[0].at.port : at[1].at.port;
}

/* ---- what works ---- */

START_TEST(both_ends)
{
	struct flow *f = open_up();
	struct net_conn *far = accepted();

	ck_assert_str_eq(f->tls->version, "TLS1.3");
	ck_assert_str_eq(f->tls->matched, "example.com");
	ck_assert_str_eq(f->tls->subject, "CN=example.com");
	ck_assert(far->base.flow.incoming && far->base.flow.tls);
	ck_assert_str_eq(far->base.flow.tls->subject, "");
	/* RFC 3261 18.1.1: Via says where we listen for the same transport. */
	ck_assert_uint_eq(f->local.port, target.addr.port);
	flow_send(f, SLICE(OPTIONS "0\r\n\r\n"));
	net_turn();
	ck_assert_uint_eq(net->counters.frames_in, 2); /* there, and the answer here */
	ck_assert(far->proven);
	ck_assert_uint_eq(net->counters.handshakes, 2);
	ck_assert_uint_eq(net->counters.handshakes_failed, 0);
	ck_assert_uint_eq(net->n_queued, 0);
	flow_unref(f);
}
END_TEST

START_TEST(early_bytes_wait)
{
	struct flow *f = flow_ref(net_open(net, &target));

	flow_send(f, SLICE(OPTIONS "0\r\n\r\n"));
	ck_assert_uint_gt(net->n_queued, 0);
	net_turn();
	net_turn();
	ck_assert_uint_eq(net->counters.frames_in, 2);
	ck_assert_uint_eq(net->n_queued, 0);
	flow_unref(f);
}
END_TEST

START_TEST(large_message)
{
	struct flow *f = open_up();
	char *bytes = mem_alloc(900000);
	struct buf b = BUF_NULL;

	memset(bytes, 'x', 900000);
	buf_lit(&b, OPTIONS "900000\r\n\r\n");
	buf_put(&b, slice_of(bytes, 900000));
	flow_send(f, buf_slice(&b));
	for (int i = 0; i < 20; i++)
		net_turn();
	ck_assert_uint_eq(net->counters.frames_in, 2);
	ck_assert_uint_eq(net->n_partial, 0);
	flow_unref(f);
	free(bytes);
	buf_deinit(&b);
}
END_TEST

/* RFC 5922, 5923: what was checked for one domain is not used for another. */
START_TEST(domains_share_nothing)
{
	struct cert_wish two = { .san = { "dns:example.com", "dns:example.org" } };
	struct flow *f, *g;

	duo_certify(&d, TLS_SERVER, &two);
	configure();
	f = open_up();
	target.domain = "example.org";
	g = open_up();
	ck_assert_ptr_ne(f, g);
	ck_assert_str_eq(g->tls->matched, "example.org");
	target.domain = "example.com";
	ck_assert_ptr_eq(net_open(net, &target), f);
	flow_unref(f);
	flow_unref(g);
}
END_TEST

/* Files are read again before the next handshake; what is up stays. */
START_TEST(certificate_is_replaced)
{
	struct flow *f = open_up(), *g;
	char first[80];

	(void)snprintf(first, sizeof(first), "%s", f->tls->fingerprint);
	duo_certify(&d, TLS_SERVER, &good);
	configure();
	target.pool = "other";
	g = open_up();
	ck_assert_str_ne(g->tls->fingerprint, first);
	ck_assert_int_eq(f->state, FLOW_UP);
	flow_send(f, SLICE(OPTIONS "0\r\n\r\n"));
	net_turn();
	ck_assert_uint_eq(net->counters.frames_in, 2);
	flow_unref(f);
	flow_unref(g);
}
END_TEST

START_TEST(goodbye)
{
	struct flow *f = open_up();

	flow_close(f, "asked to");
	net_turn();
	net_turn();
	expect_down(f, "asked to");
	ck_assert(list_is_empty(&net->connections));
	ck_assert_uint_eq(net->n_incoming, 0);
}
END_TEST

START_TEST(idle_connection_ends)
{
	struct flow *f = open_up();

	flow_send(f, SLICE(OPTIONS "0\r\n\r\n"));
	net_turn();
	flow_unref(f);
	net_skip(899 * USEC_PER_SEC);
	ck_assert_uint_eq(net->n_incoming, 1);
	net_skip(901 * USEC_PER_SEC);
	net_skip(904 * USEC_PER_SEC);
	ck_assert_uint_eq(net->n_incoming, 0);
	ck_assert(list_is_empty(&net->connections));
}
END_TEST

/* ---- who is refused, and why ---- */

START_TEST(wrong_name)
{
	target.domain = "example.org";
	expect_refused(tls_failure_name(TLS_WRONG_NAME));
	ck_assert_uint_ge(net->counters.handshakes_failed, 1);
}
END_TEST

START_TEST(expired)
{
	struct cert_wish old = good;

	old.begins = -30 * CERT_DAY;
	old.ends = -CERT_DAY;
	duo_certify(&d, TLS_SERVER, &old);
	configure();
	expect_refused(tls_failure_name(TLS_EXPIRED));
}
END_TEST

static struct profile *suspicious(void)
{
	const struct cert_wish wish = { .name = "Somebody", .authority = true };
	struct profile *p = profile_new();
	struct cert other = cert_make(&wish, NULL);

	p->tls.ca_file = duo_path(&d, "other.pem");
	cert_write(p->tls.ca_file, NULL, (const struct cert *[]){ &other, NULL });
	cert_free(&other);
	return p;
}

START_TEST(untrusted)
{
	struct profile *p = suspicious();

	target.profile = p;
	expect_refused(tls_failure_name(TLS_UNTRUSTED));
	profile_unref(p);
}
END_TEST

static char allowed_domain[] = "example.com", other_domain[] = ".example.org";

START_TEST(mutual)
{
	char *allowed[] = { allowed_domain };
	struct flow *f;

	listens[0].mutual_tls = true;
	listens[0].allowed_domains = allowed;
	listens[0].n_allowed_domains = 1;
	configure();
	f = open_up();
	net_turn();
	ck_assert_int_eq(f->state, FLOW_UP);
	ck_assert_str_eq(accepted()->base.flow.tls->matched, "example.com");
	flow_unref(f);
}
END_TEST

START_TEST(mutual_of_others)
{
	char *allowed[] = { other_domain };
	struct flow *f;

	listens[0].mutual_tls = true;
	listens[0].allowed_domains = allowed;
	listens[0].n_allowed_domains = 1;
	configure();
	f = open_tls();
	net_turn();
	expect_down(f, tls_failure_name(TLS_REFUSED_BY_PEER));
	ck_assert_uint_eq(net->n_incoming, 0);
	ck_assert_uint_eq(net->counters.handshakes_failed, 1);
	ck_assert_uint_eq(net->counters.connections_refused, 1);
}
END_TEST

/* Nobody's certificate: the files are missing. */
START_TEST(files_are_bad)
{
	struct profile *p = profile_new();
	struct flow *f;

	p->tls.ca_file = duo_path(&d, "none.pem");
	target.profile = p;
	f = open_tls();
	expect_down(f, "[Tls]");
	profile_unref(p);
}
END_TEST

/* ---- trust on first use ---- */

static struct net_question asked;
static unsigned n_asked;

static int on_ask(void *ctx, const struct net_question *q)
{
	(void)ctx;
	asked = *q;
	n_asked++;
	ck_assert_str_eq(q->domain, "example.com");
	ck_assert_uint_gt(q->certificate.n, 0);
	ck_assert_str_eq(q->peer->subject, "CN=example.com");
	return 0;
}

static struct flow *open_asking(struct profile **ret_profile)
{
	struct profile *p = suspicious();
	struct flow *f;

	n_asked = 0;
	p->tls.trust_on_first_use = true;
	target.profile = p;
	f = open_tls();
	*ret_profile = p;
	return f;
}

START_TEST(trusted_on_first_use)
{
	struct profile *p;
	struct flow *f;

	net_set_ask(net, on_ask, NULL);
	f = open_asking(&p);
	ck_assert_uint_eq(n_asked, 1);
	ck_assert_ptr_eq(asked.profile, p);
	ck_assert_int_eq(f->state, FLOW_OPENING);
	net_skip(16 * USEC_PER_SEC); /* people need longer than machines */
	ck_assert_int_eq(f->state, FLOW_OPENING);
	net_decide(net, asked.flow, TLS_NO_FAILURE);
	net_turn();
	ck_assert_int_eq(f->state, FLOW_UP);
	net_decide(net, asked.flow, TLS_UNTRUSTED); /* too late */
	flow_close(f, "again");
	net_turn();
	flow_unref(f);
	f = open_up(); /* known now */
	ck_assert_uint_eq(n_asked, 1);
	flow_unref(f);
	profile_unref(p);
}
END_TEST

START_TEST(not_trusted_on_first_use)
{
	struct profile *p;
	struct flow *f;

	net_set_ask(net, on_ask, NULL);
	f = open_asking(&p);
	net_decide(net, asked.flow + 1000, TLS_NO_FAILURE); /* nobody's */
	net_decide(net, asked.flow, TLS_UNTRUSTED);
	net_turn();
	expect_down(f, "untrusted: ");
	profile_unref(p);
}
END_TEST

START_TEST(nobody_says_a_word)
{
	struct profile *p;
	struct flow *f;

	net_set_ask(net, on_ask, NULL);
	f = open_asking(&p);
	net_skip(59 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_OPENING);
	net_skip(61 * USEC_PER_SEC);
	expect_down(f, "untrusted: ");
	net_decide(net, asked.flow, TLS_NO_FAILURE);
	profile_unref(p);
}
END_TEST

START_TEST(nobody_to_ask)
{
	struct profile *p;
	struct flow *f = open_asking(&p);

	expect_down(f, "untrusted: ");
	profile_unref(p);
}
END_TEST

/* ---- what peers should not do ---- */

START_TEST(plain_text_to_tls)
{
	int fd = net_stranger(target.addr.port, INADDR_LOOPBACK);

	net_say(fd, OPTIONS "0\r\n\r\n");
	ck_assert(net_is_closed(fd));
	ck_assert_uint_eq(net->counters.connections_refused, 1);
	(void)close(fd);
}
END_TEST

START_TEST(tls_to_plain_text)
{
	int fd = net_stranger(tcp_port(), INADDR_LOOPBACK);

	ck_assert_int_eq(send(fd, "\x16\x03\x01\x02\x00\x01", 6, 0), 6);
	net_turn();
	ck_assert(net_is_closed(fd));
	ck_assert_uint_eq(net->counters.connections_refused, 1);
	ck_assert_uint_eq(net->counters.frames_bad, 0);
	(void)close(fd);
}
END_TEST

START_TEST(our_tls_to_plain_text)
{
	int listener, fd;
	struct flow *f;

	listener = net_peer_socket(SOCK_STREAM, &target);
	target.transport = TRANSPORT_TLS;
	f = open_tls();
	fd = accept(listener, NULL, NULL);
	net_say(fd, "SIP/2.0 400 Bad Request\r\n\r\n");
	expect_down(f, "does not speak TLS");
	(void)close(fd);
	(void)close(listener);
}
END_TEST

START_TEST(handshake_byte_by_byte)
{
	int fd = net_stranger(target.addr.port, INADDR_LOOPBACK);

	ck_assert_int_eq(send(fd, "\x16", 1, 0), 1);
	net_turn();
	ck_assert_int_eq(send(fd, "\x03", 1, 0), 1);
	net_skip(59 * USEC_PER_SEC);
	ck_assert(!net_is_closed(fd));
	net_skip(61 * USEC_PER_SEC);
	ck_assert(net_is_closed(fd));
	ck_assert_uint_eq(net->n_incoming, 1); /* drains */
	net_skip(64 * USEC_PER_SEC);
	ck_assert_uint_eq(net->n_incoming, 0);
	(void)close(fd);
}
END_TEST

START_TEST(server_says_nothing)
{
	int listener = net_peer_socket(SOCK_STREAM, &target);
	struct flow *f;

	target.transport = TRANSPORT_TLS;
	f = open_tls();
	net_skip(14 * USEC_PER_SEC);
	ck_assert_int_eq(f->state, FLOW_OPENING);
	net_skip(16 * USEC_PER_SEC);
	expect_down(f, "the TLS handshake took too long");
	(void)close(listener);
}
END_TEST

START_TEST(reset_in_the_handshake)
{
	const struct linger at_once = { .l_onoff = 1 };
	int listener = net_peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f;

	target.transport = TRANSPORT_TLS;
	f = open_tls();
	fd = accept(listener, NULL, NULL);
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	(void)close(fd);
	net_turn();
	expect_down(f, "reset");
	(void)close(listener);
}
END_TEST

START_TEST(end_in_the_handshake)
{
	int listener = net_peer_socket(SOCK_STREAM, &target), fd;
	struct flow *f;

	target.transport = TRANSPORT_TLS;
	f = open_tls();
	fd = accept(listener, NULL, NULL);
	(void)shutdown(fd, SHUT_WR);
	net_turn();
	expect_down(f, tls_failure_name(TLS_BROKEN));
	(void)close(fd);
	(void)close(listener);
}
END_TEST

/* Cut off: who could have done that is not the peer alone (RFC 5246 section 7.2.1). */
START_TEST(end_without_goodbye)
{
	struct flow *f = open_up();

	flow_send(f, SLICE("OPTIONS sip:a@b SIP"));
	net_turn();
	ck_assert_int_eq(shutdown(accepted()->fd, SHUT_WR), 0);
	net_turn();
	expect_down(f, tls_failure_name(TLS_BROKEN));
	ck_assert_uint_eq(net->n_partial, 0);
}
END_TEST

START_TEST(garbage_after_the_handshake)
{
	struct flow *f = open_up();

	ck_assert_int_eq(send(accepted()->fd, "\x17\x03\x03\x00\x05hello", 10, 0), 10);
	net_turn();
	net_turn();
	expect_down(f, tls_failure_name(TLS_BROKEN));
}
END_TEST

/* The peer takes nothing: what waits is bounded under TLS, too. */
START_TEST(peer_does_not_read)
{
	struct flow *f = open_up();
	char *bytes = mem_zalloc(100000);
	unsigned n = 0;

	(void)event_del(accepted()->readable);
	while (container_of(f, struct net_flow, flow)->life == NET_ALIVE && n++ < 1000)
		flow_send(f, slice_of(bytes, 100000));
	ck_assert_uint_le(net->n_queued, NET_MAX_QUEUED + (1 << 20));
	net_turn();
	expect_down(f, "does not read");
	ck_assert_uint_eq(net->n_queued, 0);
	free(bytes);
}
END_TEST

/* The same while the handshake lasts. */
START_TEST(too_much_too_early)
{
	struct flow *f = flow_ref(net_open(net, &target));
	char *bytes = mem_zalloc(100000);
	unsigned n = 0;

	while (container_of(f, struct net_flow, flow)->life == NET_ALIVE && n++ < 1000)
		flow_send(f, slice_of(bytes, 100000));
	net_turn();
	ck_assert_int_eq(f->state, FLOW_DOWN);
	ck_assert_uint_eq(net->n_queued, 0);
	flow_unref(f);
	free(bytes);
}
END_TEST

/* NET_MAX_NEW_PER_PEER: half-open handshakes of one address; others still get in. */
START_TEST(half_open_flood)
{
	int fds[NET_MAX_NEW_PER_PEER + 1], other;

	for (int i = 0; i < NET_MAX_NEW_PER_PEER + 1; i++) {
		fds[i] = net_stranger(target.addr.port, INADDR_LOOPBACK + 7);
		ck_assert_int_eq(net_is_closed(fds[i]), i == NET_MAX_NEW_PER_PEER);
	}
	ck_assert_uint_eq(net->counters.connections_refused, 1);
	other = net_stranger(target.addr.port, INADDR_LOOPBACK + 8);
	ck_assert(!net_is_closed(other));
	(void)close(fds[0]);
	net_turn();
	(void)close(fds[1]);
	fds[0] = net_stranger(target.addr.port, INADDR_LOOPBACK + 7);
	ck_assert(!net_is_closed(fds[0]));
	for (int i = 2; i < NET_MAX_NEW_PER_PEER + 1; i++)
		(void)close(fds[i]);
	(void)close(fds[0]);
	(void)close(other);
	net_turn();
	ck_assert_uint_eq(net->peers.n, 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, both_ends);
	tcase_add_test(tc, early_bytes_wait);
	tcase_add_test(tc, large_message);
	tcase_add_test(tc, domains_share_nothing);
	tcase_add_test(tc, certificate_is_replaced);
	tcase_add_test(tc, goodbye);
	tcase_add_test(tc, idle_connection_ends);
	tcase_add_test(tc, wrong_name);
	tcase_add_test(tc, expired);
	tcase_add_test(tc, untrusted);
	tcase_add_test(tc, mutual);
	tcase_add_test(tc, mutual_of_others);
	tcase_add_test(tc, files_are_bad);
	tcase_add_test(tc, trusted_on_first_use);
	tcase_add_test(tc, not_trusted_on_first_use);
	tcase_add_test(tc, nobody_says_a_word);
	tcase_add_test(tc, nobody_to_ask);
	tcase_add_test(tc, plain_text_to_tls);
	tcase_add_test(tc, tls_to_plain_text);
	tcase_add_test(tc, our_tls_to_plain_text);
	tcase_add_test(tc, handshake_byte_by_byte);
	tcase_add_test(tc, server_says_nothing);
	tcase_add_test(tc, reset_in_the_handshake);
	tcase_add_test(tc, end_in_the_handshake);
	tcase_add_test(tc, end_without_goodbye);
	tcase_add_test(tc, garbage_after_the_handshake);
	tcase_add_test(tc, peer_does_not_read);
	tcase_add_test(tc, too_much_too_early);
	tcase_add_test(tc, half_open_flood);
}

int main(void)
{
	Suite *s = suite_create("net-tls");
	TCase *tc = tcase_create("net-tls");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 120);
	add_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
