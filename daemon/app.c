/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/app.h"

#include <malloc.h>
#include <stdlib.h>
#include <sysexits.h>

#include "conf/config.h"
#include "conf/daemon-conf.h"
#include "daemon/hash.h"
#include "daemon/net-serve.h"
#include "daemon/net.h"
#include "daemon/random.h"
#include "daemon/state.h"
#include "daemon/tls-check.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/ua/health.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/ua-network.h"
#include "protocol/ua/ua.h"

/* ---- what the core asks for ---- */

static struct flow *host_open(void *ctx, const struct host_target *target)
{
	struct app *a = ctx;

	return net_open(a->net, target);
}

static void host_resolve(void *ctx, uint64_t query, enum dns_kind kind, const char *name)
{
	struct app *a = ctx;

	resolver_ask(&a->resolver, query, kind, name);
}

static void host_secret(void *ctx, uint64_t query, const struct host_secret_query *what)
{
	struct app *a = ctx;

	secrets_ask(&a->secrets, query, what);
}

static void host_random(void *ctx, void *out, size_t n)
{
	(void)ctx;
	random_fill(out, n);
}

static int host_listen(void *ctx, const struct host_listen *where, struct flow_addr *ret_at,
	struct host_listener **ret_listener)
{
	struct app *a = ctx;
	int r = net_serve(a->net, where, ret_at, ret_listener);

	app_bus_listeners(a);
	return r;
}

static void host_unlisten(void *ctx, struct host_listener *l)
{
	struct app *a = ctx;

	net_serve_end(l);
	app_bus_listeners(a);
}

static const struct host_ops host_ops = {
	.open = host_open,
	.resolve = host_resolve,
	.secret = host_secret,
	.random = host_random,
	.hash = hash_pieces,
	.listen = host_listen,
	.unlisten = host_unlisten,
};

/* ---- configuration ---- */

struct config *app_load(const struct app *a)
{
	const struct config_source source = { .folder = a->options->config_folder,
		.credentials_folder = getenv("CREDENTIALS_DIRECTORY") };

	return tls_check_load(&source);
}

static void log_problems(const struct app *a, const struct config *c)
{
	for (size_t i = 0; i < c->problems.n; i++) {
		const struct problem *p = &c->problems.v[i];
		struct buf line cleanup_buf = BUF_NULL;

		problem_append(&line, p);
		log_line(a->log, p->severity == PROBLEM_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			"%.*s", SLICE_ARGS(slice_trim(buf_slice(&line))));
	}
}

/* What holds for the daemon as a whole. The first error; what could be applied is. */
static int apply_daemon(struct app *a, const struct daemon_conf *d)
{
	int r = net_configure(a->net, d);
	int r2 = resolver_set_servers(&a->resolver, d->dns_servers, d->n_dns_servers);

	a->host.user_agent = d->user_agent;
	a->ua->max_endpoints =
		d->max_endpoints < LIMITS_ENDPOINTS ? d->max_endpoints : LIMITS_ENDPOINTS;
	a->ua->max_sessions = d->max_sessions < LIMITS_SESSIONS ? d->max_sessions : LIMITS_SESSIONS;
	app_bus_listeners(a);
	return r < 0 ? r : r2;
}

static void apply_profile(
	void *ctx, enum config_change change, struct profile *old, struct profile *now)
{
	struct app *a = ctx;

	if (change == CONFIG_UNCHANGED)
		return;
	if (old) {
		app_profile_removed(a, old);
		app_bus_profile_removed(a, old);
	}
	if (now) {
		app_bus_profile_added(a, now);
		app_profile_added(a, now);
	}
}

/* The place of the next profile in the new configuration: both are walked in the same order. */
struct keeper {
	struct config *now;
	size_t at;
};

/* Endpoints hold the old structs of profiles that did not change: so shall we. */
static void keep_unchanged(
	void *ctx, enum config_change change, struct profile *old, struct profile *now)
{
	struct keeper *k = ctx;

	if (!now)
		return;
	if (change == CONFIG_UNCHANGED) {
		k->now->profiles[k->at] = profile_ref(old);
		profile_unref(now);
	}
	k->at++;
}

int app_reload(struct app *a, struct config **ret_refused)
{
	struct config *now = app_load(a), *old = a->config;
	struct keeper keeper = { .now = now };

	log_problems(a, now);
	if (!config_is_usable(now)) {
		log_line(a->log, LOG_LEVEL_ERROR,
			"the configuration has errors: what held before still holds");
		*ret_refused = now;
		return -EINVAL;
	}
	loop_enter(&a->loop);
	config_compare(old, now, keep_unchanged, &keeper);
	a->config = now;
	(void)apply_daemon(a, now->daemon); /* logged there; a half-open daemon still serves */
	/* Whoever reloads has changed something, elsewhere maybe: nothing old is believed. */
	resolver_flush(&a->resolver);
	health_clear(a->ua);
	config_compare(old, now, apply_profile, a);
	config_free(old);
	access_deinit(&a->access); /* who edits groups reloads */
	log_line(a->log, LOG_LEVEL_INFO, "configuration read again: %zu profiles", now->n_profiles);
	return 0;
}

/* ---- signals ---- */

static void show_status(struct app *a)
{
	notify_status(&a->notify, "%zu profiles, %zu endpoints", a->config->n_profiles,
		a->ua->n_endpoints);
}

