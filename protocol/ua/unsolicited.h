/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

struct endpoint;
struct flow;
struct msg;

/*
 * NOTIFY and, for profiles that speak it, BENOTIFY that come outside of any dialog and belong to no
 * SUBSCRIBE of ours. RFC 6665 has no place for them, but many servers tell so whom registered users
 * need not ask. Who registers believes its own server alone, that is, whoever is at the other end
 * of its flow or of a registration; anybody else hears 481. They go to agents as any other request,
 * and what they say of a mailbox to messages.h, too. Peers without a server ask their agents.
 */
void unsolicited_receive(
	struct endpoint *ep, struct flow *f, struct flow *reply_flow, struct msg *m);
