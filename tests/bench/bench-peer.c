/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The least that can be a SIP peer, over UDP on loopback: the floor that figures are compared with,
 * and the other end of the daemon.
 *
 * bench-peer answer                           prints its port, then answers each request with 200
 * bench-peer send PORT USER COUNT WINDOW      sends pages, WINDOW at most without an answer
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/slice.h"

enum { DATAGRAM_MAX = 65536, PATIENCE_SECONDS = 5 };

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_socket(uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, n) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &n) < 0) {
		perror("bench-peer");
		exit(EXIT_FAILURE);
	}
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* ---- answering ---- */

static bool is_copied(struct slice line)
{
	return slice_starts_ci(line, SLICE("Via:")) || slice_starts_ci(line, SLICE("From:")) ||
	       slice_starts_ci(line, SLICE("Call-ID:")) || slice_starts_ci(line, SLICE("CSeq:"));
}

static char *put(char *to, struct slice s)
{
	memcpy(to, s.p, s.n);
	return to + s.n;
}

static size_t write_answer(char *to, struct slice request)
{
	struct slice line, rest = request;
	char *at = put(to, SLICE("SIP/2.0 200 OK\r\n"));

	while (slice_cut(rest, '\n', &line, &rest) && line.n > 1) {
		if (slice_starts_ci(line, SLICE("To:")))
			at = put(put(at, slice_trim(line)), SLICE(";tag=1\r\n"));
		else if (is_copied(line))
			at = put(put(at, line), SLICE("\n"));
	}
	return (size_t)(put(at, SLICE("Content-Length: 0\r\n\r\n")) - to);
}

static void answer(void)
{
	static char in[DATAGRAM_MAX], out[2 * DATAGRAM_MAX];
	struct sockaddr_storage from;
	uint16_t port;
	int fd = open_socket(&port);

	printf("%u\n", port);
	(void)fflush(stdout);
	for (;;) {
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from, &size);

		if (n <= 0)
			continue;
		(void)sendto(fd, out, write_answer(out, slice_of(in, (size_t)n)), 0,
			(struct sockaddr *)&from, size);
	}
}

/* ---- sending ---- */

struct sender {
	int fd;
	uint16_t port, to;
	const char *user;
	unsigned sent, answered, refused;
};

static void send_page(struct sender *s)
{
	char page[1024];
	int n = snprintf(page, sizeof(page),
		"MESSAGE sip:%s@127.0.0.1:%u SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK-bench-%u;rport\r\n"
		"Max-Forwards: 70\r\n"
		"From: <sip:peer@127.0.0.1:%u>;tag=%u\r\n"
		"To: <sip:%s@127.0.0.1>\r\n"
		"Call-ID: %u-bench@127.0.0.1\r\n"
		"CSeq: 1 MESSAGE\r\n"
		"Content-Type: text/plain\r\n"
		"Content-Length: 20\r\n\r\n"
		"Watson, come here.\r\n",
		s->user, s->to, s->port, s->sent, s->port, s->sent, s->user, s->sent);

	if (send(s->fd, page, (size_t)n, 0) == n)
		s->sent++;
}

/* False: nothing came for too long. */
static bool take_answer(struct sender *s)
{
	static char in[DATAGRAM_MAX];
	ssize_t n = recv(s->fd, in, sizeof(in), 0);

	if (n <= 0)
		return false;
	if (slice_starts(slice_of(in, (size_t)n), SLICE("SIP/2.0 200 ")))
		s->answered++;
	else if (!slice_starts(slice_of(in, (size_t)n), SLICE("SIP/2.0 1")))
		s->refused++;
	return true;
}

static int send_pages(struct sender *s, unsigned count, unsigned window)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	const struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(s->to) };
	double begin = now();

	s->fd = open_socket(&s->port);
	(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(s->fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return EXIT_FAILURE;
	while (s->answered + s->refused < count) {
		while (s->sent < count && s->sent - s->answered - s->refused < window)
			send_page(s);
		if (!take_answer(s))
			break;
	}
	printf("%u %u %.6f\n", s->answered, s->refused, now() - begin);
	return s->answered == count ? EXIT_SUCCESS : EXIT_FAILURE;
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
	struct sender s = { 0 };

	if (argc == 2 && strcmp(argv[1], "answer") == 0)
		answer();
	if (argc == 6 && strcmp(argv[1], "send") == 0) {
		s.to = (uint16_t)number(argv[2]);
		s.user = argv[3];
		return send_pages(&s, number(argv[4]), number(argv[5]));
	}
	(void)fputs("bench-peer answer | send PORT USER COUNT WINDOW\n", stderr);
	return EXIT_FAILURE;
}
