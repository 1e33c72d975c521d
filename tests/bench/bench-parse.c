/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench-parse FILE COUNT: parses the message COUNT times and lets it go again. What is counted is
 * the work of a user agent: start line, top Via, From, To, Call-ID, CSeq, Contact, Content-Length
 * decoded, every header indexed, the bytes copied. bench-parse.py takes the difference
 * of two counts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/msg/msg.h"

static bool parse_once(struct slice bytes)
{
	struct msg *m;
	bool sound;

	if (msg_parse(bytes, MSG_STREAM, &m) < 0)
		return false;
	sound = m->fault.status == 0 && m->contact.uri.host.n > 0;
	msg_unref(m);
	return sound;
}

int main(int argc, char **argv)
{
	static char bytes[65536];
	FILE *f = argc == 3 ? fopen(argv[1], "rb") : NULL;
	size_t n;

	if (!f) {
		(void)fprintf(stderr, "usage: bench-parse FILE COUNT\n");
		return EXIT_FAILURE;
	}
	n = fread(bytes, 1, sizeof(bytes), f);
	(void)fclose(f);
	for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
		if (!parse_once(slice_of(bytes, n))) {
			(void)fprintf(stderr, "%s: not parsed\n", argv[1]);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
