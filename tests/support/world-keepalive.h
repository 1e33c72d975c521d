/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "tests/support/world.h"

/* What the scripted peer does with keep-alives: CRLF and STUN. */
struct world_pings {
	bool answered;      /* it answers */
	bool refused;       /* STUN: by an error */
	const char *mapped; /* STUN: where it says that we are; NULL: where it came from */
	size_t n;           /* that came */
	usec_t last;        /* when, since the world began */
};
struct world_pings *world_pings(struct world *w);
