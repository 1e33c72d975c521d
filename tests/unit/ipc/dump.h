/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <dbus/dbus.h>

/*
 * The arguments of a message on one line: {Key=value ...}, [item ...], (member ...), texts as they
 * are, bytes as the text that they are. The buffer is the next call's.
 */
const char *dump_arguments(DBusMessage *m);
