/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/world-record.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/world-private.h"
#include "tests/support/world-session.h"
#include "tests/support/world-subscriber.h"

/* ---- news ---- */

static struct world_news *news_add(
	struct world_ua *wu, enum world_news_kind kind, struct endpoint *ep)
{
	struct world_news *n = mem_new(struct world_news);

	n->kind = kind;
	n->at = world_now(wu->w);
	n->ep = ep;
	list_append(&wu->news, &n->node);
	return n;
}

static void on_added(void *ctx, struct endpoint *ep)
{
	(void)news_add(ctx, WORLD_ADDED, ep);
}

static void on_removed(void *ctx, struct endpoint *ep)
{
	(void)news_add(ctx, WORLD_REMOVED, ep);
}

static void on_changed(void *ctx, struct endpoint *ep, unsigned changes)
{
	struct world_ua *wu = ctx;

	ck_assert_ptr_nonnull(ep);
	ck_assert_uint_ne(changes, 0);
	wu->changes |= changes;
	wu->n_changed++;
}

static void on_done(void *ctx, struct endpoint *ep, enum ua_verb verb, const struct outcome *o)
{
	struct world_ua *wu = ctx;
	struct world_news *n = news_add(wu, WORLD_DONE, ep);

	ck_assert_int_le(o->error, 0);
	n->verb = verb;
	n->status = o->status;
	(void)snprintf(n->reason, sizeof(n->reason), "%.*s", SLICE_ARGS(o->reason));
	n->origin = o->origin;
	n->error = o->error;
	if (wu->on_done)
		wu->on_done(wu, ep, o);
}

static void on_incoming(void *ctx, struct incoming *in)
{
	struct world_ua *wu = ctx;

	if (wu->on_incoming)
		wu->on_incoming(wu, in);
	else
		news_add(wu, WORLD_INCOMING, in->ep)->in = in;
}

static void on_gone(void *ctx, struct incoming *in)
{
	struct world_ua *wu = ctx;

	list_for_each (pos, &wu->news) {
		struct world_news *n = list_entry(pos, struct world_news, node);

		if (n->in == in)
			n->in = NULL;
	}
	(void)news_add(wu, WORLD_GONE, in->ep);
	if (wu->on_gone)
		wu->on_gone(wu, in);
}

const struct ua_listener world_listener = {
	.endpoint_added = on_added,
	.endpoint_removed = on_removed,
	.endpoint_changed = on_changed,
	.registration_done = on_done,
	.incoming = on_incoming,
	.incoming_gone = on_gone,
	.session_added = world_session_added,
	.session_incoming = world_session_incoming,
	.session_changed = world_session_changed,
	.session_event = world_session_event,
	.session_removed = world_session_removed,
	.subscriber_incoming = world_subscriber_incoming,
	.subscriber_changed = world_subscriber_changed,
	.subscriber_event = world_subscriber_event,
	.subscriber_removed = world_subscriber_removed,
};

void world_record_free_news(struct world_ua *wu)
{
	struct list *node;

	while ((node = list_first(&wu->news))) {
		list_remove(node);
		free(list_entry(node, struct world_news, node));
	}
}

bool world_pop_news(struct world_ua *wu, enum world_news_kind kind, struct world_news *ret)
{
	list_for_each (pos, &wu->news) {
		struct world_news *n = list_entry(pos, struct world_news, node);

		if (n->kind != kind)
			continue;
		list_remove(pos);
		*ret = *n;
		free(n);
		return true;
	}
	return false;
}

size_t world_count_news(const struct world_ua *wu, enum world_news_kind kind)
{
	size_t n = 0;

	list_for_each (pos, &wu->news)
		n += list_entry(pos, struct world_news, node)->kind == kind;
	return n;
}

struct world_news world_expect_done(
	struct world_ua *wu, enum ua_verb verb, unsigned status, int error)
{
	struct world_news n;

	ck_assert_msg(world_pop_news(wu, WORLD_DONE, &n), "no registration_done was told");
	ck_assert_int_eq(n.verb, verb);
	ck_assert_uint_eq(n.status, status);
	ck_assert_int_eq(n.error, error);
	world_expect_no_done(wu);
	return n;
}

