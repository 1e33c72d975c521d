/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/world-dns.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/world-private.h"

enum world_dns_what { WORLD_DNS_RECORD, WORLD_DNS_FAILS, WORLD_DNS_SLOW };

/* A record, or how a question is treated. */
struct world_dns {
	struct list node;
	enum world_dns_what what;
	enum dns_kind kind;
	char name[DNS_NAME_BYTES];
	int error;
	usec_t by;
	struct flow_addr addr;
	struct dns_srv srv;
	struct dns_naptr naptr;
};

static struct world_dns *add(
	struct world *w, enum world_dns_what what, enum dns_kind kind, const char *name)
{
	struct world_dns *d = mem_new(struct world_dns);

	d->what = what;
	d->kind = kind;
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	list_append(&w->dns, &d->node);
	return d;
}

void world_set_name(struct world *w, const char *name, const char *address)
{
	struct world_dns *d = add(w, WORLD_DNS_RECORD, DNS_ADDRESSES, name);

	(void)snprintf(d->addr.host, sizeof(d->addr.host), "%s", address);
}

void world_dns_srv(struct world *w, const char *name, const struct dns_srv *srv)
{
	add(w, WORLD_DNS_RECORD, DNS_SRV, name)->srv = *srv;
}

void world_dns_naptr(struct world *w, const char *name, const struct dns_naptr *naptr)
{
	add(w, WORLD_DNS_RECORD, DNS_NAPTR, name)->naptr = *naptr;
}

void world_dns_fail(struct world *w, const char *name, enum dns_kind kind, int error)
{
	add(w, WORLD_DNS_FAILS, kind, name)->error = error;
}

void world_dns_slow(struct world *w, const char *name, usec_t by)
{
	add(w, WORLD_DNS_SLOW, DNS_ADDRESSES, name)->by = by;
}

/* ---- a zone as text ---- */

static void empty_if(char *text, const char *word)
{
	if (strcmp(text, word) == 0)
		text[0] = '\0';
}

static void read_srv(struct world *w, const char *name, const char *rest)
{
	struct dns_srv srv = { 0 };

	ck_assert_int_eq(sscanf(rest, "%hu %hu %hu %253s", &srv.priority, &srv.weight, &srv.port,
				 srv.target),
		4);
	empty_if(srv.target, ".");
	world_dns_srv(w, name, &srv);
}

static void read_naptr(struct world *w, const char *name, const char *rest)
{
	struct dns_naptr naptr = { 0 };
	char regexp[64];

	ck_assert_int_eq(
		sscanf(rest, "%hu %hu %255s %255s %63s %253s", &naptr.order, &naptr.preference,
			naptr.flags, naptr.services, regexp, naptr.replacement),
		6);
	empty_if(naptr.flags, "-");
	empty_if(naptr.services, "-");
	empty_if(naptr.replacement, ".");
	naptr.has_regexp = strcmp(regexp, "-") != 0;
	world_dns_naptr(w, name, &naptr);
}

static void read_failure(struct world *w, const char *kind, const char *rest)
{
	char name[DNS_NAME_BYTES], why[16];
	enum dns_kind of = DNS_ADDRESSES;

	ck_assert_int_eq(sscanf(rest, "%253s %15s", name, why), 2);
	if (strcmp(kind, "SRV") == 0)
		of = DNS_SRV;
	else if (strcmp(kind, "NAPTR") == 0)
		of = DNS_NAPTR;
	world_dns_fail(w, name, of, strcmp(why, "timeout") == 0 ? -ETIMEDOUT : -ECONNREFUSED);
}

