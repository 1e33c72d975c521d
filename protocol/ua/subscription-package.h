/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct msg;
struct subscription;

/* What event packages say of themselves, as far as a subscriber has to know it. */

/* So many dialogs may it have (5.4.9). */
size_t subscription_max_forks(const struct subscription *s);
/* A body of that type may come: Accept says so, or nothing. */
bool subscription_accepts(const struct subscription *s, struct slice content_type);
/* m is about the subscription s: same package, same id (RFC 6665 8.2.1). */
bool subscription_fits(const struct subscription *s, const struct msg *m);
