/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/support/world-peer.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "protocol/msg/build.h"
#include "tests/support/world-private.h"

/* ---- what comes ---- */

static void mail_free(struct world_mail *mail)
{
	list_remove(&mail->node);
	msg_unref(mail->msg);
	free(mail);
}

void world_peer_deinit(struct world *w)
{
	struct list *node;

	while ((node = list_first(&w->inbox)) || (node = list_first(&w->seen)))
		mail_free(list_entry(node, struct world_mail, node));
}

void world_peer_receive(struct world *w, const struct world_packet *p)
{
	struct world_mail *mail;
	struct msg *m = NULL;

	if (world_keepalive_is(p)) {
		world_keepalive_take(w, p);
		return;
	}
	ck_assert_msg(
		msg_parse(slice_of(p->bytes, p->n),
			transport_is_reliable(p->transport) ? MSG_STREAM : MSG_DATAGRAM, &m) == 0,
		"a user agent sent nonsense: %.*s", (int)p->n, p->bytes);
	ck_assert_msg(!m->fault.status, "a user agent sent a faulty message (%s): %.*s",
		m->fault.reason, (int)p->n, p->bytes);
	mail = mem_new(struct world_mail);
	mail->w = w;
	mail->msg = m;
	mail->transport = p->transport;
	mail->from = p->from;
	mail->to = p->to;
	if (w->peer && w->peer(w->peer_ctx, mail))
		mail_free(mail);
	else
		list_append(&w->inbox, &mail->node);
}

void world_set_peer(struct world *w, world_peer_fn *fn, void *ctx)
{
	w->peer = fn;
	w->peer_ctx = ctx;
}

static bool is_what(const struct msg *m, const char *what)
{
	char status[16];

	if (m->is_request)
		return slice_eq(m->method_name, slice_str(what));
	(void)snprintf(status, sizeof(status), "%u", m->status);
	return strcmp(status, what) == 0;
}

static const struct msg *take_out(struct world *w, const char *what)
{
	struct list *node = list_first(&w->inbox);
	struct world_mail *mail;

	ck_assert_msg(node != NULL, "expected %s, nothing came", what);
	mail = list_entry(node, struct world_mail, node);
	ck_assert_msg(is_what(mail->msg, what), "expected %s, got %.*s", what,
		SLICE_ARGS(mail->msg->raw));
	list_remove(&mail->node);
	list_append(&w->seen, &mail->node);
	return mail->msg;
}

const struct msg *world_expect_out(struct world *w, const char *what)
{
	world_settle(w);
	return take_out(w, what);
}

const struct msg *world_wait_out(struct world *w, const char *what, usec_t limit)
{
	usec_t end = w->timers.now + limit;

	world_settle(w);
	while (list_is_empty(&w->inbox) && w->timers.now < end)
		world_step(w, end);
	return take_out(w, what);
}

void world_expect_silence(struct world *w, usec_t duration)
{
	struct list *node;

	world_run(w, duration);
	node = list_first(&w->inbox);
	ck_assert_msg(node == NULL, "expected silence, got %.*s",
		SLICE_ARGS(list_entry(node, struct world_mail, node)->msg->raw));
}

size_t world_skip_out(struct world *w)
{
	struct list *node;
	size_t n = 0;

	world_settle(w);
	for (; (node = list_first(&w->inbox)); n++)
		mail_free(list_entry(node, struct world_mail, node));
	return n;
}

/* ---- what goes ---- */

/* What placeholders stand for. */
struct fill {
	struct world *w;
	char ua[64], peer[64];
	char contact[256];
};

static void fill_contact(struct fill *f, const struct msg *m)
{
	struct msg_list it = { 0 };
	struct slice value;
	struct addr a;

	if (msg_list_next(m, HDR_CONTACT, &it, &value) == 1 && addr_parse(value, &a) == 0)
		(void)snprintf(f->contact, sizeof(f->contact), "<%.*s>", SLICE_ARGS(a.uri.text));
}

static bool fill_text(const char *name, const char *value, const char **text, struct buf *b)
{
	size_t n = strlen(name);

	if (strncmp(*text, name, n) != 0)
		return false;
	buf_str(b, value);
	*text += n;
	return true;
}

/* Expands placeholders and ends lines as SIP does; the body's too, where it has line ends. */
static void fill_append(struct buf *b, struct fill *f, const char *text)
{
	const char *body = strstr(text, "\n\n");
	char number[24], length[24];

	(void)snprintf(length, sizeof(length), "%zu", body ? strlen(body + 2) : 0);
	while (*text) {
		if (*text == '\n' && (!body || text < body + 2)) {
			buf_lit(b, "\r\n");
			text++;
			continue;
		}
		(void)snprintf(number, sizeof(number), "%" PRIu64, f->w->serial);
		if (fill_text("{n}", number, &text, b)) {
			f->w->serial++;
			continue;
		}
		if (fill_text("{ua}", f->ua, &text, b) || fill_text("{peer}", f->peer, &text, b) ||
			fill_text("{contact}", f->contact, &text, b) ||
			fill_text("{length}", length, &text, b))
			continue;
		buf_putc(b, *text++);
	}
}

