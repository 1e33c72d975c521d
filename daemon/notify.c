/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/notify.h"

#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "daemon/loop.h"
#include "protocol/base/mem.h"

static void feed(struct timer *t)
{
	struct notify *n = container_of(t, struct notify, watchdog);

	(void)sd_notify(0, "WATCHDOG=1");
	timer_arm(&n->loop->timers, t, n->interval);
}

void notify_init(struct notify *n, struct loop *loop)
{
	uint64_t usec = 0;

	*n = (struct notify){ .loop = loop, .watchdog.fire = feed };
	if (sd_watchdog_enabled(0, &usec) > 0)
		n->interval = usec / 2;
}

void notify_deinit(struct notify *n)
{
	if (n->loop)
		timer_cancel(&n->loop->timers, &n->watchdog);
}

void notify_ready(struct notify *n)
{
	(void)sd_notify(0, "READY=1");
	if (n->interval && !timer_is_armed(&n->watchdog))
		feed(&n->watchdog);
}

void notify_reloading(struct notify *n)
{
	struct timespec ts;

	(void)n;
	/* Type=notify-reload matches this moment with its own (sd_notify(3)). */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)ts.tv_sec * USEC_PER_SEC +
			(unsigned long long)ts.tv_nsec / 1000);
}

void notify_stopping(struct notify *n)
{
	(void)n;
	(void)sd_notify(0, "STOPPING=1");
}

void notify_status(struct notify *n, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	(void)n;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)sd_notifyf(0, "STATUS=%s", text);
}
