/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/timer.h"

struct loop;

/* What the service manager is told (sd_notify(3)); all of it is silent when there is none. */
struct notify {
	struct loop *loop;
	struct timer watchdog;
	usec_t interval; /* 0: no watchdog asked for */
};

void notify_init(struct notify *n, struct loop *loop);
void notify_deinit(struct notify *n);
/* Up; from now on the watchdog is fed from the loop, so a loop that hangs is noticed. */
void notify_ready(struct notify *n);
/* Reading the configuration again; notify_ready() ends it. */
void notify_reloading(struct notify *n);
void notify_stopping(struct notify *n);
/* One line for `systemctl status`. */
void notify_status(struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
