/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"
#include "protocol/base/map.h"
#include "protocol/base/timer.h"

struct ua;

/*
 * How fast registrations go to one server, those of all endpoints together, so that hundreds of
 * them do not arrive as a herd when they start, wake up, or find that it is back.
 *
 *   unknown  nothing heard of it lately: PACE_UNPROVEN may be under way at a time
 *   alive    it answers: PACE_FIRST a second, twice as many each second, up to PACE_MOST
 *   dead     the last one had no answer: a probe at a time, PACE_PROBE apart; its answer calls
 *            everybody whom the silence has put off
 *   closed   it asked to be left alone (RFC 3261 21.5.4): as dead, from that moment on
 */
enum {
	PACE_UNPROVEN = 10,
	PACE_FIRST = 20,
	PACE_MOST = 500,
	PACE_BURST = 10, /* at once after a pause */
};
#define PACE_PROBE (5 * USEC_PER_SEC)  /* the shortest hurry of a registration, too */
#define PACE_PROOF (32 * USEC_PER_SEC) /* an answer proves so long that a server is there */

enum pace_state {
	PACE_UNKNOWN,
	PACE_ALIVE,
	PACE_DEAD,
};

/* One server; as long as somebody has a ticket for it. */
struct pace {
	struct ua *ua;
	struct map_node by_key;
	char *key;
	struct list members; /* of pace_ticket: all */
	struct list queue;   /* of pace_ticket: those that wait */
	size_t n_out;        /* attempts under way */
	enum pace_state state;
	usec_t heard;      /* last answer */
	usec_t since;      /* alive: since then */
	usec_t not_before; /* dead: the next probe */
	usec_t closed;     /* until then; 0: it is not */
	usec_t closed_at;
	uint64_t tokens; /* millionths of an attempt */
	usec_t filled;   /* when tokens were counted */
	struct timer timer;
	bool draining;
};

/* Embedded in who attempts. */
struct pace_ticket {
	struct list member, queue;
	struct pace *pace;
	bool out; /* an attempt is under way */
	usec_t begun;
	/* The turn has come: pace_begin(), or nothing at all. */
	void (*go)(struct pace_ticket *t);
	/* The server is back: whom its silence put off asks again. */
	void (*revived)(struct pace_ticket *t);
};

enum pace_verdict {
	PACE_ANSWERED,
	PACE_SILENT,  /* no answer, no way, or one that says that nobody is there */
	PACE_NEUTRAL, /* ended by ourselves */
};

/* go and revived are set. key: the server as configured. */
void pace_join(struct pace_ticket *t, struct ua *ua, struct slice key);
/* Nothing is called any more. Does nothing to a zeroed one. */
void pace_part(struct pace_ticket *t);
/* go() is called when it may, perhaps before this returns. Once is enough. */
void pace_ask(struct pace_ticket *t);
bool pace_waits(const struct pace_ticket *t);
/* Does not want its turn any more. */
void pace_give_up(struct pace_ticket *t);
/* An attempt begins, in its turn or because somebody means now. */
void pace_begin(struct pace_ticket *t);
/* It ended. Nothing if none was under way. */
void pace_end(struct pace_ticket *t, enum pace_verdict verdict);
/* Nobody goes before that moment. */
void pace_close(struct pace *p, usec_t until);
/* A connection to it broke: it may be gone. */
void pace_doubt(struct pace *p);
/* We are somewhere else: whether it answers there is not known. */
void pace_forget(struct pace *p);
/* Not before that moment, as far as is known. */
usec_t pace_earliest(const struct pace *p);
