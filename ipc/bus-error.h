/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The one table between negative errno (protocol/base/err.h) and names of D-Bus errors. */

#define BUS_ERROR(name) "org.sipbus1.Error." name
#define BUS_ERROR_REFUSED BUS_ERROR("Refused")
/* An agent's word for: not mine, ask the next one. */
#define BUS_ERROR_PASS BUS_ERROR("Pass")

/* Never NULL: what the table does not know is org.freedesktop.DBus.Error.Failed. */
const char *bus_error_name(int err);
/* What to say where nobody said anything better. */
const char *bus_error_text(int err);
/* The way back, for the errors that clients answer with; -EIO for unknown names. */
int bus_error_errno(const char *name);
