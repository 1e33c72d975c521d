/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-table.h"

#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"

void body_table_init(struct body_table *t, size_t n_cells, size_t n_keys, uint64_t seed)
{
	*t = (struct body_table){ .n_cells = n_cells, .n_keys = n_keys };
	map_init(&t->map, seed);
	list_init(&t->rows);
}

void body_table_deinit(struct body_table *t)
{
	list_for_each_safe (node, next, &t->rows)
		body_table_remove(t, body_row_of(node));
	map_deinit(&t->map);
}

/* No cell that is a key has a NUL, which XML cannot say, so it can stand between them. */
static void append_key(const struct body_table *t, struct buf *b, const struct slice *keys)
{
	for (size_t i = 0; i < t->n_keys; i++) {
		buf_put(b, keys[i]);
		buf_putc(b, '\0');
	}
}

struct body_row *body_table_find(const struct body_table *t, const struct slice *keys)
{
	struct buf key = BUF_NULL;
	struct map_node *found;

	append_key(t, &key, keys);
	found = map_find(&t->map, buf_slice(&key));
	buf_deinit(&key);
	return found ? container_of(found, struct body_row, in_map) : NULL;
}

void body_table_unlink(struct body_table *t, struct body_row *row)
{
	map_remove(&t->map, &row->in_map);
	list_remove(&row->node);
	t->n--;
	t->bytes -= row->bytes;
}

void body_table_remove(struct body_table *t, struct body_row *row)
{
	body_table_unlink(t, row);
	free(row);
}

/* One block: the cells, then their text, then the key. */
static struct body_row *make_row(
	const struct body_table *t, const struct slice *cells, size_t bytes, struct slice key)
{
	struct body_row *row = mem_zalloc(bytes);
	char *text = (char *)(row->cells + t->n_cells);

	row->bytes = bytes;
	for (size_t i = 0; i < t->n_cells; i++) {
		row->cells[i] = slice_of(text, cells[i].n);
		if (cells[i].n)
			memcpy(text, cells[i].p, cells[i].n);
		text += cells[i].n;
	}
	memcpy(text, key.p, key.n);
	row->in_map.key = slice_of(text, key.n);
	return row;
}

static int put(struct body_table *t, const struct slice *cells, struct slice key,
	struct body_row **ret_row)
{
	struct map_node *found = map_find(&t->map, key);
	struct body_row *old = found ? container_of(found, struct body_row, in_map) : NULL, *row;
	size_t bytes = sizeof(*row) + t->n_cells * sizeof(row->cells[0]) + key.n;

	for (size_t i = 0; i < t->n_cells; i++)
		bytes += cells[i].n;
	if (!old && t->n == BODY_TABLE_ROWS_MAX)
		return -ENOSPC;
	if (t->bytes - (old ? old->bytes : 0) + bytes > BODY_TABLE_BYTES_MAX)
		return -ENOSPC;
	row = make_row(t, cells, bytes, key);
	row->told = t->document;
	list_insert_before(old ? &old->node : &t->rows, &row->node);
	if (old)
		body_table_remove(t, old);
	map_insert(&t->map, &row->in_map, row->in_map.key);
	t->n++;
	t->bytes += bytes;
	*ret_row = row;
	return 0;
}

int body_table_put(struct body_table *t, const struct slice *cells, struct body_row **ret_row)
{
	struct buf key = BUF_NULL;
	int r;

	append_key(t, &key, cells);
	r = put(t, cells, buf_slice(&key), ret_row);
	buf_deinit(&key);
	return r;
}

enum body_news body_version_take(struct body_version *v, uint32_t number, enum body_extent extent)
{
	bool known = v->known;
	uint32_t last = v->number;

	if (known && (number < last || (number == last && extent == BODY_PARTIAL)))
		return BODY_NEWS_STALE;
	v->known = true;
	v->number = number;
	if (extent == BODY_FULL) {
		v->complete = true;
		return BODY_NEWS;
	}
	/* What begins in the middle has lost something, too. */
	if (known && number - last == 1)
		return BODY_NEWS;
	v->complete = false;
	return BODY_NEWS_GAP;
}
