/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/buf.h"

struct msg;
struct ua;

/* What Allow says. */
#define UAS_ALLOWED \
	"INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, MESSAGE, REFER, NOTIFY, SUBSCRIBE"
/* The option tags of the Supported header. */
#define UAS_SUPPORTED "100rel, gruu, join, norefersub, replaces, tdialog, timer"

struct uas_verdict {
	unsigned status; /* 0: go on */
	struct slice reason;
	struct buf headers; /* whole lines; the caller's to free */
};

/* What may be said of a request before anybody looks at what it wants (RFC 3261 section 8.2). */
void uas_check(const struct ua *ua, const struct msg *m, struct uas_verdict *v);
