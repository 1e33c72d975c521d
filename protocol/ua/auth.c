/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/auth.h"

#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/digest.h"
#include "protocol/ua/auth-choice.h"
#include "protocol/ua/endpoint.h"

enum { CNONCE_BYTES = 16 };

/* The two places where a challenge can stand (RFC 3261 sections 22.2 and 22.3). */
struct side {
	enum hdr_id challenge, answer, info;
};

static const struct side sides[] = {
	{ HDR_WWW_AUTHENTICATE, HDR_AUTHORIZATION, HDR_AUTHENTICATION_INFO },
	{ HDR_PROXY_AUTHENTICATE, HDR_PROXY_AUTHORIZATION, HDR_PROXY_AUTHENTICATION_INFO },
};

struct auth_realm {
	struct list node;
	const struct side *side;
	char *text; /* the challenge, into which the slices of `challenge` point */
	struct challenge challenge;
	char *next_nonce; /* NULL: the challenge's own */
	char *cnonce;
	uint32_t nc;
	char *user, *password; /* password NULL: no credentials */
	size_t password_n;
	bool proven; /* the server accepted an answer made with them */
};

static void drop_secret(struct auth_realm *e)
{
	mem_wipe(e->password, e->password_n);
	free(e->password);
	free(e->user);
	e->user = e->password = NULL;
	e->password_n = 0;
	e->proven = false;
}

static void free_realm(struct auth *a, struct auth_realm *e)
{
	list_remove(&e->node);
	a->n_realms--;
	drop_secret(e);
	free(e->text);
	free(e->next_nonce);
	free(e->cnonce);
	free(e);
}

void auth_forget(struct auth *a)
{
	struct list *node;

	while ((node = list_first(&a->realms)))
		free_realm(a, list_entry(node, struct auth_realm, node));
}

void auth_deinit(struct auth *a)
{
	auth_forget(a);
	free(a->home);
	a->home = NULL;
}

static struct auth_realm *find(const struct auth *a, const struct side *side, struct slice realm)
{
	list_for_each (node, &a->realms) {
		struct auth_realm *e = list_entry(node, struct auth_realm, node);

		if (e->side == side && slice_eq(e->challenge.realm, realm))
			return e;
	}
	return NULL;
}

static void set_secret(struct auth_realm *e, struct slice user, struct slice password)
{
	drop_secret(e);
	e->user = slice_dup(user);
	e->password = slice_dup(password);
	e->password_n = password.n;
}

/* A realm on the other side is the same realm: nobody is asked twice. */
static void share_secret(const struct auth *a, struct auth_realm *e)
{
	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		const struct auth_realm *other = find(a, &sides[i], e->challenge.realm);

		if (other && other != e && other->password) {
			set_secret(e, slice_str(other->user),
				slice_of(other->password, other->password_n));
			return;
		}
	}
}

static struct slice nonce_of(const struct auth_realm *e)
{
	return e->next_nonce ? slice_str(e->next_nonce) : e->challenge.nonce;
}

/* A new nonce begins a new count (RFC 7616 3.4). */
static void renew_nonce(struct endpoint *ep, struct auth_realm *e)
{
	struct buf b = BUF_NULL;

	e->nc = 0;
	free(e->cnonce);
	ua_random_hex(ep->ua, &b, CNONCE_BYTES);
	e->cnonce = buf_take(&b);
}

static void adopt(struct endpoint *ep, struct auth_realm *e, const struct challenge *c)
{
	bool same = e->text && slice_eq(nonce_of(e), c->nonce);
	struct buf b = BUF_NULL;
	struct slice rest;

	buf_put(&b, c->scheme_name);
	buf_putc(&b, ' ');
	buf_put(&b, c->params);
	rest = slice_of(NULL, b.n);
	free(e->text);
	free(e->next_nonce);
	e->next_nonce = NULL;
	rest.p = e->text = buf_take(&b);
	(void)challenge_next(&rest, &e->challenge);
	if (!same)
		renew_nonce(ep, e);
}

static struct auth_realm *add(
	struct endpoint *ep, const struct side *side, const struct challenge *c)
{
	struct auth *a = &ep->auth;
	struct auth_realm *e = mem_new(struct auth_realm);
	struct list *oldest = list_first(&a->realms);

	/* A server that names ever new realms pushes out its own old ones. */
	if (oldest && a->n_realms >= LIMITS_REALMS)
		free_realm(a, list_entry(oldest, struct auth_realm, node));
	e->side = side;
	adopt(ep, e, c);
	list_append(&a->realms, &e->node);
	a->n_realms++;
	share_secret(a, e);
	return e;
}

