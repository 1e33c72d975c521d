/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A method call on its way to its one answer. Within the handler it is simply there; a handler
 * whose answer comes later keeps it and answers with the same functions. Answering ends a kept
 * call: the pointer is dead then. Callers that want no reply get none, which nobody needs to know.
 */
#include <sys/types.h>

#include "protocol/base/slice.h"

struct bus;
struct bus_call;
struct bus_object;
struct bus_reader;
struct bus_value;
struct bus_writer;

enum { BUS_CALLS_PER_CLIENT = 1024 }; /* kept at once */

/* Arguments and options borrow from the message, which does not outlive the handler. */
struct bus_reader *bus_call_args(struct bus_call *c);
/* Never NULL; look at ->given. */
const struct bus_value *bus_call_option(struct bus_call *c, unsigned row);
/* The caller's unique name. */
const char *bus_call_sender(const struct bus_call *c);
/* The caller's user; (uid_t)-1 unless a guard made it known. */
uid_t bus_call_uid(const struct bus_call *c);
struct bus *bus_call_bus(const struct bus_call *c);
struct bus_object *bus_call_object(const struct bus_call *c);

/* Opens the reply; append what the table declares, then bus_call_send(). */
void bus_call_open(struct bus_call *c, struct bus_writer *ret_w);
void bus_call_send(struct bus_call *c, struct bus_writer *w);
/* The empty reply. */
void bus_call_done(struct bus_call *c);
/*
 * The error reply for a negative errno; fmt NULL takes the table's text. Returns err, so that a
 * handler may say: return bus_call_fail(c, -EINVAL, "...");
 */
int bus_call_fail(struct bus_call *c, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Refused, with a text that begins with code and phrase: "486 Busy Here". Returns -ECONNREFUSED. */
int bus_call_refuse(struct bus_call *c, unsigned status, struct slice reason);
/* Any other error name. Returns -EIO. */
int bus_call_error(struct bus_call *c, const char *name, struct slice text);

/*
 * The call is about to end without its keeper's answer, since the object or the caller is gone. The
 * keeper may still answer; if it does not, NoSuchObject is sent. The pointer is dead afterwards.
 */
typedef void (*bus_gone_fn)(struct bus_call *c, void *ctx);
/*
 * The answer comes later; the handler returns 0. -ENOSPC is returned, and the call not kept, when
 * the caller has too many under way: return that.
 */
int bus_call_keep(struct bus_call *c, bus_gone_fn gone, void *ctx);
