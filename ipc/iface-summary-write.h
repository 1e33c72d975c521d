/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The entries of a summary's a{sv}, which is open. */
struct body_dialog;
struct body_list;
struct body_presence;
struct body_reginfo;
struct body_row;
struct bus_writer;
struct message_summary;

void iface_summary_write_presence(struct bus_writer *w, const struct body_presence *p);
void iface_summary_write_dialog(struct bus_writer *w, const struct body_dialog *d);
void iface_summary_write_reginfo(struct bus_writer *w, const struct body_reginfo *g);
void iface_summary_write_messages(struct bus_writer *w, const struct message_summary *m);
void iface_summary_write_list(struct bus_writer *w, const struct body_list *l);

/* What iface-resource.c says of a resource, too: List, Instance, Reason. */
void iface_summary_write_instance(struct bus_writer *w, const struct body_row *instance);
