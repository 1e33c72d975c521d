/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <event2/event.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/loop.h"
#include "daemon/random.h"
#include "daemon/resolver-answer.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/ua.h"

/* Records of one kind that are being looked up or whose answer is remembered until expires. */
struct name {
	struct resolver *r;
	struct map_node node;
	char *key; /* the kind as one character, the name in lower case */
	enum dns_kind kind;
	unsigned n_running; /* look-ups: two for addresses */
	struct list waiters;
	struct resolver_answer *answer; /* NULL: not yet */
	usec_t expires;
	/* What the look-ups for addresses have found, until the answer is made. */
	struct timer patience;
	struct flow_addr addrs[LIMITS_ADDRESSES];
	size_t n_addrs;
	uint32_t ttl;
	usec_t since; /* when the first of them came: from then on their time runs */
	int error;
};

struct waiter {
	struct list node;
	uint64_t query;
	struct resolver_answer *answer;
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
	resolver_answer_unref(w->answer);
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
			ua_resolved(r->loop->ua, w->query, &w->answer->dns);
		waiter_free(r, w);
	}
}

/* Takes the reference. */
static void answer(struct resolver *r, struct waiter *w, struct resolver_answer *a)
{
	list_remove(&w->node);
	w->answer = a;
	list_append(&r->answers, &w->node);
	loop_soon(r->loop, &r->tell);
}

static void refuse(struct resolver *r, struct waiter *w, int error)
{
	answer(r, w, resolver_answer_of_error(error, 0));
}

static void name_free(struct name *n)
{
	map_remove(&n->r->names, &n->node);
	timer_cancel(&n->r->loop->timers, &n->patience);
	resolver_answer_unref(n->answer);
	free(n->key);
	free(n);
}

static const char *name_text(const struct name *n)
{
	return n->key + 1;
}

/* Everybody who waits gets it, and those who ask soon. */
static void name_answered(struct name *n, struct resolver_answer *a)
{
	struct resolver *r = n->r;
	uint32_t ttl = a->dns.ttl < RESOLVER_MAX_TTL ? a->dns.ttl : RESOLVER_MAX_TTL;
	struct list *node;

	timer_cancel(&r->loop->timers, &n->patience);
	resolver_answer_unref(n->answer);
	n->answer = a;
	n->expires = r->loop->timers.now + ttl * USEC_PER_SEC;
	if (a->dns.error)
		log_line(r->log, LOG_LEVEL_DEBUG, "resolver: no %s of %s: error %d",
			dns_kind_name(n->kind), name_text(n), a->dns.error);
	while ((node = list_first(&n->waiters)))
		answer(r, list_entry(node, struct waiter, node), resolver_answer_ref(a));
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
	if (n->n_addrs == 0)
		n->since = n->r->loop->timers.now;
	for (const struct ares_addrinfo_node *a = info->nodes; a; a = a->ai_next) {
		uint32_t ttl = a->ai_ttl > 0 ? (uint32_t)a->ai_ttl : 0;

		if (n->n_addrs == LIMITS_ADDRESSES)
			break;
		if (!take_address(n, a))
			continue;
		n->n_addrs++;
		n->ttl = ttl < n->ttl ? ttl : n->ttl;
	}
}

/* What is there of both families, at the latest when patience ends. */
static void answer_addresses(struct name *n)
{
	if (n->n_addrs == 0) {
		name_answered(n, resolver_answer_of_error(n->error, RESOLVER_FAILURE_TTL));
		return;
	}
	resolver_answer_sort(n->addrs, n->n_addrs);
	name_answered(n, resolver_answer_of_addresses(n->addrs, n->n_addrs, n->ttl));
	n->expires -= n->r->loop->timers.now - n->since;
}

static void impatient(struct timer *t)
{
	answer_addresses(container_of(t, struct name, patience));
}

/* A look-up ended. False: the channel went with it, and so does the name, which is freed. */
static bool look_up_ended(struct name *n, int status)
{
	struct resolver *r = n->r;
	struct list *node;

	n->n_running--;
	r->n_running--;
	if (status != ARES_EDESTRUCTION && status != ARES_ECANCELLED)
		return true;
	n->expires = 0;
	while ((node = list_first(&n->waiters)))
		refuse(r, list_entry(node, struct waiter, node), -ECONNREFUSED);
	if (n->n_running == 0)
		name_free(n);
	return false;
}

static void on_addresses(void *ctx, int status, int timeouts, struct ares_addrinfo *info)
{
	struct name *n = ctx;

	(void)timeouts;
	if (look_up_ended(n, status)) {
		if (status == ARES_SUCCESS)
			take_addresses(n, info);
		else if (n->error == 0 || n->error == -ENOENT)
			n->error = resolver_answer_error(status);
		if (n->error == 0)
			n->error = -ENOENT;
		if (n->n_running == 0)
			answer_addresses(n);
		else if (n->n_addrs)
			timer_arm(&n->r->loop->timers, &n->patience,
				RESOLVER_PATIENCE_MS * USEC_PER_MSEC);
	}
	if (info)
		ares_freeaddrinfo(info);
}

