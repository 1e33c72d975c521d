/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Trust on first use: agents are asked about a certificate that no known authority issued. */
#include "protocol/base/slice.h"

struct iface;
struct profile;

enum iface_trust {
	IFACE_NOT_TRUSTED,
	IFACE_TRUSTED,
};

/* Text is never NULL; everything is copied. */
struct iface_certificate {
	uint64_t query; /* for the answer */
	const struct profile *profile;
	const char *server;  /* the domain that is meant */
	const char *address; /* where it is */
	uint16_t port;
	const char *subject, *issuer, *fingerprint;
	uint64_t not_after; /* epoch seconds */
	struct slice bytes; /* DER */
};

/*
 * Asks one agent after the other: 0, and iface_host.certificate answers later in any case; -ENOENT:
 * no agent would be asked.
 */
int iface_ask_certificate(struct iface *i, const struct iface_certificate *what);
