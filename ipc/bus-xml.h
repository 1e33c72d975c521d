/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Introspection XML from tables; needs no bus, and gives the same bytes for the same tables. */
#include <stddef.h>

struct buf;
struct bus_interface;

enum bus_xml_detail {
	BUS_XML_PLAIN,      /* as Introspect() answers */
	BUS_XML_DOCUMENTED, /* with the tables' texts as comments */
};

/* One <interface> element. */
void bus_xml_interface(
	struct buf *b, const struct bus_interface *interface, enum bus_xml_detail detail);
/* A document: begin, interfaces, children (names of the nodes below), end. */
void bus_xml_begin(struct buf *b);
void bus_xml_child(struct buf *b, const char *name);
void bus_xml_end(struct buf *b);
