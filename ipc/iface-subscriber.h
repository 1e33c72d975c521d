/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* org.sipbus1.Subscriber, what its files share: life and news, verbs, properties. */
#include "ipc/bus-table.h"
#include "ipc/iface-owner.h"
#include "protocol/ua/subscriber.h"

struct agent_ask;
struct bus_object;
struct bus_writer;
struct iface;

extern const struct bus_interface iface_subscriber;

enum {
	/* A subscriber whose owner is lost, and that nobody else would take, comes back then. */
	IFACE_SUBSCRIBER_RETRY_SECONDS = 60,
};

struct iface_subscriber {
	struct list node; /* in iface->subscribers */
	struct iface *iface;
	struct subscriber *s;
	struct bus_object *object;
	struct iface_owned owned;
	struct agent_ask *ask; /* agents are asked who takes it; NULL: not now */
	struct msg *last;      /* the SUBSCRIBE that brought the body in force */
	/* What nobody was there to hear. */
	bool state_wanted, body_came;
};

/* ---- iface-subscriber.c ---- */

/* The ua's news. */
void iface_subscriber_incoming(struct iface *i, struct subscriber *s);
void iface_subscriber_changed(struct subscriber *s, unsigned changes);
void iface_subscriber_event(struct subscriber *s, enum subscriber_news news, const struct msg *m);
void iface_subscriber_removed(struct subscriber *s, const struct subscriber_end *end);
/* The bus goes, the subscribers stay with the ua. */
void iface_subscriber_drop_all(struct iface *i);

const char *iface_subscriber_path(const struct iface_subscriber *is);
/* Whether that client may act on it: its owner; nobody but who is asked; or anybody. */
bool iface_subscriber_is_for(const struct iface_subscriber *is, const char *client);
/* The client, whose message is being handled, owns it from now on, and hears what waited. */
void iface_subscriber_take(struct iface_subscriber *is, const char *client);

/* ---- iface-subscriber-verbs.c ---- */

extern const struct bus_method iface_subscriber_methods[];
/* Endpoint.NotifyAll. */
extern const struct bus_option iface_notify_all_options[];
int iface_notify_all(struct bus_call *c, void *object);

/* ---- iface-subscriber-props.c ---- */

extern const struct bus_property iface_subscriber_properties[];
/* Its headers as a(ss), without what somebody asserts whom we do not believe (RFC 3325). */
void iface_subscriber_write_headers(struct bus_writer *w, const struct iface_subscriber *is);
/* What a SUBSCRIBE says, for a property or a detail: one complete value each. */
void iface_subscriber_write_accept(struct bus_writer *w, const struct msg *m);
/* The parameters of Event without the first semicolon: "id=7". */
struct slice iface_subscriber_event_parameters(const struct msg *m);
