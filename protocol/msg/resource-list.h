/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

struct buf;

/* The flat list of resources that a SUBSCRIBE brings along (RFC 5367 section 4, RFC 4826 section
 * 3).
 */
#define RESOURCE_LIST_TYPE "application/resource-lists+xml"

/* The whole document; the URIs are valid ones, and each is there once (RFC 5363 section 4.1). */
void resource_list_append(struct buf *b, const struct slice *uris, size_t n);
/* text between the quotes of an XML attribute, with what needs it escaped. */
void resource_list_append_escaped(struct buf *b, struct slice text);
