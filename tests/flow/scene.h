/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/registration.h"
#include "tests/support/world-peer.h"
#include "tests/support/world-record.h"

/* One endpoint and a scripted registrar at 192.0.2.1. */

#define SEC USEC_PER_SEC
#define HOUR (3600 * SEC)

extern const struct world_account scene_alice;

struct scene {
	struct world *w;
	struct world_ua *wu;
	struct endpoint *ep;
	struct registration *r;
};

struct scene scene_new(const struct world_account *a);
/* Closes the endpoint, answers its last word, and finds nothing left behind. */
void scene_finish(struct scene *s);

void scene_start(const struct scene *s);
/* Registered by an answer with these headers, the outcome taken. */
void scene_registered(const struct scene *s, const char *headers);
void scene_stop(const struct scene *s, enum registration_scope scope);
/* The next REGISTER within that time. */
const struct msg *scene_next(const struct scene *s, usec_t limit);

bool scene_has_contact(const struct msg *m, const char *text);
size_t scene_count_contacts(const struct msg *m);
/* Whole seconds from now until that moment. */
usec_t scene_in_seconds(const struct scene *s, usec_t at);
