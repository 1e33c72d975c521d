/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/ipc/stage.h"

#include <stdio.h>
#include <string.h>

#include "ipc/iface-owner.h"
#include "protocol/ua/profile.h"

/* ---- what the daemon would do ---- */

static void on_check(void *ctx, iface_report_fn *report, void *report_ctx)
{
	const struct iface_problem p = { "warning", "/etc/x.conf", 3, "odd" };

	(void)ctx;
	report(report_ctx, &p);
}

static int on_reload(void *ctx, iface_report_fn *report, void *report_ctx)
{
	on_check(ctx, report, report_ctx);
	return 0;
}

static bool on_may_use(void *ctx, uid_t uid, const struct profile *p)
{
	const struct stage *s = ctx;
	char number[16];

	if (p == s->profile)
		return uid == STAGE_USER_UID;
	/* One without users of its own is for whom the daemon lets in. */
	if (!p->n_users)
		return uid == STAGE_USER_UID || uid == STAGE_GUEST_UID;
	(void)snprintf(number, sizeof(number), "%u", (unsigned)uid);
	return strcmp(p->users[0], number) == 0;
}

static bool on_is_administrator(void *ctx, uid_t uid)
{
	(void)ctx;
	return uid == STAGE_ROOT_UID;
}

static void copy(char *out, size_t size, struct slice s)
{
	if (!s.p)
		s = SLICE("-");
	ck_assert_uint_lt(s.n, size);
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static void on_secret(void *ctx, uint64_t query, struct slice user, struct slice password)
{
	struct stage *s = ctx;

	s->n_secrets++;
	s->query = query;
	copy(s->user, sizeof(s->user), user);
	copy(s->password, sizeof(s->password), password);
}

static void on_certificate(void *ctx, uint64_t query, enum iface_trust trust)
{
	struct stage *s = ctx;

	s->n_trusts++;
	s->query = query;
	s->trust = trust;
}

static struct profile *on_find_profile(void *ctx, struct slice name)
{
	const struct stage *s = ctx;

	return slice_eq(name, slice_str(s->profile->name)) ? s->profile : NULL;
}

/* ---- life and time ---- */

void stage_init(struct stage *s)
{
	*s = (struct stage){ .w = world_new(7) };
	recorder_init(&s->r);
	s->alice = world_ua(s->w, "192.0.2.1");
	s->host = (struct iface_host){ .check = on_check,
		.reload = on_reload,
		.may_use = on_may_use,
		.is_administrator = on_is_administrator,
		.secret = on_secret,
		.certificate = on_certificate,
		.find_profile = on_find_profile,
		.ctx = s };
	ck_assert_int_eq(iface_new(s->r.bus, s->alice->ua, &s->host, &s->iface), 0);
	s->ep = world_endpoint(s->alice, &(struct world_account){ .id = "alice",
						 .domain = "example.com",
						 .registrar = "192.0.2.9",
						 .password = "secret",
						 .transport = TRANSPORT_UDP });
	s->profile = profile_ref(s->ep->profile);
	iface_profile_add(s->iface, s->profile);
	stage_run(s, 0);
	stage_skip(s);
}

void stage_deinit(struct stage *s)
{
	stage_own_less(s, s->n_things);
	free(s->things);
	s->iface = iface_free(s->iface);
	recorder_deinit(&s->r);
	profile_unref(s->profile);
	world_free(s->w);
}

void stage_skip(struct stage *s)
{
	s->r.next = s->r.n;
}

void stage_run(struct stage *s, usec_t duration)
{
	do {
		usec_t step = duration < USEC_PER_SEC ? duration : USEC_PER_SEC;

		world_run(s->w, step);
		recorder_run(&s->r, step);
		duration -= step;
	} while (duration);
}

/* ---- messages ---- */

DBusMessage *stage_next(struct stage *s)
{
	DBusMessage *m;

	do
		m = recorder_next(&s->r);
	while (m && dbus_message_get_type(m) == DBUS_MESSAGE_TYPE_SIGNAL);
	return m;
}

static void step_back(struct stage *s, DBusMessage *m)
{
	ck_assert_ptr_nonnull(m);
	s->r.next--;
}

const char *stage_error(struct stage *s, const char *name)
{
	step_back(s, stage_next(s));
	return recorder_error(&s->r, name);
}

DBusMessage *stage_return(struct stage *s, const char *signature)
{
	step_back(s, stage_next(s));
	return recorder_return(&s->r, signature);
}

void stage_silence(struct stage *s)
{
	if (stage_next(s))
		s->r.next--;
	recorder_silence(&s->r);
}

void stage_client(struct stage *s, const char *client, uint32_t uid)
{
	DBusMessage *m = recorder_call(&s->r, "/", DBUS_INTERFACE_PEER, "Ping");
	DBusMessage *question;

	(void)recorder_deliver_from(&s->r, m, client);
	question = stage_next(s);
	ck_assert_str_eq(dbus_message_get_member(question), "GetConnectionUnixUser");
	m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);
	dbus_message_set_reply_serial(m, dbus_message_get_serial(question));
	dbus_message_append_args(m, DBUS_TYPE_UINT32, &uid, DBUS_TYPE_INVALID);
	(void)recorder_deliver_from(&s->r, m, DBUS_SERVICE_DBUS);
	(void)stage_return(s, "");
}

