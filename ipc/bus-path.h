/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

#include "protocol/base/slice.h"

struct buf;

/*
 * Appends any id as one element of an object path. Letters, digits and '_' stay as they are, other
 * bytes become _xx; so does a '_' that would read as such an escape. Empty is "_". No two ids give
 * the same element.
 */
void bus_path_append(struct buf *b, struct slice id);
/* The id of an element; false if bus_path_append() makes no such element of any id. */
bool bus_path_decode(struct buf *b, struct slice element);
