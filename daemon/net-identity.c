/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/net-identity.h"

#include <string.h>

#include "daemon/loop.h"
#include "protocol/base/buf.h"
#include "protocol/base/mem.h"

/* Handshakes that come faster than this look at the files once. */
#define LOOK_GAP USEC_PER_SEC

struct identity {
	struct list node;
	char *key;
	struct tls_identity *tls;
	bool used; /* since the last configuration */
};

enum { TEXTS = 8 };

static void texts_of(struct profile_tls *t, char **ret[static TEXTS])
{
	char **all[TEXTS] = { &t->ca_file, &t->crl_file, &t->certificate_file, &t->key_file,
		&t->server_name, &t->pin, &t->key_log_file, &t->minimum_version };

	memcpy(ret, all, sizeof(all));
}

static void clear_defaults(struct net_identities *n)
{
	char **texts[TEXTS];

	texts_of(&n->defaults, texts);
	for (size_t i = 0; i < TEXTS; i++)
		free(mem_take(texts[i]));
}

static void append_key(struct buf *b, const struct profile_tls *conf)
{
	struct profile_tls t = *conf;
	char **texts[TEXTS];

	texts_of(&t, texts);
	for (size_t i = 0; i < TEXTS; i++)
		buf_printf(b, "%s\n", *texts[i] ? *texts[i] : "");
	buf_printf(b, "%d\n", t.trust_on_first_use);
}

void net_identities_init(
	struct net_identities *n, const char *state_folder, const struct log_sink *log)
{
	list_init(&n->all);
	n->store = tls_store_new(state_folder, log);
}

static void identity_free(struct identity *i)
{
	list_remove(&i->node);
	tls_identity_unref(i->tls);
	free(i->key);
	free(i);
}

void net_identities_deinit(struct net_identities *n)
{
	struct list *node;

	while ((node = list_first(&n->all)))
		identity_free(list_entry(node, struct identity, node));
	clear_defaults(n);
	tls_store_free(mem_take(&n->store));
}

static void look(struct net_identities *n)
{
	n->looked = loop_now();
	list_for_each (node, &n->all)
		tls_identity_refresh(list_entry(node, struct identity, node)->tls);
}

void net_identities_look(struct net_identities *n)
{
	if (loop_now() >= n->looked + LOOK_GAP)
		look(n);
}

void net_identities_configure(struct net_identities *n, const struct profile_tls *defaults)
{
	struct profile_tls from = *defaults;
	char **texts[TEXTS], **now[TEXTS];

	clear_defaults(n);
	texts_of(&from, texts);
	texts_of(&n->defaults, now);
	for (size_t i = 0; i < TEXTS; i++)
		*now[i] = mem_strdup(*texts[i]);
	n->defaults.trust_on_first_use = from.trust_on_first_use;
	list_for_each_safe (node, next, &n->all) {
		struct identity *i = list_entry(node, struct identity, node);

		if (!i->used)
			identity_free(i);
		else
			i->used = false;
	}
	look(n);
}

static struct identity *find(const struct net_identities *n, struct slice key)
{
	list_for_each (node, &n->all) {
		struct identity *i = list_entry(node, struct identity, node);

		if (slice_eq(slice_str(i->key), key))
			return i;
	}
	return NULL;
}

int net_identities_get(struct net_identities *n, const struct profile *profile, enum tls_role role,
	struct tls_identity **ret_identity, const char **ret_key)
{
	static const struct profile_tls nothing;
	const struct profile_tls *conf = profile ? &profile->tls : &nothing;
	struct buf key cleanup_buf = BUF_NULL;
	struct tls_identity *tls;
	struct identity *i;
	int r;

	buf_printf(&key, "%s\n", role == TLS_CLIENT ? "client" : "server");
	append_key(&key, conf);
	append_key(&key, &n->defaults);
	net_identities_look(n);
	i = find(n, buf_slice(&key));
	if (!i) {
		r = tls_identity_new(conf, &n->defaults, role, n->store, &tls);
		if (r < 0)
			return r;
		i = mem_new(struct identity);
		i->tls = tls;
		i->key = buf_take(&key);
		list_append(&n->all, &i->node);
	}
	i->used = true;
	*ret_identity = i->tls;
	if (ret_key)
		*ret_key = i->key;
	return 0;
}
