/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ua/endpoint.h"

#include <string.h>

#include "protocol/base/err.h"
#include "protocol/msg/build.h"
#include "protocol/msg/scan.h"
#include "protocol/msg/uuid.h"
#include "protocol/ua/endpoint-flow.h"
#include "protocol/ua/endpoint-listen.h"
#include "protocol/ua/endpoint-route.h"
#include "protocol/ua/incoming.h"
#include "protocol/ua/limits.h"
#include "protocol/ua/locate.h"
#include "protocol/ua/messages.h"
#include "protocol/ua/microsoft.h"
#include "protocol/ua/package.h"
#include "protocol/ua/publication.h"
#include "protocol/ua/refer.h"
#include "protocol/ua/registration-flows.h"
#include "protocol/ua/session-endpoint.h"
#include "protocol/ua/subscriber.h"
#include "protocol/ua/subscription.h"

static const struct endpoint_kind kinds[] = {
	[PROFILE_REGISTERED] = { "registered", .registers = true, .authenticates = true,
		.subscribes = true },
	[PROFILE_PEER_TO_PEER] = { "peer-to-peer", false, false, false },
};

enum {
	TOKEN_BYTES = 8,
	ENDPOINT_ID_BYTES = 5,
	CLOSE_BOUND_T1 = 64,
};

/*
 * Bytes that stay the same for this endpoint across restarts of this installation, without any
 * file of its own: a hash of the installation's seed, a purpose and the endpoint's names.
 */
static void derive(
	const struct endpoint *ep, struct slice purpose, uint8_t out[static DIGEST_MAX_HASH])
{
	const struct host *host = ep->ua->host;
	struct slice pieces[] = {
		slice_of((const char *)host->seed, sizeof(host->seed)),
		purpose,
		slice_of("", 1),
		slice_str(ep->id),
		slice_of("", 1),
		slice_str(ep->uri),
	};

	memset(out, 0, DIGEST_MAX_HASH);
	(void)host->ops->hash(host->ctx, CHALLENGE_SHA256, pieces, ARRAY_LEN(pieces), out);
}

static char *derive_hex(const struct endpoint *ep, struct slice purpose, size_t n)
{
	uint8_t hash[DIGEST_MAX_HASH];
	struct buf b = BUF_NULL;

	derive(ep, purpose, hash);
	buf_hex(&b, hash, n);
	return buf_take(&b);
}

/* RFC 5626 4.1 asks for a UUID URN that survives restarts; version 8 of RFC 9562 is ours to fill.
 */
static char *derive_instance(const struct endpoint *ep)
{
	uint8_t h[DIGEST_MAX_HASH];
	struct buf b = BUF_NULL;

	if (microsoft_is_on(ep))
		return microsoft_instance(ep->ua->host, ep->endpoint_id);
	derive(ep, SLICE("instance"), h);
	uuid_mark(h, 8);
	buf_lit(&b, "urn:uuid:");
	uuid_append(&b, h);
	return buf_take(&b);
}

/* The profile's name, or with a number if that is taken: several points of presence of one user. */
static char *free_id(struct ua *ua, const char *name)
{
	struct buf b = BUF_NULL;

	for (unsigned i = 1;; i++) {
		buf_reset(&b);
		buf_str(&b, name);
		if (i > 1)
			buf_printf(&b, "_%u", i);
		if (!endpoint_find(ua, buf_slice(&b)))
			return buf_take(&b);
	}
}

/* What stands in a header between quotes and angle brackets has none of its own (RFC 5626 4.1). */
static bool is_plain(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("\"<>\\", *text))
			return false;
	return true;
}

static int check_lengths(const struct endpoint_config *c)
{
	const char *const texts[] = { c->id, c->uri, c->display_name, c->endpoint_id,
		c->instance_id, c->outbound_proxy };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i] && strlen(texts[i]) > LIMITS_ENDPOINT_TEXT)
			return -EMSGSIZE;
	return 0;
}

/* Whatever is given goes into requests as it is. */
static int check_texts(const struct endpoint_config *c)
{
	struct locate_target to;

	if (c->id && !ua_id_is_valid(slice_str(c->id)))
		return -EINVAL;
	if (c->display_name && !build_header_is_safe(SLICE("From"), slice_str(c->display_name)))
		return -EINVAL;
	if (c->endpoint_id && !scan_all(slice_str(c->endpoint_id), CHARS_TOKEN))
		return -EINVAL;
	if (c->instance_id && !is_plain(c->instance_id))
		return -EINVAL;
	if (c->outbound_proxy && locate_target_parse(slice_str(c->outbound_proxy), &to) < 0)
		return -EINVAL;
	return 0;
}

