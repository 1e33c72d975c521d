/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stddef.h>

struct bus_call;
struct endpoint;
struct request_header;

/* What the tables say of it. */
#define IFACE_BEGIN_HEADERS \
	"Added; those of the stack are refused, but for Route of a peer-to-peer endpoint: the way there."

/* The Headers of what begins something, which may say the way that it takes. */
struct iface_begin {
	struct request_header *list; /* without Route */
	size_t n;
	char *route; /* the values of Route (protocol/ua/request-route.h); NULL: none */
};

/*
 * Reads and checks that option. On failure the call is answered by an error that names the header,
 * and *ret is empty all the same.
 */
int iface_begin_read(
	struct bus_call *c, unsigned row, const struct endpoint *ep, struct iface_begin *ret);
/* The same for requests of sessions, which have more headers of their own. */
int iface_begin_read_session(
	struct bus_call *c, unsigned row, const struct endpoint *ep, struct iface_begin *ret);
/* Does nothing to a zeroed one. */
void iface_begin_deinit(struct iface_begin *b);