DBusMessage *stage_call(struct stage *s, const char *path, const char *member)
{
	return recorder_call(&s->r, path,
		strcmp(path, RECORDER_ROOT) == 0 ? STAGE_MANAGER : STAGE_ENDPOINT, member);
}

void stage_deliver(struct stage *s, const char *client, DBusMessage *m)
{
	ck_assert_int_eq(recorder_deliver_from(&s->r, m, client), BUS_HANDLED);
}

static void append_header(DBusMessageIter *variant, const char *name, const char *value)
{
	DBusMessageIter list, pair;

	dbus_message_iter_open_container(variant, DBUS_TYPE_ARRAY, "(ss)", &list);
	dbus_message_iter_open_container(&list, DBUS_TYPE_STRUCT, NULL, &pair);
	dbus_message_iter_append_basic(&pair, DBUS_TYPE_STRING, &name);
	dbus_message_iter_append_basic(&pair, DBUS_TYPE_STRING, &value);
	dbus_message_iter_close_container(&list, &pair);
	dbus_message_iter_close_container(variant, &list);
}

static void append_list(DBusMessageIter *variant, const char *element, const char *text)
{
	DBusMessageIter list;

	dbus_message_iter_open_container(variant, DBUS_TYPE_ARRAY, element, &list);
	dbus_message_iter_append_basic(&list, element[0], &text);
	dbus_message_iter_close_container(variant, &list);
}

static void append_bytes(DBusMessageIter *variant, const char *text)
{
	DBusMessageIter list;

	dbus_message_iter_open_container(variant, DBUS_TYPE_ARRAY, "y", &list);
	dbus_message_iter_append_fixed_array(&list, DBUS_TYPE_BYTE, &text, (int)strlen(text));
	dbus_message_iter_close_container(variant, &list);
}

static void append_value(DBusMessageIter *entry, const struct stage_option *o)
{
	char basic[2] = { (char)o->type, '\0' };
	const char *sig = o->type == 'h'   ? "a(ss)"
			  : o->type == 'O' ? "ao"
			  : o->type == 'S' ? "as"
			  : o->type == 'Y' ? "ay"
					   : basic;
	DBusMessageIter variant;

	dbus_message_iter_open_container(entry, DBUS_TYPE_VARIANT, sig, &variant);
	if (o->type == 'h')
		append_header(&variant, o->header, o->text);
	else if (o->type == 'O' || o->type == 'S')
		append_list(&variant, sig + 1, o->text);
	else if (o->type == 'Y')
		append_bytes(&variant, o->text);
	else if (o->text)
		dbus_message_iter_append_basic(&variant, o->type, &o->text);
	else
		dbus_message_iter_append_basic(&variant, o->type, &o->number);
	dbus_message_iter_close_container(entry, &variant);
}

void stage_append_options(DBusMessage *m, const struct stage_option *options)
{
	DBusMessageIter at, dict, entry;

	dbus_message_iter_init_append(m, &at);
	dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{sv}", &dict);
	for (; options && options->name; options++) {
		dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
		dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &options->name);
		append_value(&entry, options);
		dbus_message_iter_close_container(&dict, &entry);
	}
	dbus_message_iter_close_container(&at, &dict);
}

