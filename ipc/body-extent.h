/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "ipc/body-table.h"

/*
 * Does that body tell all there is, or only what changed since those before it (RFC 6665 section
 * 5.3.2)? By what the document says of itself, for packages that tell changes: dialog (RFC 4235),
 * reg (RFC 3680), conference (RFC 4575), watcher information (RFC 3858), partial presence (RFC
 * 5262), lists (RFC 4662). Anything else, and what cannot be read, counts as all there is.
 */
enum body_extent body_extent_of(struct slice content_type, struct slice body);
