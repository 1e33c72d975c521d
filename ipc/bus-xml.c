/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/bus-xml.h"

#include <dbus/dbus.h>

#include "ipc/bus-table.h"
#include "protocol/base/buf.h"

/* Where an element with comments and children of its own is being written. */
struct xml {
	struct buf *b;
	enum bus_xml_detail detail;
};

static void doc(const struct xml *x, const char *indent, const char *text)
{
	if (x->detail == BUS_XML_PLAIN || !text)
		return;
	buf_printf(x->b, "%s<!-- ", indent);
	/* "--" may not stand in a comment. */
	for (; *text; text++)
		buf_putc(x->b, text[0] == '-' && text[1] == '-' ? '~' : text[0]);
	buf_lit(x->b, " -->\n");
}

static void annotation(const struct xml *x, const char *name, const char *value)
{
	buf_printf(x->b, "      <annotation name=\"org.freedesktop.DBus.%s\" value=\"%s\"/>\n",
		name, value);
}

/* One <arg> for each complete type of sig; takes their names from *names. */
static void args(
	const struct xml *x, const char *sig, const char *direction, const char *const **names)
{
	DBusSignatureIter it;

	if (!sig || !*sig)
		return;
	dbus_signature_iter_init(&it, sig);
	do {
		char *type = dbus_signature_iter_get_signature(&it);

		buf_lit(x->b, "      <arg");
		if (*names && **names)
			buf_printf(x->b, " name=\"%s\"", *(*names)++);
		buf_printf(x->b, " type=\"%s\"", type);
		if (direction)
			buf_printf(x->b, " direction=\"%s\"", direction);
		buf_lit(x->b, "/>\n");
		dbus_free(type);
	} while (dbus_signature_iter_next(&it));
}

static void method(const struct xml *x, const struct bus_method *m)
{
	const char *const *names = m->args;

	doc(x, "    ", m->doc);
	buf_printf(x->b, "    <method name=\"%s\">\n", m->name);
	args(x, m->in, "in", &names);
	args(x, m->out, "out", &names);
	for (const struct bus_option *o = m->options; o && o->name; o++) {
		if (x->detail == BUS_XML_PLAIN)
			break;
		buf_printf(x->b, "      <!-- option %s (%s): %s -->\n", o->name, o->sig,
			o->doc ? o->doc : "");
	}
	if (m->flags & BUS_DEPRECATED)
		annotation(x, "Deprecated", "true");
	if (m->flags & BUS_NO_REPLY)
		annotation(x, "Method.NoReply", "true");
	buf_lit(x->b, "    </method>\n");
}

static const char *emits_changed(unsigned flags)
{
	if (flags & BUS_CONST)
		return "const";
	if (flags & BUS_INVALIDATES)
		return "invalidates";
	return flags & BUS_EMITS ? NULL : "false";
}

static void property(const struct xml *x, const struct bus_property *p)
{
	const char *emits = emits_changed(p->flags);

	doc(x, "    ", p->doc);
	buf_printf(x->b, "    <property name=\"%s\" type=\"%s\" access=\"%s\"", p->name, p->sig,
		p->set ? "readwrite" : "read");
	if (!emits && !(p->flags & BUS_DEPRECATED)) {
		buf_lit(x->b, "/>\n");
		return;
	}
	buf_lit(x->b, ">\n");
	if (emits)
		annotation(x, "Property.EmitsChangedSignal", emits);
	if (p->flags & BUS_DEPRECATED)
		annotation(x, "Deprecated", "true");
	buf_lit(x->b, "    </property>\n");
}

static void signal(const struct xml *x, const struct bus_signal *s)
{
	const char *const *names = s->args;

	doc(x, "    ", s->doc);
	buf_printf(x->b, "    <signal name=\"%s\">\n", s->name);
	args(x, s->sig, NULL, &names);
	if (s->flags & BUS_DEPRECATED)
		annotation(x, "Deprecated", "true");
	buf_lit(x->b, "    </signal>\n");
}

void bus_xml_interface(
	struct buf *b, const struct bus_interface *interface, enum bus_xml_detail detail)
{
	const struct xml x = { .b = b, .detail = detail };

	doc(&x, "  ", interface->doc);
	buf_printf(b, "  <interface name=\"%s\">\n", interface->name);
	for (const struct bus_method *m = interface->methods; m && m->name; m++)
		method(&x, m);
	for (const struct bus_property *p = interface->properties; p && p->name; p++)
		property(&x, p);
	for (const struct bus_signal *s = interface->signals; s && s->name; s++)
		signal(&x, s);
	buf_lit(b, "  </interface>\n");
}

void bus_xml_begin(struct buf *b)
{
	buf_lit(b, DBUS_INTROSPECT_1_0_XML_DOCTYPE_DECL_NODE "<node>\n");
}

void bus_xml_child(struct buf *b, const char *name)
{
	buf_printf(b, "  <node name=\"%s\"/>\n", name);
}

void bus_xml_end(struct buf *b)
{
	buf_lit(b, "</node>\n");
}
