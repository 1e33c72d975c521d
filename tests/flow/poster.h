/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/publication.h"
#include "tests/flow/scene.h"

/* Alice publishes to a scripted compositor, which is her server. */

/* How a verb ended. */
struct poster_reply {
	unsigned n, status;
	int error;
	char reason[80];
};

struct poster {
	struct scene s;
	struct publication *p; /* NULL once it has ended */
	struct poster_reply first, end;
	unsigned n_changed, n_failed;
	unsigned failed_status; /* of the last failure that was not the end */
};

struct poster *poster_new(void);
/* The endpoint closes, unless it has, and nothing is left behind. */
void poster_finish(struct poster *t);

struct publication_reply poster_reply(struct poster_reply *r);
/* Publishes "one" for an hour; the PUBLISH is the next message. */
const struct msg *poster_publish(struct poster *t);
/* The same, accepted with the tag "a1" for that many seconds. */
void poster_published(struct poster *t, unsigned seconds);
/* That body from now on. */
void poster_modify(struct poster *t, const char *body, struct poster_reply *r);
void poster_remove(struct poster *t, struct poster_reply *r);
/* The next PUBLISH within that time. */
const struct msg *poster_next(struct poster *t, usec_t limit);
/* 200 with that tag, for that many seconds. */
void poster_accept(struct poster *t, const struct msg *m, const char *tag, unsigned seconds);
void poster_answer(struct poster *t, const struct msg *m, unsigned status, const char *headers);

/* It names that tag, or, with NULL, none; and has that body, or, with NULL, none. */
void poster_expect(const struct msg *m, const char *tag, const char *body);
void poster_expect_expires(const struct msg *m, unsigned seconds);
void poster_expect_reply(const struct poster_reply *r, unsigned status, int error);
