/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a body could not be read, as a sentence for the client; "" while nothing is wrong. */
struct body_fault {
	char text[160];
};

/* Sets the text (the first one stays) and returns err, so that it can be returned in one line. */
int body_fault_set(struct body_fault *f, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
