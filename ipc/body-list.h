/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "ipc/body-table.h"

struct body_fault;

/*
 * The state of a list of resources (RFC 4662 section 5): multipart/related whose root, of type
 * application/rlmi+xml, says what belongs to what. Lists inside of lists are taken apart, too, each
 * with its own version; a list is named by the resource that it is in the list above it, the outer
 * one is "".
 */
enum {
	BODY_LIST_DEPTH_MAX =
		4, /* lists in lists, the outer one included; deeper ones stay bytes */
	BODY_LIST_LISTS_MAX = 64,
};

enum body_resource_cell {
	BODY_RESOURCE_LIST, /* key, with the next one */
	BODY_RESOURCE_URI,
	BODY_RESOURCE_NAME, /* the first one; empty: none */
	BODY_RESOURCE_CELLS
};

/* A notifier of a resource: there are none as long as nothing is known of its state. */
enum body_instance_cell {
	BODY_INSTANCE_LIST, /* key, with the next two */
	BODY_INSTANCE_URI,
	BODY_INSTANCE_ID,
	BODY_INSTANCE_STATE, /* active, pending, terminated */
	BODY_INSTANCE_REASON,
	BODY_INSTANCE_CONTENT_TYPE,
	BODY_INSTANCE_CONTENT, /* empty for a list that was taken apart */
	BODY_INSTANCE_CELLS
};

struct body_list {
	uint64_t seed;
	struct list lists; /* of struct body_sublist, the outer one first */
	size_t n_lists;
	/* Of all lists. What the last document told of is new in these: body_row_is_new(). */
	struct body_table resources, instances;
	struct list gone; /* of struct body_row: resources that the last document took away */
};

struct body_sublist {
	struct list node;
	struct slice name; /* a copy */
	char *uri, *display;
	struct body_version version;
	unsigned told; /* by which document last, as in resources */
	enum body_extent extent;
};

void body_list_init(struct body_list *l, uint64_t seed);
void body_list_deinit(struct body_list *l);
/*
 * A notification of the list, or of what content_type says (an RLMI document alone is one without
 * any state). An enum body_news (a gap in an inner list is one); -EBADMSG: no list, -EMSGSIZE: too
 * large; ret_fault says why. Inner lists that cannot be read stay bytes.
 */
int body_list_take(struct body_list *l, struct slice content_type, struct slice body,
	struct body_fault *ret_fault);
/* What comes next counts its versions anew, as a new subscription does. */
void body_list_restart(struct body_list *l);
/* Nothing is missing in any of the lists. */
bool body_list_is_complete(const struct body_list *l);
/* Whose instance it is. A resource has its instances below. */
struct body_row *body_list_resource_of(const struct body_list *l, const struct body_row *instance);
/* The outer list; NULL before the first document. */
const struct body_sublist *body_list_outer(const struct body_list *l);
