/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

struct flow;
struct msg;
struct ua;

/*
 * The registrar ends a registration by a NOTIFY of registration-notify, inside what the REGISTER
 * with Event: registration subscribed to ([MS-SIPREGE] 3.2). True: it was such a request to an
 * endpoint that speaks the dialect, and is answered: 481 unless it came over the flow that the
 * endpoint registered over, with the Call-ID and our tag of that REGISTER.
 */
bool microsoft_receive(struct ua *ua, struct flow *f, struct flow *reply_flow, struct msg *m);
