/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/ipc/lamp.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "ipc/bus-call.h"
#include "ipc/bus-object.h"
#include "ipc/bus-option.h"
#include "ipc/bus-table.h"

static int dim(struct bus_call *c, void *object)
{
	struct lamp *l = object;
	uint32_t watts = bus_read_u(bus_call_args(c));
	const struct bus_value *fade = bus_call_option(c, LAMP_FADE);
	struct bus_writer w;

	if (fade->given && fade->u > 10)
		return bus_call_fail(c, -EINVAL, "%u is too slow", fade->u);
	l->watts = watts;
	bus_changed(l->bus, &iface_lamp, "Watts");
	bus_signal_open(&w, l->bus, &iface_lamp, "Dimmed", NULL);
	bus_write_u(&w, watts);
	bus_signal_send(&w);
	return 0;
}

static int echo(struct bus_call *c, void *object)
{
	const struct bus_value *names = bus_call_option(c, LAMP_NAMES);
	struct bus_reader pairs = names->items;
	struct bus_writer w;

	(void)object;
	bus_call_open(c, &w);
	bus_open_array(&w, "(ss)");
	while (names->given && bus_more(&pairs)) {
		struct bus_reader pair = bus_enter(&pairs);
		struct slice a = bus_read_s(&pair);

		bus_write_ss(&w, a, bus_read_s(&pair));
	}
	bus_close(&w);
	bus_write_ay(&w, bus_call_option(c, LAMP_TAG)->s);
	bus_write_s(&w, bus_call_option(c, LAMP_COLOUR)->s);
	bus_write_t(&w, bus_call_option(c, LAMP_UNTIL)->t);
	bus_write_i(&w, bus_call_option(c, LAMP_OFFSET)->i);
	bus_write_b(&w, bus_call_option(c, LAMP_SMOOTH)->b);
	bus_call_send(c, &w);
	return 0;
}

static void on_gone(struct bus_call *c, void *ctx)
{
	struct lamp *l = ctx;

	l->gone++;
	if (l->answers_gone)
		bus_call_fail(c, -ETIMEDOUT, "burnt out");
	if (l->kept == c)
		l->kept = NULL;
}

static int wait_for_it(struct bus_call *c, void *object)
{
	struct lamp *l = object;
	int r = bus_call_keep(c, on_gone, l);

	if (r == 0)
		l->kept = c;
	return r;
}

static int explode(struct bus_call *c, void *object)
{
	struct lamp *l = object;

	l->bus = bus_object_free(l->bus);
	bus_call_done(c);
	return 0;
}

static int implode(struct bus_call *c, void *object)
{
	struct lamp *l = object;
	int r = bus_call_keep(c, on_gone, l);

	l->bus = bus_object_free(l->bus);
	return r;
}

static int forget(struct bus_call *c, void *object)
{
	(void)c;
	(void)object;
	return 0;
}

static int lie(struct bus_call *c, void *object)
{
	struct bus_writer w;

	(void)object;
	bus_call_open(c, &w);
	bus_write_str(&w, "not a number");
	bus_call_send(c, &w);
	return 0;
}

static int flood(struct bus_call *c, void *object)
{
	char block[1024];
	struct bus_writer w;

	(void)object;
	memset(block, 'x', sizeof(block));
	bus_call_open(c, &w);
	bus_open_array(&w, "ay");
	for (unsigned i = 0; i < BUS_MESSAGE_MAX / sizeof(block) + 1; i++)
		bus_write_ay(&w, slice_of(block, sizeof(block)));
	bus_close(&w);
	bus_call_send(c, &w);
	return 0;
}

static int busy(struct bus_call *c, void *object)
{
	(void)object;
	return bus_call_refuse(c, 486, SLICE("Busy Here"));
}

static int give_error(struct bus_call *c, void *object)
{
	(void)object;
	return -bus_read_i(bus_call_args(c));
}

static int twice(struct bus_call *c, void *object)
{
	(void)object;
	bus_call_done(c);
	bus_call_done(c);
	return -EINVAL;
}

static void get_watts(struct bus_writer *w, void *object)
{
	struct lamp *l = object;

	l->gets++;
	bus_write_u(w, l->watts);
}

static int set_watts(struct bus_call *c, void *object)
{
	struct lamp *l = object;
	uint32_t watts = bus_read_u(bus_call_args(c));

	if (watts > 100)
		return bus_call_fail(c, -EINVAL, "%u W melts it", watts);
	l->watts = watts;
	bus_changed(l->bus, &iface_lamp, "Watts");
	return 0;
}

static void get_label(struct bus_writer *w, void *object)
{
	bus_write_str(w, ((struct lamp *)object)->label);
}

