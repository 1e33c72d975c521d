/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "ipc/body-table.h"

struct body_fault;

/* Dialog state (RFC 4235), application/dialog-info+xml: a row for each dialog that was told of. */
enum body_dialog_cell {
	BODY_DIALOG_ID, /* the key */
	BODY_DIALOG_CALL_ID,
	BODY_DIALOG_LOCAL_TAG,
	BODY_DIALOG_REMOTE_TAG,
	BODY_DIALOG_DIRECTION, /* initiator, recipient */
	BODY_DIALOG_STATE,     /* trying, proceeding, early, confirmed, terminated */
	BODY_DIALOG_EVENT,
	BODY_DIALOG_CODE,     /* decimal, or empty */
	BODY_DIALOG_DURATION, /* the same */
	BODY_DIALOG_REFERRED_BY,
	/* The first identity, and the target, of either side. */
	BODY_DIALOG_LOCAL_IDENTITY,
	BODY_DIALOG_LOCAL_DISPLAY,
	BODY_DIALOG_LOCAL_TARGET,
	BODY_DIALOG_LOCAL_RENDERING, /* "no": on hold (RFC 4235 section 5.2) */
	BODY_DIALOG_REMOTE_IDENTITY,
	BODY_DIALOG_REMOTE_DISPLAY,
	BODY_DIALOG_REMOTE_TARGET,
	BODY_DIALOG_REMOTE_RENDERING,
	BODY_DIALOG_CELLS
};

struct body_dialog {
	struct body_table table;
	struct body_version version;
	char *entity; /* who is observed; NULL: nothing came yet */
};

void body_dialog_init(struct body_dialog *d, uint64_t seed);
void body_dialog_deinit(struct body_dialog *d);
/*
 * A document that came (section 4.3). An enum body_news; -EBADMSG: it cannot be read, -EMSGSIZE: it
 * is, or all of them are, too large; ret_fault says why. A dialog that is terminated is there until
 * the next document comes.
 */
int body_dialog_take(struct body_dialog *d, struct slice body, struct body_fault *ret_fault);
