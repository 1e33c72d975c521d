/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/loop.h"
#include "daemon/random.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/ua.h"

/* A name that is being looked up (running) or whose answer is remembered until expires. */
struct name {
	struct resolver *r;
	struct map_node node;
	char *text; /* lower case */
	bool running;
	usec_t expires;
	struct list waiters;
	struct flow_addr addrs[LIMITS_ADDRESSES];
	size_t n_addrs;
	int error;
};

struct waiter {
	struct list node;
	uint64_t query;
	struct flow_addr *addrs;
	size_t n_addrs;
	int error;
};

struct watch {
	struct list node;
	struct resolver *r;
	ares_socket_t fd;
	struct event *event;
};

static void expire(struct timer *t);

/* ---- answers ---- */

static void waiter_free(struct resolver *r, struct waiter *w)
{
	list_remove(&w->node);
	r->n_waiters--;
	free(w->addrs);
	free(w);
}

static void tell(struct timer *t)
{
	struct resolver *r = container_of(t, struct resolver, tell);
	struct list *node;

	while ((node = list_first(&r->answers))) {
		struct waiter *w = list_entry(node, struct waiter, node);

		list_remove(&w->node);
		loop_enter(r->loop);
		if (r->loop->ua)
			ua_resolved(r->loop->ua, w->query, w->addrs, w->n_addrs, w->error);
		waiter_free(r, w);
	}
}

static void answer(struct resolver *r, struct waiter *w, const struct name *name, int error)
{
	list_remove(&w->node);
	w->error = error;
	if (error == 0) {
		w->n_addrs = name->n_addrs;
		w->addrs = mem_alloc(name->n_addrs * sizeof(*w->addrs));
		memcpy(w->addrs, name->addrs, name->n_addrs * sizeof(*w->addrs));
	}
	list_append(&r->answers, &w->node);
	loop_soon(r->loop, &r->tell);
}

static void name_free(struct name *n)
{
	map_remove(&n->r->names, &n->node);
	free(n->text);
	free(n);
}

/* ---- c-ares on the loop ---- */

static void arm(struct resolver *r)
{
	struct timeval most = { .tv_sec = 60 }, tv;

	if (r->n_running == 0)
		return;
	(void)ares_timeout(r->channel, &most, &tv);
	timer_arm_at(&r->loop->timers, &r->expire,
		r->loop->timers.now + (usec_t)tv.tv_sec * USEC_PER_SEC + (usec_t)tv.tv_usec + 1000);
}

static void on_socket(evutil_socket_t fd, short what, void *ctx)
{
	struct resolver *r = ctx;

	loop_enter(r->loop);
	ares_process_fd(r->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
		what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	arm(r);
}

static void expire(struct timer *t)
{
	struct resolver *r = container_of(t, struct resolver, expire);

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm(r);
}

static struct watch *find_watch(struct resolver *r, ares_socket_t fd)
{
	list_for_each (node, &r->sockets) {
		struct watch *w = list_entry(node, struct watch, node);

		if (w->fd == fd)
			return w;
	}
	return NULL;
}

static void watch_free(struct watch *w)
{
	list_remove(&w->node);
	event_free(w->event);
	free(w);
}

/* c-ares wants to know about its sockets; neither bit: it is about to close this one. */
static void on_interest(void *ctx, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = ctx;
	struct watch *w = find_watch(r, fd);
	short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));

	if (w)
		watch_free(w);
	if (!what)
		return;
	w = mem_new(struct watch);
	w->r = r;
	w->fd = fd;
	w->event = event_new(r->loop->base, fd, (short)(what | EV_PERSIST), on_socket, r);
	list_append(&r->sockets, &w->node);
	if (!w->event || event_add(w->event, NULL) < 0)
		log_line(r->log, LOG_LEVEL_ERROR, "resolver: a socket cannot be watched");
}

