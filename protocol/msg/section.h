/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"
#include "protocol/msg/hdr.h"

struct scan;

/*
 * Cutting the header section into lines: the one place that knows about line ends and folds, so
 * that framing a stream and parsing a message cannot disagree.
 */
struct section_line {
	struct slice text; /* without its line end; folds still inside */
	bool folded;       /* of several lines */
	bool stray_cr;     /* has a CR that ends no line */
};

/*
 * Takes the next line and what is folded onto it off the cursor. CR LF or LF alone ends a line.
 * false, and the cursor stays, if no complete line is left.
 */
bool section_next_line(struct scan *s, struct section_line *ret);
/* The start line, which nothing can be folded onto. */
bool section_first_line(struct scan *s, struct slice *ret);
enum section_kind {
	SECTION_HEADER,
	SECTION_MALFORMED, /* a line that is no header */
	SECTION_END,       /* the empty line */
	SECTION_CUT_OFF,   /* no complete line is left */
};

/* Both steps in one, for who wants every header: *ret_hdr is filled for SECTION_HEADER only. */
enum section_kind section_next(struct scan *s, struct section_line *ret, struct hdr *ret_hdr);
/* Name, LWS and colon, value trimmed. false if there is no colon or the name is no token. */
bool section_split(struct slice line, struct hdr *ret);
