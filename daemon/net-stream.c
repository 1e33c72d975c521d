/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes of a connection: from the socket to messages, from messages to the socket. */
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/loop.h"
#include "daemon/net-conn.h"
#include "protocol/base/err.h"
#include "protocol/ua/ua.h"

enum {
	READ_SIZE = 16384,
	ROUNDS = 4, /* reads before others have their turn */
};

/* ---- writing ---- */

void net_stream_drop(struct net_conn *c)
{
	c->base.net->n_queued -= c->out.cap;
	buf_deinit(&c->out);
	c->out_at = 0;
}

static void flushed(struct net_conn *c)
{
	net_stream_drop(c);
	(void)event_del(c->writable);
	if (c->phase == NET_CONN_DRAINING)
		(void)shutdown(c->fd, SHUT_WR);
}

/* As much of what waits as the socket takes. */
void net_stream_flush(struct net_conn *c)
{
	while (c->out_at < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			(void)event_add(c->writable, NULL);
			return;
		}
		if (n < 0) {
			net_conn_break(c, strerror(errno));
			return;
		}
		c->out_at += (size_t)n;
		c->stuck = net_conn_now(c);
	}
	flushed(c);
}

/* Behind what waits already. */
static void append_out(struct net_conn *c, struct slice bytes)
{
	size_t cap = c->out.cap;

	if (c->out_at > c->out.n / 2) {
		buf_consume(&c->out, c->out_at);
		c->out_at = 0;
	}
	buf_put(&c->out, bytes);
	c->base.net->n_queued += c->out.cap - cap;
}

void net_stream_put(struct net_conn *c, struct slice bytes)
{
	c->base.flow.used = net_conn_now(c);
	if (c->out.n - c->out_at + c->n_early + bytes.n > NET_MAX_QUEUED)
		net_conn_break(c, "the peer does not read");
	else if (c->tls)
		net_tls_send(c, bytes);
	else
		net_stream_queue(c, bytes);
}

void net_stream_queue(struct net_conn *c, struct slice bytes)
{
	bool idle = c->out.n == 0;

	append_out(c, bytes);
	if (idle)
		c->stuck = net_conn_now(c);
	if (idle && c->phase != NET_CONN_CONNECTING)
		net_stream_flush(c);
	/* Only now, so that who reads suffers nothing from those who do not. */
	if (c->out.n && c->base.net->n_queued > NET_MAX_QUEUED_TOTAL)
		net_conn_break(c, "too much waits for peers that do not read");
	if (idle && c->out.n)
		net_conn_rearm(c);
}

/* ---- reading ---- */

bool net_stream_is_unfinished(const struct net_conn *c)
{
	return c->in.n > 0 && c->in.p[0] != '\r';
}

static void keep_partial(struct net_conn *c, size_t cap_before)
{
	struct net *net = c->base.net;

	if (c->in.n == 0)
		buf_deinit(&c->in);
	net->n_partial += c->in.cap - cap_before;
	if (net->n_partial > NET_MAX_PARTIAL && c->in.n)
		net_conn_break(c, "too many unfinished messages are held");
}

static void take_message(struct net_conn *c, struct slice frame, enum msg_framing framing)
{
	struct ua *ua = c->base.net->loop->ua;
	uint64_t bad;

	c->base.net->counters.frames_in++;
	if (!ua)
		return;
	bad = ua->n_bad_messages;
	ua_receive(ua, &c->base.flow, frame, framing);
	if (ua->n_bad_messages == bad)
		net_conn_prove(c);
}

static void take_frame(struct net_conn *c, enum frame_kind kind, struct slice frame)
{
	switch (kind) {
	case FRAME_PARTIAL:
		break;
	case FRAME_MESSAGE:
		take_message(c, frame, MSG_STREAM);
		break;
	case FRAME_PING:
		net_stream_put(c, SLICE("\r\n"));
		break;
	case FRAME_PONG:
		c->pongs |= c->pinged != 0;
		if (c->base.flow.kept && c->base.net->loop->ua)
			ua_pong(c->base.net->loop->ua, &c->base.flow);
		break;
	case FRAME_BAD:
	case FRAME_TOO_LARGE:
		c->base.net->counters.frames_bad++;
		if (frame.n)
			take_message(c, frame, kind == FRAME_BAD ? MSG_STREAM : MSG_HEAD);
		net_conn_drain(
			c, kind == FRAME_BAD ? "the stream is not SIP" : "a message is too large");
		break;
	}
}

void net_stream_take(struct net_conn *c)
{
	size_t at = 0, n;
	struct slice frame;

	while (c->base.life == NET_ALIVE) {
		enum frame_kind kind = frame_next(&c->frame, slice_skip(buf_slice(&c->in), at),
			c->base.net->max_message, &frame, &n);

		if (kind == FRAME_PARTIAL)
			break;
		at += n;
		take_frame(c, kind, frame);
	}
	if (at > 0)
		c->partial = net_conn_now(c);
	buf_consume(&c->in, at);
}

/* The other side is no TLS, or is TLS where we are not: said plainly, before any parser wonders. */
static bool is_other_tongue(struct net_conn *c, struct slice bytes)
{
	enum { ALERT = 21, HANDSHAKE = 22 };
	uint8_t first = (uint8_t)bytes.p[0];
	bool speaks_tls = first == ALERT || first == HANDSHAKE;
	bool speaks_text = first == '\r' || first == '\n' || (first >= 'A' && first <= 'Z');

	if (c->spoken)
		return false;
	c->spoken = true;
	if (c->tls ? !speaks_text : !speaks_tls)
		return false;
	net_conn_refuse(c, c->tls ? "the peer does not speak TLS" : "the peer speaks TLS");
	return true;
}

static void take_bytes(struct net_conn *c, struct slice bytes)
{
	if (c->phase == NET_CONN_DRAINING)
		return;
	c->heard = c->base.since = c->base.flow.used = net_conn_now(c);
	if (is_other_tongue(c, bytes))
		return;
	if (c->tls) {
		net_tls_receive(c, bytes);
	} else {
		if (!c->in.n)
			c->partial = net_conn_now(c);
		c->in.n += bytes.n;
		net_stream_take(c);
	}
	c->pinged = 0;
}

/* TLS is read into a place of its own, for it becomes something else. */
static char *room_for(struct net_conn *c, char *cipher_text)
{
	return c->tls ? cipher_text : buf_reserve(&c->in, READ_SIZE);
}

static void read_end(struct net_conn *c, int error)
{
	if (c->tls && !error && c->phase != NET_CONN_DRAINING)
		net_tls_receive(c, SLICE_NULL);
	else
		net_conn_break(c, error ? strerror(error) : "the peer closed the connection");
}

/* Whether there may be more. */
static bool read_some(struct net_conn *c)
{
	char cipher_text[READ_SIZE], *room = room_for(c, cipher_text);
	ssize_t n = recv(c->fd, room, READ_SIZE, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		read_end(c, n < 0 ? errno : 0);
		return false;
	}
	take_bytes(c, slice_of(room, (size_t)n));
	return n == READ_SIZE && (c->base.life == NET_ALIVE || c->phase == NET_CONN_DRAINING);
}

void net_stream_read(struct net_conn *c)
{
	size_t cap = c->in.cap;

	for (unsigned round = 0; round < ROUNDS && read_some(c); round++)
		;
	keep_partial(c, cap);
	if (c->base.life == NET_ALIVE)
		net_conn_rearm(c);
}
