/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/schema.h"

#include <stdarg.h>
#include <string.h>

#include "conf/ini.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"

enum {
	SHOWN_MAX = 80, /* bytes of a name or value from the file that a message repeats */
};

/* Where something was said, so that a rule across keys can name the line. */
struct schema_seen {
	const struct schema_section *section;
	const struct schema_key *key; /* NULL: the section line */
	unsigned index, line;
};

/* As much of s as a message repeats, cut between characters. */
static struct slice shown(struct slice s)
{
	size_t n = SHOWN_MAX;

	if (s.n <= SHOWN_MAX)
		return s;
	while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return slice_head(s, n);
}

/* Adds a problem of the reader's file; line 0 is the file as a whole. */
void schema_problem(struct schema_reader *r, enum problem_severity severity, unsigned line,
	const char *fmt, ...)
{
	const struct problem_place at = { .file = r->file, .line = line };
	struct buf b = BUF_NULL;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	problem_add(r->problems, severity, at, "%.*s", SLICE_ARGS(buf_slice(&b)));
	buf_deinit(&b);
}

static bool is_named(const struct schema_section *row, struct slice name)
{
	return slice_eq(slice_str(row->name), name);
}

static struct schema_seen *seen_find(const struct schema_reader *r, const struct schema_seen *what)
{
	for (size_t i = 0; i < r->n_seen; i++) {
		struct schema_seen *s = &r->seen[i];

		if (s->section == what->section && s->key == what->key && s->index == what->index)
			return s;
	}
	return NULL;
}

/* Remembers the latest line; says whether there was an earlier one. */
static bool seen_add(struct schema_reader *r, const struct schema_seen *what)
{
	struct schema_seen *s = seen_find(r, what);

	if (s) {
		s->line = what->line;
		return true;
	}
	r->seen = mem_realloc(r->seen, (r->n_seen + 1) * sizeof(*r->seen));
	r->seen[r->n_seen++] = *what;
	return false;
}

/* The line that said it last; 0 if none did, or if it was taken back by an empty value. */
unsigned schema_line(const struct schema_reader *r, struct schema_spot spot)
{
	for (size_t i = 0; i < r->n_seen; i++) {
		const struct schema_seen *s = &r->seen[i];

		if (s->index != spot.index || strcmp(s->section->name, spot.section) != 0)
			continue;
		if (spot.key ? s->key && strcmp(s->key->name, spot.key) == 0 : !s->key)
			return s->line;
	}
	return 0;
}

/* Puts the default into one field. The tables' own text can't be wrong: a test reads them all. */
static void preset(const struct schema_key *key, void *base)
{
	struct buf want = BUF_NULL;

	if (key->type->clear)
		key->type->clear(key, base);
	if (key->preset)
		(void)key->type->parse(key, slice_str(key->preset), base, &want);
	buf_deinit(&want);
}

/* Gives every field of a zeroed struct its default. */
void schema_preset(const struct schema_section *section, void *base)
{
	for (size_t i = 0; i < section->n_keys; i++)
		preset(&section->keys[i], base);
}

/* Frees every field of a struct, not the struct. */
void schema_clear(const struct schema_section *section, void *base)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (section->keys[i].type->clear)
			section->keys[i].type->clear(&section->keys[i], base);
}

/* Whether two structs hold the same under every key. */
bool schema_equal(const struct schema_section *section, const void *a, const void *b)
{
	for (size_t i = 0; i < section->n_keys; i++) {
		const struct schema_key *key = &section->keys[i];
		const char *x = a, *y = b;

		if (key->type->equal
				? !key->type->equal(key, a, b)
				: memcmp(x + key->offset, y + key->offset, key->type->size) != 0)
			return false;
	}
	return true;
}

/*
 * A word of another case, or of another section, is the likeliest slip; naming it saves a search.
 */
static const char *guess(const struct schema_section *row, struct slice name)
{
	for (size_t i = 0; i < row->n_keys; i++)
		if (slice_eq_ci(slice_str(row->keys[i].name), name))
			return row->keys[i].name;
	return NULL;
}

