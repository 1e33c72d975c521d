/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/health.h"

#include <string.h>

#include "protocol/msg/build.h"
#include "protocol/txn/timers.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/ua.h"

enum {
	FIRST_SEC = 30, /* after a failure; RFC 3263 leaves the time open */
	MOST_SEC = 300, /* after many */
};

struct health {
	struct map_node node;
	char *key, *target, *reason;
	enum transport transport;
	struct flow_addr addr;
	uint32_t retry_after;
	unsigned n_failures;
	usec_t until, probed_until;
};

static struct health *of_node(struct map_node *node)
{
	return container_of(node, struct health, node);
}

static char *make_key(enum transport transport, const struct flow_addr *addr)
{
	struct buf b = BUF_NULL;

	buf_str(&b, transport_name(transport));
	buf_putc(&b, ':');
	build_hostport(&b, slice_str(addr->host), addr->port);
	return buf_take(&b);
}

static struct health *find(
	const struct ua *ua, enum transport transport, const struct flow_addr *addr)
{
	struct map_node *node;
	char *key;

	/* Nearly always; saves the key. */
	if (ua->server_health.n == 0)
		return NULL;
	key = make_key(transport, addr);
	node = map_find(&ua->server_health, slice_str(key));
	free(key);
	return node ? of_node(node) : NULL;
}

static void forget(struct ua *ua, struct health *h)
{
	map_remove(&ua->server_health, &h->node);
	free(h->key);
	free(h->target);
	free(h->reason);
	free(h);
}

/* Room for one more: what is over first goes. */
static void make_room(struct ua *ua)
{
	struct health *victim = NULL;

	if (ua->server_health.n < LIMITS_SERVER_HEALTH)
		return;
	map_for_each (node, &ua->server_health) {
		struct health *h = of_node(node);

		if (!victim || h->until < victim->until)
			victim = h;
	}
	if (victim)
		forget(ua, victim);
}

static struct health *find_or_new(struct ua *ua, const struct health_trouble *t)
{
	struct health *h = find(ua, t->transport, t->addr);

	if (h)
		return h;
	make_room(ua);
	h = mem_new(struct health);
	h->key = make_key(t->transport, t->addr);
	h->transport = t->transport;
	h->addr = *t->addr;
	map_insert(&ua->server_health, &h->node, slice_str(h->key));
	return h;
}

static usec_t back_off(unsigned n_failures)
{
	unsigned seconds = FIRST_SEC;

	while (n_failures > 1 && seconds < MOST_SEC) {
		seconds *= 2;
		n_failures--;
	}
	return (seconds < MOST_SEC ? seconds : MOST_SEC) * USEC_PER_SEC;
}

void health_mark(struct ua *ua, const struct health_trouble *t)
{
	struct health *h = find_or_new(ua, t);
	uint32_t asked = t->retry_after < LIMITS_RETRY_AFTER ? t->retry_after : LIMITS_RETRY_AFTER;
	usec_t until = ua->timers.now;

	/* Those that were under way together failed once. */
	if (h->until <= ua->timers.now)
		h->n_failures++;
	if (t->how_long)
		until += t->how_long;
	else
		until += t->retry_after ? asked * USEC_PER_SEC : back_off(h->n_failures);
	h->until = until > h->until ? until : h->until;
	h->probed_until = 0;
	h->retry_after = asked;
	free(h->target);
	free(h->reason);
	h->target = mem_strdup(t->target ? t->target : t->addr->host);
	h->reason = mem_strdup(t->reason);
	log_line(&ua->host->log, LOG_LEVEL_DEBUG, "%s is passed over for %llu s: %s", h->key,
		(unsigned long long)((h->until - ua->timers.now) / USEC_PER_SEC), h->reason);
}

void health_good(struct ua *ua, enum transport transport, const struct flow_addr *addr)
{
	struct health *h = find(ua, transport, addr);

	if (h)
		forget(ua, h);
}

bool health_is_bad(const struct ua *ua, enum transport transport, const struct flow_addr *addr)
{
	const struct health *h = find(ua, transport, addr);

	return h && h->until > ua->timers.now;
}

bool health_may_try(struct ua *ua, enum transport transport, const struct flow_addr *addr)
{
	struct health *h = find(ua, transport, addr);

	if (!h)
		return true;
	if (h->until > ua->timers.now || h->probed_until > ua->timers.now)
		return false;
	h->probed_until = ua->timers.now + TIMER_F;
	return true;
}

void health_for_each(
	const struct ua *ua, void (*each)(void *ctx, const struct health_view *v), void *ctx)
{
	map_for_each (node, &ua->server_health) {
		const struct health *h = of_node(node);
		struct health_view v = {
			.transport = h->transport,
			.addr = h->addr,
			.target = h->target,
			.reason = h->reason,
			.retry_after = h->retry_after,
			.until = h->until,
		};

		each(ctx, &v);
	}
}

void health_clear(struct ua *ua)
{
	struct map_node *node;

	while ((node = map_any(&ua->server_health)))
		forget(ua, of_node(node));
}