/* NULL: there is no such kind. */
static const struct endpoint_kind *kind_of(const struct endpoint_config *c)
{
	if (!c->kind)
		return &kinds[c->profile->kind];
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, c->kind) == 0)
			return &kinds[i];
	return NULL;
}

static bool wants_to_listen(const struct endpoint_config *c)
{
	return c->listen == ENDPOINT_LISTEN_AS_PROFILE ? c->profile->listen
						       : c->listen == ENDPOINT_LISTEN_YES;
}

static int check_kind(const struct endpoint_config *c)
{
	const struct endpoint_kind *kind = kind_of(c);

	if (!kind)
		return -EINVAL;
	/* Its registrar sends it what is for it. */
	return kind->registers && wants_to_listen(c) ? -EOPNOTSUPP : 0;
}

static void deliver_note(struct later_note *n);
static void on_close_timer(struct timer *t);

static const char *pick(const char *first, const char *second)
{
	return first ? first : second;
}

static void link_in(struct endpoint *ep)
{
	struct ua *ua = ep->ua;

	list_append(&ua->endpoints, &ep->node);
	ua->n_endpoints++;
	map_insert(&ua->endpoints_by_id, &ep->by_id, slice_str(ep->id));
	endpoint_route_add(ep);
}

static char *pool_of(const struct endpoint *ep)
{
	struct buf b = BUF_NULL;

	if (!ep->profile->shared_connections)
		return mem_strdup(ep->id);
	buf_putc(&b, '@');
	buf_str(&b, ep->profile->name);
	return buf_take(&b);
}

static void fill(struct endpoint *ep, const struct endpoint_config *c, const struct uri *uri)
{
	const struct profile *p = ep->profile;
	const char *endpoint_id = pick(c->endpoint_id, p->endpoint_id);
	const char *instance_id = pick(c->instance_id, p->instance_id);
	struct buf aor = BUF_NULL;

	ep->kind = kind_of(c);
	ep->listens = wants_to_listen(c);
	ep->display_name = mem_strdup(pick(c->display_name, p->display_name));
	ep->endpoint_id = endpoint_id ? mem_strdup(endpoint_id)
				      : derive_hex(ep, SLICE("endpoint"), ENDPOINT_ID_BYTES);
	ep->instance_id = instance_id ? mem_strdup(instance_id) : derive_instance(ep);
	ep->token = derive_hex(ep, SLICE("contact"), TOKEN_BYTES);
	ep->transport = c->transport ? c->transport : p->transport;
	ep->outbound_proxy = mem_strdup(pick(c->outbound_proxy, p->outbound_proxy));
	ep->pool = pool_of(ep);
	ep->auto_refresh = p->auto_refresh;
	uri_append_aor(&aor, uri);
	ep->aor = buf_take(&aor);
	ep->note.deliver = deliver_note;
	ep->close_timer.fire = on_close_timer;
	list_init(&ep->requests);
	map_init(&ep->turns, ep->ua->queries.seed);
	list_init(&ep->incoming);
	list_init(&ep->sessions);
	list_init(&ep->refers);
	list_init(&ep->refers_in);
	list_init(&ep->publications);
	list_init(&ep->subscribers);
	list_init(&ep->subscriptions);
	turn_queue_init(&ep->subscribes, LIMITS_SUBSCRIBES_PER_ENDPOINT);
	turn_queue_init(&ep->notifies, LIMITS_NOTIFIES_PER_ENDPOINT);
	list_init(&ep->connections);
}

