/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/world-private.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "protocol/ua/ua-network.h"
#include "tests/support/world-record.h"
#include "tests/support/world-session.h"
#include "tests/support/world-subscriber.h"

/* splitmix64: small, and good enough to lose packets by. */
uint64_t world_rng(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t world_random_below(struct world *w, uint64_t bound)
{
	return bound ? world_rng(&w->net_rng) % bound : 0;
}

/* ---- time ---- */

struct world *world_new(uint64_t seed)
{
	struct world *w = mem_new(struct world);

	timerq_init(&w->timers, WORLD_BEGIN);
	list_init(&w->uas);
	list_init(&w->packets);
	list_init(&w->inbox);
	list_init(&w->seen);
	list_init(&w->dns);
	w->net_rng = seed;
	w->ua_rng = ~seed;
	return w;
}

void world_free(struct world *w)
{
	struct list *node;

	while ((node = list_first(&w->uas)))
		world_ua_free(list_entry(node, struct world_ua, node));
	world_net_deinit(w);
	world_dns_deinit(w);
	world_peer_deinit(w);
	for (size_t i = 0; i < w->n_secrets; i++) {
		free(w->secrets[i].endpoint_id);
		free(w->secrets[i].user);
		free(w->secrets[i].password);
	}
	free(w->secrets);
	timerq_deinit(&w->timers);
	buf_deinit(&w->log);
	free(w);
}

usec_t world_now(const struct world *w)
{
	return w->timers.now - WORLD_BEGIN;
}

static usec_t next_event(const struct world *w)
{
	usec_t next = timerq_next(&w->timers);

	list_for_each (pos, &w->uas) {
		usec_t at = ua_deadline(list_entry(pos, struct world_ua, node)->ua);

		if (at < next)
			next = at;
	}
	return next;
}

/* The moment `now` has come for everybody, the network first. */
static void step(struct world *w, usec_t now)
{
	timerq_run(&w->timers, now);
	list_for_each (pos, &w->uas)
		ua_advance(list_entry(pos, struct world_ua, node)->ua, w->timers.now);
	world_net_collect(w);
}

static void run_until(struct world *w, usec_t end)
{
	unsigned steps = 0;
	usec_t last = w->timers.now;

	for (usec_t at = next_event(w); at <= end; at = next_event(w)) {
		steps = at > last ? 0 : steps + 1;
		ck_assert_msg(steps < WORLD_MAX_STEPS, "time stands still: something spins");
		last = at > last ? at : last;
		step(w, at);
	}
	step(w, end);
}

void world_step(struct world *w, usec_t limit)
{
	usec_t at = next_event(w);

	step(w, at < limit ? at : limit);
}

void world_run(struct world *w, usec_t duration)
{
	run_until(w, w->timers.now + duration);
}

void world_sleep(struct world *w, usec_t duration)
{
	step(w, w->timers.now + duration);
	list_for_each (pos, &w->uas)
		ua_resumed(list_entry(pos, struct world_ua, node)->ua);
}

void world_settle(struct world *w)
{
	run_until(w, w->timers.now);
	while (w->timers.n > w->n_hopeless)
		run_until(w, timerq_next(&w->timers));
}

/* ---- what a host does ---- */

struct world_answer *world_answer_new(
	struct world_ua *wu, uint64_t query, const char *name, void (*fire)(struct timer *))
{
	struct world_answer *a = mem_new(struct world_answer);

	a->ua = wu;
	a->query = query;
	a->timer.fire = fire;
	(void)snprintf(a->name, sizeof(a->name), "%s", name);
	list_append(&wu->answers, &a->node);
	return a;
}

void world_answer_free(struct world_answer *a)
{
	timer_cancel(&a->ua->w->timers, &a->timer);
	list_remove(&a->node);
	free(a);
}

static void fire_secret(struct timer *t)
{
	struct world_answer *a = container_of(t, struct world_answer, timer);
	const struct world *w = a->ua->w;
	struct slice user = SLICE_NULL, password = SLICE_NULL;

	for (size_t i = 0; i < w->n_secrets; i++)
		if (strcmp(w->secrets[i].endpoint_id, a->name) == 0 && w->secrets[i].password) {
			user = slice_str(w->secrets[i].user);
			password = slice_str(w->secrets[i].password);
		}
	ua_advance(a->ua->ua, w->timers.now);
	ua_secret(a->ua->ua, a->query, user, password);
	world_answer_free(a);
}

static void host_secret(void *ctx, uint64_t query, const struct host_secret_query *what)
{
	struct world_ua *wu = ctx;
	struct world_answer *a = world_answer_new(wu, query, what->endpoint_id, fire_secret);

	if (!wu->hold_secrets)
		timer_arm(&wu->w->timers, &a->timer, 0);
}

static void host_random(void *ctx, void *out, size_t n)
{
	struct world_ua *wu = ctx;
	unsigned char *p = out;

	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)world_rng(&wu->w->ua_rng);
}

