/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/map.h"

struct body_fault;

/* MIME's multipart (RFC 2046 section 5.1), and which part is the root of a related one (RFC 2387).
 */
enum {
	BODY_MULTIPART_PARTS_MAX = 4096,
	BODY_MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046 section 5.1.1 */
	BODY_MULTIPART_HEADERS_MAX = 32,  /* of one part */
};

/* The values of headers that it lacks are empty, but for its type; id is without its "<" and ">".
 */
struct body_part {
	struct map_node by_id; /* unlinked if it has no id, or that of an earlier one */
	struct slice content_type, id, encoding, content;
};

struct body_multipart {
	char *bytes; /* what the slices borrow from */
	struct body_part *parts;
	size_t n, root;
	struct map by_id;
};

/* Is the value of a Content-Type that type, whatever parameters it has? type: "multipart/related"
 */
bool body_type_is(struct slice content_type, struct slice type);
/*
 * -EBADMSG: no boundary, one that is none, no end, a part with a malformed head or an encoding that
 * SIP has no use for (7bit, 8bit and binary pass), a root that is not there; -EMSGSIZE: too many
 * parts, or headers. ret_fault says why.
 */
int body_multipart_parse(struct slice content_type, struct slice body, struct body_fault *ret_fault,
	struct body_multipart *ret);
void body_multipart_deinit(struct body_multipart *m);
/* The part with that Content-ID, written without brackets; NULL. */
const struct body_part *body_multipart_find(const struct body_multipart *m, struct slice id);
