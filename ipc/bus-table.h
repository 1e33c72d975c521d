/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What an object looks like on the bus: dispatch, argument checks, properties, change signals,
 * introspection and its documentation all come from these rows. A whole object:
 *	static int dim(struct bus_call *c, void *object)
 *	{
 *		struct lamp *lamp = object; // { struct bus_object *bus; uint32_t watts; }
 *		uint32_t watts = bus_read_u(bus_call_args(c));
 *		struct bus_writer w;
 *		const struct bus_value *fade = bus_call_option(c, DIM_FADE);
 *		if (fade->given && fade->u > 10)
 *			return bus_call_fail(c, -EINVAL, "%u is too slow", fade->u);
 *		lamp->watts = watts;
 *		bus_changed(lamp->bus, &iface_lamp, "Watts");
 *		bus_signal_open(&w, lamp->bus, &iface_lamp, "Dimmed", NULL); // NULL: to everyone
 *		bus_write_u(&w, watts);
 *		bus_signal_send(&w);
 *		return 0; // the empty reply is sent for us
 *	}
 *	static void get_watts(struct bus_writer *w, void *object)
 *	{
 *		bus_write_u(w, ((struct lamp *)object)->watts);
 *	}
 *	const struct bus_interface iface_lamp = {
 *		.name = "org.example.Lamp",
 *		.methods = (const struct bus_method[]){
 *			{ .name = "Dim", .in = "ua{sv}", .args = BUS_ARGS("watts", "options"),
 *			  .options = (const struct bus_option[]){
 *				[DIM_FADE] = { "Fade", "u", "Seconds, at most 10." }, { 0 } },
 *			  .call = dim, .doc = "Sets the power." }, { 0 } },
 *		.properties = (const struct bus_property[]){
 *			{ .name = "Watts", .sig = "u", .get = get_watts, .flags = BUS_EMITS },
 *			{ 0 } },
 *		.signals = (const struct bus_signal[]){
 *			{ .name = "Dimmed", .sig = "u", .args = BUS_ARGS("watts") }, { 0 } },
 *	};
 *	static const struct bus_interface *const lamp_interfaces[] = { &iface_lamp, NULL };
 *	r = bus_object_new(bus, "/org/example/lamp", lamp_interfaces, lamp, &lamp->bus);
 */
#include <sys/types.h>

struct bus_call;
struct bus_writer;
enum {
	BUS_DEPRECATED = 1 << 0,
	BUS_NO_REPLY = 1 << 1,    /* method: documented as one whose answer nobody needs */
	BUS_PRIVILEGED = 1 << 2,  /* method, property: the guard sees the flag */
	BUS_CONST = 1 << 3,       /* property: never changes while the object lives */
	BUS_EMITS = 1 << 4,       /* property: PropertiesChanged carries the new value */
	BUS_INVALIDATES = 1 << 5, /* property: PropertiesChanged carries the name alone */
	BUS_UNICAST = 1 << 6,     /* signal: is content, never goes out without a destination */
	BUS_STATE = 1 << 7,       /* property: a state or code; the guard sees the flag */
	BUS_OWNER = 1 << 8,       /* method: for the object's owner; the guard sees the flag */
};
enum { BUS_OPTIONS_MAX = 32, BUS_PROPERTIES_MAX = 64 }; /* of one method, one interface */

/* Argument names, in then out. */
#define BUS_ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* A key of an a{sv}; the row without a name ends the table. */
struct bus_option {
	const char *name, *sig, *doc;
};

struct bus_method {
	const char *name;
	const char *in, *out; /* signatures; NULL: no arguments */
	const char *const *args;
	/* Keys of the last argument where that is an a{sv}; NULL: it has to be empty. */
	const struct bus_option *options;
	/* 0: answered, or kept by bus_call_keep(), or done with nothing to return. Negative errno:
	 * the error reply of bus-error.h, with the text given to bus_call_fail() if there was one.
	 */
	int (*call)(struct bus_call *c, void *object);
	unsigned flags;
	const char *doc;
};

struct bus_property {
	const char *name, *sig;
	/* Appends one complete value of type sig. */
	void (*get)(struct bus_writer *w, void *object);
	/* NULL: read only. bus_call_args() is the value; returns what a method's call returns. */
	int (*set)(struct bus_call *c, void *object);
	unsigned flags;
	const char *doc;
};

struct bus_signal {
	const char *name, *sig;
	const char *const *args;
	unsigned flags;
	const char *doc;
};

enum bus_verb { BUS_VERB_CALL, BUS_VERB_READ, BUS_VERB_WRITE };

/* Who wants what. Without a sender: may everybody hear this in a broadcast? */
struct bus_access {
	const char *sender; /* unique name */
	uid_t uid;
	enum bus_verb verb;
	const char *member; /* NULL: is the interface visible at all? */
	unsigned flags;     /* of the member's row */
};

struct bus_interface {
	const char *name;
	const struct bus_method *methods;
	const struct bus_property *properties;
	const struct bus_signal *signals;
	/*
	 * Asked before every call, read and write; NULL: everybody may. 0, or -EPERM to deny. Once
	 * an object with a guard exists, no call is dispatched before its caller's uid is known.
	 * Change signals carry the values that everybody may hear, and the names of the rest.
	 */
	int (*guard)(const struct bus_access *a, void *object);
	const char *doc;
};