static void unknown_key(struct schema_reader *r, const struct ini_entry *e)
{
	const struct slice section = shown(e->section), key = shown(e->key);

	for (size_t i = 0; i < r->schema->n_sections; i++) {
		const struct schema_section *row = &r->schema->sections[i];
		const char *name = guess(row, e->key);

		if (!name)
			continue;
		schema_problem(r, PROBLEM_WARNING, e->line,
			"[%.*s] %.*s: unknown key, ignored; did you mean [%s] %s?",
			SLICE_ARGS(section), SLICE_ARGS(key), row->name, name);
		return;
	}
	schema_problem(r, PROBLEM_WARNING, e->line, "[%.*s] %.*s: unknown key, ignored",
		SLICE_ARGS(section), SLICE_ARGS(key));
}

/* Whether the field holds what the default text gives. */
static bool is_preset(const struct schema_key *key, const char *base)
{
	union {
		uint64_t align;
		char bytes[sizeof(uint64_t)];
	} scratch = { .align = 0 };
	struct schema_key at_zero = *key;
	struct buf want = BUF_NULL;

	/* What is owned is empty by default wherever it is for later. */
	if (!key->type->size)
		return false;
	at_zero.offset = 0;
	if (key->preset)
		(void)key->type->parse(&at_zero, slice_str(key->preset), &scratch, &want);
	buf_deinit(&want);
	return memcmp(base + key->offset, scratch.bytes, key->type->size) == 0;
}

static enum problem_severity severity_of(enum schema_support support)
{
	switch (support) {
	case SCHEMA_LATER_HINT:
		return PROBLEM_WARNING;
	case SCHEMA_NOW:
	case SCHEMA_LATER:
		return PROBLEM_ERROR;
	}
	return PROBLEM_ERROR;
}

struct schema_report {
	const struct ini_entry *entry;
	const struct schema_key *key;
	enum problem_severity severity;
};

/* "[Section] Key=value: text", without the value where it is a secret. */
static void report(struct schema_reader *r, const struct schema_report *what, struct slice text)
{
	const struct ini_entry *e = what->entry;
	const bool hide = what->key->type->show == SCHEMA_SECRET;
	const struct slice value = hide ? SLICE("...") : shown(e->value);

	schema_problem(r, what->severity, e->line, "[%.*s] %s=%.*s: %.*s", SLICE_ARGS(e->section),
		what->key->name, SLICE_ARGS(value), SLICE_ARGS(text));
}

static void assign(struct schema_reader *r, const struct schema_key *key, void *base,
	const struct ini_entry *e)
{
	struct schema_report what = { .entry = e, .key = key, .severity = PROBLEM_ERROR };
	struct buf words = BUF_NULL, text = BUF_NULL;
	int rc;

	rc = key->type->parse(key, e->value, base, &words);
	if (rc == SCHEMA_PARTLY)
		what.severity = PROBLEM_WARNING;
	if (rc == 0 && key->support != SCHEMA_NOW && !is_preset(key, base)) {
		what.severity = severity_of(key->support);
		report(r, &what, SLICE("not supported yet by this version"));
	} else if (rc == -EOPNOTSUPP || rc == SCHEMA_PARTLY) {
		buf_printf(&text, "not supported yet by this version: %.*s",
			SLICE_ARGS(buf_slice(&words)));
		report(r, &what, buf_slice(&text));
	} else if (rc < 0) {
		report(r, &what, buf_slice(&words));
	}
	buf_deinit(&words);
	buf_deinit(&text);
}

/* An empty value, like the first line of a key, begins anew: a list with nothing in it, anything
 * else with its default. */
static void restart(const struct schema_key *key, void *base)
{
	if (key->type->again == SCHEMA_ADDS)
		key->type->clear(key, base);
	else
		preset(key, base);
}

/* One entry for one row of the tables. Says whether the row has the key. */
static bool try_row(struct schema_reader *r, size_t row_index, const struct ini_entry *e)
{
	const struct schema_section *row = &r->schema->sections[row_index];
	const unsigned index = row->repeats == SCHEMA_REPEATS ? r->count[row_index] - 1 : 0;

	for (size_t i = 0; i < row->n_keys; i++) {
		const struct schema_key *key = &row->keys[i];
		/* An empty value is as if nothing had been said, but an empty list is something. */
		const bool says = e->value.n || key->type->again == SCHEMA_ADDS;
		const struct schema_seen what = {
			.section = row, .key = key, .index = index, .line = says ? e->line : 0
		};

		if (!slice_eq(slice_str(key->name), e->key))
			continue;
		if (!seen_add(r, &what) || !e->value.n || key->type->again == SCHEMA_REPLACES)
			restart(key, r->base[row_index]);
		if (e->value.n)
			assign(r, key, r->base[row_index], e);
		return true;
	}
	return false;
}

