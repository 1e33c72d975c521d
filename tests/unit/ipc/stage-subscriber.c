/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/ipc/stage-subscriber.h"

#include <string.h>

#include "ipc/bus-object.h"
#include "ipc/iface-subscriber.h"
#include "protocol/msg/msg.h"

/* ---- by SIP ---- */

void stage_subscribe(
	struct stage *s, struct stage_watcher *w, const char *headers, const char *body)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"SUBSCRIBE %s SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{n};rport\n"
		"Max-Forwards: 70\n"
		"From: \"Mr %s\" <sip:%s@example.com>;tag=%s\n"
		"To: <sip:alice@example.com>%s%s\n"
		"Call-ID: %s\n"
		"CSeq: %u SUBSCRIBE\n"
		"Contact: <sip:%s@192.0.2.9>\n"
		"Event: %s\n"
		"%sContent-Length: %zu\n\n%s",
		*w->tag ? "{contact}" : "sip:alice@example.com", w->name, w->name, w->name,
		*w->tag ? ";tag=" : "", w->tag, w->name, ++w->cseq, w->name,
		w->event ? w->event : "presence", headers, strlen(body), body);
	world_in(s->alice, STAGE_PEER, text);
	stage_settle(s);
}

const struct msg *stage_subscribed(struct stage *s, struct stage_watcher *w, const char *status)
{
	const struct msg *m = world_expect_out(s->w, status);

	ck_assert(slice_eq(m->cseq_method_name, SLICE("SUBSCRIBE")));
	ck_assert(slice_eq(m->call_id, slice_str(w->name)));
	(void)snprintf(w->tag, sizeof(w->tag), "%.*s", SLICE_ARGS(m->to_tag));
	return m;
}

const struct msg *stage_notified(struct stage *s, const char *substate)
{
	const struct msg *m = world_expect_out(s->w, "NOTIFY");
	struct slice value = msg_header(m, HDR_SUBSCRIPTION_STATE);

	ck_assert_msg(slice_starts(value, slice_str(substate)), "%.*s came, %s expected",
		SLICE_ARGS(value), substate);
	world_reply(s->w, m, 200, NULL);
	stage_settle(s);
	return m;
}

/* ---- the agent ---- */

uint32_t stage_asked_about(
	struct stage *s, const char *client, struct stage_watcher *w, DBusMessage **ret)
{
	const char *text;
	DBusMessage *m;
	uint32_t serial = stage_asked(s, client, "SubscriptionReceived", &m);

	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_OBJECT_PATH, &text, DBUS_TYPE_INVALID));
	(void)snprintf(w->path, sizeof(w->path), "%s", text);
	if (ret)
		*ret = m;
	return serial;
}

void stage_take(struct stage *s, const char *client, uint32_t serial)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);

	dbus_message_set_reply_serial(m, serial);
	(void)recorder_deliver_from(&s->r, m, client);
	stage_settle(s);
}

void stage_watched(struct stage *s, const char *client, struct stage_watcher *w, const char *state)
{
	stage_subscribe(s, w, "Expires: 600\n", "");
	stage_take(s, client, stage_asked_about(s, client, w, NULL));
	stage_watcher_verb(s, client, w, "Accept",
		(struct stage_option[]){
			STAGE_TEXT("ContentType", STAGE_PIDF), STAGE_BYTES("Body", state), { 0 } });
	(void)stage_return(s, "");
	stage_settle(s);
	(void)stage_subscribed(s, w, "200");
	(void)stage_notified(s, "active");
}

/* ---- on the bus ---- */

static DBusMessage *call(struct stage *s, const struct stage_watcher *w, const char *member)
{
	return recorder_call(&s->r, w->path, STAGE_SUBSCRIBER, member);
}

void stage_watcher_verb(struct stage *s, const char *client, const struct stage_watcher *w,
	const char *member, const struct stage_option *options)
{
	DBusMessage *m = call(s, w, member);

	if (options)
		stage_append_options(m, options);
	stage_deliver(s, client, m);
}

void stage_reject(struct stage *s, const char *client, const struct stage_watcher *w,
	uint32_t status, const char *reason)
{
	DBusMessage *m = call(s, w, "Reject");

	dbus_message_append_args(
		m, DBUS_TYPE_UINT32, &status, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID);
	stage_deliver(s, client, m);
}

void stage_finish(
	struct stage *s, const char *client, const struct stage_watcher *w, const char *reason)
{
	DBusMessage *m = call(s, w, "Finish");

	dbus_message_append_args(m, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID);
	stage_deliver(s, client, m);
}

void stage_suspend(
	struct stage *s, const char *client, const struct stage_watcher *w, uint32_t seconds)
{
	DBusMessage *m = call(s, w, "Suspend");

	dbus_message_append_args(m, DBUS_TYPE_UINT32, &seconds, DBUS_TYPE_INVALID);
	stage_deliver(s, client, m);
}

void stage_notify(struct stage *s, const char *client, const struct stage_watcher *w,
	const char *body, const struct stage_option *options)
{
	DBusMessage *m = call(s, w, "Notify");
	const char *type = STAGE_PIDF;

	dbus_message_append_args(m, DBUS_TYPE_STRING, &type, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body,
		(int)strlen(body), DBUS_TYPE_INVALID);
	stage_append_options(m, options ? options : stage_no_options);
	stage_deliver(s, client, m);
}

const char *stage_watcher_read(
	struct stage *s, const char *client, const struct stage_watcher *w, const char *property)
{
	DBusMessage *m = recorder_call(&s->r, w->path, DBUS_INTERFACE_PROPERTIES, "Get");
	const char *interface = STAGE_SUBSCRIBER, *text;
	DBusMessageIter at, variant;

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &property, DBUS_TYPE_INVALID);
	stage_deliver(s, client, m);
	dbus_message_iter_init(stage_return(s, "v"), &at);
	dbus_message_iter_recurse(&at, &variant);
	ck_assert(dbus_type_is_basic(dbus_message_iter_get_arg_type(&variant)));
	dbus_message_iter_get_basic(&variant, &text);
	return text;
}

void stage_watcher_gone(struct stage *s, const struct stage_watcher *w, const char *reason)
{
	DBusMessage *m = stage_signal(s, "Terminated", NULL);
	const char *text;

	ck_assert_str_eq(dbus_message_get_path(m), w->path);
	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID));
	ck_assert_str_eq(text, reason);
	(void)stage_signal(s, "InterfacesRemoved", NULL);
	ck_assert_ptr_null(bus_object_find(s->r.bus, w->path, &iface_subscriber));
}

void stage_watchers_deinit(struct stage *s)
{
	for (size_t i = 0; i < s->r.n; i++) {
		DBusMessage *m = s->r.sent[i];
		const char *interface = dbus_message_get_interface(m);

		if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_SIGNAL && interface &&
			strcmp(interface, STAGE_SUBSCRIBER) == 0)
			ck_assert_msg(dbus_message_get_destination(m) ||
					      dbus_message_has_member(m, "Terminated"),
				"%s was broadcast", dbus_message_get_member(m));
	}
	stage_deinit(s);
}
