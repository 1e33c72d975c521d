/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/chars.h"

/* What a character may be in almost any place, and what depends on the place. */
#define TOK (CHARS_TOKEN | CHARS_PNAME | CHARS_PVALUE | CHARS_DISPLAY)
#define URI_ALL (CHARS_USER | CHARS_PASSWORD | CHARS_PARAM | CHARS_HEADER | CHARS_URIC)
#define PARAM (CHARS_PARAM | CHARS_PNAME | CHARS_PVALUE)
#define TEXT (CHARS_VISIBLE | CHARS_QUOTED)
#define ALNUM (TOK | URI_ALL | CHARS_HOST | CHARS_SCHEME | TEXT)

const uint32_t chars_table[256] = {
	['0' ... '9'] = ALNUM | CHARS_DIGIT | CHARS_HEX | CHARS_PHONE,
	['A' ... 'F'] = ALNUM | CHARS_ALPHA | CHARS_HEX | CHARS_PHONE,
	['G' ... 'Z'] = ALNUM | CHARS_ALPHA,
	['a' ... 'f'] = ALNUM | CHARS_ALPHA | CHARS_HEX | CHARS_PHONE,
	['g' ... 'z'] = ALNUM | CHARS_ALPHA,

	/* Folds are blanks by now; a CR or LF that is left belongs nowhere. */
	['\t'] = CHARS_LWS | CHARS_DISPLAY | CHARS_QUOTED,
	[' '] = CHARS_LWS | CHARS_DISPLAY | CHARS_QUOTED,

	/* mark, of which "(" and ")" are no token characters */
	['-'] = TOK | URI_ALL | TEXT | CHARS_HOST | CHARS_SCHEME | CHARS_PHONE,
	['.'] = TOK | URI_ALL | TEXT | CHARS_HOST | CHARS_SCHEME | CHARS_PHONE,
	['_'] = TOK | URI_ALL | TEXT | CHARS_HOST,
	['!'] = TOK | URI_ALL | TEXT,
	['~'] = TOK | URI_ALL | TEXT,
	['*'] = TOK | URI_ALL | TEXT | CHARS_PHONE,
	['\''] = TOK | URI_ALL | TEXT,
	['('] = URI_ALL | PARAM | TEXT | CHARS_PHONE,
	[')'] = URI_ALL | PARAM | TEXT | CHARS_PHONE,

	/* reserved */
	[';'] = CHARS_USER | CHARS_URIC | TEXT,
	['/'] = CHARS_USER | PARAM | CHARS_HEADER | CHARS_URIC | TEXT,
	['?'] = CHARS_USER | CHARS_HEADER | CHARS_URIC | CHARS_PVALUE | TEXT,
	[':'] = PARAM | CHARS_HEADER | CHARS_URIC | TEXT,
	['@'] = CHARS_URIC | CHARS_PVALUE | TEXT,
	['&'] = CHARS_USER | CHARS_PASSWORD | PARAM | CHARS_HEADER | CHARS_URIC | TEXT,
	['='] = CHARS_USER | CHARS_PASSWORD | CHARS_PARAM | CHARS_PVALUE | CHARS_HEADER |
		CHARS_URIC | TEXT,
	['+'] = TOK | URI_ALL | CHARS_SCHEME | TEXT | CHARS_PHONE,
	['$'] = URI_ALL | PARAM | TEXT,
	[','] = CHARS_USER | CHARS_PASSWORD | CHARS_URIC | TEXT,

	/* "%" stands in a URI only as an escape, which chars_table cannot tell */
	['%'] = TOK | TEXT,
	['`'] = TOK | TEXT,
	['['] = PARAM | CHARS_HEADER | CHARS_URIC | TEXT,
	[']'] = PARAM | CHARS_HEADER | CHARS_URIC | TEXT,
	['#'] = CHARS_URIC | CHARS_PVALUE | CHARS_PHONE | TEXT,
	['{'] = CHARS_PVALUE | TEXT,
	['}'] = CHARS_PVALUE | TEXT,
	['|'] = CHARS_PVALUE | TEXT,
	['^'] = CHARS_PVALUE | TEXT,
	['<'] = TEXT,
	['>'] = TEXT,
	['"'] = CHARS_VISIBLE,
	['\\'] = CHARS_VISIBLE,

	[0x80 ... 0xff] = CHARS_QUOTED | CHARS_DISPLAY,
};
