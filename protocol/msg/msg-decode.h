/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct msg;

/* What msg.c and its helpers share, and nobody else includes. */

enum msg_start { MSG_START_NONE, MSG_START_REQUEST, MSG_START_RESPONSE };

/* Which kind of start line that is, by its "SIP/" alone. */
enum msg_start msg_start_kind(struct slice line);
/* Fill the fields of the start line; a malformed one sets the fault. */
void msg_decode_request_line(struct msg *m, struct slice line);
void msg_decode_status_line(struct msg *m, struct slice line);
/* Index the headers and decode those that every transaction needs. */
void msg_decode_headers(struct msg *m);
/* The first fault stays. */
void msg_set_fault(struct msg *m, unsigned status, const char *reason);
