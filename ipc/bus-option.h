/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Option dictionaries: an a{sv} read through a table, in which nothing unknown passes. */
#include "ipc/bus-value.h"

struct bus_option;

/* The value of one option; the member that fits the signature is set. */
struct bus_value {
	bool given;
	union {
		struct slice s; /* s, o, g, ay */
		bool b;
		int32_t i;
		uint32_t u;
		uint64_t t;
		struct bus_reader items; /* any other container: a reader inside of it */
	};
};

/* What was wrong, as a sentence that names the key. */
struct bus_option_error {
	char text[160];
};

/*
 * Reads the a{sv} at *r into values[], one for each row of table (NULL: no key is known). -EINVAL:
 * an unknown key, a key given twice, or a value of another type; *ret_error says which.
 */
int bus_option_read(struct bus_reader *r, const struct bus_option *table, struct bus_value *values,
	struct bus_option_error *ret_error);
