/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

#include "daemon/access.h"
#include "daemon/loop.h"
#include "daemon/net-watch.h"
#include "daemon/notify.h"
#include "daemon/resolver.h"
#include "daemon/secrets.h"
#include "ipc/iface.h"
#include "protocol/ua/host.h"

struct bus_connection;
struct config;
struct net;
struct profile;

enum {
	APP_TRIM_TXNS = 5000, /* a flood of that many transactions is worth giving memory back */
};
#define APP_STOP_TIMEOUT (5 * USEC_PER_SEC) /* for unregistering; then we go without */
#define APP_RETRY (USEC_PER_SEC)            /* until an endpoint's name is free again */

struct app_options {
	const char *config_folder;
	const char *state_folder;
	const char *bus_address; /* "session", "system" or a D-Bus address */
	bool system;             /* others than our own user are on that bus */
};

/* Everything joined. One in a process; no part of it is global. */
struct app {
	const struct app_options *options;
	const struct log_sink *log;
	struct loop loop;
	struct notify notify;
	struct resolver resolver;
	struct secrets secrets;
	struct net *net;
	struct net_watch watch;
	struct host host;
	struct ua *ua;
	struct config *config;
	struct bus_connection *bus;
	struct iface_host iface_host;
	struct access access;
	struct iface *iface;

	struct list starts; /* of struct start (app-profile.c): endpoints that shall register */
	struct timer begin;

	struct timer stop_timer;
	size_t most_txns; /* since memory was given back last */
	bool stopping, failed;
};

/* Runs until told to stop. The process's exit status. */
int app_run(const struct app_options *options, const struct log_sink *log);
/* The configuration folder as it is now; config_free() is the caller's. */
struct config *app_load(const struct app *app);
/* Reads the configuration again and applies what changed; -EINVAL and nothing is applied while a
 * file has an error. Replaces app->config, whose problems are the caller's to look at. */
int app_reload(struct app *app, struct config **ret_refused);
/* Unregisters, then ends; a second time: ends at once. */
void app_stop(struct app *app);

/* app-profile.c: endpoints out of profiles. */
void app_profile_init(struct app *app);
void app_profile_deinit(struct app *app);
void app_profile_added(struct app *app, struct profile *p);
void app_profile_removed(struct app *app, struct profile *p);

/* app-bus.c: the one place where the daemon meets ipc/. */
int app_bus_start(struct app *app);
/* Takes the name, when all objects are there. */
int app_bus_own(struct app *app);
void app_bus_stop(struct app *app);
void app_bus_profile_added(struct app *app, struct profile *p);
void app_bus_profile_removed(struct app *app, struct profile *p);
/* The sockets have changed. */
void app_bus_listeners(struct app *app);
