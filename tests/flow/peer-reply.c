/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Responses whose connection is gone: RFC 3261 18.2.2, RFC 3263 section 5. */
#include <check.h>
#include <stdio.h>

#include "tests/flow/caller.h"
#include "tests/support/run.h"
#include "tests/support/world-dns.h"
#include "tests/support/world-net.h"

static struct world *w;
static struct world_ua *wu;
static struct endpoint *ep;
static char reached[80];

static bool note(void *ctx, struct world_mail *mail)
{
	(void)ctx;
	(void)snprintf(reached, sizeof(reached), "%s:%u", mail->to.host, mail->to.port);
	return false;
}

static struct incoming *page_in(const char *sent_by)
{
	struct profile *profile = profile_new();
	struct endpoint_config c = { .id = "alice",
		.uri = "sip:alice@192.0.2.10",
		.listen = ENDPOINT_LISTEN_YES,
		.profile = profile };
	char text[600];

	w = world_new(1);
	wu = world_ua(w, "192.0.2.10");
	profile->name = mem_strdup("peer");
	profile->kind = PROFILE_PEER_TO_PEER;
	profile->registers = false;
	ck_assert_int_eq(endpoint_new(wu->ua, &c, &ep), 0);
	profile_unref(profile);
	world_set_peer(w, note, NULL);
	reached[0] = '\0';
	(void)snprintf(text, sizeof(text),
		"MESSAGE sip:alice@192.0.2.10 SIP/2.0\n"
		"Via: SIP/2.0/TCP %s;branch=z9hG4bK-{n}\n"
		"Max-Forwards: 70\nFrom: <sip:bob@192.0.2.1>;tag=bob\nTo: <sip:alice@192.0.2.10>\n"
		"Call-ID: page-{n}\nCSeq: 1 MESSAGE\nContent-Length: 0\n\n",
		sent_by);
	world_in(wu, "tcp:192.0.2.1:40000", text);
	world_settle(w);
	return world_expect_incoming(wu);
}

static void finish(void)
{
	world_run(w, 70 * SEC);
	endpoint_close(ep);
	world_run(w, 180 * SEC);
	ck_assert_uint_eq(wu->ua->n_ways, 0);
	world_expect_idle(wu);
	world_free(w);
}

static void reply(struct incoming *in, const char *expected)
{
	world_cut(wu);
	world_settle(w);
	incoming_pass(in);
	(void)world_wait_out(w, "480", 60 * SEC);
	ck_assert_str_eq(reached, expected);
	finish();
}

/* First the source of the request, at the port of sent-by. */
START_TEST(rfc3261_18_2_2_source)
{
	reply(page_in("b.example.com:5070"), "192.0.2.1:5070");
}
END_TEST

START_TEST(rfc3263_5_numeric)
{
	struct incoming *in = page_in("192.0.2.9:5070");

	world_set_reach(w, "192.0.2.1", WORLD_REFUSED);
	reply(in, "192.0.2.9:5070");
}
END_TEST

START_TEST(rfc3263_5_address_of_a_name)
{
	struct incoming *in = page_in("b.example.com:5070");

	world_set_reach(w, "192.0.2.1", WORLD_REFUSED);
	world_set_name(w, "b.example.com", "192.0.2.9");
	reply(in, "192.0.2.9:5070");
}
END_TEST

/* Without a port it is SRV that says one. */
START_TEST(rfc3263_5_srv)
{
	struct incoming *in = page_in("b.example.com");

	world_set_reach(w, "192.0.2.1", WORLD_REFUSED);
	world_dns_zone(w, "SRV _sip._tcp.b.example.com 1 1 5080 c.example.com\n"
			  "A c.example.com 192.0.2.9\n");
	reply(in, "192.0.2.9:5080");
}
END_TEST

/* Nowhere: nothing is left of it. */
START_TEST(nobody)
{
	struct incoming *in = page_in("nobody.example.com:5070");

	world_set_reach(w, "192.0.2.1", WORLD_REFUSED);
	world_cut(wu);
	world_settle(w);
	incoming_pass(in);
	world_expect_silence(w, 60 * SEC);
	finish();
}
END_TEST

RUN_TESTS("peer-reply", rfc3261_18_2_2_source, rfc3263_5_numeric, rfc3263_5_address_of_a_name,
	rfc3263_5_srv, nobody)