static void on_message(void *ctx, int status, int timeouts, unsigned char *bytes, int n_bytes)
{
	struct name *n = ctx;

	(void)timeouts;
	if (look_up_ended(n, status))
		name_answered(n, resolver_answer_of_message(n->kind, status, bytes,
					 bytes && n_bytes > 0 ? (size_t)n_bytes : 0));
}

/* What is under way stays. */
void resolver_flush(struct resolver *r)
{
	for (size_t i = 0; i < r->names.n_buckets; i++) {
		struct map_node *next;

		for (struct map_node *node = r->names.buckets[i]; node; node = next) {
			struct name *n = container_of(node, struct name, node);

			next = node->next;
			if (n->n_running == 0)
				name_free(n);
			else
				n->expires = 0;
		}
	}
}

/* The name as somebody looks it up or looked it up lately, else a new one; NULL: too many. */
static struct name *find(struct resolver *r, enum dns_kind kind, struct slice key)
{
	struct map_node *node = map_find(&r->names, key);
	struct name *n = node ? container_of(node, struct name, node) : NULL;

	if (n && (n->n_running || n->expires > r->loop->timers.now))
		return n;
	if (n)
		name_free(n);
	if (r->names.n >= RESOLVER_MAX_NAMES)
		resolver_flush(r);
	if (r->names.n >= RESOLVER_MAX_NAMES)
		return NULL;
	n = mem_new(struct name);
	n->r = r;
	n->kind = kind;
	n->key = slice_dup(key);
	n->ttl = RESOLVER_MAX_TTL;
	n->patience.fire = impatient;
	list_init(&n->waiters);
	map_insert(&r->names, &n->node, slice_str(n->key));
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
	resolver_flush(r);
	ares_destroy(r->channel);
	r->channel = fresh;
}

/*
 * The families apart, so that one does not wait for the other; but for localhost (RFC 6761 section
 * 6.3), of which c-ares 1.18 makes up ::1, and leaks it, where /etc/hosts has IPv4 alone.
 */
static void start_addresses(struct name *n)
{
	static const struct ares_addrinfo_hints four = { .ai_family = AF_INET },
						six = { .ai_family = AF_INET6 },
						both = { .ai_family = AF_UNSPEC };
	struct resolver *r = n->r;

	if (strcmp(name_text(n), "localhost") == 0) {
		n->n_running = 1;
		r->n_running++;
		ares_getaddrinfo(r->channel, name_text(n), NULL, &both, on_addresses, n);
		return;
	}
	n->n_running = 2;
	r->n_running += 2;
	ares_getaddrinfo(r->channel, name_text(n), NULL, &six, on_addresses, n);
	ares_getaddrinfo(r->channel, name_text(n), NULL, &four, on_addresses, n);
}

/* c-ares may answer before it returns, from /etc/hosts; the last answer may free the name. */
static void start(struct name *n)
{
	struct resolver *r = n->r;

	switch (n->kind) {
	case DNS_ADDRESSES:
		start_addresses(n);
		break;
	case DNS_SRV:
		n->n_running = 1;
		r->n_running++;
		ares_query(r->channel, name_text(n), ns_c_in, ns_t_srv, on_message, n);
		break;
	case DNS_NAPTR:
		n->n_running = 1;
		r->n_running++;
		ares_query(r->channel, name_text(n), ns_c_in, ns_t_naptr, on_message, n);
		break;
	}
	arm(r);
}

void resolver_forget(struct resolver *r)
{
	resolver_flush(r);
	r->config_stamp = -1;
}

static void look_up(struct resolver *r, struct waiter *w, enum dns_kind kind, struct slice key)
{
	struct name *n = find(r, kind, key);

	if (!n) {
		refuse(r, w, -ENOSPC);
	} else if (n->answer && n->expires > r->loop->timers.now) {
		answer(r, w, resolver_answer_ref(n->answer));
	} else {
		list_append(&n->waiters, &w->node);
		if (n->n_running == 0)
			start(n);
	}
}

void resolver_ask(struct resolver *r, uint64_t query, enum dns_kind kind, const char *name)
{
	struct waiter *w = mem_new(struct waiter);
	struct buf key cleanup_buf = BUF_NULL;

	buf_putc(&key, (char)('0' + (int)kind));
	for (const char *p = name; *p; p++)
		buf_putc(&key, (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p));
	w->query = query;
	follow_config(r);
	if (r->n_waiters++ >= RESOLVER_MAX_WAITERS)
		refuse(r, w, -ENOSPC);
	else if (*name == '\0' || strcmp(name, ".") == 0) /* the root is no host */
		refuse(r, w, -ENOENT);
	else
		look_up(r, w, kind, buf_slice(&key));
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
	resolver_flush(r);
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
	resolver_flush(r);
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