void world_expect_no_done(struct world_ua *wu)
{
	ck_assert_uint_eq(world_count_news(wu, WORLD_DONE), 0);
}

struct incoming *world_expect_incoming(struct world_ua *wu)
{
	struct world_news n;

	ck_assert_msg(world_pop_news(wu, WORLD_INCOMING, &n), "no request came in");
	ck_assert_msg(n.in != NULL, "the request is gone");
	return n.in;
}

/* ---- transcript ---- */

void world_show(struct world *w, const char *header)
{
	ck_assert_uint_lt(w->n_shown, WORLD_SHOWN);
	w->shown[w->n_shown++] = header;
}

void world_hush(struct world *w)
{
	w->hushed = true;
	buf_reset(&w->log);
}

static void append_time(struct world *w)
{
	usec_t now = world_now(w);

	buf_printf(
		&w->log, "%" PRIu64 ".%06u ", now / USEC_PER_SEC, (unsigned)(now % USEC_PER_SEC));
}

void world_note(struct world *w, const char *fmt, ...)
{
	va_list ap;

	append_time(w);
	buf_lit(&w->log, "-- ");
	va_start(ap, fmt);
	buf_vprintf(&w->log, fmt, ap);
	va_end(ap);
	buf_putc(&w->log, '\n');
}

/* Header lines as they stand, found without the parser: the transcript is a witness of its own. */
static void append_shown(struct world *w, struct slice head)
{
	struct slice line;

	while (slice_cut(head, '\n', &line, &head)) {
		for (size_t i = 0; i < w->n_shown; i++) {
			struct slice name = slice_str(w->shown[i]);

			if (line.n <= name.n || line.p[name.n] != ':' ||
				!slice_starts_ci(line, name))
				continue;
			buf_lit(&w->log, "        ");
			buf_put(&w->log, slice_trim(line));
			buf_putc(&w->log, '\n');
		}
		if (slice_trim(line).n == 0)
			break;
	}
}

void world_record_packet(struct world *w, const struct world_packet *p, const char *note)
{
	struct slice bytes = slice_of(p->bytes, p->n), line = bytes, rest = SLICE_NULL;

	if (w->hushed)
		return;
	(void)slice_cut(bytes, '\n', &line, &rest);
	if (world_keepalive_is(p)) {
		line = SLICE("keep-alive");
		rest = SLICE_NULL;
	}
	append_time(w);
	buf_printf(&w->log, "%s:%u > %s:%u %s %.*s", p->from.host, p->from.port, p->to.host,
		p->to.port, transport_name(p->transport), SLICE_ARGS(slice_trim(line)));
	if (note)
		buf_printf(&w->log, " (%s)", note);
	buf_putc(&w->log, '\n');
	append_shown(w, rest);
}

char *world_take_log(struct world *w)
{
	return buf_take(&w->log);
}

void world_log_equals(struct world *w, const char *expected)
{
	buf_putc(&w->log, '\0');
	ck_assert_str_eq(w->log.p, expected);
	buf_reset(&w->log);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	struct buf b = BUF_NULL;
	char *room;
	size_t n;

	ck_assert_msg(f != NULL, "cannot read %s", path);
	do {
		room = buf_reserve(&b, 4096);
		n = fread(room, 1, 4096, f);
		b.n += n;
	} while (n > 0);
	(void)fclose(f);
	return buf_take(&b);
}

void world_log_golden(struct world *w, const char *name)
{
	const char *folder = getenv("WORLD_GOLDEN");
	char path[512];
	char *expected;
	FILE *f;

	ck_assert_msg(folder != NULL, "WORLD_GOLDEN is not set");
	(void)snprintf(path, sizeof(path), "%s/%s.txt", folder, name);
	if (getenv("WORLD_GOLDEN_WRITE")) {
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		ck_assert_uint_eq(fwrite(w->log.p, 1, w->log.n, f), w->log.n);
		ck_assert_int_eq(fclose(f), 0);
		buf_reset(&w->log);
		return;
	}
	expected = read_file(path);
	buf_putc(&w->log, '\0');
	ck_assert_msg(strcmp(w->log.p, expected) == 0,
		"%s has changed; if it is for the better, run with WORLD_GOLDEN_WRITE=1. Now:\n%s",
		path, w->log.p);
	buf_reset(&w->log);
	free(expected);
}
