/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents, each ended by NUL, as dialog and as registration state: never older, never too much.
 */
#include <stdlib.h>

#include "ipc/body-dialog.h"
#include "ipc/body-fault.h"
#include "ipc/body-reginfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_table(const struct body_table *t)
{
	size_t n = 0, bytes = 0;

	list_for_each (node, &t->rows) {
		struct body_row *row = body_row_of(node);

		require(body_table_find(t, row->cells) == row);
		for (size_t i = 0; i < t->n_cells; i++)
			require(slice_is_utf8(row->cells[i]));
		bytes += row->bytes;
		n++;
	}
	require(n == t->n && bytes == t->bytes);
	require(n <= BODY_TABLE_ROWS_MAX && bytes <= BODY_TABLE_BYTES_MAX);
}

static void check_news(int r, const struct body_version *before, const struct body_version *after,
	const struct body_fault *fault)
{
	require((r < 0) == (fault->text[0] != '\0'));
	require(!before->known || after->number >= before->number);
	if (r == BODY_NEWS_STALE)
		require(before->known && after->number == before->number);
	if (r == BODY_NEWS_GAP)
		require(!after->complete);
}

static void take(struct body_dialog *d, struct body_reginfo *g, struct slice document)
{
	struct body_version before = d->version;
	struct body_fault fault;
	int r = body_dialog_take(d, document, &fault);

	check_news(r, &before, &d->version, &fault);
	check_table(&d->table);
	before = g->version;
	r = body_reginfo_take(g, document, &fault);
	check_news(r, &before, &g->version, &fault);
	check_table(&g->registrations);
	check_table(&g->contacts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data, size), document;
	struct body_dialog d;
	struct body_reginfo g;

	body_dialog_init(&d, 1);
	body_reginfo_init(&g, 1);
	while (slice_cut(rest, '\0', &document, &rest))
		take(&d, &g, document);
	take(&d, &g, rest);
	body_dialog_deinit(&d);
	body_reginfo_deinit(&g);
	return 0;
}