static void get_path(struct bus_writer *w, void *object)
{
	(void)object;
	bus_write_o(w, NULL);
}

static const struct bus_option echo_options[] = {
	[LAMP_FADE] = { "Fade", "u", "Seconds." },
	[LAMP_NAMES] = { "Names", "a(ss)", "Pairs." },
	[LAMP_TAG] = { "Tag", "ay", "Bytes." },
	[LAMP_COLOUR] = { "Colour", "s", "Any." },
	[LAMP_UNTIL] = { "Until", "t", "When." },
	[LAMP_OFFSET] = { "Offset", "i", "Signed." },
	[LAMP_SMOOTH] = { "Smooth", "b", "Or not." },
	{ 0 },
};

static const struct bus_method methods[] = {
	{ .name = "Dim",
		.in = "ua{sv}",
		.args = BUS_ARGS("watts", "options"),
		.options = echo_options,
		.call = dim,
		.doc = "Sets the power -- at once." },
	{ .name = "Echo",
		.in = "a{sv}",
		.out = "a(ss)aystib",
		.args = BUS_ARGS("options", "names", "tag", "colour", "until", "offset", "smooth"),
		.options = echo_options,
		.call = echo },
	{ .name = "Plain", .in = "a{sv}", .args = BUS_ARGS("options"), .call = forget },
	{ .name = "Wait", .out = "u", .args = BUS_ARGS("watts"), .call = wait_for_it },
	{ .name = "Explode", .call = explode, .flags = BUS_PRIVILEGED },
	{ .name = "Implode", .call = implode },
	{ .name = "Forget", .out = "u", .call = forget },
	{ .name = "Lie", .out = "u", .call = lie },
	{ .name = "Flood", .out = "aay", .call = flood },
	{ .name = "Busy", .call = busy, .flags = BUS_DEPRECATED | BUS_NO_REPLY },
	{ .name = "Fail", .in = "i", .args = BUS_ARGS("errno"), .call = give_error },
	{ .name = "Twice", .call = twice },
	{ 0 },
};

static const struct bus_property properties[] = {
	{ .name = "Watts", .sig = "u", .get = get_watts, .set = set_watts, .flags = BUS_EMITS },
	{ .name = "Label", .sig = "s", .get = get_label, .flags = BUS_INVALIDATES },
	{ .name = "Secret", .sig = "s", .get = get_label, .flags = BUS_EMITS | BUS_PRIVILEGED },
	{ .name = "Maker", .sig = "o", .get = get_path, .flags = BUS_CONST },
	{ .name = "Noise", .sig = "u", .get = get_watts, .flags = BUS_DEPRECATED },
	{ 0 },
};

static const struct bus_signal signals[] = {
	{ .name = "Dimmed", .sig = "u", .args = BUS_ARGS("watts") },
	{ .name = "Told", .sig = "ay", .args = BUS_ARGS("body"), .flags = BUS_UNICAST },
	{ 0 },
};

const struct bus_interface iface_lamp = {
	.name = "org.example.Lamp",
	.methods = methods,
	.properties = properties,
	.signals = signals,
	.doc = "A lamp.",
};

static const struct bus_method switch_methods[] = { { .name = "Off", .call = forget }, { 0 } };
static const struct bus_property switch_properties[] = {
	{ .name = "State", .sig = "s", .get = get_label, .flags = BUS_EMITS }, { 0 }
};

const struct bus_interface iface_switch = {
	.name = "org.example.Switch",
	.methods = switch_methods,
	.properties = switch_properties,
};

static int guard(const struct bus_access *a, void *object)
{
	struct lamp *l = object;

	if (!a->sender)
		return l->watch_only && a->member && strcmp(a->member, "Watts") == 0 ? -EPERM : 0;
	ck_assert_uint_ne(a->uid, (uid_t)-1);
	if (l->denied && a->uid == l->denied)
		return -EPERM;
	return a->flags & BUS_PRIVILEGED && a->uid != 0 ? -EPERM : 0;
}

const struct bus_interface iface_guarded = {
	.name = "org.example.Lamp",
	.methods = methods,
	.properties = properties,
	.signals = signals,
	.guard = guard,
};

const struct bus_interface *const lamp_interfaces[] = { &iface_lamp, &iface_switch, NULL };
const struct bus_interface *const guarded_interfaces[] = { &iface_guarded, NULL };

void lamp_init(struct lamp *l, struct bus *bus, const char *path,
	const struct bus_interface *const *interfaces)
{
	*l = (struct lamp){ .watts = 40, .label = "desk" };
	ck_assert_int_eq(bus_object_new(bus, path, interfaces, l, &l->bus), 0);
}

void lamp_deinit(struct lamp *l)
{
	l->bus = bus_object_free(l->bus);
}