/* Whether sent carried an answer of ours for that realm, and to which nonce. */
static bool was_answered(const struct msg *sent, const struct side *side,
	const struct challenge *asked, struct slice *ret_nonce)
{
	const struct hdr *h = NULL;

	while ((h = msg_header_next(sent, side->answer, h))) {
		struct slice rest = h->value;
		struct challenge c;

		if (challenge_next(&rest, &c) != 1)
			continue;
		/* Basic names no realm in its answer. */
		if (c.scheme == CHALLENGE_BASIC || slice_eq(c.realm, asked->realm)) {
			*ret_nonce = c.nonce;
			return true;
		}
	}
	return false;
}

/* The answer was turned down for more than the nonce's age. */
static bool is_refusal(
	const struct auth_realm *e, const struct challenge *c, struct slice answered_nonce)
{
	if (c->stale)
		return false;
	/* Another request brought a newer challenge, or a new secret, since this one went out. */
	if (!slice_eq(answered_nonce, nonce_of(e)))
		return false;
	/* Servers that forget to say stale: once more with the new nonce, if it is one. */
	return !e->proven || slice_eq(c->nonce, answered_nonce);
}

static enum auth_verdict take(struct endpoint *ep, const struct side *side, const struct msg *sent,
	const struct challenge *c, struct auth_realm **ret_entry)
{
	struct auth_realm *e = find(&ep->auth, side, c->realm);
	struct slice nonce = SLICE_NULL;

	if (e && was_answered(sent, side, c, &nonce)) {
		if (is_refusal(e, c, nonce)) {
			drop_secret(e);
			return AUTH_REFUSED;
		}
		e->proven = false;
	}
	if (e) {
		adopt(ep, e, c);
		list_remove(&e->node);
		list_append(&ep->auth.realms, &e->node);
	} else {
		e = add(ep, side, c);
	}
	*ret_entry = e;
	return e->password ? AUTH_RETRY : AUTH_NEED_SECRET;
}

/* One realm that can be answered is enough (RFC 8760 2.4): the better verdict counts. */
static bool is_better(enum auth_verdict a, enum auth_verdict b)
{
	static const int order[] = {
		[AUTH_IMPOSSIBLE] = 0,
		[AUTH_REFUSED] = 1,
		[AUTH_RETRY] = 2,
		[AUTH_NEED_SECRET] = 3,
	};

	return order[a] > order[b];
}

enum auth_verdict auth_challenged(struct endpoint *ep, const struct msg *sent,
	const struct msg *response, struct slice *ret_realm, const char **ret_why)
{
	enum auth_verdict verdict = AUTH_IMPOSSIBLE;
	const char *why = NULL;

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		struct auth_choice choice;

		auth_choose(ep, sent, response, sides[i].challenge, &choice);
		if (!why)
			why = choice.why;
		for (size_t j = 0; j < choice.n; j++) {
			struct auth_realm *e = NULL;
			enum auth_verdict v = take(ep, &sides[i], sent, &choice.best[j], &e);

			if (!is_better(v, verdict))
				continue;
			verdict = v;
			if (v == AUTH_NEED_SECRET)
				*ret_realm = e->challenge.realm;
		}
	}
	if (verdict == AUTH_IMPOSSIBLE)
		*ret_why = why ? why : "no challenge";
	return verdict;
}

/* ---- secrets ---- */

static char *default_user(const struct endpoint *ep)
{
	struct buf b = BUF_NULL;
	struct uri u;

	if (ep->profile->account)
		return mem_strdup(ep->profile->account);
	if (uri_parse(slice_str(ep->uri), &u) == 0)
		uri_append_unescaped(&b, u.user);
	return buf_take(&b);
}

void auth_set_secret(
	struct endpoint *ep, struct slice realm, struct slice user, struct slice password)
{
	char *fallback = user.n ? NULL : default_user(ep);

	if (fallback)
		user = slice_str(fallback);
	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		struct auth_realm *e = find(&ep->auth, &sides[i], realm);

		if (e)
			set_secret(e, user, password);
	}
	free(fallback);
}

/* ---- answers ---- */

static void wipe(struct buf *b)
{
	mem_wipe(b->p, b->cap);
	buf_deinit(b);
}

