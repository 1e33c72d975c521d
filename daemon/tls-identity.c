/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/tls-private.h"
#include "daemon/tls-store.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

struct tls_store *tls_store_new(const char *state_dir, const struct log_sink *log)
{
	struct tls_store *store = mem_new(struct tls_store);

	store->log = log;
	tls_known_init(&store->known, state_dir, log);
	return store;
}

void tls_store_free(struct tls_store *store)
{
	if (!store)
		return;
	tls_known_deinit(&store->known);
	free(store);
}

static int source_of(struct tls_store *store, const char *const path[static TLS_FILES],
	const char *minimum_version, struct tls_source **ret)
{
	int r;

	list_for_each (node, &store->sources) {
		struct tls_source *s = list_entry(node, struct tls_source, link);

		if (tls_source_is(s, path, minimum_version)) {
			tls_source_refresh(s);
			*ret = tls_source_ref(s);
			return 0;
		}
	}
	r = tls_source_new(path, minimum_version, store->log, ret);
	if (r == 0)
		list_append(&store->sources, &(*ret)->link);
	return r;
}

/* Session keys in a file: made for its owner alone, and never written through a link. */
static int open_key_log(struct tls_identity *i)
{
	struct stat st;
	int fd = open(i->key_log_file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		S_IRUSR | S_IWUSR);
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r == 0 && (!S_ISREG(st.st_mode) || (st.st_mode & (S_IRWXG | S_IRWXO))))
		r = -EPERM;
	if (r < 0) {
		log_line(i->store->log, LOG_LEVEL_ERROR,
			"%s: %s; session keys need a file of mode 0600", i->key_log_file,
			strerror(-r));
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	i->key_log = fd;
	return 0;
}

static const char *either(const char *a, const char *b)
{
	return a && *a ? a : b && *b ? b : NULL;
}

/* The fallback's is a floor: what a profile has may be its default. */
static const char *stricter(const char *a, const char *b)
{
	return a && (!b || strcmp(a, b) > 0) ? a : b;
}

static char *pin_of(const char *hex)
{
	char *pin = mem_strdup(hex);

	for (char *p = pin; p && *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'F' ? *p | 0x20 : *p);
	return pin;
}

int tls_identity_new(const struct profile_tls *conf, const struct profile_tls *fallback,
	enum tls_role role, struct tls_store *store, struct tls_identity **ret_identity)
{
	static const struct profile_tls none;
	const struct profile_tls *b = fallback ? fallback : &none;
	/* A certificate and its key come from the same section. */
	const struct profile_tls *own = either(conf->certificate_file, NULL) ? conf : b;
	const char *path[TLS_FILES] = {
		[TLS_CA_FILE] = either(conf->ca_file, b->ca_file),
		[TLS_CRL_FILE] = either(conf->crl_file, b->crl_file),
		[TLS_CERTIFICATE_FILE] = either(own->certificate_file, NULL),
		[TLS_KEY_FILE] = either(own->key_file, NULL),
	};
	struct tls_identity *i;
	struct tls_source *source;
	int r;

	if (role == TLS_SERVER && !path[TLS_CERTIFICATE_FILE]) {
		log_line(store->log, LOG_LEVEL_ERROR,
			"to listen for TLS, [Tls] CertificateFile and KeyFile are needed");
		return -EINVAL;
	}
	r = source_of(store, path, stricter(conf->minimum_version, b->minimum_version), &source);
	if (r < 0)
		return r;
	i = mem_new(struct tls_identity);
	i->refs = 1;
	i->store = store;
	i->source = source;
	i->server_name = mem_strdup(either(conf->server_name, NULL));
	i->pin = pin_of(either(conf->pin, NULL));
	i->trust_on_first_use = conf->trust_on_first_use;
	i->has_ca_file = path[TLS_CA_FILE] != NULL;
	i->key_log_file = mem_strdup(either(conf->key_log_file, b->key_log_file));
	i->key_log = -1;
	tls_ticket_init(i);
	r = i->key_log_file ? open_key_log(i) : 0;
	if (r < 0)
		tls_identity_unref(i);
	else
		*ret_identity = i;
	return r;
}

struct tls_identity *tls_identity_ref(struct tls_identity *i)
{
	i->refs++;
	return i;
}

void tls_identity_unref(struct tls_identity *i)
{
	if (!i || --i->refs)
		return;
	tls_ticket_drop_all(i);
	tls_source_unref(i->source);
	if (i->key_log >= 0)
		(void)close(i->key_log);
	free(i->server_name);
	free(i->pin);
	free(i->key_log_file);
	free(i);
}

void tls_identity_refresh(struct tls_identity *i)
{
	tls_source_refresh(i->source);
	if (i->trust_on_first_use)
		tls_known_refresh(&i->store->known);
}
