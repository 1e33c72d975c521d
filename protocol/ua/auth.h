/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"
#include "protocol/base/list.h"
#include "protocol/msg/challenge.h"
#include "protocol/ua/profile.h"

struct endpoint;
struct msg;

/*
 * What an endpoint knows of who asks it for credentials (RFC 3261 section 22, RFC 7616, RFC 8760):
 * one entry for each realm and side (server or proxy), so that the next request carries the answer
 * at once, with the nonce count going up.
 */
struct auth {
	struct list realms; /* of struct auth_realm, private */
	size_t n_realms;
	uint64_t generation; /* counts changes of credentials */
};

/* The request that is to be authenticated. */
struct auth_request {
	struct slice method, uri, body;
};

enum auth_verdict {
	AUTH_RETRY,       /* an answer is ready: send the request again */
	AUTH_NEED_SECRET, /* ask for *ret_realm, then auth_set_secret(), then as AUTH_RETRY */
	AUTH_REFUSED,     /* the answer was given and not accepted: do not try again */
	AUTH_IMPOSSIBLE,  /* no challenge that we may or can answer; *ret_why says which */
};

void auth_deinit(struct auth *a);
/*
 * Takes in the challenges of a 401 or 407 to `sent` (the request as it went out). Of those of one
 * realm the strongest that the profile allows is taken: not below the Digest floor, only Digest
 * over UDP, only inside the profile's realm if it names one. A second challenge for the nonce that
 * we just answered, without stale=true, is a refusal. The caller has made sure that the response
 * came from the endpoint's own server (nothing is ever answered to a stranger).
 */
enum auth_verdict auth_challenged(struct endpoint *ep, const struct msg *sent,
	const struct msg *response, struct slice *ret_realm, const char **ret_why);
/* Credentials for a realm; copied, wiped when the endpoint goes. */
void auth_set_secret(
	struct endpoint *ep, struct slice realm, struct slice user, struct slice password);
/* Drops remembered credentials and challenges: the next challenge asks again. */
void auth_forget(struct auth *a);
/* Appends Authorization and Proxy-Authorization headers for every realm that asked before. */
void auth_append(struct buf *b, struct endpoint *ep, const struct auth_request *r);
/* Takes nextnonce of Authentication-Info in (RFC 7616 3.5). */
void auth_accepted(struct endpoint *ep, const struct msg *response);
/* "Digest SHA-256" or the like: what was answered last; "" if nothing was. */
const char *auth_scheme(const struct auth *a);
