/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/bus-option.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ipc/bus-table.h"
#include "protocol/base/buf.h"

static int complain(struct bus_option_error *e, const char *what, struct slice key)
{
	cleanup_buf struct buf b = BUF_NULL;
	struct slice text;

	buf_printf(&b, "option \"%.*s\" %s", SLICE_ARGS(slice_head(key, 64)), what);
	text = slice_head(buf_slice(&b), sizeof(e->text) - 1);
	memcpy(e->text, text.p, text.n);
	e->text[text.n] = '\0';
	return -EINVAL;
}

static void read_value(struct bus_reader *r, const char *sig, struct bus_value *v)
{
	if (strcmp(sig, "ay") == 0)
		v->s = bus_read_ay(r);
	else if (strchr("sog", sig[0]))
		v->s = bus_read_s(r);
	else if (sig[0] == 'b')
		v->b = bus_read_b(r);
	else if (sig[0] == 'i')
		v->i = bus_read_i(r);
	else if (sig[0] == 'u')
		v->u = bus_read_u(r);
	else if (sig[0] == 't')
		v->t = bus_read_t(r);
	else
		v->items = bus_enter(r);
	v->given = true;
}

static int read_entry(struct bus_reader *entry, const struct bus_option *table,
	struct bus_value *values, struct bus_option_error *e)
{
	struct slice key = bus_read_s(entry);
	struct bus_reader value = bus_enter(entry);
	char *sig;
	bool fits;
	size_t i = 0;

	while (table && table[i].name && !slice_eq(key, slice_str(table[i].name)))
		i++;
	if (!table || !table[i].name)
		return complain(e, "is not known here", key);
	if (values[i].given)
		return complain(e, "is given twice", key);
	sig = dbus_message_iter_get_signature(&value.at);
	fits = sig && strcmp(sig, table[i].sig) == 0;
	dbus_free(sig);
	if (!fits) {
		char what[64];

		(void)snprintf(what, sizeof(what), "has to be of type %s", table[i].sig);
		return complain(e, what, key);
	}
	read_value(&value, table[i].sig, &values[i]);
	return 0;
}

int bus_option_read(struct bus_reader *r, const struct bus_option *table, struct bus_value *values,
	struct bus_option_error *ret_error)
{
	struct bus_reader dict = bus_enter(r);

	for (size_t i = 0; table && table[i].name; i++)
		values[i] = (struct bus_value){ 0 };
	while (bus_more(&dict)) {
		struct bus_reader entry = bus_enter(&dict);
		int err = read_entry(&entry, table, values, ret_error);

		if (err < 0)
			return err;
	}
	return 0;
}