static void append_base64(struct buf *b, struct slice s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.n; i += 3) {
		size_t n = s.n - i < 3 ? s.n - i : 3;
		uint32_t v = 0;

		for (size_t j = 0; j < 3; j++)
			v = v << 8 | (j < n ? (unsigned char)s.p[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			buf_putc(b, j <= n ? digits[v >> (18 - 6 * j) & 63] : '=');
	}
}

/* RFC 7617 section 2 */
static void append_basic(struct buf *b, const struct auth_realm *e)
{
	struct buf plain = BUF_NULL;

	buf_str(&plain, e->user);
	buf_putc(&plain, ':');
	buf_put(&plain, slice_of(e->password, e->password_n));
	buf_lit(b, "Basic ");
	append_base64(b, buf_slice(&plain));
	wipe(&plain);
}

/*
 * RFC 7616 3.4. Each answer has a cnonce of its own, except for -sess, where the first one went
 * into the key of the session (3.4.2).
 */
static bool append_digest(
	struct buf *b, struct endpoint *ep, struct auth_realm *e, const struct auth_request *r)
{
	struct digest_hasher hasher = { ep->ua->host->ops->hash, ep->ua->host->ctx };
	struct challenge c = e->challenge;
	struct buf cnonce = BUF_NULL;
	struct digest_input in = {
		.user = slice_str(e->user),
		.password = slice_of(e->password, e->password_n),
		.method = r->method,
		.uri = r->uri,
		.body = r->body,
		.nc = e->nc + 1,
		.qop = auth_choice_qop(&e->challenge),
	};
	int error;

	c.nonce = nonce_of(e);
	if (c.sess)
		buf_str(&cnonce, e->cnonce);
	else
		ua_random_hex(ep->ua, &cnonce, CNONCE_BYTES);
	in.cnonce = buf_slice(&cnonce);
	error = digest_append_answer(b, &hasher, &c, &in);
	buf_deinit(&cnonce);
	if (error == 0)
		e->nc++;
	return error == 0;
}

static bool append_answer(
	struct buf *b, struct endpoint *ep, struct auth_realm *e, const struct auth_request *r)
{
	if (!e->password)
		return false;
	if (e->challenge.scheme == CHALLENGE_DIGEST)
		return append_digest(b, ep, e, r);
	if (r->transport != TRANSPORT_TLS)
		return false;
	append_basic(b, e);
	return true;
}

static void note_scheme(struct endpoint *ep, const struct auth_realm *e)
{
	const char *scheme = auth_choice_name(&e->challenge);

	if (ep->auth.scheme && strcmp(ep->auth.scheme, scheme) == 0)
		return;
	ep->auth.scheme = scheme;
	endpoint_mark(ep, UA_CHANGE_AUTH);
}

void auth_append(struct buf *b, struct endpoint *ep, const struct auth_request *r)
{
	struct buf value = BUF_NULL;

	list_for_each (node, &ep->auth.realms) {
		struct auth_realm *e = list_entry(node, struct auth_realm, node);

		buf_reset(&value);
		if (!append_answer(&value, ep, e, r))
			continue;
		build_header(b, e->side->answer, buf_slice(&value));
		note_scheme(ep, e);
	}
	wipe(&value);
}

const char *auth_scheme(const struct auth *a)
{
	return a->scheme ? a->scheme : "";
}

/* ---- success ---- */

/* Authentication-Info names no realm: it counts where only one could be meant. */
static void take_next_nonce(struct endpoint *ep, struct auth_realm *e, const struct msg *response)
{
	struct slice nonce;

	if (!challenge_param(msg_header(response, e->side->info), SLICE("nextnonce"), &nonce) ||
		nonce.n == 0 || slice_eq(nonce, nonce_of(e)))
		return;
	free(e->next_nonce);
	e->next_nonce = slice_dup(nonce);
	renew_nonce(ep, e);
}

static void accepted_on_side(struct endpoint *ep, const struct side *side, const struct msg *sent,
	const struct msg *response)
{
	struct auth_realm *only = NULL;
	unsigned n = 0;

	list_for_each (node, &ep->auth.realms) {
		struct auth_realm *e = list_entry(node, struct auth_realm, node);
		struct slice nonce;

		if (e->side != side || !was_answered(sent, side, &e->challenge, &nonce))
			continue;
		n++;
		if (!e->password || !slice_eq(nonce, nonce_of(e)))
			continue;
		e->proven = true;
		only = e;
		if (sent->method == METHOD_REGISTER && !ep->auth.home)
			ep->auth.home = slice_dup(e->challenge.realm);
	}
	if (n == 1 && only)
		take_next_nonce(ep, only, response);
}

void auth_accepted(struct endpoint *ep, const struct msg *sent, const struct msg *response)
{
	for (size_t i = 0; i < ARRAY_LEN(sides); i++)
		accepted_on_side(ep, &sides[i], sent, response);
}