/* When /etc/resolv.conf was written last: a laptop changes networks under a running daemon. */
static int64_t config_stamp(void)
{
	struct stat st;

	if (stat("/etc/resolv.conf", &st) < 0)
		return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

static int make_channel(struct resolver *r, const char *servers, ares_channel *ret_channel)
{
	struct ares_options o = { .timeout = RESOLVER_TIMEOUT_MS,
		.tries = RESOLVER_TRIES,
		.sock_state_cb = on_interest,
		.sock_state_cb_data = r };
	ares_channel channel;
	int e = ares_init_options(
		&channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);

	if (e != ARES_SUCCESS) {
		log_line(r->log, LOG_LEVEL_ERROR, "resolver: %s", ares_strerror(e));
		return -EIO;
	}
	if (servers && ares_set_servers_ports_csv(channel, servers) != ARES_SUCCESS) {
		log_line(r->log, LOG_LEVEL_ERROR, "resolver: no addresses of servers: %s", servers);
		ares_destroy(channel);
		return -EINVAL;
	}
	*ret_channel = channel;
	return 0;
}

/* ---- names ---- */

static int error_of(int status)
{
	switch (status) {
	case ARES_SUCCESS: /* no address of either family */
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
		return -ENOENT;
	case ARES_ETIMEOUT:
		return -ETIMEDOUT;
	default: /* c-ares has its own list, and may lengthen it */
		return -ECONNREFUSED;
	}
}

static bool take_address(struct name *n, const struct ares_addrinfo_node *a)
{
	struct flow_addr *to = &n->addrs[n->n_addrs];
	const void *bytes = NULL;

	if (a->ai_family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)a->ai_addr)->sin_addr;
	else if (a->ai_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)a->ai_addr)->sin6_addr;
	*to = (struct flow_addr){ 0 };
	return bytes && inet_ntop(a->ai_family, bytes, to->host, sizeof(to->host));
}

static void take_addresses(struct name *n, const struct ares_addrinfo *info)
{
	int ttl = RESOLVER_MAX_TTL;

	for (const struct ares_addrinfo_node *a = info->nodes; a; a = a->ai_next) {
		if (n->n_addrs == LIMITS_ADDRESSES)
			break;
		if (!take_address(n, a))
			continue;
		n->n_addrs++;
		if (a->ai_ttl < ttl)
			ttl = a->ai_ttl;
	}
	n->expires = n->r->loop->timers.now + (usec_t)(ttl > 0 ? ttl : 0) * USEC_PER_SEC;
}

static void on_answer(void *ctx, int status, int timeouts, struct ares_addrinfo *info)
{
	struct name *n = ctx;
	struct resolver *r = n->r;
	struct list *node;

	(void)timeouts;
	n->running = false;
	r->n_running--;
	if (status == ARES_SUCCESS)
		take_addresses(n, info);
	if (info)
		ares_freeaddrinfo(info);
	n->error = n->n_addrs ? 0 : error_of(status);
	if (n->error)
		log_line(r->log, LOG_LEVEL_DEBUG, "resolver: %s: %s", n->text,
			ares_strerror(status));
	while ((node = list_first(&n->waiters)))
		answer(r, list_entry(node, struct waiter, node), n, n->error);
	if (n->error)
		name_free(n); /* failures are not remembered: the core backs off by itself */
}

/* All that is remembered; what is under way stays. */
static void forget(struct resolver *r)
{
	for (size_t i = 0; i < r->names.n_buckets; i++) {
		struct map_node *next;

		for (struct map_node *node = r->names.buckets[i]; node; node = next) {
			struct name *n = container_of(node, struct name, node);

			next = node->next;
			if (!n->running)
				name_free(n);
		}
	}
}

/* The name as somebody looks it up or looked it up lately, else a new one; NULL: too many. */
static struct name *find(struct resolver *r, struct slice key)
{
	struct map_node *node = map_find(&r->names, key);
	struct name *n = node ? container_of(node, struct name, node) : NULL;

	if (n && (n->running || n->expires > r->loop->timers.now))
		return n;
	if (n)
		name_free(n);
	if (r->names.n >= RESOLVER_MAX_NAMES)
		forget(r);
	if (r->names.n >= RESOLVER_MAX_NAMES)
		return NULL;
	n = mem_new(struct name);
	n->r = r;
	n->text = slice_dup(key);
	list_init(&n->waiters);
	map_insert(&r->names, &n->node, slice_str(n->text));
	return n;
}

