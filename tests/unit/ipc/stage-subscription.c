/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/ipc/stage-subscription.h"

#include <string.h>

#include "protocol/msg/msg.h"

void stage_subscription_init(struct stage *s)
{
	stage_init(s);
	stage_client(s, STAGE_ANNA, STAGE_USER_UID);
	stage_client(s, STAGE_BEN, STAGE_USER_UID);
	stage_client(s, STAGE_CLEO, STAGE_USER_UID);
}

static void expect_discretion(const struct recorder *r)
{
	for (size_t i = 0; i < r->n; i++) {
		DBusMessage *m = r->sent[i];
		const char *interface = dbus_message_get_interface(m);

		if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_SIGNAL && interface &&
			strcmp(interface, STAGE_SUBSCRIPTION) == 0)
			ck_assert_msg(dbus_message_get_destination(m) ||
					      dbus_message_has_member(m, "Terminated"),
				"%s was broadcast", dbus_message_get_member(m));
	}
}

void stage_subscription_deinit(struct stage *s)
{
	expect_discretion(&s->r);
	stage_deinit(s);
}

/* ---- calls ---- */

void stage_try_wish(struct stage *s, const struct stage_wish *w)
{
	DBusMessage *m = stage_call(s, STAGE_ALICE, "Subscribe");
	const char *target = w->target ? w->target : STAGE_BOB;
	const char *event = w->event ? w->event : "presence";

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &target, DBUS_TYPE_STRING, &event, DBUS_TYPE_INVALID);
	stage_append_options(m, w->options);
	stage_deliver(s, w->client, m);
}

