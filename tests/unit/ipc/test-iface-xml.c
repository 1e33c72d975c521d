/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The D-Bus contract as files: ipc/xml/NAME.xml is what the tables say, and every member is
 * documented. With SIPBUS_WRITE_XML set the files are written instead; read the difference.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <dbus/dbus.h>

#include "ipc/bus-table.h"
#include "ipc/bus-xml.h"
#include "ipc/iface-private.h"
#include "protocol/base/buf.h"

static char *path_of(const struct bus_interface *i)
{
	const char *folder = getenv("SIPBUS_XML");
	struct buf b = BUF_NULL;

	ck_assert_ptr_nonnull(folder);
	buf_printf(&b, "%s/%s.xml", folder, i->name);
	return buf_take(&b);
}

static char *render(const struct bus_interface *i)
{
	struct buf b = BUF_NULL;

	bus_xml_begin(&b);
	bus_xml_interface(&b, i, BUS_XML_DOCUMENTED);
	bus_xml_end(&b);
	return buf_take(&b);
}

static char *read_file(const char *path)
{
	struct buf b = BUF_NULL;
	FILE *f = fopen(path, "re");
	char part[4096];
	size_t n;

	ck_assert_msg(f != NULL, "%s is missing", path);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_put(&b, slice_of(part, n));
	(void)fclose(f);
	return buf_take(&b);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(files_are_what_the_tables_say)
{
	for (size_t k = 0; iface_tables[k]; k++) {
		char *path = path_of(iface_tables[k]), *now = render(iface_tables[k]);

		if (getenv("SIPBUS_WRITE_XML")) {
			write_file(path, now);
		} else {
			char *file = read_file(path);

			ck_assert_msg(strcmp(file, now) == 0, "%s differs from the table", path);
			free(file);
		}
		free(now);
		free(path);
	}
}
END_TEST

static void check_arguments(
	const char *member, const char *in, const char *out, const char *const *args)
{
	size_t types = 0, names = 0;

	for (int k = 0; k < 2; k++) {
		const char *sig = k ? out : in;
		DBusSignatureIter it;

		if (!sig || !*sig)
			continue;
		dbus_signature_iter_init(&it, sig);
		do
			types++;
		while (dbus_signature_iter_next(&it));
	}
	while (args && args[names])
		names++;
	ck_assert_msg(types == names, "%s: %zu arguments, %zu names", member, types, names);
}

START_TEST(every_member_is_documented)
{
	for (size_t k = 0; iface_tables[k]; k++) {
		const struct bus_interface *i = iface_tables[k];

		ck_assert_msg(i->doc && *i->doc, "%s", i->name);
		for (const struct bus_method *m = i->methods; m && m->name; m++) {
			ck_assert_msg(m->doc && *m->doc, "%s.%s", i->name, m->name);
			check_arguments(m->name, m->in, m->out, m->args);
			for (const struct bus_option *o = m->options; o && o->name; o++)
				ck_assert_msg(o->doc && *o->doc, "%s: %s", m->name, o->name);
		}
		for (const struct bus_property *p = i->properties; p && p->name; p++)
			ck_assert_msg(p->doc && *p->doc, "%s.%s", i->name, p->name);
		for (const struct bus_signal *s = i->signals; s && s->name; s++) {
			ck_assert_msg(s->doc && *s->doc, "%s.%s", i->name, s->name);
			check_arguments(s->name, s->sig, NULL, s->args);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("iface-xml");
	TCase *tc = tcase_create("iface-xml");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, files_are_what_the_tables_say);
	tcase_add_test(tc, every_member_is_documented);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
