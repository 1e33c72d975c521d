/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/base/slice.h"
#include "protocol/base/timer.h"

struct buf;
struct endpoint;
struct msg;

struct subscription_spec;
struct subscription_targets;

/*
 * Subscriptions in Microsoft's dialect ([MS-SIP] 3.3 to 3.5, [MS-PRES] 2.2.2): many resources in
 * one SUBSCRIBE, the first state in its answer, NOTIFYs that want none.
 */

/* What every SUBSCRIBE says of us: whole lines, none without the dialect. */
void microsoft_append_subscribe(struct buf *b, const struct endpoint *ep);
/*
 * The body of a batched SUBSCRIBE for these URIs; false, and nothing is done: the profile does not
 * speak the dialect, or its registrar has said by its answer that it takes none.
 */
bool microsoft_batch(struct subscription_targets *t, const struct endpoint *ep,
	const struct subscription_spec *spec, const struct slice *uris, size_t n);
/* What the registrar's 2xx says of that. */
void microsoft_learn_batches(struct endpoint *ep, const struct msg *m);

/*
 * That 2xx to a SUBSCRIBE carries the state that the first NOTIFY would ([MS-SIP] 3.4.5.1).
 * *ret_cseq: the number that it would have had; 0: not said.
 */
bool microsoft_is_piggyback(const struct endpoint *ep, const struct msg *m, uint32_t *ret_cseq);
/* Whether a BENOTIFY is as good as a NOTIFY. */
bool microsoft_takes_benotify(const struct endpoint *ep, const struct msg *m);
/*
 * When to refresh what was granted for that long: 15 minutes before the end, as UCMA does, and not
 * before the half. 0: not by this rule.
 */
usec_t microsoft_refresh_delay(const struct endpoint *ep, uint32_t granted);
/* Only one subscription of an endpoint may have that Event: vnd-microsoft-roaming-self. */
bool microsoft_is_exclusive(const struct endpoint *ep, struct slice event);
