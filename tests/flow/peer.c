/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Peer-to-peer endpoints: who reaches them, and what they refuse. */
#include <check.h>

#include "protocol/base/err.h"
#include "protocol/ua/page.h"
#include "tests/flow/caller.h"
#include "tests/support/run.h"

#define UDP "udp:192.0.2.1:5060"
#define TCP "tcp:192.0.2.1:40000"
/* Over the first connection that the user agent opened. */
#define TCP_OF_ALICE "tcp:192.0.2.1:5060>49152"
#define TLS "tls:192.0.2.1:40000"

struct peer {
	struct world *w;
	struct world_ua *wu;
};

static struct peer peer_new(void)
{
	struct peer p = { .w = world_new(1) };

	p.wu = world_ua(p.w, "192.0.2.10");
	return p;
}

static struct endpoint *make(struct peer *p, const struct endpoint_config *wish)
{
	struct profile *profile = profile_new();
	struct endpoint_config c = *wish;
	struct endpoint *ep;

	profile->name = mem_strdup("peer");
	profile->kind = PROFILE_PEER_TO_PEER;
	profile->registers = false;
	c.profile = profile;
	if (!c.uri)
		c.uri = "sip:alice@192.0.2.10";
	ck_assert_int_eq(endpoint_new(p->wu->ua, &c, &ep), 0);
	profile_unref(profile);
	return ep;
}

static struct endpoint *listener(struct peer *p, const char *id, const char *uri)
{
	struct endpoint_config c = { .id = id, .uri = uri, .listen = ENDPOINT_LISTEN_YES };

	return make(p, &c);
}

static void finish(struct peer *p)
{
	world_run(p->w, 70 * SEC);
	(void)world_skip_out(p->w);
	list_for_each_safe (node, next, &p->wu->ua->endpoints)
		endpoint_close(list_entry(node, struct endpoint, node));
	world_run(p->w, 180 * SEC);
	world_expect_idle(p->wu);
	world_free(p->w);
}

static void page_in(struct peer *p, const char *from, const char *uri)
{
	struct buf b = BUF_NULL;
	const char *name = *from == 'u' ? "UDP" : from[1] == 'c' ? "TCP" : "TLS";
	char *text;

	buf_printf(&b,
		"MESSAGE %s SIP/2.0\n"
		"Via: SIP/2.0/%s {peer};branch=z9hG4bK-{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <sip:bob@192.0.2.1>;tag=bob\n"
		"To: <sip:alice@192.0.2.10>\n"
		"Call-ID: page-{n}\n"
		"CSeq: 1 MESSAGE\n"
		"Content-Type: text/plain\n"
		"Content-Length: 2\n\nhi",
		uri, name);
	text = buf_take(&b);
	world_in(p->wu, from, text);
	world_settle(p->w);
	free(text);
}

/* It came to that endpoint. */
static void expect_at(struct peer *p, const struct endpoint *ep)
{
	struct incoming *in = world_expect_incoming(p->wu);

	ck_assert_str_eq(in->ep->id, ep->id);
	incoming_pass(in);
	(void)world_expect_out(p->w, "480");
}

static void on_done(void *owner, struct request *r, const struct outcome *o)
{
	(void)owner;
	(void)r;
	(void)o;
}

static void send_page(struct endpoint *ep, const char *target)
{
	static const struct request_ops ops = { .done = on_done };
	struct page_spec spec = {
		.target = slice_str(target),
		.content_type = SLICE("text/plain"),
		.body = SLICE("hi"),
		.ops = &ops,
	};
	struct request *r;
	const char *why;

	ck_assert_int_eq(page_send(ep, &spec, &r, &why), 0);
}

/* ---- who is reached ---- */

/* Without Listen it is as if nobody were there (8.2.2.1), over any transport. */
START_TEST(rfc3261_8_2_2_1_does_not_listen)
{
	struct peer p = peer_new();

	(void)make(&p, &(struct endpoint_config){ .id = "alice" });
	page_in(&p, UDP, "sip:alice@192.0.2.10");
	(void)world_expect_out(p.w, "404");
	page_in(&p, TCP, "sip:alice@192.0.2.10");
	(void)world_expect_out(p.w, "404");
	page_in(&p, UDP, "{contact}");
	(void)world_expect_out(p.w, "404");
	(void)listener(&p, "alice2", "sip:alice@192.0.2.10");
	page_in(&p, UDP, "sip:alice@192.0.2.10");
	expect_at(&p, endpoint_find(p.wu->ua, SLICE("alice2")));
	finish(&p);
}
END_TEST