const char *stage_wish_for(struct stage *s, const struct stage_wish *w)
{
	const char *path;

	stage_try_wish(s, w);
	ck_assert(dbus_message_get_args(
		stage_return(s, "o"), NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
	return path;
}

const struct msg *stage_wish_out(struct stage *s, const struct stage_wish *w, const char **ret_path)
{
	*ret_path = stage_wish_for(s, w);
	stage_settle(s);
	return world_expect_out(s->w, "SUBSCRIBE");
}

void stage_subscription_call(
	struct stage *s, const char *client, const char *path, const char *member)
{
	stage_deliver(s, client, recorder_call(&s->r, path, STAGE_SUBSCRIPTION, member));
}

void stage_refresh(struct stage *s, const char *client, const char *path, uint32_t seconds)
{
	DBusMessage *m = recorder_call(&s->r, path, STAGE_SUBSCRIPTION, "Refresh");

	dbus_message_append_args(m, DBUS_TYPE_UINT32, &seconds, DBUS_TYPE_INVALID);
	stage_deliver(s, client, m);
}

void stage_update(struct stage *s, const char *client, const char *path, const char *body)
{
	DBusMessage *m = recorder_call(&s->r, path, STAGE_SUBSCRIPTION, "Update");
	const char *type = "application/simple-filter+xml";

	dbus_message_append_args(m, DBUS_TYPE_STRING, &type, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body,
		(int)strlen(body), DBUS_TYPE_INVALID);
	stage_deliver(s, client, m);
}

/* ---- from bob ---- */

void stage_bob_agrees(struct stage *s, const struct msg *subscribe, unsigned expires)
{
	char lines[128];

	(void)snprintf(
		lines, sizeof(lines), "Expires: %u\nContact: <sip:bob@192.0.2.9>\n", expires);
	world_reply_as(s->w, subscribe, 200, "bob", lines);
	stage_settle(s);
}

static void notify(struct stage *s, const struct msg *subscribe, const char *head, const char *body)
{
	static unsigned cseq;
	char text[2048];

	(void)snprintf(text, sizeof(text),
		"NOTIFY {contact} SIP/2.0\n"
		"Via: SIP/2.0/UDP {peer};branch=z9hG4bK{n};rport\n"
		"Max-Forwards: 70\n"
		"From: <" STAGE_BOB ">;tag=bob\n"
		"To: <sip:alice@example.com>;tag=%.*s\n"
		"Call-ID: %.*s\n"
		"CSeq: %u NOTIFY\n"
		"Contact: <sip:bob@192.0.2.9>\n"
		"Event: %.*s\n"
		"%s"
		"Content-Length: {length}\n\n%s",
		SLICE_ARGS(subscribe->from_tag), SLICE_ARGS(subscribe->call_id), ++cseq,
		SLICE_ARGS(msg_header(subscribe, HDR_EVENT)), head, body);
	world_in(s->alice, STAGE_PEER, text);
	stage_settle(s);
	(void)world_expect_out(s->w, "200");
}

void stage_bob_tells(
	struct stage *s, const struct msg *subscribe, const char *state, const char *body)
{
	char head[256];

	(void)snprintf(head, sizeof(head), "Subscription-State: %s\n%s", state,
		*body ? "Content-Type: text/plain\n" : "");
	notify(s, subscribe, head, body);
}

void stage_bob_tells_as(
	struct stage *s, const struct msg *subscribe, const char *type, const char *body)
{
	char head[256];

	(void)snprintf(head, sizeof(head),
		"Subscription-State: active;expires=600\nContent-Type: %s\n", type);
	notify(s, subscribe, head, body);
}

/* ---- what comes ---- */

void stage_expect_notified(struct stage *s, const char *path, const char *client, const char *body)
{
	DBusMessage *m = stage_signal(s, "Notified", client);

	ck_assert_str_eq(dbus_message_get_path(m), path);
	stage_expect_bytes(m, body);
}

uint32_t stage_expect_terminated(
	struct stage *s, const char *path, const char *client, const char *reason)
{
	DBusMessage *m = stage_signal(s, "Terminated", client);
	dbus_uint32_t seconds;
	const char *text;

	ck_assert(dbus_message_get_args(
		m, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_UINT32, &seconds, DBUS_TYPE_INVALID));
	ck_assert_str_eq(dbus_message_get_path(m), path);
	ck_assert_str_eq(text, reason);
	return seconds;
}

static void read_variant(struct stage *s, const char *client, const char *path,
	const char *property, DBusMessageIter *ret)
{
	DBusMessage *m = recorder_call(&s->r, path, DBUS_INTERFACE_PROPERTIES, "Get");
	const char *interface = STAGE_SUBSCRIPTION;
	DBusMessageIter at;

	dbus_message_append_args(
		m, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &property, DBUS_TYPE_INVALID);
	stage_deliver(s, client, m);
	dbus_message_iter_init(stage_return(s, "v"), &at);
	dbus_message_iter_recurse(&at, ret);
}

const char *stage_text_of(
	struct stage *s, const char *client, const char *path, const char *property)
{
	DBusMessageIter at;
	const char *text;

	read_variant(s, client, path, property, &at);
	ck_assert_ptr_nonnull(strchr("so", dbus_message_iter_get_arg_type(&at)));
	dbus_message_iter_get_basic(&at, &text);
	return text;
}

uint64_t stage_number_of(
	struct stage *s, const char *client, const char *path, const char *property)
{
	DBusBasicValue v = { .u64 = 0 };
	DBusMessageIter at;

	read_variant(s, client, path, property, &at);
	ck_assert_ptr_nonnull(strchr("ut", dbus_message_iter_get_arg_type(&at)));
	dbus_message_iter_get_basic(&at, &v);
	return dbus_message_iter_get_arg_type(&at) == DBUS_TYPE_UINT32 ? v.u32 : v.u64;
}

const char *stage_last_error(struct stage *s, const char *client, const char *path)
{
	static char text[256];
	const char *reason, *origin;
	DBusMessageIter variant, at;
	dbus_uint32_t status;

	read_variant(s, client, path, "LastError", &variant);
	dbus_message_iter_recurse(&variant, &at);
	dbus_message_iter_get_basic(&at, &status);
	dbus_message_iter_next(&at);
	dbus_message_iter_get_basic(&at, &reason);
	dbus_message_iter_next(&at);
	dbus_message_iter_get_basic(&at, &origin);
	(void)snprintf(text, sizeof(text), "%u %s (%s)", status, reason, origin);
	return text;
}
