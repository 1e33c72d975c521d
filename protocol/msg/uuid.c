/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/uuid.h"

#include "protocol/base/buf.h"

void uuid_append(struct buf *b, const uint8_t uuid[UUID_BYTES])
{
	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			buf_putc(b, '-');
		buf_hex(b, &uuid[i], 1);
	}
}

void uuid_mark(uint8_t uuid[UUID_BYTES], unsigned version)
{
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | version << 4);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

static void swap(uint8_t *a, uint8_t *b)
{
	uint8_t c = *a;

	*a = *b;
	*b = c;
}

void uuid_swap(uint8_t uuid[UUID_BYTES])
{
	swap(&uuid[0], &uuid[3]);
	swap(&uuid[1], &uuid[2]);
	swap(&uuid[4], &uuid[5]);
	swap(&uuid[6], &uuid[7]);
}