static size_t hash_md5(const struct slice *pieces, size_t n, uint8_t *out)
{
	struct md5_ctx c;

	md5_init(&c);
	for (size_t i = 0; i < n; i++)
		md5_update(&c, pieces[i].n, (const uint8_t *)pieces[i].p);
	md5_digest(&c, MD5_DIGEST_SIZE, out);
	return MD5_DIGEST_SIZE;
}

static size_t hash_sha1(const struct slice *pieces, size_t n, uint8_t *out)
{
	struct sha1_ctx c;

	sha1_init(&c);
	for (size_t i = 0; i < n; i++)
		sha1_update(&c, pieces[i].n, (const uint8_t *)pieces[i].p);
	sha1_digest(&c, SHA1_DIGEST_SIZE, out);
	return SHA1_DIGEST_SIZE;
}

static size_t hash_sha256(const struct slice *pieces, size_t n, uint8_t *out)
{
	struct sha256_ctx c;

	sha256_init(&c);
	for (size_t i = 0; i < n; i++)
		sha256_update(&c, pieces[i].n, (const uint8_t *)pieces[i].p);
	sha256_digest(&c, SHA256_DIGEST_SIZE, out);
	return SHA256_DIGEST_SIZE;
}

static size_t hash_sha512_256(const struct slice *pieces, size_t n, uint8_t *out)
{
	struct sha512_256_ctx c;

	sha512_256_init(&c);
	for (size_t i = 0; i < n; i++)
		sha512_256_update(&c, pieces[i].n, (const uint8_t *)pieces[i].p);
	sha512_256_digest(&c, SHA256_DIGEST_SIZE, out);
	return SHA256_DIGEST_SIZE;
}

static size_t host_hash(void *ctx, enum challenge_algorithm algorithm, const struct slice *pieces,
	size_t n_pieces, uint8_t out[static DIGEST_MAX_HASH])
{
	(void)ctx;
	switch (algorithm) {
	case CHALLENGE_MD5:
		return hash_md5(pieces, n_pieces, out);
	case CHALLENGE_SHA256:
		return hash_sha256(pieces, n_pieces, out);
	case CHALLENGE_SHA512_256:
		return hash_sha512_256(pieces, n_pieces, out);
	case CHALLENGE_SHA1:
		return hash_sha1(pieces, n_pieces, out);
	case CHALLENGE_ALG_OTHER:
		break;
	}
	return 0;
}

static int host_listen(void *ctx, const struct host_listen *where, struct flow_addr *ret_at,
	struct host_listener **ret_listener)
{
	struct world_ua *wu = ctx;

	if (wu->listen_error)
		return wu->listen_error;
	wu->n_listening++;
	wu->listen = *where;
	wu->listen.host = SLICE_NULL;
	(void)snprintf(ret_at->host, sizeof(ret_at->host), "%s", wu->address);
	ret_at->port = where->port ? where->port : transport_default_port(where->transport);
	*ret_listener = ctx; /* one is as good as another */
	return 0;
}

static void host_unlisten(void *ctx, struct host_listener *l)
{
	struct world_ua *wu = ctx;

	ck_assert(l && wu->n_listening);
	wu->n_listening--;
}

static const struct host_ops host_ops = {
	.open = world_net_open,
	.resolve = world_dns_resolve,
	.secret = host_secret,
	.random = host_random,
	.hash = host_hash,
	.listen = host_listen,
	.unlisten = host_unlisten,
};

static void host_log(void *ctx, enum log_level level, const char *text)
{
	const struct world_ua *wu = ctx;
	usec_t now = world_now(wu->w);

	(void)fprintf(stderr, "# %6" PRIu64 ".%06u %s <%d> %s\n", now / USEC_PER_SEC,
		(unsigned)(now % USEC_PER_SEC), wu->address, (int)level, text);
}

/* ---- user agents ---- */

struct world_ua *world_find_ua(const struct world *w, const char *address)
{
	list_for_each (pos, &w->uas) {
		struct world_ua *wu = list_entry(pos, struct world_ua, node);

		if (strcmp(wu->address, address) == 0)
			return wu;
	}
	return NULL;
}

struct world_ua *world_ua(struct world *w, const char *address)
{
	struct world_ua *wu = mem_new(struct world_ua);

	ck_assert_ptr_null(world_find_ua(w, address));
	wu->w = w;
	wu->next_port = 49152;
	list_init(&wu->flows);
	list_init(&wu->answers);
	list_init(&wu->news);
	list_init(&wu->subscriber_told);
	(void)snprintf(wu->address, sizeof(wu->address), "%s", address);
	wu->host = (struct host){ .ops = &host_ops, .ctx = wu, .tells_network = true };
	memcpy(wu->host.seed, address, strnlen(address, sizeof(wu->host.seed)));
	if (getenv("WORLD_LOG"))
		wu->host.log = (struct log_sink){ host_log, wu, LOG_LEVEL_DEBUG };
	list_append(&w->uas, &wu->node);
	wu->ua = ua_new(&wu->host, w->timers.now);
	ua_set_wall(wu->ua, WORLD_EPOCH_USEC + (int64_t)world_now(w));
	ua_set_listener(wu->ua, &world_listener, wu);
	return wu;
}

