/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/session.h"

/*
 * REFER outside of any session (RFC 3515, 6665, 7647): somebody is asked to contact somebody else,
 * and says in the subscription that this makes how it went.
 */
struct refer;

enum refer_state {
	REFER_PENDING, /* no answer and no NOTIFY yet */
	REFER_ACTIVE,
	REFER_TERMINATED,
};

/* How it ended. Slices live until the callback returns. */
struct refer_end {
	/*
	 * Of what was asked for: the final status that NOTIFY told, or the refusal of the REFER
	 * itself. 0: nobody knows. Without a subscription the peer's consent.
	 */
	unsigned status;
	struct slice reason;
	enum origin origin;
	struct slice why;     /* the reason of Subscription-State, "noresource"; may be empty */
	uint32_t retry_after; /* seconds; 0: not said */
};

/* Told by notes, never inside a verb. */
struct refer_ops {
	/* A NOTIFY came, or, m being NULL, the REFER was accepted. May be NULL. */
	void (*notified)(void *owner, struct refer *r, const struct msg *m);
	/* The last word, exactly once; the pointer is dead when this returns. */
	void (*terminated)(void *owner, struct refer *r, const struct refer_end *end);
};

struct refer_spec {
	struct slice target;   /* who is asked */
	struct slice refer_to; /* any URI */
	struct session_headers headers;
	struct slice route;   /* of the REFER (request-route.h); empty: none */
	bool no_subscription; /* Refer-Sub: false (RFC 4488) */
};
/*
 * 0; -EINVAL (a URI or header), -ENOSPC (too many), -EOPNOTSUPP (no way to that
 * target, or an endpoint that does not subscribe), -ENOTCONN (the endpoint closes).
 */
int refer_new(struct endpoint *ep, const struct refer_spec *spec, const struct refer_ops *ops,
	void *owner, struct refer **ret_refer);
/*
 * Asks the peer to go on for that many seconds, or, with 0, to stop: `terminated` follows when it
 * does, or after 64*T1. -ESTALE before the first NOTIFY and after the last, -EBUSY while one is
 * under way, -ENOSPC.
 */
int refer_subscribe(struct refer *r, uint32_t expires);
/* At once, without a word to anybody. NULL is fine. */
void refer_free(struct refer *r);

enum refer_state refer_state(const struct refer *r);
const char *refer_state_name(enum refer_state s);
/* When the subscription ends unless refreshed, on the core's clock; 0: not known. */
usec_t refer_expires(const struct refer *r);
/* The last NOTIFY; NULL before the first. Borrowed. */
const struct msg *refer_last(const struct refer *r);

/* ---- for incoming ---- */

struct incoming;
struct refer_in;
/*
 * An agent agrees to a REFER outside of sessions: what its 2xx has to carry, as whole lines. Such a
 * REFER is not followed here: the subscription that it makes is ended by its first NOTIFY, which
 * RFC 3515 2.4.4 allows to who holds no state, or with Refer-Sub: false is not made. -ENOSPC,
 * -EBADMSG (no way to make the dialog): nothing happened.
 */
int refer_consent(
	struct incoming *in, struct slice to_tag, struct buf *lines, struct refer_in **ret_refer);
/* The 2xx went: that one NOTIFY follows. */
void refer_report_nothing(struct refer_in *r);

/* ---- for endpoints, ua and uas ---- */

/* Everything of the endpoint's is over: told, or with REFER_SILENT gone at once. */
enum refer_farewell { REFER_TOLD, REFER_SILENT };
void refer_endpoint_over(struct endpoint *ep, enum refer_farewell how);
/*
 * A request outside our dialogs that may be a refer matter nevertheless: the first NOTIFY for a
 * REFER of ours (RFC 6665 4.4.1), or a REFER that names one of our sessions by Target-Dialog (RFC
 * 7647 section 4). true: answered, or to be answered.
 */
bool refer_receive(struct ua *ua, struct flow *reply_flow, struct msg *m);
