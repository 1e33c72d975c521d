/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "daemon/app.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/ua/endpoint.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/registration.h"

/*
 * Endpoints that the configuration asks for. They are made at once, so that the bus shows them
 * from the start, and register in their turn (protocol/ua/pace.h).
 */

struct start {
	struct list node;
	struct profile *profile;
};

static void start_free(struct start *s)
{
	list_remove(&s->node);
	profile_unref(s->profile);
	free(s);
}

/* The endpoint of that name if it is of this very profile; -EBUSY: an older one has the name. */
static int find_or_make(struct app *a, struct profile *p, struct endpoint **ret_endpoint)
{
	const struct endpoint_config config = { .id = p->name, .profile = p };
	struct endpoint *ep = endpoint_find(a->ua, slice_str(p->name));
	int r;

	if (ep && (ep->closing || ep->profile != p))
		return -EBUSY;
	if (ep) {
		*ret_endpoint = ep;
		return 0;
	}
	r = endpoint_new(a->ua, &config, ret_endpoint);
	if (r < 0)
		log_line(a->log, LOG_LEVEL_ERROR, "profile %s: no endpoint can be made: %s",
			p->name, strerror(-r));
	return r;
}

/* False: try again later. */
static bool begin(struct app *a, struct profile *p)
{
	const struct registration_options options = { .haste = REGISTRATION_PACED };
	struct endpoint *ep;
	int r = find_or_make(a, p, &ep);

	if (r < 0)
		return r != -EBUSY;
	if (!p->registers || !ep->registration ||
		ep->registration->state != REGISTRATION_UNREGISTERED)
		return true;
	r = registration_start(ep->registration, &options);
	if (r < 0)
		log_line(a->log, LOG_LEVEL_ERROR, "endpoint %s cannot register: %s", ep->id,
			strerror(-r));
	return true;
}

/* Those whose name is not free yet try again. */
static void begin_all(struct timer *t)
{
	struct app *a = container_of(t, struct app, begin);

	loop_enter(&a->loop);
	list_for_each_safe (node, next, &a->starts) {
		struct start *s = list_entry(node, struct start, node);

		if (begin(a, s->profile))
			start_free(s);
	}
	if (!list_is_empty(&a->starts))
		timer_arm(&a->loop.timers, t, APP_RETRY);
}

void app_profile_added(struct app *a, struct profile *p)
{
	struct endpoint *ep;
	struct start *s;
	int r;

	if (!p->enabled || !p->autostart)
		return;
	r = find_or_make(a, p, &ep);
	if (r < 0 && r != -EBUSY)
		return;
	if (r == 0 && !p->registers)
		return;
	s = mem_new(struct start);
	s->profile = profile_ref(p);
	list_append(&a->starts, &s->node);
	loop_soon(&a->loop, &a->begin);
}

void app_profile_removed(struct app *a, struct profile *p)
{
	list_for_each_safe (node, next, &a->starts) {
		struct start *s = list_entry(node, struct start, node);

		if (s->profile == p)
			start_free(s);
	}
	list_for_each_safe (node, next, &a->ua->endpoints) {
		struct endpoint *ep = list_entry(node, struct endpoint, node);

		if (ep->profile == p)
			endpoint_close(ep);
	}
}

void app_profile_init(struct app *a)
{
	list_init(&a->starts);
	a->begin.fire = begin_all;
}

void app_profile_deinit(struct app *a)
{
	struct list *node;

	while ((node = list_first(&a->starts)))
		start_free(list_entry(node, struct start, node));
	if (a->loop.base)
		timer_cancel(&a->loop.timers, &a->begin);
}
