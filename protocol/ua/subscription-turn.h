/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/list.h"

struct endpoint;

/* Who wants to send a SUBSCRIBE. Zeroed: does not. */
struct subscription_turn {
	struct list node; /* in ep->asking: waits */
	bool out;         /* it is under way */
	/* Sends it, and calls nobody; false: it could not be sent, and is as if never asked for. */
	bool (*go)(struct subscription_turn *t);
};

/* t->go() is called when it may be sent, perhaps before this returns. Once is enough. */
void subscription_turn_ask(struct endpoint *ep, struct subscription_turn *t);
/* It was answered, or is not wanted any more. */
void subscription_turn_end(struct endpoint *ep, struct subscription_turn *t);
/* Who waits, waits in vain. */
void subscription_turn_forget(struct endpoint *ep);
