/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The least that can be a notifier (RFC 6665 4.2), over UDP on loopback: it takes every
 * subscription at once and for long, and tells states when it is told to. Nothing but answers is
 * sent twice.
 *
 * bench-notifier               prints its port, then obeys lines of its standard input:
 *   wait COUNT                 until there are so many subscriptions; prints their number
 *   notify COUNT WINDOW        so many NOTIFYs, each to the next subscription, WINDOW at most
 *                              without an answer; prints answered, refused, seconds
 *   forget                     all subscriptions
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/buf.h"
#include "protocol/base/map.h"
#include "protocol/base/mem.h"

enum { DATAGRAM_MAX = 65536, PATIENCE_MSEC = 5000, HEADER_MAX = 256, DIALOGS_MAX = 20000 };

#define PIDF                                                              \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                    \
	"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\""                 \
	" entity=\"sip:peer@127.0.0.1\">\n"                               \
	"<tuple id=\"t1\"><status><basic>open</basic></status></tuple>\n" \
	"</presence>\n"

/* A subscription: what a NOTIFY of it says. */
struct dialog {
	char target[HEADER_MAX], from[HEADER_MAX], to[HEADER_MAX], call_id[HEADER_MAX];
	struct sockaddr_in peer;
	struct map_node node; /* in by_call_id */
	unsigned cseq;
};

struct notifier {
	int fd;
	uint16_t port;
	struct dialog *dialogs;
	struct map by_call_id;
	size_t n_dialogs, next;
	unsigned sent, answered, refused;
	struct buf out;
};

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void open_socket(struct notifier *n)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	n->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0 || bind(n->fd, (struct sockaddr *)&at, size) < 0 ||
		getsockname(n->fd, (struct sockaddr *)&at, &size) < 0) {
		perror("bench-notifier");
		exit(EXIT_FAILURE);
	}
	n->port = ntohs(at.sin_port);
}

static void send_out(struct notifier *n, const struct dialog *d)
{
	(void)sendto(
		n->fd, n->out.p, n->out.n, 0, (const struct sockaddr *)&d->peer, sizeof(d->peer));
}

static void notify(struct notifier *n, struct dialog *d)
{
	struct buf *out = &n->out;

	d->cseq++;
	buf_reset(out);
	buf_lit(out, "NOTIFY ");
	buf_str(out, d->target);
	buf_lit(out, " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:");
	buf_u64(out, n->port);
	buf_lit(out, ";branch=z9hG4bK-");
	buf_u64(out, d->cseq);
	buf_lit(out, "-");
	buf_u64(out, (uint64_t)(d - n->dialogs));
	buf_lit(out, "\r\nMax-Forwards: 70\r\nFrom:");
	buf_str(out, d->to);
	buf_lit(out, ";tag=notifier\r\nTo:");
	buf_str(out, d->from);
	buf_lit(out, "\r\nCall-ID:");
	buf_str(out, d->call_id);
	buf_lit(out, "\r\nCSeq: ");
	buf_u64(out, d->cseq);
	buf_lit(out, " NOTIFY\r\nContact: <sip:127.0.0.1:");
	buf_u64(out, n->port);
	buf_lit(out, ">\r\nEvent: presence\r\nSubscription-State: active;expires=3600\r\n"
		     "Content-Type: application/pidf+xml\r\nContent-Length: ");
	buf_u64(out, sizeof(PIDF) - 1);
	buf_lit(out, "\r\n\r\n" PIDF);
	send_out(n, d);
}

/* ---- what comes ---- */

static struct slice header(struct slice m, struct slice name)
{
	struct slice line, rest = m;

	while (slice_cut(rest, '\n', &line, &rest) && line.n > 1) {
		if (slice_starts_ci(line, name))
			return slice_head(slice_skip(line, name.n), line.n - name.n - 1);
	}
	(void)fputs("bench-notifier: a header is missing\n", stderr);
	exit(EXIT_FAILURE);
}

