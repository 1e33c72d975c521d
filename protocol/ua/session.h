/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/dialog/offer.h"
#include "protocol/ua/endpoint.h"

/*
 * A session: what began with one INVITE, in either direction, with all its forks. Verbs of its
 * owner; news by ua-listener.h. Descriptions are the client's and opaque here.
 */
struct request_header;
struct request_header_fault;
struct session;

/* A body with its type; n == 0: none. */
struct session_body {
	struct slice type, bytes;
};

/* Of a client; checked by the verb that takes them. */
struct session_headers {
	const struct request_header *list;
	size_t n;
};
/*
 * What verbs here think of them: as request_headers_check(), and what verbs and options are there
 * for belongs to the stack as well (Supported, Require, Session-Expires, RSeq, Refer-To, ...).
 */
int session_headers_check(const struct session_headers *h, struct request_header_fault *ret_fault);

/*
 * How a verb that waits for the far end ends: exactly once, by a note, never before the verb
 * returns; with -ECANCELED when the session ends first. body: what the final answer carried.
 */
typedef void session_done_fn(void *owner, const struct outcome *o, const struct session_body *body);
struct session_reply {
	session_done_fn *done; /* NULL: nobody waits */
	void *owner;
};

/* ---- beginning ---- */

struct session_spec {
	struct slice id; /* D-Bus path element; empty: made up */
	struct slice target;
	struct session_body offer; /* none: the far end offers */
	struct slice type;         /* "pc2pc" if empty, "pc2ph", "im"; "ph2ph": for third parties */
	struct session_headers headers;
	struct session *replaces, *join;         /* ours, whose dialog is named (RFC 3891, 3911) */
	struct slice replaces_value, join_value; /* as a header value; at most one of all four */
	bool replaces_required; /* of a value: who knows no such header refuses (RFC 3891 6.2) */
	struct slice privacy; /* RFC 3323: "none", "id", "user", "header", ...; empty: no header */
	struct slice referred_by, route; /* header values; empty: none (request-route.h) */
	usec_t timeout; /* until a final answer; 0: LIMITS_RING after the last 1xx */
};

/*
 * Sends an INVITE. 0; -EINVAL with *ret_why (a malformed target, header or id, offer without type),
 * -EEXIST (id), -ENOSPC (too many sessions), -EOPNOTSUPP (no way to that URI), -ENOTCONN (the
 * endpoint closes).
 */
int session_new(struct endpoint *ep, const struct session_spec *spec, struct session **ret_session,
	const char **ret_why);

/* ---- the called side; all but session_pass() want SESSION_INCOMING..SESSION_EARLY ---- */

enum session_reliable { SESSION_IF_REQUIRED, SESSION_RELIABLE };
struct session_ring {
	unsigned status; /* 101..199; 0: 180 */
	struct slice reason;
	struct session_body body;       /* early media */
	enum session_reliable reliable; /* an offer, for the INVITE had none, always is */
	struct session_headers headers;
};
/*
 * -ESTALE in another state or while the peer's PRACK for an offer or answer is missing, -EINVAL,
 * -EOPNOTSUPP (reliable, but the peer does not support it).
 */
int session_ring(struct session *s, const struct session_ring *r);
/* 200 with the answer, the offer, or nothing. -ESTALE also for a replacement that comes late. */
int session_accept(
	struct session *s, const struct session_body *body, const struct session_headers *headers);
/* 300..699 */
int session_reject(struct session *s, unsigned status, struct slice reason,
	const struct session_headers *headers);
/* 302 with these Contacts */
int session_redirect(struct session *s, const struct slice *targets, size_t n,
	const struct session_headers *headers);
/* No agent takes it: 480. */
void session_pass(struct session *s);

/* ---- within ---- */

/*
 * re-INVITE, or UPDATE in an early dialog; fork: which one, empty: the only or established one.
 * Done with the answer; without bytes with the peer's offer, which session_answer() answers. Glare
 * is waited out (RFC 3261 14.1, RFC 3311 5.1). -ESTALE: an exchange is under way, or no dialog.
 */
int session_offer(struct session *s, const struct session_body *offer, struct slice fork,
	const struct session_reply *reply);
/* Answers SESSION_NEWS_OFFER; to an empty offer (INVITE without one) this is our offer. */
int session_answer(struct session *s, const struct session_body *answer);
/* 488 and the like; 0: 488. An offer in a 2xx cannot be refused: ACK, then BYE. */
int session_reject_offer(struct session *s, unsigned status);
int session_message(struct session *s, const struct session_body *body,
	const struct session_headers *headers, const struct session_reply *reply);
/* package empty: legacy INFO (RFC 6086 9); -EOPNOTSUPP: the peer's Recv-Info does not have it. */
int session_info(struct session *s, struct slice package, const struct session_body *body,
	const struct session_headers *headers, const struct session_reply *reply);

/* ---- the end ---- */

struct session_end {
	unsigned status; /* of a refusal; 0: 603, or 480 if nobody decided */
	struct slice reason;
	struct session_headers headers; /* of BYE or CANCEL, such as Reason (RFC 3326) */
};
/* BYE, CANCEL or refusal, as the state asks. 0 also when it is ending already. end may be NULL. */
int session_terminate(struct session *s, const struct session_end *end);
/* At once, without a word to network or listener: endpoint_free() and ua_free(). */
void session_free(struct session *s);