static void on_signal(void *ctx, enum loop_signal s)
{
	struct app *a = ctx;
	struct config *refused = NULL;

	switch (s) {
	case LOOP_TERMINATE:
		app_stop(a);
		break;
	case LOOP_RELOAD:
		if (a->stopping)
			break;
		notify_reloading(&a->notify);
		(void)app_reload(a, &refused);
		config_free(refused);
		show_status(a);
		notify_ready(&a->notify);
		break;
	}
}

/* ---- the machine moves and sleeps ---- */

static void on_network(void *ctx)
{
	struct app *a = ctx;

	resolver_forget(&a->resolver);
	loop_enter(&a->loop);
	net_moved(a->net);
	/* What could not be listened on for want of its address may be now. */
	(void)net_configure(a->net, a->config->daemon);
	app_bus_listeners(a);
	ua_network_changed(a->ua);
}

static void on_resume(void *ctx)
{
	struct app *a = ctx;

	loop_enter(&a->loop);
	net_resumed(a->net);
	ua_resumed(a->ua);
}

/* ---- the end ---- */

static void on_stop_timeout(struct timer *t)
{
	struct app *a = container_of(t, struct app, stop_timer);

	log_line(a->log, LOG_LEVEL_WARNING, "%zu endpoints could not be unregistered in time",
		a->ua->n_endpoints);
	loop_quit(&a->loop);
}

void app_stop(struct app *a)
{
	if (a->stopping) {
		loop_quit(&a->loop);
		return;
	}
	a->stopping = true;
	notify_stopping(&a->notify);
	loop_enter(&a->loop);
	timer_arm(&a->loop.timers, &a->stop_timer, APP_STOP_TIMEOUT);
	app_profile_deinit(a);
	ua_stop(a->ua);
}

/* After a flood glibc keeps what was freed, for its heap ends with the latest of what is in use. */
static void give_memory_back(struct app *a)
{
	size_t n = a->ua->txns.n;

	if (n > a->most_txns)
		a->most_txns = n;
	if (a->most_txns < APP_TRIM_TXNS || n > a->most_txns / 8)
		return;
	a->most_txns = n;
	(void)malloc_trim(0);
}

static void after_round(void *ctx)
{
	struct app *a = ctx;

	give_memory_back(a);

	if (a->stopping && ua_is_stopped(a->ua))
		loop_quit(&a->loop);
}

/* ---- from start to stop ---- */

static int start_host(struct app *a)
{
	int r;

	a->host = (struct host){ .ops = &host_ops, .ctx = a, .log = *a->log };
	r = state_open(a->options->state_folder, a->log);
	if (r == 0)
		r = state_seed(a->options->state_folder, a->log, a->host.seed);
	if (r == 0)
		r = loop_init(&a->loop, a->log);
	if (r < 0)
		return r;
	notify_init(&a->notify, &a->loop);
	r = resolver_init(&a->resolver, &a->loop, a->log);
	if (r == 0)
		r = secrets_init(&a->secrets, &a->loop, a->log);
	if (r < 0)
		return r;
	a->net = net_new(&a->loop, a->log, a->options->state_folder);
	a->watch.changed = on_network;
	a->watch.ctx = a;
	a->host.tells_network = net_watch_init(&a->watch, &a->loop, a->log) == 0;
	a->ua = a->loop.ua = ua_new(&a->host, loop_now());
	ua_set_wall(a->ua, loop_wall());
	return 0;
}

static int start(struct app *a)
{
	int r = start_host(a);

	if (r == 0)
		r = app_bus_start(a);
	if (r == 0)
		r = apply_daemon(a, a->config->daemon);
	if (r < 0)
		return r;
	for (size_t i = 0; i < a->config->n_profiles; i++) {
		app_bus_profile_added(a, a->config->profiles[i]);
		app_profile_added(a, a->config->profiles[i]);
	}
	a->loop.on_signal = on_signal;
	a->loop.on_resume = on_resume;
	a->loop.on_resume_ctx = a;
	a->loop.after = after_round;
	a->loop.on_signal_ctx = a->loop.after_ctx = a;
	return app_bus_own(a);
}

/* Against the order of start(); copes with a start that stopped half-way. */
static void finish(struct app *a)
{
	app_profile_deinit(a);
	app_bus_stop(a);
	net_watch_deinit(&a->watch);
	a->loop.ua = NULL;
	ua_free(a->ua);
	net_free(a->net);
	secrets_deinit(&a->secrets);
	resolver_deinit(&a->resolver);
	notify_deinit(&a->notify);
	if (a->loop.base) {
		timer_cancel(&a->loop.timers, &a->stop_timer);
		loop_deinit(&a->loop);
	}
	config_free(a->config);
	mem_wipe(a->host.seed, sizeof(a->host.seed));
}

int app_run(const struct app_options *options, const struct log_sink *log)
{
	struct app a = { .options = options, .log = log, .stop_timer.fire = on_stop_timeout };
	int status = EXIT_FAILURE;

	app_profile_init(&a);
	a.config = app_load(&a);
	log_problems(&a, a.config);
	if (!config_is_usable(a.config)) {
		status = EX_CONFIG;
	} else if (start(&a) == 0) {
		show_status(&a);
		notify_ready(&a.notify);
		log_line(log, LOG_LEVEL_INFO, "ready: %zu profiles", a.config->n_profiles);
		if (loop_run(&a.loop) == 0 && !a.failed)
			status = EXIT_SUCCESS;
	}
	finish(&a);
	return status;
}
