/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "protocol/msg/build.h"
#include "protocol/ua/request-private.h"

/*
 * Which servers are better left alone for a while: those that said so by 503 with Retry-After
 * (RFC 3261 21.5.4), that did not answer, or that take no TCP. Shared by all requests, keyed by
 * transport and address; what has passed is as good as forgotten.
 */
struct health {
	struct map_node node;
	char *key;
	usec_t until;
};

static char *make_key(enum transport transport, const struct flow_addr *addr)
{
	struct buf b = BUF_NULL;

	buf_str(&b, transport_name(transport));
	buf_putc(&b, ':');
	build_hostport(&b, slice_str(addr->host), addr->port);
	return buf_take(&b);
}

static struct health *find(const struct ua *ua, const char *key)
{
	struct map_node *node = map_find(&ua->server_health, slice_str(key));

	return node ? container_of(node, struct health, node) : NULL;
}

bool request_health_is_bad(
	const struct ua *ua, enum transport transport, const struct flow_addr *addr)
{
	const struct health *h;
	char *key;

	/* Nearly always; saves the key. */
	if (ua->server_health.n == 0)
		return false;
	key = make_key(transport, addr);
	h = find(ua, key);
	free(key);
	return h && h->until > ua->timers.now;
}

static void forget(struct ua *ua, struct health *h)
{
	map_remove(&ua->server_health, &h->node);
	free(h->key);
	free(h);
}

/* Room for one more: what has passed goes, else whatever comes first. */
static void make_room(struct ua *ua)
{
	struct health *victim = NULL;

	if (ua->server_health.n < LIMITS_SERVER_HEALTH)
		return;
	map_for_each (node, &ua->server_health) {
		struct health *h = container_of(node, struct health, node);

		if (!victim || h->until < victim->until)
			victim = h;
	}
	if (victim)
		forget(ua, victim);
}

void request_health_mark(
	struct ua *ua, enum transport transport, const struct flow_addr *addr, usec_t how_long)
{
	char *key = make_key(transport, addr);
	struct health *h = find(ua, key);
	usec_t until = ua->timers.now + how_long;

	log_line(&ua->host->log, LOG_LEVEL_DEBUG, "%s is passed over for %llu s", key,
		(unsigned long long)(how_long / USEC_PER_SEC));
	if (h) {
		free(key);
		h->until = until > h->until ? until : h->until;
		return;
	}
	make_room(ua);
	h = mem_new(struct health);
	h->key = key;
	h->until = until;
	map_insert(&ua->server_health, &h->node, slice_str(h->key));
}

void request_health_clear(struct ua *ua)
{
	struct map_node *node;

	while ((node = map_any(&ua->server_health)))
		forget(ua, container_of(node, struct health, node));
}
