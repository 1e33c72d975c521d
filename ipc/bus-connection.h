/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A struct bus on a private connection to a message bus, driven by libevent. */
#include "protocol/base/slice.h"

struct bus;
struct bus_connection;
struct event_base;
struct log_sink;

struct bus_connection_setup {
	/* "session", "system" or any D-Bus address. */
	const char *address;
	/* Path of the ObjectManager. */
	const char *root;
	const struct log_sink *log;
	/* The bus hung up. Runs inside the loop: end the loop, then bus_connection_free(). */
	void (*lost)(void *ctx);
	/* Around everything that runs from the loop, so that a clock can be set first; may be NULL.
	 */
	void (*enter)(void *ctx);
	void (*leave)(void *ctx);
	void *ctx;
};

/*
 * Connects and says Hello; blocks for as long as that takes, so do it at start. `setup` is copied,
 * its strings are not. -ECONNREFUSED: nobody there, the reason is in the log.
 */
int bus_connection_new(struct event_base *base, const struct bus_connection_setup *setup,
	struct bus_connection **ret_connection);
/*
 * Sends what waits, for a second at most, then closes. Every object has to be gone. NULL in, NULL
 * out.
 */
struct bus_connection *bus_connection_free(struct bus_connection *c);

struct bus *bus_connection_bus(struct bus_connection *c);
/* Our unique name. */
const char *bus_connection_name(const struct bus_connection *c);
/*
 * Owns a well-known name, after the objects are there and before the loop runs; blocks. -EEXIST:
 * someone else has it. -EPERM: the bus's policy says no. -EIO: anything else.
 */
int bus_connection_own(struct bus_connection *c, const char *name);