/* Nobody of that name, whoever listens. */
START_TEST(rfc3261_8_2_2_1_nobody)
{
	struct peer p = peer_new();

	(void)listener(&p, "alice", NULL);
	page_in(&p, UDP, "sip:carol@192.0.2.10");
	(void)world_expect_out(p.w, "404");
	page_in(&p, UDP, "sip:alice@192.0.2.77");
	(void)world_expect_out(p.w, "404");
	finish(&p);
}
END_TEST

/* What it opened itself others may use to reach it, but not somebody else beside it. */
START_TEST(reached_over_its_own_connection)
{
	struct peer p = peer_new();
	struct endpoint *ep = make(&p, &(struct endpoint_config){ .id = "alice" });
	const struct msg *m;

	(void)make(&p, &(struct endpoint_config){ .id = "carol", .uri = "sip:carol@192.0.2.10" });
	send_page(ep, "sip:bob@192.0.2.1;transport=tcp");
	m = world_expect_out(p.w, "MESSAGE");
	page_in(&p, TCP_OF_ALICE, "sip:alice@192.0.2.10");
	expect_at(&p, ep);
	page_in(&p, TCP_OF_ALICE, "sip:carol@192.0.2.10");
	(void)world_expect_out(p.w, "404");
	world_reply(p.w, m, 200, NULL);
	finish(&p);
}
END_TEST

/* Whoever speaks TLS is not reached over less. */
START_TEST(tls_alone)
{
	struct peer p = peer_new();
	struct endpoint_config c = {
		.id = "alice", .listen = ENDPOINT_LISTEN_YES, .transport = TRANSPORT_TLS
	};
	struct endpoint *ep = make(&p, &c);

	page_in(&p, UDP, "sip:alice@192.0.2.10");
	(void)world_expect_out(p.w, "404");
	page_in(&p, TCP, "sip:alice@192.0.2.10");
	(void)world_expect_out(p.w, "404");
	page_in(&p, TLS, "sip:alice@192.0.2.10");
	expect_at(&p, ep);
	finish(&p);
}
END_TEST

/* ---- several of one name ---- */

/* Port and ms-opaque of the URI tell them apart, then the endpoint id, else the oldest has it. */
START_TEST(told_apart)
{
	struct peer p = peer_new();
	struct endpoint *plain = listener(&p, "plain", NULL);
	struct endpoint *port = listener(&p, "port", "sip:alice@192.0.2.10:5070");
	struct endpoint *opaque = listener(&p, "opaque", "sip:alice@192.0.2.10;ms-opaque=app2");
	struct endpoint_config c = { .id = "point", .endpoint_id = "0a1b2c3d4e" };
	struct endpoint *point;

	c.listen = ENDPOINT_LISTEN_YES;
	point = make(&p, &c);
	page_in(&p, UDP, "sip:alice@192.0.2.10");
	expect_at(&p, plain);
	page_in(&p, UDP, "sip:alice@192.0.2.10:5070");
	expect_at(&p, port);
	page_in(&p, UDP, "sip:alice@192.0.2.10;ms-opaque=app2");
	expect_at(&p, opaque);
	page_in(&p, UDP, "sip:alice@192.0.2.10;ms-opaque=app3");
	expect_at(&p, plain);
	page_in(&p, UDP, "sip:alice@192.0.2.10;epid=0a1b2c3d4e");
	expect_at(&p, point);
	finish(&p);
}
END_TEST

/* ---- what makes one ---- */

START_TEST(kinds)
{
	struct peer p = peer_new();
	struct world_account a = { .id = "bob", .domain = "example.com", .registrar = "192.0.2.2" };
	struct profile *profile = profile_ref(world_endpoint(p.wu, &a)->profile);
	struct endpoint_config c = { .id = "x", .profile = profile, .kind = "other" };
	struct endpoint *ep;

	ck_assert_int_eq(endpoint_new(p.wu->ua, &c, &ep), -EINVAL);
	c.kind = "registered";
	c.listen = ENDPOINT_LISTEN_YES;
	ck_assert_int_eq(endpoint_new(p.wu->ua, &c, &ep), -EOPNOTSUPP);
	/* Of a profile that registers, one that does not: it goes to nobody's server. */
	c.kind = "peer-to-peer";
	ck_assert_int_eq(endpoint_new(p.wu->ua, &c, &ep), 0);
	ck_assert_ptr_null(ep->registration);
	send_page(ep, "sip:carol@192.0.2.1");
	world_settle(p.w);
	ck_assert(slice_eq(
		world_expect_out(p.w, "MESSAGE")->request_uri, SLICE("sip:carol@192.0.2.1")));
	profile_unref(profile);
	finish(&p);
}
END_TEST

RUN_TESTS("peer", rfc3261_8_2_2_1_does_not_listen, rfc3261_8_2_2_1_nobody,
	reached_over_its_own_connection, tls_alone, told_apart, kinds)
