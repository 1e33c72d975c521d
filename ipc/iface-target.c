/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manager.GetTargets: servers in trouble, as protocol/ua/health.h knows them. */
#include "ipc/bus-call.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "protocol/msg/build.h"
#include "protocol/ua/health.h"

struct target_list {
	const struct ua *ua;
	struct bus_writer w;
};

static void write_target(void *ctx, const struct health_view *v)
{
	struct target_list *l = ctx;
	struct buf address = BUF_NULL;

	build_hostport(&address, slice_str(v->addr.host), v->addr.port);
	bus_open_dict(&l->w);
	bus_entry_str(&l->w, "Target", v->target);
	bus_entry_str(&l->w, "Transport", transport_name(v->transport));
	bus_entry_s(&l->w, "Address", buf_slice(&address));
	bus_entry_str(&l->w, "State", v->until > l->ua->timers.now ? "avoided" : "probation");
	bus_entry_t(&l->w, "Until", ua_epoch_seconds(l->ua, v->until));
	bus_entry_str(&l->w, "Reason", v->reason);
	bus_entry_u(&l->w, "RetryAfter", v->retry_after);
	bus_close(&l->w);
	buf_deinit(&address);
}

int iface_target_list(struct bus_call *c, void *object)
{
	struct iface *i = object;
	struct target_list l = { .ua = i->ua };

	bus_call_open(c, &l.w);
	bus_open_array(&l.w, "a{sv}");
	health_for_each(i->ua, write_target, &l);
	bus_close(&l.w);
	bus_call_send(c, &l.w);
	return 0;
}
