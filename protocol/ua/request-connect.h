/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

struct flow;
struct locate_hop;
struct request;
struct request_hop;

/* From a target to a flow; for the files of a request alone. */

/* To the first address of what w names. */
void request_connect(struct request *r, const struct request_hop *w);
/* To the next address of the target; false: there is none. */
bool request_connect_next(struct request *r);
/* A flow to that place for this request, a new one or not. */
struct flow *request_open_flow(struct request *r, const struct locate_hop *hop);
/* Notes that a flow could not be opened, or broke. */
void request_note_broken(struct request *r, const struct locate_hop *hop, const char *reason);
/* The place where the request went did not take it, for everybody to know. */
void request_mark_bad(struct request *r, const struct locate_hop *hop, const char *reason);
