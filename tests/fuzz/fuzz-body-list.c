/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notifications of a list, each ended by NUL; each has its content type in the first line. Parts
 * lie inside of the body in order, and no row of the list is without what it belongs to.
 */
#include <stdlib.h>

#include "ipc/body-fault.h"
#include "ipc/body-list.h"
#include "ipc/body-multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_parts(struct slice content_type, struct slice body)
{
	struct body_multipart m;
	struct body_fault fault;
	size_t total = 0;

	if (body_multipart_parse(content_type, body, &fault, &m) < 0) {
		require(fault.text[0]);
		return;
	}
	require(m.n > 0 && m.n <= BODY_MULTIPART_PARTS_MAX && m.root < m.n);
	for (size_t i = 0; i < m.n; i++) {
		total += m.parts[i].content.n;
		if (m.parts[i].id.n)
			require(body_multipart_find(&m, m.parts[i].id) != NULL);
	}
	require(total <= body.n);
	body_multipart_deinit(&m);
}

static void check_list(const struct body_list *l)
{
	require(l->n_lists <= BODY_LIST_LISTS_MAX && l->n_lists == list_length(&l->lists));
	list_for_each (node, &l->instances.rows)
		require(body_table_find(&l->resources, body_row_of(node)->cells) != NULL);
	list_for_each (node, &l->resources.rows)
		require(body_table_find(&l->resources, body_row_of(node)->cells) ==
			body_row_of(node));
	require(l->instances.bytes <= BODY_TABLE_BYTES_MAX);
}

static void take(struct body_list *l, struct slice notification)
{
	struct slice content_type = SLICE(""), body = notification;
	struct body_fault fault;
	int r;

	(void)slice_cut(notification, '\n', &content_type, &body);
	check_parts(content_type, body);
	r = body_list_take(l, content_type, body, &fault);
	require(r >= 0 || fault.text[0]);
	check_list(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data, size), notification;
	struct body_list l;

	body_list_init(&l, 1);
	while (slice_cut(rest, '\0', &notification, &rest))
		take(&l, notification);
	take(&l, rest);
	body_list_deinit(&l);
	return 0;
}