static void read_line(struct world *w, const char *line)
{
	char kind[8], name[DNS_NAME_BYTES], address[48];
	int at = 0;

	ck_assert_int_eq(sscanf(line, "%7s %253s %n", kind, name, &at), 2);
	if (strcmp(kind, "SRV") == 0) {
		read_srv(w, name, line + at);
	} else if (strcmp(kind, "NAPTR") == 0) {
		read_naptr(w, name, line + at);
	} else if (strcmp(kind, "FAIL") == 0) {
		read_failure(w, name, line + at);
	} else {
		ck_assert_str_eq(kind, "A");
		ck_assert_int_eq(sscanf(line + at, "%47s", address), 1);
		world_set_name(w, name, address);
	}
}

void world_dns_zone(struct world *w, const char *text)
{
	char line[1024];

	while (*text) {
		size_t n = strcspn(text, "\n");

		ck_assert_uint_lt(n, sizeof(line));
		memcpy(line, text, n);
		line[n] = '\0';
		read_line(w, line);
		text += n + (text[n] == '\n');
	}
}

static void dns_free(struct world_dns *d)
{
	list_remove(&d->node);
	free(d);
}

void world_dns_remove(struct world *w, const char *name)
{
	list_for_each_safe (pos, next, &w->dns) {
		struct world_dns *d = list_entry(pos, struct world_dns, node);

		if (strcmp(d->name, name) == 0)
			dns_free(d);
	}
}

const char *world_dns_asked(struct world *w)
{
	free(w->dns_told);
	w->dns_told = buf_take(&w->dns_asked);
	return w->dns_told ? w->dns_told : "";
}

void world_dns_deinit(struct world *w)
{
	struct list *node;

	while ((node = list_first(&w->dns)))
		dns_free(list_entry(node, struct world_dns, node));
	buf_deinit(&w->dns_asked);
	free(w->dns_told);
}

/* ---- answering ---- */

struct world_dns_records {
	struct flow_addr addrs[DNS_MAX_RECORDS];
	struct dns_srv srv[DNS_MAX_RECORDS];
	struct dns_naptr naptr[DNS_MAX_RECORDS];
};

static void collect(
	const struct world_answer *a, struct world_dns_records *to, struct dns_answer *answer)
{
	list_for_each (pos, &a->ua->w->dns) {
		const struct world_dns *d = list_entry(pos, struct world_dns, node);

		if (d->kind != a->kind || strcmp(d->name, a->name) != 0 ||
			d->what == WORLD_DNS_SLOW)
			continue;
		if (d->what == WORLD_DNS_FAILS) {
			answer->error = d->error;
			continue;
		}
		ck_assert_uint_lt(answer->n, DNS_MAX_RECORDS);
		to->addrs[answer->n] = d->addr;
		to->srv[answer->n] = d->srv;
		to->naptr[answer->n++] = d->naptr;
	}
	if (answer->error)
		answer->n = 0;
	else if (answer->n == 0)
		answer->error = -ENOENT;
}

static void fire_resolved(struct timer *t)
{
	struct world_answer *a = container_of(t, struct world_answer, timer);
	struct world_dns_records *found = mem_new(struct world_dns_records);
	struct dns_answer answer = {
		.ttl = 60, .addrs = found->addrs, .srv = found->srv, .naptr = found->naptr
	};

	collect(a, found, &answer);
	ua_advance(a->ua->ua, a->ua->w->timers.now);
	ua_resolved(a->ua->ua, a->query, &answer);
	world_answer_free(a);
	free(found);
}

void world_dns_resolve(void *ctx, uint64_t query, enum dns_kind kind, const char *name)
{
	struct world_ua *wu = ctx;
	struct world *w = wu->w;
	struct world_answer *a = world_answer_new(wu, query, name, fire_resolved);
	usec_t delay = w->net.dns_delay;

	a->kind = kind;
	buf_printf(&w->dns_asked, "%s %s\n", dns_kind_name(kind), name);
	list_for_each (pos, &w->dns) {
		const struct world_dns *d = list_entry(pos, struct world_dns, node);

		if (d->what == WORLD_DNS_SLOW && strcmp(d->name, name) == 0)
			delay += d->by;
	}
	timer_arm(&w->timers, &a->timer, delay);
}
