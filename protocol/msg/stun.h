/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "protocol/base/slice.h"

struct buf;

/*
 * As much of STUN (RFC 8489, before it RFC 5389) as keep-alives over datagrams need: Binding
 * requests and their answers, RFC 5626 section 8. No credentials, no RFC 3489.
 */
enum {
	STUN_ID_BYTES = 12,
	STUN_MAX_BYTES = 548, /* RFC 8489 section 6.1: what may be sent where no path is known */
	STUN_MAX_ATTRIBUTES = 32, /* beyond: malformed */
};

enum stun_kind {
	STUN_REQUEST,    /* Binding */
	STUN_INDICATION, /* Binding; a keep-alive that wants no answer */
	STUN_SUCCESS,
	STUN_ERROR,
};

/* A transport address as the attribute has it: 4 bytes, or 16 for IPv6. */
struct stun_addr {
	uint8_t bytes[16];
	uint8_t n; /* 0: there is none */
	uint16_t port;
};

struct stun {
	enum stun_kind kind;
	uint8_t id[STUN_ID_BYTES];
	struct stun_addr mapped; /* XOR-MAPPED-ADDRESS of a success */
	unsigned error;          /* ERROR-CODE of an error, 300 to 699; else 0 */
	uint16_t unknown[8];     /* attributes that had to be understood (section 5) */
	unsigned n_unknown;      /* of them kept */
};

/* The first byte tells STUN from SIP (RFC 5626 section 8). */
bool stun_is(struct slice datagram);
/*
 * -EBADMSG: no whole STUN message with the magic cookie, an attribute does not fit, or FINGERPRINT
 * is wrong. -EOPNOTSUPP: another method than Binding. An attribute counts once, the first time.
 */
int stun_parse(struct slice datagram, struct stun *ret);
/* A Binding request, with FINGERPRINT. */
void stun_append_request(struct buf *b, const uint8_t id[static STUN_ID_BYTES]);
/*
 * The answer to a request: XOR-MAPPED-ADDRESS with where it came from, or 420 if something in it
 * had to be understood and was not (section 6.3.1).
 */
void stun_append_answer(struct buf *b, const struct stun *request, const struct stun_addr *from);
/* Numeric host as in struct flow_addr. false: that is no address. */
bool stun_addr_parse(struct slice host, uint16_t port, struct stun_addr *ret);
bool stun_addr_equal(const struct stun_addr *a, const struct stun_addr *b);