/* ---- agents ---- */

void stage_try_agent(struct stage *s, const struct stage_agent *a)
{
	DBusMessage *m = stage_call(s, RECORDER_ROOT, "RegisterAgent");
	const char *path = a->path ? a->path : STAGE_AGENT_PATH;
	struct stage_option options[7] = {
		{ "Priority", DBUS_TYPE_INT32, NULL, (uint32_t)a->priority, NULL },
		{ "Observe", DBUS_TYPE_BOOLEAN, NULL, a->observes, NULL },
	};
	size_t n = 2;

	if (a->kind)
		options[n++] = (struct stage_option){ "Kinds", 'S', a->kind, 0, NULL };
	if (a->endpoint)
		options[n++] = (struct stage_option){ "Endpoints", 'O', a->endpoint, 0, NULL };
	if (a->type)
		options[n++] = (struct stage_option){ "SessionTypes", 'S', a->type, 0, NULL };
	if (a->event)
		options[n++] = (struct stage_option){ "Events", 'S', a->event, 0, NULL };
	dbus_message_append_args(m, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
	stage_append_options(m, options);
	stage_deliver(s, a->client, m);
}

void stage_agent(struct stage *s, const struct stage_agent *a)
{
	stage_try_agent(s, a);
	(void)stage_return(s, "");
}

uint32_t stage_asked(struct stage *s, const char *client, const char *member, DBusMessage **ret)
{
	DBusMessage *m = stage_next(s);

	ck_assert_msg(m != NULL, "nobody was asked %s", member);
	ck_assert_int_eq(dbus_message_get_type(m), DBUS_MESSAGE_TYPE_METHOD_CALL);
	ck_assert_str_eq(dbus_message_get_interface(m), "org.sipbus1.Agent");
	ck_assert_str_eq(dbus_message_get_member(m), member);
	ck_assert_str_eq(dbus_message_get_destination(m), client);
	if (ret)
		*ret = m;
	return dbus_message_get_serial(m);
}

void stage_answer_page(
	struct stage *s, const char *client, uint32_t serial, uint32_t status, const char *reason)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);

	dbus_message_set_reply_serial(m, serial);
	dbus_message_append_args(
		m, DBUS_TYPE_UINT32, &status, DBUS_TYPE_STRING, &reason, DBUS_TYPE_INVALID);
	(void)recorder_deliver_from(&s->r, m, client);
}

void stage_answer_error(struct stage *s, const char *client, uint32_t serial, const char *error)
{
	DBusMessage *m = dbus_message_new(DBUS_MESSAGE_TYPE_ERROR);

	dbus_message_set_reply_serial(m, serial);
	dbus_message_set_error_name(m, error);
	(void)recorder_deliver_from(&s->r, m, client);
}

void stage_request(struct stage *s, const char *method, const char *body)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"%s sip:alice@example.com SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{n};rport\n"
		"Max-Forwards: 70\n"
		"f: \"Bob\" <sip:bob@example.com>;tag=b\n"
		"To: <sip:alice@example.com>\n"
		"Call-ID: c{n}\n"
		"CSeq: 1 %s\n"
		"%s"
		"Content-Length: %zu\n\n%s",
		method, method, *body ? "Content-Type: text/plain\n" : "", strlen(body), body);
	world_in(s->alice, STAGE_PEER, text);
	world_settle(s->w);
}

/* ---- ownership ---- */

static void on_owner_changed(struct iface_owned *o)
{
	(void)o;
}

void stage_own_much(struct stage *s, const char *client)
{
	static const struct iface_owned_class class = { .changed = on_owner_changed };

	s->things = mem_zalloc(IFACE_OWNED_PER_CLIENT * sizeof(*s->things));
	for (; !iface_owner_is_full(s->iface, client); s->n_things++) {
		iface_owned_init(&s->things[s->n_things], s->iface, &class);
		iface_own(&s->things[s->n_things], client);
	}
}

void stage_own_less(struct stage *s, size_t n)
{
	while (n--)
		iface_owned_deinit(&s->things[--s->n_things]);
}
