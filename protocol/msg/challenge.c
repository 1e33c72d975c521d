/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/challenge.h"

#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/msg/params.h"
#include "protocol/msg/scan.h"

/* auth-param = token EQUAL ( token / quoted-string ), the unquoted form read leniently. */
static bool read_param(struct scan *s, struct param *ret)
{
	struct scan t = *s;
	struct param param;

	param.name = scan_run(&t, CHARS_TOKEN);
	if (param.name.n == 0 || !scan_separator(&t, '='))
		return false;
	if (!scan_quoted(&t, &param.value)) {
		param.value = scan_run(&t, CHARS_PVALUE);
		/* A quote that opens and never closes is no empty value. */
		if (scan_at(&t, '"'))
			return false;
	}
	*ret = param;
	*s = t;
	return true;
}

/* Commas and the LWS round them; empty list elements are allowed (RFC 7235 section 7). */
static void skip_commas(struct scan *s)
{
	scan_lws(s);
	while (scan_separator(s, ','))
		;
}

/* What NTLM and Negotiate send over HTTP in place of parameters: base64 to the end or a comma. */
static bool read_token68(struct scan *s)
{
	struct scan t = *s;

	if (scan_run(&t, CHARS_TOKEN | CHARS_PVALUE).n == 0)
		return false;
	scan_lws(&t);
	if (!scan_at_end(&t) && !scan_at(&t, ','))
		return false;
	*s = t;
	return true;
}

static bool is_token68(struct slice text)
{
	size_t pad = slice_find(text, '=');

	while (pad < text.n && text.p[pad] == '=')
		pad++;
	return pad == text.n;
}

static void read_algorithm(struct slice name, struct challenge *c)
{
	static const struct {
		struct slice name;
		enum challenge_algorithm algorithm;
		bool sess;
	} known[] = {
		{ SLICE_INIT("MD5"), CHALLENGE_MD5, false },
		{ SLICE_INIT("MD5-sess"), CHALLENGE_MD5, true },
		{ SLICE_INIT("SHA-256"), CHALLENGE_SHA256, false },
		{ SLICE_INIT("SHA-256-sess"), CHALLENGE_SHA256, true },
		{ SLICE_INIT("SHA-512-256"), CHALLENGE_SHA512_256, false },
		{ SLICE_INIT("SHA-512-256-sess"), CHALLENGE_SHA512_256, true },
	};

	c->algorithm_name = name;
	c->algorithm = CHALLENGE_ALG_OTHER;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!slice_eq_ci(name, known[i].name))
			continue;
		c->algorithm = known[i].algorithm;
		c->sess = known[i].sess;
	}
}

static unsigned read_qop(struct slice list)
{
	unsigned qop = CHALLENGE_QOP_NONE;
	struct slice one;

	while (list.n) {
		one = list;
		if (!slice_cut(list, ',', &one, &list))
			list = SLICE_NULL;
		one = slice_trim(one);
		if (slice_eq_ci(one, SLICE("auth")))
			qop |= CHALLENGE_QOP_AUTH;
		else if (slice_eq_ci(one, SLICE("auth-int")))
			qop |= CHALLENGE_QOP_AUTH_INT;
		else if (one.n)
			qop |= CHALLENGE_QOP_OTHER;
	}
	return qop;
}

static struct slice *text_field(struct challenge *c, struct slice name)
{
	if (slice_eq_ci(name, SLICE("realm")))
		return &c->realm;
	if (slice_eq_ci(name, SLICE("nonce")))
		return &c->nonce;
	if (slice_eq_ci(name, SLICE("opaque")))
		return &c->opaque;
	if (slice_eq_ci(name, SLICE("domain")))
		return &c->domain;
	return NULL;
}

/* The first parameter of a name counts, as everywhere. */
static void note_param(struct challenge *c, const struct param *param)
{
	struct slice value = params_unquote(param->value);
	struct slice *text = text_field(c, param->name);

	if (text && !text->p)
		*text = value;
	else if (text)
		return;
	else if (slice_eq_ci(param->name, SLICE("algorithm")) && !c->algorithm_name.p)
		read_algorithm(value, c);
	else if (slice_eq_ci(param->name, SLICE("qop")) && c->qop == CHALLENGE_QOP_NONE)
		c->qop = read_qop(value);
	else if (slice_eq_ci(param->name, SLICE("stale")))
		c->stale = slice_eq_ci(value, SLICE("true"));
	else if (slice_eq_ci(param->name, SLICE("userhash")))
		c->userhash = slice_eq_ci(value, SLICE("true"));
}

static enum challenge_scheme find_scheme(struct slice name)
{
	static const struct {
		struct slice name;
		enum challenge_scheme scheme;
	} known[] = {
		{ SLICE_INIT("Digest"), CHALLENGE_DIGEST },
		{ SLICE_INIT("Basic"), CHALLENGE_BASIC },
		{ SLICE_INIT("NTLM"), CHALLENGE_NTLM },
		{ SLICE_INIT("Kerberos"), CHALLENGE_KERBEROS },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (slice_eq_ci(name, known[i].name))
			return known[i].scheme;
	return CHALLENGE_OTHER;
}

/*
 * Parameters up to the end of the line or to the next challenge, which is told from a parameter by
 * the "=" that does not follow its name.
 */
static int read_params(struct scan *s, struct challenge *c)
{
	const char *start, *end;
	struct param param;

	skip_commas(s);
	start = end = s->p;
	while (read_param(s, &param)) {
		note_param(c, &param);
		end = s->p;
		scan_lws(s);
		if (!scan_at_end(s) && !scan_at(s, ','))
			return -EBADMSG;
		skip_commas(s);
	}
	c->params = slice_of(start, (size_t)(end - start));
	return 1;
}

int challenge_next(struct slice *rest, struct challenge *ret)
{
	struct scan s = scan_of(*rest), before;
	struct challenge c = { .algorithm = CHALLENGE_MD5 };
	struct slice token68;

	skip_commas(&s);
	if (scan_at_end(&s)) {
		*rest = scan_rest(&s);
		return 0;
	}
	c.scheme_name = scan_run(&s, CHARS_TOKEN);
	if (c.scheme_name.n == 0 || (!scan_at_end(&s) && !chars_is(*s.p, CHARS_LWS) && *s.p != ','))
		return -EBADMSG;
	c.scheme = find_scheme(c.scheme_name);
	scan_lws(&s);
	before = s;
	if (read_token68(&s) && is_token68(token68 = slice_trim(scan_since(&s, before.p)))) {
		c.params = token68;
	} else {
		s = before;
		if (read_params(&s, &c) < 0)
			return -EBADMSG;
	}
	skip_commas(&s);
	*rest = scan_rest(&s);
	*ret = c;
	return 1;
}

bool challenge_param(struct slice params, struct slice name, struct slice *ret_unquoted)
{
	struct scan s = scan_of(params);
	struct param param;

	skip_commas(&s);
	while (read_param(&s, &param)) {
		if (slice_eq_ci(param.name, name)) {
			*ret_unquoted = params_unquote(param.value);
			return true;
		}
		skip_commas(&s);
	}
	return false;
}