static void print_addr(char *out, size_t n, const struct flow_addr *a)
{
	(void)snprintf(out, n, strchr(a->host, ':') ? "[%s]:%u" : "%s:%u", a->host, a->port);
}

static void mail_reply(
	struct world_mail *mail, unsigned status, struct slice tag, const char *headers)
{
	struct buf b = BUF_NULL;
	struct fill fill = { .w = mail->w };
	struct world_packet p = {
		.w = mail->w, .transport = mail->transport, .from = mail->to, .to = mail->from
	};

	print_addr(fill.ua, sizeof(fill.ua), &mail->from);
	print_addr(fill.peer, sizeof(fill.peer), &mail->to);
	fill_contact(&fill, mail->msg);
	build_response(&b, mail->msg, status, SLICE_NULL, tag);
	if (headers)
		fill_append(&b, &fill, headers);
	if (!headers || !strstr(headers, "\n\n"))
		buf_lit(&b, "Content-Length: 0\r\n\r\n");
	p.bytes = b.p;
	p.n = b.n;
	world_net_send(mail->w, &p);
	buf_deinit(&b);
}

void world_mail_reply(struct world_mail *mail, unsigned status, const char *headers)
{
	char tag[32];

	(void)snprintf(tag, sizeof(tag), "peer-%" PRIu64, mail->w->serial++);
	mail_reply(mail, status, slice_str(tag), headers);
}

static struct world_mail *find_mail(struct world *w, const struct msg *request)
{
	list_for_each (pos, &w->seen) {
		struct world_mail *mail = list_entry(pos, struct world_mail, node);

		if (mail->msg == request)
			return mail;
	}
	ck_abort_msg("world_reply: that message did not come by world_expect_out");
}

void world_reply(struct world *w, const struct msg *request, unsigned status, const char *headers)
{
	world_mail_reply(find_mail(w, request), status, headers);
}

void world_reply_as(struct world *w, const struct msg *request, unsigned status, const char *tag,
	const char *headers)
{
	mail_reply(find_mail(w, request), status, slice_str(tag), headers);
}

static uint16_t parse_port(struct slice port)
{
	uint32_t number = 0;

	ck_assert(slice_to_u32(port, UINT16_MAX, &number));
	return (uint16_t)number;
}

/* "udp:192.0.2.1:5060", "tcp:192.0.2.1:5060>49152" */
static void parse_from(const char *from, struct world_packet *p)
{
	struct slice rest = slice_str(from), transport, host, port, to;

	ck_assert(slice_cut(rest, ':', &transport, &rest));
	p->transport = transport_parse(transport);
	if (slice_starts(rest, SLICE("["))) {
		ck_assert(slice_cut(slice_skip(rest, 1), ']', &host, &port));
		port = slice_skip(port, 1);
	} else {
		ck_assert(slice_cut(rest, ':', &host, &port));
	}
	p->to.port = transport_default_port(p->transport);
	if (slice_cut(port, '>', &port, &to))
		p->to.port = parse_port(to);
	p->from.port = parse_port(port);
	(void)snprintf(p->from.host, sizeof(p->from.host), "%.*s", SLICE_ARGS(host));
}

void world_in(struct world_ua *wu, const char *from, const char *text)
{
	struct world_packet p = { .w = wu->w };
	struct fill fill = { .w = wu->w };
	struct list *first = list_first(&wu->ua->endpoints);
	struct buf b = BUF_NULL, contact = BUF_NULL;
	struct flow local = { .transport = TRANSPORT_UDP };

	parse_from(from, &p);
	(void)snprintf(p.to.host, sizeof(p.to.host), "%s", wu->address);
	local.transport = p.transport;
	local.local = p.to;
	print_addr(fill.ua, sizeof(fill.ua), &p.to);
	print_addr(fill.peer, sizeof(fill.peer), &p.from);
	if (first) {
		endpoint_append_contact_uri(
			&contact, list_entry(first, struct endpoint, node), &local, URI_SIP);
		(void)snprintf(fill.contact, sizeof(fill.contact), "%.*s",
			SLICE_ARGS(buf_slice(&contact)));
	}
	fill_append(&b, &fill, text);
	p.bytes = b.p;
	p.n = b.n;
	world_net_send(wu->w, &p);
	buf_deinit(&b);
	buf_deinit(&contact);
}
