/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdint.h>

struct buf;

/* UUIDs as bytes in the order of their text (RFC 9562 section 4). */
enum { UUID_BYTES = 16 };

/* "00112233-4455-6677-8899-aabbccddeeff" */
void uuid_append(struct buf *b, const uint8_t uuid[UUID_BYTES]);
/* Writes version and variant (sections 4.1 and 4.2) over what is there. */
void uuid_mark(uint8_t uuid[UUID_BYTES], unsigned version);
/* To or from Microsoft's GUID in memory, whose first three fields begin with the low byte. */
void uuid_swap(uint8_t uuid[UUID_BYTES]);
