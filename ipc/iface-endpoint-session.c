/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions that clients make: Endpoint.CreateSession, ConnectParties and Session.FollowRefer. */
#include "ipc/bus-call.h"
#include "ipc/bus-option.h"
#include "ipc/bus-value.h"
#include "ipc/iface-begin.h"
#include "ipc/iface-private.h"
#include "ipc/iface-session.h"
#include "protocol/base/err.h"
#include "protocol/ua/connect.h"
#include "protocol/ua/request-headers.h"
#include "protocol/ua/session-refer.h"
#include "protocol/ua/session-view.h"

enum {
	CREATE_ID,
	CREATE_CONTENT_TYPE,
	CREATE_DESCRIPTION,
	CREATE_TYPE,
	CREATE_HEADERS,
	CREATE_PRIVACY,
	CREATE_TIMEOUT,
	CREATE_REPLACES, /* from here on: CreateSession alone */
	CREATE_JOIN,
};

/* clang-format off */
#define OPTIONS \
	[CREATE_ID] = { "Id", "s", "Last element of the path: letters, digits and '_'." }, \
	[CREATE_CONTENT_TYPE] = { "ContentType", "s", "Of Description." }, \
	[CREATE_DESCRIPTION] = { "Description", "ay", "The offer; absent: the far end offers." }, \
	[CREATE_TYPE] = { "Type", "s", "pc2pc (the default), pc2ph or im." }, \
	[CREATE_HEADERS] = { "Headers", "a(ss)", IFACE_BEGIN_HEADERS }, \
	[CREATE_PRIVACY] = { "PrivacyLevel", "s", \
		"Values of Privacy (RFC 3323), for example id or header;user." }, \
	[CREATE_TIMEOUT] = { "Timeout", "u", "Seconds until a final answer." }
/* clang-format on */

const struct bus_option iface_create_session_options[] = {
	OPTIONS,
	[CREATE_REPLACES] = { "Replaces", "o",
		"A session of the caller's that the new one replaces at the target (RFC 3891)." },
	[CREATE_JOIN] = { "Join", "o",
		"A session of the caller's to join at the target (RFC 3911)." },
	{ 0 },
};

const struct bus_option iface_follow_refer_options[] = {
	OPTIONS,
	{ 0 },
};

static struct slice text_option(struct bus_call *c, unsigned row)
{
	const struct bus_value *v = bus_call_option(c, row);

	return v->given ? v->s : SLICE_NULL;
}

/* The session that an option names; NULL if it is not given. On failure the call is answered. */
static int read_session(
	struct bus_call *c, const struct iface *i, unsigned row, struct session **ret)
{
	const struct bus_value *v = bus_call_option(c, row);

	*ret = v->given ? iface_session_of_path(c, i, v->s) : NULL;
	return v->given && !*ret ? -ENOENT : 0;
}

static int read_id(struct bus_call *c, unsigned row, struct slice *ret_id)
{
	*ret_id = text_option(c, row);
	if (bus_call_option(c, row)->given && !ret_id->n)
		return bus_call_fail(c, -EINVAL, "Id is empty");
	return 0;
}

static usec_t read_timeout(struct bus_call *c, unsigned row)
{
	const struct bus_value *v = bus_call_option(c, row);

	return v->given ? v->u * USEC_PER_SEC : 0;
}

/* The caller may own one more. */
static int check_room(struct bus_call *c, const struct iface *i)
{
	if (iface_owner_is_full(i, bus_call_sender(c)))
		return bus_call_fail(c, -ENOSPC, IFACE_OWNS_TOO_MUCH);
	return 0;
}

/* What CreateSession and FollowRefer have in common. */
static int read_spec(struct bus_call *c, const struct endpoint *ep, struct session_spec *spec,
	struct iface_begin *ret)
{
	int r = read_id(c, CREATE_ID, &spec->id);

	if (r < 0)
		return r;
	spec->offer.type = text_option(c, CREATE_CONTENT_TYPE);
	spec->offer.bytes = text_option(c, CREATE_DESCRIPTION);
	spec->type = text_option(c, CREATE_TYPE);
	spec->privacy = text_option(c, CREATE_PRIVACY);
	spec->timeout = read_timeout(c, CREATE_TIMEOUT);
	r = iface_begin_read_session(c, CREATE_HEADERS, ep, ret);
	spec->headers = (struct session_headers){ .list = ret->list, .n = ret->n };
	spec->route = slice_str(ret->route);
	return r;
}

static int read_others(struct bus_call *c, const struct iface *i, struct session_spec *spec)
{
	int r = read_session(c, i, CREATE_REPLACES, &spec->replaces);

	if (r == 0)
		r = read_session(c, i, CREATE_JOIN, &spec->join);
	if (r == 0 && spec->replaces && spec->join)
		return bus_call_fail(c, -EINVAL, "Replaces and Join exclude each other");
	return r;
}

