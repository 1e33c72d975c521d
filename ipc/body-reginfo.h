/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "ipc/body-table.h"

struct body_fault;

/* Registration state (RFC 3680), application/reginfo+xml, with the GRUUs of RFC 5628. */
enum body_registration_cell {
	BODY_REGISTRATION_ID, /* the key */
	BODY_REGISTRATION_AOR,
	BODY_REGISTRATION_STATE, /* init, active, terminated */
	BODY_REGISTRATION_CELLS
};

enum body_contact_cell {
	BODY_CONTACT_REGISTRATION, /* key, with the next one */
	BODY_CONTACT_ID,
	BODY_CONTACT_STATE, /* active, terminated */
	BODY_CONTACT_EVENT,
	BODY_CONTACT_EXPIRES, /* these four decimal, or empty */
	BODY_CONTACT_RETRY_AFTER,
	BODY_CONTACT_DURATION,
	BODY_CONTACT_CSEQ,
	BODY_CONTACT_CALL_ID,
	BODY_CONTACT_Q, /* as it was written */
	BODY_CONTACT_URI,
	BODY_CONTACT_DISPLAY_NAME,
	BODY_CONTACT_INSTANCE, /* the parameter +sip.instance */
	BODY_CONTACT_PUBLIC_GRUU,
	BODY_CONTACT_TEMPORARY_GRUU,
	BODY_CONTACT_CELLS
};

struct body_reginfo {
	struct body_table registrations, contacts; /* these below those */
	struct body_version version;
};

void body_reginfo_init(struct body_reginfo *g, uint64_t seed);
void body_reginfo_deinit(struct body_reginfo *g);
/* As body_dialog_take(), by section 5.2. */
int body_reginfo_take(struct body_reginfo *g, struct slice body, struct body_fault *ret_fault);
