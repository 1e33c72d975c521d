/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "conf/config.h"
#include "conf/daemon-conf.h"
#include "daemon/access.h"
#include "daemon/app.h"
#include "daemon/net.h"
#include "daemon/tls.h"
#include "ipc/bus-connection.h"
#include "ipc/iface.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

#define BUS_NAME "org.sipbus1"
#define BUS_ROOT "/org/sipbus1"

enum { LISTENERS_MAX = 128 };

/* ---- what only the daemon can do ---- */

static void report_problems(const struct config *c, iface_report_fn *report, void *report_ctx)
{
	for (size_t i = 0; i < c->problems.n; i++) {
		const struct problem *p = &c->problems.v[i];
		const struct iface_problem told = { .severity = problem_severity_name(p->severity),
			.file = p->file,
			.line = p->line,
			.text = p->text };

		report(report_ctx, &told);
	}
}

static void on_check(void *ctx, iface_report_fn *report, void *report_ctx)
{
	struct config *c = app_load(ctx);

	report_problems(c, report, report_ctx);
	config_free(c);
}

static int on_reload(void *ctx, iface_report_fn *report, void *report_ctx)
{
	struct app *a = ctx;
	struct config *refused = NULL;
	int r;

	if (a->stopping)
		return -ESTALE;
	r = app_reload(a, &refused);
	report_problems(refused ? refused : a->config, report, report_ctx);
	config_free(refused);
	return r;
}

static bool on_may_use(void *ctx, uid_t uid, const struct profile *p)
{
	struct app *a = ctx;

	return access_may_use(&a->access, a->config->daemon, p, uid);
}

static bool on_is_administrator(void *ctx, uid_t uid)
{
	(void)ctx;
	return access_is_administrator(uid);
}

static void on_secret(void *ctx, uint64_t query, struct slice user, struct slice password)
{
	struct app *a = ctx;

	secrets_answer(&a->secrets, query, user, password);
}

static struct profile *on_find_profile(void *ctx, struct slice name)
{
	const struct app *a = ctx;
	char *text cleanup_free = slice_dup(name);

	return strlen(text) == name.n ? config_find_profile(a->config, text) : NULL;
}

static struct flow *on_next_flow(void *ctx, const struct flow *after)
{
	const struct app *a = ctx;

	return net_next_connection(a->net, after);
}

static void on_count(void *ctx, iface_count_fn *report, void *report_ctx)
{
	const struct app *a = ctx;
	const struct net_counters *n = net_counters(a->net);

	report(report_ctx, "ConnectionsIn", n->connections_in);
	report(report_ctx, "ConnectionsOut", n->connections_out);
	report(report_ctx, "ConnectionsRefused", n->connections_refused);
	report(report_ctx, "DatagramsDropped", n->datagrams_dropped);
	report(report_ctx, "DatagramsIn", n->datagrams_in);
	report(report_ctx, "DatagramsOut", n->datagrams_out);
	report(report_ctx, "FramesBad", n->frames_bad);
	report(report_ctx, "FramesIn", n->frames_in);
	report(report_ctx, "Handshakes", n->handshakes);
	report(report_ctx, "HandshakesFailed", n->handshakes_failed);
}

static void ask_agent(void *ctx, uint64_t query, const struct host_secret_query *what)
{
	struct app *a = ctx;

	if (iface_ask_secret(a->iface, query, what) < 0)
		secrets_answer(&a->secrets, query, SLICE_NULL, SLICE_NULL);
}

static void on_certificate(void *ctx, uint64_t query, enum iface_trust trust)
{
	struct app *a = ctx;

	net_decide(a->net, query, trust == IFACE_TRUSTED ? TLS_NO_FAILURE : TLS_UNTRUSTED);
}

static int ask_about_certificate(void *ctx, const struct net_question *q)
{
	struct app *a = ctx;
	const struct iface_certificate what = { .query = q->flow,
		.profile = q->profile,
		.server = q->domain,
		.address = q->at.host,
		.port = q->at.port,
		.subject = q->peer->subject,
		.issuer = q->peer->issuer,
		.fingerprint = q->peer->fingerprint,
		.not_after = q->peer->not_after,
		.bytes = q->certificate };

	if (!a->iface || !q->profile || !q->domain)
		return -ENOENT;
	return iface_ask_certificate(a->iface, &what);
}

/* ---- life ---- */

/* Without its bus the daemon is deaf to its users: it says goodbye to registrars and ends. */
static void on_lost(void *ctx)
{
	struct app *a = ctx;

	if (a->stopping)
		return;
	log_line(a->log, LOG_LEVEL_ERROR, "the message bus is gone");
	a->failed = true;
	app_stop(a);
}

static void on_enter(void *ctx)
{
	struct app *a = ctx;

	loop_enter(&a->loop);
}

int app_bus_start(struct app *a)
{
	const struct bus_connection_setup setup = { .address = a->options->bus_address,
		.root = BUS_ROOT,
		.log = a->log,
		.lost = on_lost,
		.enter = on_enter,
		.ctx = a };
	int r;

	a->iface_host = (struct iface_host){ .check = on_check,
		.reload = on_reload,
		.may_use = on_may_use,
		.is_administrator = on_is_administrator,
		.secret = on_secret,
		.certificate = on_certificate,
		.find_profile = on_find_profile,
		.next_flow = on_next_flow,
		.count = on_count,
		.one_user = !a->options->system,
		.ctx = a };
	r = bus_connection_new(a->loop.base, &setup, &a->bus);
	if (r == 0)
		r = iface_new(bus_connection_bus(a->bus), a->ua, &a->iface_host, &a->iface);
	if (r < 0)
		return r;
	a->secrets.ask_agent = ask_agent;
	a->secrets.agent_ctx = a;
	net_set_ask(a->net, ask_about_certificate, a);
	return 0;
}

int app_bus_own(struct app *a)
{
	int r = bus_connection_own(a->bus, BUS_NAME);

	if (r == -EEXIST)
		log_line(a->log, LOG_LEVEL_ERROR, "another process owns " BUS_NAME);
	else if (r < 0)
		log_line(a->log, LOG_LEVEL_ERROR, "cannot own " BUS_NAME ": %s", strerror(-r));
	return r;
}

void app_bus_stop(struct app *a)
{
	a->secrets.ask_agent = NULL;
	if (a->net) /* a start that stopped half-way has none */
		net_set_ask(a->net, NULL, NULL);
	a->iface = iface_free(a->iface);
	a->bus = bus_connection_free(a->bus);
	access_deinit(&a->access);
}

void app_bus_profile_added(struct app *a, struct profile *p)
{
	iface_profile_add(a->iface, p);
}

void app_bus_profile_removed(struct app *a, struct profile *p)
{
	iface_profile_remove(a->iface, p);
}

void app_bus_listeners(struct app *a)
{
	struct net_listening at[LISTENERS_MAX];
	struct iface_listener told[LISTENERS_MAX];
	char ports[LISTENERS_MAX][8];
	size_t n = net_listening(a->net, at, LISTENERS_MAX);

	if (!a->iface)
		return;
	n = n < LISTENERS_MAX ? n : LISTENERS_MAX;
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(ports[i], sizeof(ports[i]), "%u", at[i].at.port);
		told[i] = (struct iface_listener){ .transport = transport_name(at[i].transport),
			.address = at[i].at.host,
			.port = ports[i] };
	}
	iface_set_listeners(a->iface, told, n);
}
