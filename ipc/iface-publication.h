/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* org.sipbus1.Publication and Endpoint.Publish. */
#include "ipc/bus-table.h"

struct iface;

extern const struct bus_interface iface_publication;
extern const struct bus_option iface_publish_options[];

int iface_publish(struct bus_call *c, void *object);
/* Without a word to anybody on the network. */
void iface_publication_drop_all(struct iface *i);
