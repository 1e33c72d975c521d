/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "protocol/base/list.h"
#include "protocol/msg/challenge.h"
#include "protocol/msg/transport.h"
#include "protocol/ua/profile.h"

struct endpoint;
struct msg;

/*
 * What an endpoint knows of who asks it for credentials (RFC 3261 section 22, RFC 7616, RFC 8760):
 * one entry for each realm and side (server or proxy), so that the next request carries the answer
 * at once, with the nonce count going up. Zeroed is empty.
 */
struct auth {
	struct list realms; /* of struct auth_realm, the one that asked last at the end */
	size_t n_realms;
	const char *scheme; /* of the last answer, NULL if there was none */
	/*
	 * The realm in which the registrar accepted us first. Other requests travel on to
	 * strangers, whose challenges come back through our own server: without a Realm in the
	 * profile, this one is the only realm that they may name.
	 */
	char *home;
};

/* The request that is to be authenticated. */
struct auth_request {
	struct slice method, uri, body;
	enum transport transport; /* that it will go over */
};

enum auth_verdict {
	AUTH_RETRY,       /* an answer is ready: send the request again */
	AUTH_NEED_SECRET, /* ask for *ret_realm, then auth_set_secret(), then call again */
	AUTH_REFUSED,     /* the answer was given and not accepted: do not try again */
	AUTH_IMPOSSIBLE,  /* no challenge that we may or can answer; *ret_why says which */
};

/* Wipes every secret. */
void auth_deinit(struct auth *a);
/*
 * Takes in the challenges of a 401 or 407 to `sent` (the request as it went out). Of those of one
 * realm the strongest that the profile allows is taken: not below the Digest floor, only Digest
 * over UDP, Basic only over TLS, only inside the profile's realm if it names one.
 *
 * A challenge to a request that carried our answer is a refusal, unless stale=true says that only
 * the nonce is too old (RFC 7616 3.3), or the server, which accepted these credentials before, now
 * names another nonce, or the answer was made before the last challenge came in. A refused secret
 * is forgotten, so that a later request asks for it anew.
 *
 * *ret_realm lives until the next call. The caller has made sure that the response came from the
 * endpoint's own server (nothing is ever answered to a stranger).
 */
enum auth_verdict auth_challenged(struct endpoint *ep, const struct msg *sent,
	const struct msg *response, struct slice *ret_realm, const char **ret_why);
/*
 * Credentials for a realm; copied, wiped when the endpoint goes. An empty user is the profile's
 * account, or the user part of the endpoint's URI.
 */
void auth_set_secret(
	struct endpoint *ep, struct slice realm, struct slice user, struct slice password);
/* Drops remembered credentials and challenges: the next challenge asks again. */
void auth_forget(struct auth *a);
/* Appends Authorization and Proxy-Authorization headers for every realm that asked before. */
void auth_append(struct buf *b, struct endpoint *ep, const struct auth_request *r);
/*
 * `sent` was accepted, and so were the credentials in it. Takes the nextnonce of
 * Authentication-Info in (RFC 7616 3.5).
 */
void auth_accepted(struct endpoint *ep, const struct msg *sent, const struct msg *response);
/* "Digest SHA-256" or the like: what was answered last; "" if nothing was. */
const char *auth_scheme(const struct auth *a);
