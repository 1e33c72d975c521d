/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/tls-check.h"

#include <stdlib.h>

#include "conf/config.h"
#include "conf/daemon-conf.h"
#include "daemon/tls-identity.h"
#include "protocol/base/buf.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

struct checking {
	struct problem_list *problems;
	struct tls_store *store;
	const char *file;           /* whose [Tls] is looked at */
	struct tls_identity **kept; /* so that a file that many name is read once */
	size_t n_kept;
};

static void take(void *ctx, enum log_level level, const char *text)
{
	const struct checking *k = ctx;

	problem_add(k->problems, level <= LOG_LEVEL_ERROR ? PROBLEM_ERROR : PROBLEM_WARNING,
		(struct problem_place){ .file = k->file }, "[Tls] %s", text);
}

static void check_one(struct checking *k, const char *file, const struct profile_tls *tls,
	const struct profile_tls *fallback)
{
	struct profile_tls own = *tls, other = *fallback;

	if (!own.ca_file && !own.certificate_file && !own.crl_file)
		return;
	/* It would be made, or opened. */
	own.key_log_file = other.key_log_file = NULL;
	k->file = file;
	if (tls_identity_new(&own, &other, TLS_CLIENT, k->store, k->kept + k->n_kept) == 0)
		k->n_kept++;
}

static void check(struct config *c, const char *daemon_file)
{
	struct checking k = { .problems = &c->problems };
	const struct log_sink sink = { .write = take, .ctx = &k, .max = LOG_LEVEL_WARNING };
	const struct profile_tls *fallback = &c->daemon->tls;

	k.store = tls_store_new(NULL, &sink);
	k.kept = mem_zalloc((c->n_profiles + 1) * sizeof(struct tls_identity *));
	check_one(&k, daemon_file, fallback, fallback);
	for (size_t i = 0; i < c->n_profiles; i++)
		check_one(&k, c->profiles[i]->source, &c->profiles[i]->tls, fallback);
	while (k.n_kept)
		tls_identity_unref(k.kept[--k.n_kept]);
	free(k.kept);
	tls_store_free(k.store);
}

struct config *tls_check_load(const struct config_source *source)
{
	struct config *c = config_load(source);
	struct buf file cleanup_buf = BUF_NULL;

	if (config_is_usable(c)) {
		buf_printf(&file, "%s/sipbus.conf", source->folder);
		buf_putc(&file, '\0');
		check(c, file.p);
	}
	return c;
}
