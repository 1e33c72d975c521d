/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The arithmetic of RFC 7616 section 3.4 (RFC 2069 form when no qop is offered), RFC 8760. */
#include "protocol/msg/digest.h"

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/params.h"

/* A hash as lower-case hex, the form in which one enters the next. */
struct hex {
	char text[2 * DIGEST_MAX_HASH];
	size_t n;
};

#define COLON SLICE_INIT(":")

static struct slice hex_slice(const struct hex *h)
{
	return slice_of(h->text, h->n);
}

static int hash_hex(const struct digest_hasher *h, enum challenge_algorithm algorithm,
	const struct slice *pieces, size_t n_pieces, struct hex *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t out[DIGEST_MAX_HASH];
	size_t n = algorithm == CHALLENGE_ALG_OTHER
			   ? 0
			   : h->hash(h->ctx, algorithm, pieces, n_pieces, out);

	if (n == 0 || n > sizeof(out))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < n; i++) {
		ret->text[2 * i] = digits[out[i] >> 4];
		ret->text[2 * i + 1] = digits[out[i] & 15];
	}
	ret->n = 2 * n;
	mem_wipe(out, sizeof(out));
	return 0;
}

/* H(A1), section 3.4.2. unq() takes the value of the quoted string, so escapes are resolved. */
static int hash_a1(const struct digest_hasher *h, const struct challenge *c,
	const struct digest_input *in, struct hex *ret)
{
	struct buf cleanup_buf realm = BUF_NULL;
	int r;

	params_append_unescaped(&realm, c->realm);
	r = hash_hex(h, c->algorithm,
		(struct slice[]){ in->user, COLON, buf_slice(&realm), COLON, in->password }, 5,
		ret);
	if (r < 0 || !c->sess)
		return r;
	return hash_hex(h, c->algorithm,
		(struct slice[]){ hex_slice(ret), COLON, c->nonce, COLON, in->cnonce }, 5, ret);
}

/* H(A2), section 3.4.3; method empty for the rspauth of section 3.5. */
static int hash_a2(const struct digest_hasher *h, const struct challenge *c,
	const struct digest_input *in, struct slice method, struct hex *ret)
{
	struct hex body;
	int r;

	if (in->qop != CHALLENGE_QOP_AUTH_INT)
		return hash_hex(
			h, c->algorithm, (struct slice[]){ method, COLON, in->uri }, 3, ret);
	r = hash_hex(h, c->algorithm, &in->body, 1, &body);
	if (r < 0)
		return r;
	return hash_hex(h, c->algorithm,
		(struct slice[]){ method, COLON, in->uri, COLON, hex_slice(&body) }, 5, ret);
}

static void write_nc(uint32_t nc, char out[static 8])
{
	for (int i = 7; i >= 0; i--, nc >>= 4)
		out[i] = "0123456789abcdef"[nc & 15];
}

static struct slice qop_name(enum challenge_qop qop)
{
	switch (qop) {
	case CHALLENGE_QOP_AUTH:
		return SLICE("auth");
	case CHALLENGE_QOP_AUTH_INT:
		return SLICE("auth-int");
	case CHALLENGE_QOP_NONE:
	case CHALLENGE_QOP_OTHER:
		break;
	}
	return SLICE_NULL;
}

/* KD ( H(A1), nonce [ ":" nc ":" cnonce ":" qop ] ":" H(A2) ), section 3.4.1. */
static int hash_response(const struct digest_hasher *h, const struct challenge *c,
	const struct digest_input *in, struct slice method, struct hex *ret)
{
	struct hex a1, a2;
	char nc[8];
	int r = hash_a1(h, c, in, &a1);

	if (r >= 0)
		r = hash_a2(h, c, in, method, &a2);
	if (r < 0)
		return r;
	write_nc(in->nc, nc);
	if (qop_name(in->qop).n == 0)
		r = hash_hex(h, c->algorithm,
			(struct slice[]){ hex_slice(&a1), COLON, c->nonce, COLON, hex_slice(&a2) },
			5, ret);
	else
		r = hash_hex(h, c->algorithm,
			(struct slice[]){ hex_slice(&a1), COLON, c->nonce, COLON,
				slice_of(nc, sizeof(nc)), COLON, in->cnonce, COLON,
				qop_name(in->qop), COLON, hex_slice(&a2) },
			11, ret);
	mem_wipe(&a1, sizeof(a1));
	return r;
}

/* The user name as the header carries it: in clear, or hashed with the realm (section 3.4.4). */
static int append_username(struct buf *b, const struct digest_hasher *h, const struct challenge *c,
	const struct digest_input *in)
{
	struct buf cleanup_buf realm = BUF_NULL;
	struct hex hashed;
	int r;

	if (!c->userhash) {
		buf_lit(b, "Digest username=");
		params_append_quoted(b, in->user);
		return 0;
	}
	params_append_unescaped(&realm, c->realm);
	r = hash_hex(h, c->algorithm, (struct slice[]){ in->user, COLON, buf_slice(&realm) }, 3,
		&hashed);
	if (r < 0)
		return r;
	buf_lit(b, "Digest username=\"");
	buf_put(b, hex_slice(&hashed));
	buf_lit(b, "\", userhash=true");
	return 0;
}

/* What came in a quoted-string goes back in one, its escapes untouched. */
static void append_echo(struct buf *b, const char *before, struct slice value)
{
	buf_str(b, before);
	buf_put(b, value);
	buf_putc(b, '"');
}

static void append_qop(struct buf *b, const struct challenge *c, const struct digest_input *in)
{
	char nc[8];

	if (qop_name(in->qop).n) {
		write_nc(in->nc, nc);
		buf_lit(b, ", qop=");
		buf_put(b, qop_name(in->qop));
		buf_lit(b, ", nc=");
		buf_put(b, slice_of(nc, sizeof(nc)));
	} else if (!c->sess) {
		return;
	}
	buf_lit(b, ", cnonce=");
	params_append_quoted(b, in->cnonce);
}

int digest_append_answer(struct buf *b, const struct digest_hasher *h, const struct challenge *c,
	const struct digest_input *in)
{
	struct hex response;
	int r = hash_response(h, c, in, in->method, &response);

	if (r >= 0)
		r = append_username(b, h, c, in);
	if (r < 0)
		return r;
	append_echo(b, ", realm=\"", c->realm);
	append_echo(b, ", nonce=\"", c->nonce);
	append_echo(b, ", uri=\"", in->uri);
	append_echo(b, ", response=\"", hex_slice(&response));
	if (c->algorithm_name.n) {
		buf_lit(b, ", algorithm=");
		buf_put(b, c->algorithm_name);
	}
	append_qop(b, c, in);
	if (c->opaque.p)
		append_echo(b, ", opaque=\"", c->opaque);
	return 0;
}

int digest_append_rspauth(struct buf *b, const struct digest_hasher *h, const struct challenge *c,
	const struct digest_input *in)
{
	struct hex response;
	int r = hash_response(h, c, in, SLICE_NULL, &response);

	if (r < 0)
		return r;
	buf_put(b, hex_slice(&response));
	return 0;
}