static void keep(char *to, struct slice s)
{
	if (s.n >= HEADER_MAX)
		exit(EXIT_FAILURE);
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

static struct dialog *new_dialog(struct notifier *n, struct slice m, const struct sockaddr_in *peer)
{
	struct dialog *d = &n->dialogs[n->n_dialogs];
	struct slice before, contact;

	if (++n->n_dialogs > DIALOGS_MAX)
		exit(EXIT_FAILURE);
	(void)slice_cut(header(m, SLICE("Contact:")), '<', &before, &contact);
	(void)slice_cut(contact, '>', &contact, &before);
	keep(d->target, contact);
	keep(d->from, header(m, SLICE("From:")));
	keep(d->to, header(m, SLICE("To:")));
	keep(d->call_id, header(m, SLICE("Call-ID:")));
	d->peer = *peer;
	d->cseq = 0;
	map_insert(&n->by_call_id, &d->node, slice_str(d->call_id));
	return d;
}

static void answer(struct notifier *n, struct slice m, const struct dialog *d)
{
	struct buf *out = &n->out;

	buf_reset(out);
	buf_lit(out, "SIP/2.0 200 OK\r\nVia:");
	buf_put(out, header(m, SLICE("Via:")));
	buf_lit(out, "\r\nFrom:");
	buf_str(out, d->from);
	buf_lit(out, "\r\nTo:");
	buf_str(out, d->to);
	buf_lit(out, ";tag=notifier\r\nCall-ID:");
	buf_str(out, d->call_id);
	buf_lit(out, "\r\nCSeq:");
	buf_put(out, header(m, SLICE("CSeq:")));
	buf_lit(out, "\r\nContact: <sip:127.0.0.1:");
	buf_u64(out, n->port);
	buf_lit(out, ">\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n");
	send_out(n, d);
}

/* One that is sent again, or later in the dialog, is answered and no more. */
static void take_subscribe(struct notifier *n, struct slice m, const struct sockaddr_in *peer)
{
	struct map_node *known = map_find(&n->by_call_id, header(m, SLICE("Call-ID:")));
	struct dialog *d =
		known ? container_of(known, struct dialog, node) : new_dialog(n, m, peer);

	answer(n, m, d);
	if (known)
		return;
	n->sent++;
	notify(n, d);
}

/* False: nothing came for too long. */
static bool take(struct notifier *n)
{
	static char in[DATAGRAM_MAX];
	struct pollfd p = { .fd = n->fd, .events = POLLIN };
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	ssize_t got;
	struct slice m;

	if (poll(&p, 1, PATIENCE_MSEC) != 1)
		return false;
	got = recvfrom(n->fd, in, sizeof(in), 0, (struct sockaddr *)&peer, &size);
	if (got <= 0)
		return true; /* of somebody who has gone */
	m = slice_of(in, (size_t)got);
	if (slice_starts(m, SLICE("SUBSCRIBE ")))
		take_subscribe(n, m, &peer);
	else if (slice_starts(m, SLICE("SIP/2.0 200 ")))
		n->answered++;
	else if (slice_starts(m, SLICE("SIP/2.0 ")))
		n->refused++;
	return true;
}

/* ---- what is to be done ---- */

static unsigned outstanding(const struct notifier *n)
{
	return n->sent - n->answered - n->refused;
}

static void wait_for_dialogs(struct notifier *n, unsigned count)
{
	while ((n->n_dialogs < count || outstanding(n) > 0) && take(n))
		;
	printf("%zu\n", n->n_dialogs);
}

static void notify_many(struct notifier *n, unsigned count, unsigned window)
{
	double begin = now();

	n->sent = n->answered = n->refused = 0;
	while (n->n_dialogs && n->answered + n->refused < count) {
		for (; n->sent < count && outstanding(n) < window; n->sent++)
			notify(n, &n->dialogs[n->next++ % n->n_dialogs]);
		if (!take(n))
			break;
	}
	printf("%u %u %.6f\n", n->answered, n->refused, now() - begin);
}

static void forget(struct notifier *n)
{
	map_deinit(&n->by_call_id);
	map_init(&n->by_call_id, 1);
	n->n_dialogs = n->next = n->sent = n->answered = n->refused = 0;
	puts("0");
}

int main(void)
{
	struct notifier n = { .dialogs = calloc(DIALOGS_MAX + 1, sizeof(struct dialog)) };
	char line[64];
	unsigned count, window;

	if (!n.dialogs)
		return EXIT_FAILURE;
	map_init(&n.by_call_id, 1);
	open_socket(&n);
	printf("%u\n", n.port);
	(void)fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "wait %u", &count) == 1)
			wait_for_dialogs(&n, count);
		else if (sscanf(line, "notify %u %u", &count, &window) == 2)
			notify_many(&n, count, window);
		else if (strcmp(line, "forget\n") == 0)
			forget(&n);
		(void)fflush(stdout);
	}
	map_deinit(&n.by_call_id);
	buf_deinit(&n.out);
	free(n.dialogs);
	return EXIT_SUCCESS;
}
