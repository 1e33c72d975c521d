/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DNS answers as they reach the machine that locates servers (RFC 3263): the first byte says what
 * is located, the rest is what the name servers say. Whatever that is, it ends within the limits,
 * and gives no place twice.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/base/err.h"
#include "protocol/ua/health.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/locate.h"
#include "tests/fuzz/ground.h"

enum { MAX_HOPS = LIMITS_LOCATE_STEPS };

struct fuzz {
	struct ground ground;
	struct ua *ua;
	struct locate locate;
	const uint8_t *p;
	size_t n;
	bool ready;
	struct locate_hop hops[MAX_HOPS];
	size_t n_hops;
};

static void on_sent(void *ctx, struct flow *f, struct msg *m)
{
	(void)ctx;
	(void)f;
	(void)m;
}

static void on_ready(struct locate *l)
{
	container_of(l, struct fuzz, locate)->ready = true;
}

static uint8_t take(struct fuzz *z)
{
	uint8_t byte = z->n ? *z->p : 0;

	z->p += z->n > 0;
	z->n -= z->n > 0;
	return byte;
}

/* Up to room - 1 bytes, a NUL behind; short ones of a small alphabet meet one another. */
static void take_text(struct fuzz *z, char *to, size_t room)
{
	static const char *const common[] = { "", "a", "b.a", "example.com", "192.0.2.1",
		"2001:db8::1", "s", "S", "u", "SIP+D2U", "SIP+D2T", "SIPS+D2T", "_sip._udp.a",
		"_sips._tcp.a", "." };
	uint8_t what = take(z);
	size_t n = 0;

	if (what < ARRAY_LEN(common)) {
		n = strlen(common[what]);
		memcpy(to, common[what], n);
	} else {
		for (; n < what && n + 1 < room && z->n; n++)
			to[n] = (char)take(z);
	}
	to[n] = '\0';
}

static uint16_t take16(struct fuzz *z)
{
	uint8_t high = take(z);

	return (uint16_t)(high << 8 | take(z));
}

struct records {
	struct flow_addr addrs[DNS_MAX_RECORDS];
	struct dns_srv srv[DNS_MAX_RECORDS];
	struct dns_naptr naptr[DNS_MAX_RECORDS];
};

static void take_record(struct fuzz *z, enum dns_kind kind, struct records *r, size_t i)
{
	switch (kind) {
	case DNS_ADDRESSES:
		take_text(z, r->addrs[i].host, sizeof(r->addrs[i].host));
		break;
	case DNS_SRV:
		r->srv[i].priority = take(z) & 3;
		r->srv[i].weight = take16(z);
		r->srv[i].port = take16(z);
		take_text(z, r->srv[i].target, sizeof(r->srv[i].target));
		break;
	case DNS_NAPTR:
		r->naptr[i].order = take(z) & 3;
		r->naptr[i].preference = take(z) & 3;
		r->naptr[i].has_regexp = take(z) > 250;
		take_text(z, r->naptr[i].flags, sizeof(r->naptr[i].flags));
		take_text(z, r->naptr[i].services, sizeof(r->naptr[i].services));
		take_text(z, r->naptr[i].replacement, sizeof(r->naptr[i].replacement));
		break;
	}
}

static void answer(struct fuzz *z)
{
	static const int errors[] = { 0, -ENOENT, -ETIMEDOUT, -ECONNREFUSED, -ENOSPC };
	struct records *r = mem_new(struct records);
	struct dns_answer a = { .addrs = r->addrs, .srv = r->srv, .naptr = r->naptr };
	uint8_t how = take(z);

	if (how >= 250)
		a.error = errors[how % ARRAY_LEN(errors)];
	else
		a.n = how % (DNS_MAX_RECORDS + 1);
	for (size_t i = 0; i < a.n; i++)
		take_record(z, z->ground.kind, r, i);
	z->ready = false;
	ua_resolved(z->ua, z->locate.query.id, &a);
	ground_expect(z->ready);
	free(r);
}

static void note_hop(struct fuzz *z, const struct locate_hop *hop)
{
	ground_expect(hop->transport != TRANSPORT_NONE && hop->addr.port != 0);
	ground_expect(!z->locate.sips || hop->transport == TRANSPORT_TLS);
	ground_expect(z->n_hops < MAX_HOPS);
	for (size_t i = 0; i < z->n_hops; i++)
		ground_expect(z->hops[i].transport != hop->transport ||
			      !flow_addr_equal(&z->hops[i].addr, &hop->addr));
	z->hops[z->n_hops++] = *hop;
}

static void run(struct fuzz *z)
{
	struct locate_hop hop, rival;
	unsigned n_asked = 0;
	int got;

	while ((got = locate_next(&z->locate, &hop)) >= 0) {
		if (got == 0) {
			ground_expect(++n_asked <= LIMITS_LOCATE_QUERIES);
			answer(z);
			continue;
		}
		note_hop(z, &hop);
		if (locate_take_rival(&z->locate, &hop, &rival)) {
			ground_expect(rival.transport == hop.transport);
			if (take(z) & 1)
				locate_give_back(&z->locate, &rival);
			else
				note_hop(z, &rival);
		}
		if (take(z) > 200)
			health_mark(z->ua, &(struct health_trouble){ .transport = hop.transport,
						   .addr = &hop.addr,
						   .reason = "fuzz" });
	}
	ground_expect(locate_error_text(got)[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz z = { .p = data, .n = n };
	uint8_t what = take(&z);
	struct locate_target t = {
		.transport = (enum transport)(what & 3),
		.sips = (what & 7) == 4 || (what & 7) == 7,
		.host = what & 8 ? SLICE("a") : SLICE("example.com"),
		.port = what & 16 ? 5070 : 0,
	};

	ground_init(&z.ground, on_sent, &z);
	z.ua = ua_new(&z.ground.host, USEC_PER_SEC);
	z.locate.ready = on_ready;
	ground_expect(locate_start(&z.locate, z.ua, &t) == 0);
	if (!(what & 128))
		run(&z);
	locate_cancel(&z.locate);
	ground_expect(z.ua->queries.n == 0);
	ua_free(z.ua);
	ground_deinit(&z.ground);
	return 0;
}