void world_ua_free(struct world_ua *wu)
{
	struct list *node;

	ua_free(wu->ua);
	while ((node = list_first(&wu->answers)))
		world_answer_free(list_entry(node, struct world_answer, node));
	world_net_free_flows(wu);
	world_record_free_news(wu);
	world_session_free_told(wu);
	world_subscriber_free_told(wu);
	list_remove(&wu->node);
	free(wu);
}

void world_expect_idle(struct world_ua *wu)
{
	world_net_collect(wu->w);
	ck_assert_uint_eq(wu->ua->txns.n, 0);
	ck_assert_uint_eq(wu->ua->timers.n, 0);
	ck_assert_uint_eq(wu->ua->queries.n, 0);
	ck_assert_uint_eq(wu->ua->dialogs.by_id.n, 0);
	ck_assert_uint_eq(wu->ua->sessions.n, 0);
	ck_assert_uint_eq(wu->ua->invites.n, 0);
	ck_assert_uint_eq(wu->ua->n_sessions, 0);
	ck_assert_uint_eq(wu->n_sessions, 0);
	if (list_is_empty(&wu->ua->endpoints))
		ck_assert_uint_eq(wu->n_listening, 0);
	ck_assert(list_is_empty(&wu->ua->later.notes));
	ck_assert(list_is_empty(&wu->answers));
	ck_assert(list_is_empty(&wu->w->packets));
	list_for_each (pos, &wu->flows) {
		const struct world_flow *f = list_entry(pos, struct world_flow, node);

		ck_assert_msg(flow_is_unused(&f->base), "a flow to %s:%u has %u references",
			f->base.peer.host, f->base.peer.port, f->base.refs);
	}
}

/* ---- who is who ---- */

static void fill_server(struct profile *p, const struct world_account *a)
{
	enum transport transport = a->transport ? a->transport : TRANSPORT_UDP;

	p->servers = mem_new(struct profile_server);
	p->n_servers = 1;
	p->servers[0] = (struct profile_server){
		.host = mem_strdup(a->registrar),
		.port = transport_default_port(transport),
		.protocol = transport,
		.role = PROFILE_ROLE_REGISTRAR,
		.auth = PROFILE_AUTH_DIGEST,
	};
}

static struct profile *make_profile(const struct world_account *a)
{
	struct profile *p = profile_new();
	struct buf uri = BUF_NULL;

	buf_printf(&uri, "%s:%s@%s", a->sips ? "sips" : "sip", a->id, a->domain);
	p->uri = buf_take(&uri);
	p->name = mem_strdup(a->id);
	p->kind = a->registrar ? PROFILE_REGISTERED : PROFILE_PEER_TO_PEER;
	p->registers = a->registrar != NULL;
	p->listen = !a->registrar && !a->deaf;
	p->account = mem_strdup(a->id);
	p->allowed_auth = PROFILE_AUTH_DIGEST;
	p->auto_refresh = a->auto_refresh;
	p->microsoft_extensions = a->microsoft;
	p->flows = a->flows ? a->flows : 1;
	p->transport = a->transport;
	if (a->expires)
		p->register_expires = a->expires;
	if (a->registrar)
		fill_server(p, a);
	return p;
}

struct endpoint *world_endpoint(struct world_ua *wu, const struct world_account *a)
{
	struct profile *p = make_profile(a);
	struct endpoint_config c = { .id = a->id, .profile = p };
	struct endpoint *ep = NULL;

	ck_assert_int_eq(endpoint_new(wu->ua, &c, &ep), 0);
	profile_unref(p);
	if (a->password)
		world_set_secret(wu->w, a->id, a->id, a->password);
	return ep;
}

void world_set_secret(
	struct world *w, const char *endpoint_id, const char *user, const char *password)
{
	struct world_secret *s = NULL;

	for (size_t i = 0; i < w->n_secrets; i++)
		if (strcmp(w->secrets[i].endpoint_id, endpoint_id) == 0)
			s = &w->secrets[i];
	if (!s) {
		w->secrets = mem_realloc(w->secrets, (w->n_secrets + 1) * sizeof(*w->secrets));
		s = &w->secrets[w->n_secrets++];
		*s = (struct world_secret){ .endpoint_id = mem_strdup(endpoint_id) };
	}
	free(s->user);
	free(s->password);
	s->user = mem_strdup(user);
	s->password = mem_strdup(password);
}