/* c-ares reads resolv.conf once; a newer one counts as soon as nothing is under way. */
static void follow_config(struct resolver *r)
{
	int64_t stamp = config_stamp();
	ares_channel fresh;

	if (r->servers || r->n_running || stamp == r->config_stamp)
		return;
	r->config_stamp = stamp;
	if (make_channel(r, NULL, &fresh) < 0)
		return;
	forget(r);
	ares_destroy(r->channel);
	r->channel = fresh;
}

static void look_up(struct resolver *r, struct waiter *w, struct slice key)
{
	static const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC };
	struct name *n = find(r, key);

	if (!n) {
		answer(r, w, NULL, -ENOSPC);
		return;
	}
	if (n->n_addrs) {
		answer(r, w, n, 0);
		return;
	}
	list_append(&n->waiters, &w->node);
	if (n->running)
		return;
	n->running = true;
	r->n_running++;
	/* May answer before it returns, from /etc/hosts: then n is gone or filled. */
	ares_getaddrinfo(r->channel, n->text, NULL, &hints, on_answer, n);
	arm(r);
}

void resolver_ask(struct resolver *r, uint64_t query, const char *name)
{
	struct waiter *w = mem_new(struct waiter);
	struct buf key cleanup_buf = BUF_NULL;

	for (const char *p = name; *p; p++)
		buf_putc(&key, (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p));
	w->query = query;
	follow_config(r);
	if (r->n_waiters++ >= RESOLVER_MAX_WAITERS)
		answer(r, w, NULL, -ENOSPC);
	else if (key.n == 0 || slice_eq(buf_slice(&key), SLICE("."))) /* the root is no host */
		answer(r, w, NULL, -ENOENT);
	else
		look_up(r, w, buf_slice(&key));
}

int resolver_set_servers(struct resolver *r, char *const *servers, size_t n)
{
	struct buf csv = BUF_NULL;
	ares_channel fresh;
	char *text;
	int e;

	for (size_t i = 0; i < n; i++)
		buf_printf(&csv, "%s%s", i ? "," : "", servers[i]);
	text = n ? buf_take(&csv) : NULL;
	buf_deinit(&csv);
	if (r->channel &&
		slice_eq(slice_str(text ? text : ""), slice_str(r->servers ? r->servers : ""))) {
		free(text);
		return 0;
	}
	e = make_channel(r, text, &fresh);
	if (e < 0) {
		free(text);
		return e;
	}
	forget(r);
	if (r->channel)
		ares_destroy(r->channel);
	r->channel = fresh;
	r->config_stamp = config_stamp();
	free(r->servers);
	r->servers = text;
	return 0;
}

int resolver_init(struct resolver *r, struct loop *loop, const struct log_sink *log)
{
	uint64_t seed;
	int e = ares_library_init(ARES_LIB_INIT_ALL);

	*r = (struct resolver){ 0 };
	if (e != ARES_SUCCESS) {
		log_line(log, LOG_LEVEL_ERROR, "resolver: %s", ares_strerror(e));
		return -EIO;
	}
	*r = (struct resolver){
		.loop = loop, .log = log, .tell.fire = tell, .expire.fire = expire
	};
	random_fill(&seed, sizeof(seed));
	map_init(&r->names, seed);
	list_init(&r->sockets);
	list_init(&r->answers);
	return resolver_set_servers(r, NULL, 0);
}

void resolver_deinit(struct resolver *r)
{
	struct list *node;

	if (!r->loop)
		return;
	forget(r);
	if (r->channel)
		ares_destroy(r->channel); /* what is under way fails, and its names go */
	while ((node = list_first(&r->sockets)))
		watch_free(list_entry(node, struct watch, node));
	while ((node = list_first(&r->answers)))
		waiter_free(r, list_entry(node, struct waiter, node));
	map_deinit(&r->names);
	timer_cancel(&r->loop->timers, &r->tell);
	timer_cancel(&r->loop->timers, &r->expire);
	free(r->servers);
	ares_library_cleanup();
	*r = (struct resolver){ 0 };
}