/* It is the caller's, if it could be made. */
static int finish(struct bus_call *c, int r, struct session *s, const char *why)
{
	struct bus_writer w;

	if (r == -EEXIST)
		return bus_call_fail(c, r, "a session with this Id exists");
	if (r < 0)
		return bus_call_fail(c, r, why ? "%s" : NULL, why);
	iface_session_take(session_user(s), bus_call_sender(c));
	bus_call_open(c, &w);
	bus_write_o(&w, iface_session_path(s));
	bus_call_send(c, &w);
	return 0;
}

/* Its object is there when this returns: the scope ends with the listener being told. */
static int begin(struct endpoint *ep, const struct session_spec *spec, struct session **ret_session,
	const char **ret_why)
{
	UA_SCOPE(ep->ua);

	return session_new(ep, spec, ret_session, ret_why);
}

int iface_create_session(struct bus_call *c, void *object)
{
	const struct iface_endpoint *ie = object;
	struct iface_begin b = { 0 };
	struct session_spec spec = { .target = bus_read_s(bus_call_args(c)) };
	const char *why = NULL;
	struct session *s = NULL;
	int r = check_room(c, ie->iface);

	if (r == 0)
		r = read_spec(c, ie->ep, &spec, &b);
	if (r == 0)
		r = read_others(c, ie->iface, &spec);
	if (r == 0) {
		r = begin(ie->ep, &spec, &s, &why);
		r = finish(c, r, s, why);
	}
	iface_begin_deinit(&b);
	return r;
}

/* ---- FollowRefer ---- */

static int follow(struct session *s, uint32_t id, const struct session_spec *spec,
	struct session **ret_session, const char **ret_why)
{
	UA_SCOPE(session_endpoint(s)->ua);

	return session_follow_refer(s, id, spec, ret_session, ret_why);
}

int iface_follow_refer(struct bus_call *c, void *object)
{
	struct iface_session *is = object;
	struct iface_begin b = { 0 };
	uint32_t id = bus_read_u(bus_call_args(c));
	struct session_spec spec = { 0 };
	const char *why = NULL;
	struct session *s = NULL;
	int r = check_room(c, is->iface);

	if (r == 0)
		r = read_spec(c, session_endpoint(is->s), &spec, &b);
	if (r == 0) {
		r = follow(is->s, id, &spec, &s, &why);
		r = finish(c, r, s, why);
	}
	iface_begin_deinit(&b);
	return r;
}

/* ---- ConnectParties ---- */

enum { CONNECT_ID, CONNECT_HEADERS, CONNECT_PRIVACY, CONNECT_TIMEOUT };

const struct bus_option iface_connect_options[] = {
	[CONNECT_ID] = { "Id", "s", "Last element of the path: letters, digits and '_'." },
	[CONNECT_HEADERS] = { "Headers", "a(ss)",
		"Added to both INVITEs; those of the stack are refused." },
	[CONNECT_PRIVACY] = { "PrivacyLevel", "s",
		"Values of Privacy (RFC 3323), for example id or header;user." },
	[CONNECT_TIMEOUT] = { "Timeout", "u", "Seconds until a final answer, for each party." },
	{ 0 },
};

static int read_connection(struct bus_call *c, const struct iface *i, struct connect_spec *spec,
	struct request_header **ret_list)
{
	int r = check_room(c, i);

	if (r == 0)
		r = read_id(c, CONNECT_ID, &spec->id);
	if (r < 0)
		return r;
	spec->privacy = text_option(c, CONNECT_PRIVACY);
	spec->timeout = read_timeout(c, CONNECT_TIMEOUT);
	return iface_session_headers(c, CONNECT_HEADERS, &spec->headers, ret_list);
}

static int connect_parties(struct endpoint *ep, const struct connect_spec *spec,
	struct session **ret_session, const char **ret_why)
{
	UA_SCOPE(ep->ua);

	return connect_new(ep, spec, ret_session, ret_why);
}

int iface_connect(struct bus_call *c, void *object)
{
	const struct iface_endpoint *ie = object;
	struct request_header *list cleanup_free = NULL;
	struct connect_spec spec = { .first = bus_read_s(bus_call_args(c)) };
	const char *why = NULL;
	struct session *s = NULL;
	int r;

	spec.second = bus_read_s(bus_call_args(c));
	r = read_connection(c, ie->iface, &spec, &list);
	if (r < 0)
		return r;
	r = connect_parties(ie->ep, &spec, &s, &why);
	return finish(c, r, s, why);
}
