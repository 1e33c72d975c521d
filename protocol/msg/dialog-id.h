/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct buf;

/*
 * The dialog that Replaces (RFC 3891 section 6.1), Join (RFC 3911 section 7.1) or Target-Dialog
 * (RFC 4538 section 7) names, as whoever receives the header sees it: to_tag is the receiver's own
 * tag, from_tag that of its peer in the dialog. Slices borrow from the value.
 */
struct dialog_id {
	struct slice call_id, to_tag, from_tag;
	bool early_only; /* of Replaces alone: the dialog must not be confirmed yet */
};

/* Replaces and Join: to-tag and from-tag must be there exactly once each. -EBADMSG otherwise. */
int dialog_id_parse(struct slice value, struct dialog_id *ret);
/* Does tag, empty where an RFC 2543 peer sent none, fit asked, of which "0" means both? */
bool dialog_id_tag_matches(struct slice asked, struct slice tag);
/* A value of Replaces, or of Join without early_only; an empty tag is written as "0". */
void dialog_id_append(struct buf *b, const struct dialog_id *d);
/* What the three share, given their names for the two tags: for target-dialog.c. */
int dialog_id_parse_named(
	struct slice value, struct slice to_tag, struct slice from_tag, struct dialog_id *ret);
void dialog_id_append_named(
	struct buf *b, struct slice to_tag, struct slice from_tag, const struct dialog_id *d);
