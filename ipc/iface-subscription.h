/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* org.sipbus1.Subscription. At the moment what Endpoint.Refer makes, and nothing else. */
#include "ipc/bus-table.h"

struct iface;

extern const struct bus_interface iface_subscription;

/* Endpoint.Refer. */
extern const struct bus_option iface_refer_options[];
int iface_refer(struct bus_call *c, void *object);

/* Ends all of them without a word to anybody on the network. */
void iface_subscription_drop_all(struct iface *i);