int endpoint_new(struct ua *ua, const struct endpoint_config *c, struct endpoint **ret_endpoint)
{
	UA_SCOPE(ua);
	const char *text = pick(c->uri, c->profile->uri);
	struct endpoint *ep;
	struct uri uri;
	int r = check_lengths(c);

	if (r == 0)
		r = check_texts(c);
	if (r == 0)
		r = check_kind(c);
	if (r < 0)
		return r;
	if (!text || uri_parse(slice_str(text), &uri) < 0 ||
		(uri.scheme != URI_SIP && uri.scheme != URI_SIPS))
		return -EINVAL;
	if (c->id && endpoint_find(ua, slice_str(c->id)))
		return -EEXIST;
	if (ua->stopping)
		return -ESTALE;
	if (ua->n_endpoints >= ua->max_endpoints)
		return -ENOSPC;
	ep = mem_new(struct endpoint);
	ep->ua = ua;
	ep->profile = profile_ref(c->profile);
	ep->id = c->id ? mem_strdup(c->id) : free_id(ua, c->profile->name);
	ep->uri = mem_strdup(text);
	fill(ep, c, &uri);
	if (ep->kind->registers)
		ep->registration = registration_new(ep);
	ep->microsoft = microsoft_new(ep);
	link_in(ep);
	later_queue(&ua->later, &ep->note);
	r = endpoint_listen_start(ep, &uri);
	if (r == 0 && c->gruu)
		r = gruu_give(ep, c->gruu);
	if (r < 0)
		endpoint_free(ep);
	else
		*ret_endpoint = ep;
	return r;
}

void endpoint_free(struct endpoint *ep)
{
	struct ua *ua = ep->ua;
	struct list *node;

	/* First, so that nothing that waits for its turn gets it now. */
	map_deinit(&ep->turns);
	registration_free(ep->registration);
	ep->registration = NULL;
	gruu_forget(ep);
	refer_endpoint_over(ep, REFER_SILENT);
	subscriber_endpoint_over(ep, SUBSCRIBER_SILENT);
	subscription_endpoint_over(ep, SUBSCRIPTION_SILENT);
	session_endpoint_over(ep, SESSION_SILENT);
	publication_endpoint_over(ep, PUBLICATION_SILENT);
	while ((node = list_first(&ep->requests)))
		request_free(request_of_node(node));
	while ((node = list_first(&ep->incoming)))
		incoming_free(list_entry(node, struct incoming, node));
	endpoint_set_flow(ep, NULL);
	microsoft_free(ep->microsoft);
	messages_forget(ep);
	endpoint_listen_stop(ep);
	endpoint_flow_deinit(ep);
	auth_deinit(&ep->auth);
	later_cancel(&ep->note);
	timer_cancel(&ua->timers, &ep->close_timer);
	map_remove(&ua->endpoints_by_id, &ep->by_id);
	endpoint_route_remove(ep);
	list_remove(&ep->node);
	ua->n_endpoints--;
	profile_unref(ep->profile);
	free(ep->id);
	free(ep->uri);
	free(ep->display_name);
	free(ep->endpoint_id);
	free(ep->instance_id);
	free(ep->aor);
	free(ep->token);
	free(ep->outbound_proxy);
	free(ep->pool);
	free(ep->server);
	free(ep);
}

/* ---- closing ---- */

static bool is_settled(const struct endpoint *ep)
{
	return ep->n_sessions == 0 && ep->n_publications == 0 && ep->n_subscribers == 0 &&
	       ep->n_subscriptions == 0 && !registration_is_busy(ep->registration);
}

static void leave(struct endpoint *ep)
{
	struct ua *ua = ep->ua;

	if (ep->told_added && ua->listener)
		ua->listener->endpoint_removed(ua->listener_ctx, ep);
	endpoint_free(ep);
}

static void tell(struct endpoint *ep)
{
	struct ua *ua = ep->ua;
	unsigned changes = ep->changes;

	ep->changes = 0;
	if (!ua->listener)
		return;
	if (!ep->told_added) {
		ep->told_added = true;
		ua->listener->endpoint_added(ua->listener_ctx, ep);
	} else if (changes) {
		ua->listener->endpoint_changed(ua->listener_ctx, ep, changes);
	}
}

static void deliver_note(struct later_note *n)
{
	struct endpoint *ep = container_of(n, struct endpoint, note);

	if (ep->leaving) {
		leave(ep);
		return;
	}
	if (ep->changes & (UA_CHANGE_REGISTRATION | UA_CHANGE_BINDINGS))
		package_changed(ep, PROFILE_PACKAGE_REG);
	tell(ep);
	/* One more turn of the queue, so that outcomes that wait in it are told before the end. */
	if (ep->closing && is_settled(ep)) {
		ep->leaving = true;
		later_queue(&ep->ua->later, &ep->note);
	}
}

