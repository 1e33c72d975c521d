/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/ua.h"

static usec_t usec_of(const struct timespec *ts)
{
	return (usec_t)ts->tv_sec * USEC_PER_SEC + (usec_t)ts->tv_nsec / 1000;
}

static struct timespec timespec_of(usec_t t)
{
	return (struct timespec){ .tv_sec = (time_t)(t / USEC_PER_SEC),
		.tv_nsec = (long)(t % USEC_PER_SEC) * 1000 };
}

usec_t loop_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return usec_of(&ts);
}

/* CLOCK_MONOTONIC stands still meanwhile. */
static usec_t slept_so_far(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return loop_now() - usec_of(&ts);
}

int64_t loop_wall(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)usec_of(&ts);
}

void loop_enter(struct loop *l)
{
	usec_t now = loop_now();

	/* Ours are only told the time here and fire between two rounds, outside of any input. */
	l->timers.now = now;
	if (l->ua)
		ua_advance(l->ua, now);
}

void loop_soon(struct loop *l, struct timer *t)
{
	/* Not at once: what queues itself again while firing has to wait for the next round. */
	if (!timer_is_armed(t))
		timer_arm(&l->timers, t, 1);
}

/* ---- deadlines ---- */

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct loop *l = ctx;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof(n));
	l->armed = USEC_NEVER;
	loop_enter(l);
}

/* Absolute and on the suspend-counting clock, so that a late wake-up sees what is due. */
static void arm(struct loop *l)
{
	usec_t at = timerq_next(&l->timers);
	struct itimerspec spec = { 0 };

	if (l->ua && ua_deadline(l->ua) < at)
		at = ua_deadline(l->ua);
	if (at == l->armed)
		return;
	l->armed = at;
	/* All zero would disarm, which is what USEC_NEVER wants and a deadline at 0 does not. */
	if (at != USEC_NEVER)
		spec.it_value = timespec_of(at ? at : 1);
	if (timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) < 0)
		log_line(l->log, LOG_LEVEL_ERROR, "timer cannot be set: %s", strerror(errno));
}

/* ---- the wall clock: only whether somebody set it, as the kernel does after a sleep ---- */

static void watch_clock(struct loop *l)
{
	struct itimerspec spec = { .it_value = timespec_of(((usec_t)1 << 62) / 1000) };

	(void)timerfd_settime(
		l->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL);
}

static void on_clock(evutil_socket_t fd, short what, void *ctx)
{
	struct loop *l = ctx;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof(n)); /* ECANCELED: the clock was set */
	watch_clock(l);
	loop_enter(l);
	if (l->ua)
		ua_set_wall(l->ua, loop_wall());
}

/* ---- signals ---- */

static void on_terminate(evutil_socket_t number, short what, void *ctx)
{
	struct loop *l = ctx;

	(void)number;
	(void)what;
	if (l->on_signal)
		l->on_signal(l->on_signal_ctx, LOOP_TERMINATE);
}

static void on_reload(evutil_socket_t number, short what, void *ctx)
{
	struct loop *l = ctx;

	(void)number;
	(void)what;
	if (l->on_signal)
		l->on_signal(l->on_signal_ctx, LOOP_RELOAD);
}

static struct event *add(struct loop *l, struct event *e)
{
	if (!e || event_add(e, NULL) < 0) {
		log_line(l->log, LOG_LEVEL_ERROR, "event loop: an event cannot be added");
		if (e)
			event_free(e);
		return NULL;
	}
	return e;
}

static int make_events(struct loop *l)
{
	struct event_base *b = l->base;

	l->timer_event = add(l, event_new(b, l->timer_fd, EV_READ | EV_PERSIST, on_timer, l));
	l->clock_event = add(l, event_new(b, l->clock_fd, EV_READ | EV_PERSIST, on_clock, l));
	l->signal_events[0] = add(l, evsignal_new(b, SIGTERM, on_terminate, l));
	l->signal_events[1] = add(l, evsignal_new(b, SIGINT, on_terminate, l));
	l->signal_events[2] = add(l, evsignal_new(b, SIGHUP, on_reload, l));
	for (size_t i = 0; i < ARRAY_LEN(l->signal_events); i++)
		if (!l->signal_events[i])
			return -EIO;
	return l->timer_event && l->clock_event ? 0 : -EIO;
}

int loop_init(struct loop *l, const struct log_sink *log)
{
	int r = 0;

	*l = (struct loop){ .log = log, .timer_fd = -1, .clock_fd = -1, .armed = USEC_NEVER };
	timerq_init(&l->timers, loop_now());
	l->slept = slept_so_far();
	l->base = event_base_new();
	l->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	l->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (!l->base || l->timer_fd < 0 || l->clock_fd < 0) {
		r = -errno;
		log_line(log, LOG_LEVEL_ERROR, "event loop cannot be made: %s", strerror(-r));
	} else {
		r = make_events(l);
	}
	if (r < 0)
		loop_deinit(l);
	else
		watch_clock(l);
	return r;
}

static void drop(struct event *e)
{
	if (e)
		event_free(e);
}

/*
 * Who tells us to end once more while we do so does not kill us: without its events each signal
 * has its deadly default again.
 */
static void hold_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

void loop_deinit(struct loop *l)
{
	timerq_deinit(&l->timers);
	drop(l->timer_event);
	drop(l->clock_event);
	hold_signals();
	for (size_t i = 0; i < ARRAY_LEN(l->signal_events); i++)
		drop(l->signal_events[i]);
	if (l->base)
		event_base_free(l->base);
	if (l->timer_fd >= 0)
		(void)close(l->timer_fd);
	if (l->clock_fd >= 0)
		(void)close(l->clock_fd);
	*l = (struct loop){ .timer_fd = -1, .clock_fd = -1 };
}

void loop_quit(struct loop *l)
{
	l->quit = true;
}

static void notice_sleep(struct loop *l)
{
	usec_t now = slept_so_far();
	int64_t more = (int64_t)(now - l->slept);

	if (more < (int64_t)LOOP_SLEEP)
		return;
	l->slept = now;
	log_line(l->log, LOG_LEVEL_INFO, "awake again after %lld s",
		(long long)more / (long long)USEC_PER_SEC);
	if (l->on_resume)
		l->on_resume(l->on_resume_ctx);
}

int loop_run(struct loop *l)
{
	while (!l->quit) {
		arm(l);
		if (event_base_loop(l->base, EVLOOP_ONCE) != 0) {
			log_line(l->log, LOG_LEVEL_ERROR, "event loop: %s", strerror(errno));
			return -EIO;
		}
		timerq_run(&l->timers, loop_now());
		notice_sleep(l);
		if (l->after)
			l->after(l->after_ctx);
	}
	return 0;
}
