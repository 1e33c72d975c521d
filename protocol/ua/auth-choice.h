/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/challenge.h"
#include "protocol/msg/msg.h"
#include "protocol/ua/limits.h"

struct endpoint;

/* Which challenges of a response are worth an answer: one for each realm, the strongest allowed. */
struct auth_choice {
	struct challenge best[LIMITS_REALMS];
	size_t n;
	const char *why; /* if none is: what was wrong with the first that failed */
};

/* WWW-Authenticate or Proxy-Authenticate of response, which borrows; sent tells the transport. */
void auth_choose(const struct endpoint *ep, const struct msg *sent, const struct msg *response,
	enum hdr_id id, struct auth_choice *ret);
/* "Digest SHA-256" and the like. */
const char *auth_choice_name(const struct challenge *c);
/* auth before auth-int, which costs a hash of the body; NONE if the challenge names none. */
enum challenge_qop auth_choice_qop(const struct challenge *c);
