/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/dialog/dialog.h"

struct flow;

/*
 * What a dialog is used for (RFC 5057): an INVITE session, a subscription, a REFER's notifications.
 * Usages share the dialog without knowing each other; the dialog ends with the last one.
 */
struct usage {
	struct list node; /* in dialog->usages */
	struct dialog *dialog;
	const struct usage_class *class;
};

/* What a kind of usage answers to. None may free the dialog under the caller: usage_leave() does.
 */
struct usage_class {
	const char *name;
	/*
	 * A new request of the peer whose CSeq was taken in. true: it is this usage's and was or
	 * will be answered. false: ask the next one. reply_flow is where responses go.
	 */
	bool (*request)(struct usage *u, struct flow *reply_flow, struct msg *m);
	/* An ACK for a 2xx; the CSeq says which. NULL: not interested. */
	bool (*ack)(struct usage *u, const struct msg *m);
	/* A 2xx to an INVITE of ours that came again. NULL: not interested. */
	bool (*stray)(struct usage *u, const struct msg *m);
	/* The whole dialog ended, as a response to a sibling's request says (RFC 5057 5.1). */
	void (*dialog_over)(struct usage *u, unsigned status, struct slice reason);
};

/* How far a failure of one in-dialog request reaches: RFC 5057 section 5.1. */
enum usage_damage {
	USAGE_UNHARMED,    /* the transaction alone */
	USAGE_ENDED,       /* this usage; the dialog if it was the only one */
	USAGE_DIALOG_OVER, /* the dialog with all its usages */
};

void usage_join(struct usage *u, const struct usage_class *class, struct dialog *d);
/* Frees the dialog with its last usage. Does nothing to one that is in no dialog. */
void usage_leave(struct usage *u);
/* What a final response (408 for a timeout) to a request in a dialog does to it. */
enum usage_damage usage_damage_of(enum method method, unsigned status);
/* Tells every usage of u's dialog but u itself, which ends by its own way. */
void usage_dialog_over(struct usage *u, unsigned status, struct slice reason);

/* Each returns whether a usage took it. The dialog may be gone afterwards. */
bool usage_dispatch_request(struct dialog *d, struct flow *reply_flow, struct msg *m);
bool usage_dispatch_ack(struct dialog *d, const struct msg *m);
bool usage_dispatch_stray(struct dialog *d, const struct msg *m);
