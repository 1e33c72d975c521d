/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct buf;

/* scheme of a WWW-Authenticate, Proxy-Authenticate or Authorization value. */
enum challenge_scheme {
	CHALLENGE_OTHER,
	CHALLENGE_BASIC,
	CHALLENGE_DIGEST,
	CHALLENGE_NTLM,
	CHALLENGE_KERBEROS,
};

/* Order is strength (RFC 8760 section 2.4), but for the last one. */
enum challenge_algorithm {
	CHALLENGE_ALG_OTHER,
	CHALLENGE_MD5,
	CHALLENGE_SHA256,
	CHALLENGE_SHA512_256,
	CHALLENGE_SHA1, /* no challenge has it: for names made of hashes (RFC 9562 section 5.5) */
};

enum challenge_qop {
	CHALLENGE_QOP_NONE = 0, /* RFC 2617 section 3.2.2.1 without qop */
	CHALLENGE_QOP_AUTH = 1 << 0,
	CHALLENGE_QOP_AUTH_INT = 1 << 1,
	CHALLENGE_QOP_OTHER = 1 << 2, /* offered, but nothing we know */
};

/* Values are unquoted, escapes kept (a nonce is echoed byte by byte). Absent: SLICE_NULL. */
struct challenge {
	enum challenge_scheme scheme;
	struct slice scheme_name;
	struct slice params; /* everything after the scheme */
	struct slice realm, nonce, opaque, domain;
	struct slice algorithm_name;
	enum challenge_algorithm algorithm; /* MD5 if the challenge names none */
	bool sess;                          /* "-sess" */
	unsigned qop;                       /* mask of enum challenge_qop */
	bool stale;
	bool userhash; /* RFC 7616 section 3.4.4 */
};

/* One header line. A line may hold several challenges of several schemes; this takes the next one
   off *rest: 1, 0 at the end, -EBADMSG. */
int challenge_next(struct slice *rest, struct challenge *ret);
/* A comma-separated auth-param of params ("opaque", "targetname", ...). */
bool challenge_param(struct slice params, struct slice name, struct slice *ret_unquoted);
