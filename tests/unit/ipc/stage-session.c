/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/ipc/stage-session.h"

#include <string.h>

#include "protocol/ua/profile.h"

const struct stage_option stage_no_options[] = { { 0 } };

void stage_scene_init(struct stage_scene *sc)
{
	*sc = (struct stage_scene){ 0 };
	stage_init(&sc->s);
	sc->bob = world_ua(sc->s.w, "192.0.2.9");
	sc->bobs = world_endpoint(sc->bob, &(struct world_account){ .id = "bob",
						   .domain = "example.com",
						   .registrar = "192.0.2.1",
						   .transport = TRANSPORT_UDP });
}

/* The contract: content is never broadcast. */
static void expect_discretion(const struct recorder *r)
{
	for (size_t i = 0; i < r->n; i++) {
		DBusMessage *m = r->sent[i];
		const char *interface = dbus_message_get_interface(m);

		if (dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_SIGNAL && interface &&
			strcmp(interface, STAGE_SESSION) == 0)
			ck_assert_msg(dbus_message_get_destination(m) ||
					      dbus_message_has_member(m, "Terminated"),
				"%s was broadcast", dbus_message_get_member(m));
	}
}

void stage_scene_deinit(struct stage_scene *sc)
{
	expect_discretion(&sc->s.r);
	stage_deinit(&sc->s);
}

void stage_settle(struct stage *s)
{
	world_settle(s->w);
	stage_run(s, 0);
}

/* ---- calls ---- */

void stage_try_create(
	struct stage *s, const char *client, const char *target, const struct stage_option *options)
{
	DBusMessage *m = stage_call(s, STAGE_ALICE, "CreateSession");

	dbus_message_append_args(m, DBUS_TYPE_STRING, &target, DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(s, client, m);
}

void stage_create(struct stage *s, const char *client)
{
	const char *path;

	stage_try_create(s, client, "sip:bob@example.com",
		(struct stage_option[]){ STAGE_TEXT("Id", "c1"),
			STAGE_TEXT("ContentType", STAGE_SDP), STAGE_BYTES("Description", "offer"),
			{ 0 } });
	ck_assert(dbus_message_get_args(
		stage_return(s, "o"), NULL, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID));
	ck_assert_str_eq(path, STAGE_C1);
}

DBusMessage *stage_session_call(struct stage *s, const char *path, const char *member)
{
	return recorder_call(&s->r, path, STAGE_SESSION, member);
}

void stage_verb(
	struct stage *s, const char *client, const char *member, const struct stage_option *options)
{
	DBusMessage *m = stage_session_call(s, STAGE_C1, member);

	if (options)
		stage_append_options(m, options);
	stage_deliver(s, client, m);
}

void stage_body_verb(struct stage *s, const char *client, const char *member, const char *body,
	const struct stage_option *options)
{
	DBusMessage *m = stage_session_call(s, STAGE_C1, member);
	const char *type = STAGE_SDP;

	dbus_message_append_args(m, DBUS_TYPE_STRING, &type, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &body,
		(int)strlen(body), DBUS_TYPE_INVALID);
	if (options)
		stage_append_options(m, options);
	stage_deliver(s, client, m);
}

void stage_append_arguments(DBusMessage *m, const char *in, const char *const *texts)
{
	const dbus_uint32_t status = 486;
	const char *bytes = "x";
	DBusMessageIter at, list;

	dbus_message_iter_init_append(m, &at);
	for (; *in && strncmp(in, "a{sv}", 5) != 0; in++) {
		bool is_text = *in == 's' || strncmp(in, "as", 2) == 0;
		const char *text = is_text && texts ? *texts++ : "sip:carol@example.com";

		if (*in == 'u') {
			dbus_message_iter_append_basic(&at, DBUS_TYPE_UINT32, &status);
		} else if (*in == 's') {
			dbus_message_iter_append_basic(&at, DBUS_TYPE_STRING, &text);
		} else if (*++in == 's') {
			dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "s", &list);
			dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &text);
			dbus_message_iter_close_container(&at, &list);
		} else {
			dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "y", &list);
			dbus_message_iter_append_fixed_array(&list, DBUS_TYPE_BYTE, &bytes, 1);
			dbus_message_iter_close_container(&at, &list);
		}
	}
}

/* ---- what comes ---- */

DBusMessage *stage_signal(struct stage *s, const char *name, const char *client)
{
	DBusMessage *m;

	do
		m = recorder_next(&s->r);
	while (m && !dbus_message_has_member(m, name));
	ck_assert_msg(m != NULL, "%s was not sent", name);
	ck_assert_int_eq(dbus_message_get_type(m), DBUS_MESSAGE_TYPE_SIGNAL);
	if (client)
		ck_assert_str_eq(dbus_message_get_destination(m), client);
	else
		ck_assert_ptr_null(dbus_message_get_destination(m));
	return m;
}

void stage_no_signal(struct stage *s, const char *name)
{
	for (size_t i = s->r.next; i < s->r.n; i++)
		ck_assert_msg(!dbus_message_has_member(s->r.sent[i], name), "%s was sent", name);
}

uint32_t stage_status(DBusMessage *m)
{
	uint32_t status;

	ck_assert(dbus_message_get_args(m, NULL, DBUS_TYPE_UINT32, &status, DBUS_TYPE_INVALID));
	return status;
}

void stage_expect_bytes(DBusMessage *m, const char *text)
{
	const unsigned char *bytes = NULL;
	DBusMessageIter at, list;
	int n = -1;

	dbus_message_iter_init(m, &at);
	do {
		if (dbus_message_iter_get_arg_type(&at) != DBUS_TYPE_ARRAY ||
			dbus_message_iter_get_element_type(&at) != DBUS_TYPE_BYTE)
			continue;
		dbus_message_iter_recurse(&at, &list);
		dbus_message_iter_get_fixed_array(&list, &bytes, &n);
	} while (dbus_message_iter_next(&at));
	ck_assert_int_eq(n, (int)strlen(text));
	ck_assert(n == 0 || memcmp(bytes, text, (size_t)n) == 0);
}

const char *stage_read(struct stage *s, const char *client, const char *property)
{
	DBusMessage *m = recorder_call(&s->r, STAGE_C1, DBUS_INTERFACE_PROPERTIES, "Get");
	const char *interface = STAGE_SESSION, *text;
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

/* ---- from bob ---- */

struct session *stage_bob_calls(struct stage_scene *sc)
{
	const struct session_spec spec = { .target = SLICE("sip:alice@example.com"),
		.id = SLICE("b1"),
		.offer = world_sdp("bob's offer") };
	struct session *out;
	const char *why;

	ck_assert_int_eq(session_new(sc->bobs, &spec, &out, &why), 0);
	ua_advance(sc->bob->ua, sc->bob->ua->timers.now);
	stage_settle(&sc->s);
	return out;
}

struct session *stage_established(struct stage_scene *sc, const char *client)
{
	const struct session_body answer = world_sdp("answer");
	struct session *in;

	stage_create(&sc->s, client);
	stage_settle(&sc->s);
	in = world_expect_session(sc->bob);
	ck_assert_int_eq(session_accept(in, &answer, NULL), 0);
	stage_settle(&sc->s);
	stage_expect_bytes(stage_signal(&sc->s, "Established", client), "answer");
	(void)world_expect_event(sc->bob, UA_SESSION_ESTABLISHED);
	return in;
}
