/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "daemon/tls-creds.h"

/*
 * The servers that were trusted on first use: in memory, and in a file of the state directory with
 * one line "domain key" for each, where key is the SHA-256 of its public key. To forget a server
 * its line is removed.
 */

enum {
	TLS_MAX_KNOWN = 4096,
	TLS_MAX_KNOWN_FILE = 2 * 1024 * 1024,
};

struct tls_known {
	char *folder; /* NULL: nothing is on disk */
	const struct log_sink *log;
	struct tls_stamp stamp;
	bool unreadable; /* then nobody new may be trusted: it could be an old one that changed */
	struct tls_server *servers;
	size_t n;
};

/* folder is copied; NULL: only in memory. */
void tls_known_init(struct tls_known *k, const char *folder, const struct log_sink *log);
void tls_known_deinit(struct tls_known *k);
/* Reads the file again if somebody else changed it. */
void tls_known_refresh(struct tls_known *k);
/* The key of that domain, lower-case hexadecimal; NULL: not known. */
const char *tls_known_find(const struct tls_known *k, const char *domain);
/*
 * On disk before it returns; a crash leaves the old list or the new one. Negative errno, logged:
 * it is known as long as the process lives then. -ENOSPC: there are TLS_MAX_KNOWN.
 */
int tls_known_add(struct tls_known *k, const char *domain, const char *key);
