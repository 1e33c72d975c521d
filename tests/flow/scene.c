/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/flow/scene.h"

#include <check.h>

const struct world_account scene_alice = {
	.id = "alice",
	.domain = "example.com",
	.registrar = "192.0.2.1",
	.password = "secret",
	.auto_refresh = true,
};

struct scene scene_new(const struct world_account *a)
{
	struct scene s;

	s.w = world_new(1);
	s.wu = world_ua(s.w, "192.0.2.10");
	s.ep = world_endpoint(s.wu, a);
	s.r = s.ep->registration;
	return s;
}

void scene_start(const struct scene *s)
{
	ck_assert_int_eq(registration_start(s->r, &(struct registration_options){ 0 }), 0);
}

/* Registered, with nothing of it left to be told. */
void scene_registered(const struct scene *s, const char *headers)
{
	scene_start(s);
	world_reply(s->w, world_expect_out(s->w, "REGISTER"), 200, headers);
	world_settle(s->w);
	(void)world_expect_done(s->wu, UA_REGISTER, 200, 0);
	ck_assert_int_eq(s->r->state, REGISTRATION_REGISTERED);
}

const struct msg *scene_next(const struct scene *s, usec_t limit)
{
	return world_wait_out(s->w, "REGISTER", limit);
}

void scene_stop(const struct scene *s, enum registration_scope scope)
{
	ck_assert_int_eq(registration_stop(s->r, scope), 0);
}

bool scene_has_contact(const struct msg *m, const char *text)
{
	struct msg_list it = { 0 };
	struct slice value;

	while (msg_list_next(m, HDR_CONTACT, &it, &value) == 1)
		if (slice_eq(value, slice_str(text)))
			return true;
	return false;
}

size_t scene_count_contacts(const struct msg *m)
{
	struct msg_list it = { 0 };
	struct slice value;
	size_t n = 0;

	while (msg_list_next(m, HDR_CONTACT, &it, &value) == 1)
		n++;
	return n;
}

/* Seconds from now, rounded down. */
usec_t scene_in_seconds(const struct scene *s, usec_t at)
{
	ck_assert_uint_ge(at, s->wu->ua->timers.now);
	return (at - s->wu->ua->timers.now) / SEC;
}

void scene_finish(struct scene *s)
{
	bool bound = s->r->contact != NULL;

	endpoint_close(s->ep);
	if (bound)
		world_reply(s->w, world_expect_out(s->w, "REGISTER"), 200, NULL);
	world_settle(s->w);
	ck_assert_uint_eq(world_count_news(s->wu, WORLD_REMOVED), 1);
	world_run(s->w, 64 * TIMER_T1);
	world_expect_idle(s->wu);
	world_free(s->w);
}
