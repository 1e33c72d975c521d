/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/auth-choice.h"

#include <string.h>

#include "protocol/ua/endpoint.h"

static enum challenge_algorithm floor_of(const struct profile *p)
{
	switch (p->digest_floor) {
	case PROFILE_FLOOR_MD5:
		return CHALLENGE_MD5;
	case PROFILE_FLOOR_SHA256:
		return CHALLENGE_SHA256;
	case PROFILE_FLOOR_SHA512_256:
		break;
	}
	return CHALLENGE_SHA512_256;
}

static bool host_can_hash(const struct endpoint *ep, enum challenge_algorithm a)
{
	const struct host *host = ep->ua->host;
	uint8_t out[DIGEST_MAX_HASH];

	return host->ops->hash(host->ctx, a, NULL, 0, out) > 0;
}

/* NULL if the challenge may and can be answered. */
static const char *digest_fault(const struct endpoint *ep, const struct challenge *c)
{
	if (!(ep->profile->allowed_auth & PROFILE_AUTH_DIGEST))
		return "Digest is not allowed by the profile";
	if (!c->nonce.p)
		return "challenge without nonce";
	if (c->algorithm == CHALLENGE_ALG_OTHER)
		return "unknown Digest algorithm";
	if (c->algorithm < floor_of(ep->profile))
		return "Digest algorithm is below the profile's floor";
	if (c->qop == CHALLENGE_QOP_OTHER)
		return "unknown quality of protection";
	if (!host_can_hash(ep, c->algorithm))
		return "Digest algorithm is not available";
	return NULL;
}

/* RFC 8760 2.6 bans Basic from SIP; a profile may allow it where TLS protects it. */
static const char *basic_fault(const struct endpoint *ep, enum transport transport)
{
	if (!(ep->profile->allowed_auth & PROFILE_AUTH_BASIC))
		return "Basic is not allowed by the profile";
	if (transport != TRANSPORT_TLS)
		return "Basic is only answered over TLS";
	return NULL;
}

/*
 * Whoever is called can send a 401 back through our own server, and would get an answer to guess
 * the password from. So only the profile's realm counts, or the one that the registrar proved to
 * be ours; "*" in the profile says that any will do.
 */
static const char *realm_fault(
	const struct endpoint *ep, const struct challenge *c, const struct msg *sent)
{
	const char *own = ep->profile->realm;

	if (own && strcmp(own, "*") == 0)
		return NULL;
	if (own)
		return slice_eq(c->realm, slice_str(own)) ? NULL : "realm is not the profile's";
	if (sent->method == METHOD_REGISTER || !ep->auth.home)
		return NULL;
	return slice_eq(c->realm, slice_str(ep->auth.home)) ? NULL : "realm is not the registrar's";
}

static const char *fault(
	const struct endpoint *ep, const struct challenge *c, const struct msg *sent)
{
	const char *why;

	if (c->scheme == CHALLENGE_OTHER || c->scheme == CHALLENGE_NTLM ||
		c->scheme == CHALLENGE_KERBEROS)
		return "authentication scheme is not supported";
	if (!c->realm.p)
		return "challenge without realm";
	why = realm_fault(ep, c, sent);
	if (why)
		return why;
	return c->scheme == CHALLENGE_BASIC ? basic_fault(ep, sent->via.transport)
					    : digest_fault(ep, c);
}

/* Basic is weaker than any Digest; among equals the topmost counts (RFC 8760 2.4). */
static bool is_stronger(const struct challenge *a, const struct challenge *b)
{
	if (a->scheme != b->scheme)
		return a->scheme == CHALLENGE_DIGEST;
	return a->scheme == CHALLENGE_DIGEST && a->algorithm > b->algorithm;
}

static void consider(struct auth_choice *choice, const struct challenge *c)
{
	for (size_t i = 0; i < choice->n; i++) {
		if (!slice_eq(choice->best[i].realm, c->realm))
			continue;
		if (is_stronger(c, &choice->best[i]))
			choice->best[i] = *c;
		return;
	}
	if (choice->n < LIMITS_REALMS)
		choice->best[choice->n++] = *c;
}

void auth_choose(const struct endpoint *ep, const struct msg *sent, const struct msg *response,
	enum hdr_id id, struct auth_choice *ret)
{
	const struct hdr *h = NULL;

	ret->n = 0;
	ret->why = NULL;
	while ((h = msg_header_next(response, id, h))) {
		struct slice rest = h->value;
		struct challenge c;

		while (challenge_next(&rest, &c) == 1) {
			const char *why = fault(ep, &c, sent);

			if (!why)
				consider(ret, &c);
			else if (!ret->why)
				ret->why = why;
		}
	}
}

const char *auth_choice_name(const struct challenge *c)
{
	if (c->scheme == CHALLENGE_BASIC)
		return "Basic";
	switch (c->algorithm) {
	case CHALLENGE_MD5:
		return c->sess ? "Digest MD5-sess" : "Digest MD5";
	case CHALLENGE_SHA256:
		return c->sess ? "Digest SHA-256-sess" : "Digest SHA-256";
	case CHALLENGE_SHA512_256:
		return c->sess ? "Digest SHA-512-256-sess" : "Digest SHA-512-256";
	case CHALLENGE_SHA1:
	case CHALLENGE_ALG_OTHER:
		break;
	}
	return "Digest";
}

enum challenge_qop auth_choice_qop(const struct challenge *c)
{
	if (c->qop & CHALLENGE_QOP_AUTH)
		return CHALLENGE_QOP_AUTH;
	if (c->qop & CHALLENGE_QOP_AUTH_INT)
		return CHALLENGE_QOP_AUTH_INT;
	return CHALLENGE_QOP_NONE;
}