static void on_entry(void *ctx, const struct ini_entry *e)
{
	struct schema_reader *r = ctx;
	bool known = false;

	for (size_t i = 0; i < r->schema->n_sections; i++) {
		if (!is_named(&r->schema->sections[i], e->section))
			continue;
		known = true;
		/* No struct: one section too many, which was said at its line. */
		if (!r->base[i] || try_row(r, i, e))
			return;
	}
	/* An unknown section was reported as such. */
	if (known)
		unknown_key(r, e);
}

/* Puts the struct of a new section in place; NULL when there are too many. */
static void begin(struct schema_reader *r, size_t row_index, unsigned line)
{
	const struct schema_section *row = &r->schema->sections[row_index];

	if (row->repeats == SCHEMA_ONCE)
		return;
	r->base[row_index] = NULL;
	if (r->count[row_index] == SCHEMA_SECTIONS_MAX) {
		schema_problem(r, PROBLEM_ERROR, line, "more than %u [%s] sections",
			(unsigned)SCHEMA_SECTIONS_MAX, row->name);
		return;
	}
	r->count[row_index]++;
	r->base[row_index] = row->base(r->root);
	schema_preset(row, r->base[row_index]);
}

static void on_section(void *ctx, struct slice name, unsigned line)
{
	struct schema_reader *r = ctx;
	bool known = false;

	for (size_t i = 0; i < r->schema->n_sections; i++) {
		const struct schema_section *row = &r->schema->sections[i];
		struct schema_seen what = { .section = row, .line = line };

		if (!is_named(row, name))
			continue;
		known = true;
		begin(r, i, line);
		if (!r->base[i])
			continue;
		what.index = row->repeats == SCHEMA_REPEATS ? r->count[i] - 1 : 0;
		(void)seen_add(r, &what);
	}
	name = shown(name);
	if (!known)
		schema_problem(r, PROBLEM_WARNING, line, "[%.*s]: unknown section, ignored",
			SLICE_ARGS(name));
}

static void on_error(void *ctx, unsigned line, const char *text)
{
	schema_problem(ctx, PROBLEM_ERROR, line, "%s", text);
}

/*
 * Sets the defaults, then reads text into r->root. Whatever is wrong goes to r->problems; the
 * structs are complete enough to be freed in any case, and to be used if no error was added.
 */
void schema_read(struct schema_reader *r, struct slice text)
{
	const struct ini_sink sink = {
		.section = on_section, .entry = on_entry, .error = on_error, .ctx = r
	};

	for (size_t i = 0; i < r->schema->n_sections; i++) {
		const struct schema_section *row = &r->schema->sections[i];

		if (row->repeats == SCHEMA_REPEATS)
			continue;
		r->base[i] = row->base(r->root);
		schema_preset(row, r->base[i]);
	}
	ini_parse(text, &sink);
}

void schema_reader_deinit(struct schema_reader *r)
{
	free(r->seen);
	r->seen = NULL;
	r->n_seen = 0;
}

/* "Section.Key = default", then what it takes and means, for every row. */
void schema_dump(struct buf *b, const struct schema *schema)
{
	for (size_t i = 0; i < schema->n_sections; i++) {
		const struct schema_section *row = &schema->sections[i];

		for (size_t j = 0; j < row->n_keys; j++) {
			const struct schema_key *key = &row->keys[j];

			buf_printf(b, "%s.%s =%s%s\n", row->name, key->name, key->preset ? " " : "",
				key->preset ? key->preset : "");
			buf_printf(b, "    %s (%s", key->doc, key->type->syntax);
			for (const struct schema_word *w = key->words; w && w->name; w++)
				buf_printf(b, "%s%s", w == key->words ? ": " : ", ", w->name);
			buf_printf(b, ")%s\n",
				key->support == SCHEMA_NOW ? "" : " [not supported yet]");
		}
	}
}
