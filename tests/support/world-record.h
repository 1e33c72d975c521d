/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "tests/support/world.h"

/* What was told, and what went over the wire. */

/* The oldest news of that kind, taken off the queue; false if there is none. */
bool world_pop_news(struct world_ua *wu, enum world_news_kind kind, struct world_news *ret);
size_t world_count_news(const struct world_ua *wu, enum world_news_kind kind);
/* Exactly one registration_done is waiting: that verb, that status, that error. */
struct world_news world_expect_done(
	struct world_ua *wu, enum ua_verb verb, unsigned status, int error);
void world_expect_no_done(struct world_ua *wu);
/* The oldest request that waits for a decision. */
struct incoming *world_expect_incoming(struct world_ua *wu);

/*
 * The transcript: a line for each message as it leaves, with the virtual time since the world
 * began, and below it those headers that were asked for by world_show() ("Contact", "Expires").
 */
void world_show(struct world *w, const char *header);
/* No transcript from now on: for long runs. */
void world_hush(struct world *w);
void world_note(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Moves the transcript out, NUL-terminated; the caller frees. */
char *world_take_log(struct world *w);
/* The test fails unless the transcript equals that; it is empty afterwards. */
void world_log_equals(struct world *w, const char *expected);
/*
 * The same against the file NAME.txt in the folder of the environment's WORLD_GOLDEN; with
 * WORLD_GOLDEN_WRITE set, the file is written instead.
 */
void world_log_golden(struct world *w, const char *name);