static void on_close_timer(struct timer *t)
{
	struct endpoint *ep = container_of(t, struct endpoint, close_timer);

	/* Their last words are queued before ours. */
	session_endpoint_over(ep, SESSION_TOLD);
	publication_endpoint_over(ep, PUBLICATION_TOLD);
	subscriber_endpoint_over(ep, SUBSCRIBER_TOLD);
	subscription_endpoint_over(ep, SUBSCRIPTION_TOLD);
	ep->leaving = true;
	later_queue(&ep->ua->later, &ep->note);
}

void endpoint_close(struct endpoint *ep)
{
	UA_SCOPE(ep->ua);

	if (ep->closing)
		return;
	ep->closing = true;
	list_for_each_safe (node, next, &ep->incoming)
		incoming_withdraw(list_entry(node, struct incoming, node));
	list_for_each_safe (node, next, &ep->requests) {
		struct request *r = request_of_node(node);

		/* The registration winds up its own, and so do sessions and others. */
		if (!registration_owns(ep->registration, r) && !request_outlives_closing(r))
			request_abort(r, 0, SLICE("endpoint closed"));
	}
	session_endpoint_over(ep, SESSION_ENDED);
	subscriber_endpoint_over(ep, SUBSCRIBER_ENDED);
	refer_endpoint_over(ep, REFER_TOLD);
	publication_endpoint_over(ep, PUBLICATION_WITHDRAWN);
	subscription_endpoint_over(ep, SUBSCRIPTION_ENDED);
	if (ep->registration)
		(void)registration_stop(ep->registration, REGISTRATION_OWN);
	timer_arm(&ep->ua->timers, &ep->close_timer, CLOSE_BOUND_T1 * TIMER_T1);
	later_queue(&ep->ua->later, &ep->note);
}

/* ---- finding ---- */

struct endpoint *endpoint_find(struct ua *ua, struct slice id)
{
	struct map_node *node = map_find(&ua->endpoints_by_id, id);

	return node ? container_of(node, struct endpoint, by_id) : NULL;
}

/* ---- state shared with the parts ---- */

void endpoint_mark(struct endpoint *ep, unsigned changes)
{
	UA_SCOPE(ep->ua);

	ep->changes |= changes;
	later_queue(&ep->ua->later, &ep->note);
}

void endpoint_append_contact_uri(
	struct buf *b, const struct endpoint *ep, const struct flow *f, enum uri_scheme scheme)
{
	bool sips = scheme == URI_SIPS;

	buf_str(b, sips ? "sips:" : "sip:");
	buf_str(b, ep->token);
	buf_putc(b, '@');
	build_hostport(b, flow_local_host(f), f->local.port);
	/* 26.2.2: sips is TLS without saying so. */
	if (f->transport != TRANSPORT_UDP && !sips) {
		buf_lit(b, ";transport=");
		buf_str(b, transport_name(f->transport));
	}
	if (microsoft_is_on(ep)) {
		buf_lit(b, ";ms-opaque=");
		buf_put(b, microsoft_opaque(ep));
	}
}

void endpoint_set_flow(struct endpoint *ep, struct flow *f)
{
	if (ep->flow == f)
		return;
	flow_ref(f);
	list_remove(&ep->by_flow);
	flow_unref(ep->flow);
	ep->flow = f;
	if (f) {
		list_append(&f->endpoints, &ep->by_flow);
		endpoint_flow_use(ep, f);
	}
	free(ep->server);
	free(ep->flow_key);
	ep->server = ep->flow_key = NULL;
	if (f) {
		struct buf b = BUF_NULL;

		buf_str(&b, transport_name(f->transport));
		buf_putc(&b, ':');
		build_hostport(&b, slice_str(f->peer.host), f->peer.port);
		ep->server = buf_take(&b);
	}
	if (!ep->leaving)
		endpoint_mark(ep, UA_CHANGE_CONTACT);
}

void endpoint_keep_flow(struct endpoint *ep, struct flow *f, const char *key)
{
	char *copy = mem_strdup(key);

	endpoint_set_flow(ep, f);
	free(ep->flow_key);
	ep->flow_key = copy;
}

void endpoint_flow_down(struct endpoint *ep)
{
	const struct registration *other = registration_other_flow(ep, ep->flow);

	/* RFC 5626 section 4.3: whatever flow lives will do. */
	if (other)
		endpoint_keep_flow(ep, other->flow, other->server_key);
	else
		endpoint_set_flow(ep, NULL);
}
