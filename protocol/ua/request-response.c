/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/err.h"
#include "protocol/msg/params.h"
#include "protocol/ua/health.h"
#include "protocol/ua/request-private.h"

/* Final responses: RFC 3261 section 8.1.3. */

static void note_response(struct request *r, const struct msg *m, int error, struct slice reason)
{
	struct request_end end = {
		.status = m->status,
		.reason = reason,
		.origin = ORIGIN_REMOTE,
		.error = error,
		.response = m,
	};

	request_note_end(r, &end);
}

/* ---- 401 and 407 ---- */

/* "Unauthorized: realm is not the profile's": the peer's phrase, and what we make of it */
static void refused(struct request *r, const struct msg *m, const char *why)
{
	struct buf reason = BUF_NULL;

	buf_put(&reason, m->reason);
	buf_lit(&reason, ": ");
	buf_str(&reason, why);
	note_response(r, m, -EACCES, buf_slice(&reason));
	buf_deinit(&reason);
	request_try(r, REQUEST_NEXT_TARGET);
}

static void challenged(struct request *r, const struct msg *m);

static void on_secret(struct ua_query *q, struct slice user, struct slice password)
{
	struct request *r = container_of(q, struct request, secret);
	struct msg *m = msg_ref(r->response);

	if (password.p) {
		auth_set_secret(r->ep, slice_str(r->realm), user, password);
		/* Another realm of the same response may want a secret as well. */
		challenged(r, m);
	} else {
		refused(r, m, "no credentials");
	}
	msg_unref(m);
}

static void ask_secret(struct request *r, const struct msg *m, struct slice realm)
{
	struct host_secret_query what = {
		.endpoint_id = r->ep->id,
		.profile = r->ep->profile,
		.scheme = SLICE("digest"),
	};

	/* Should the request end meanwhile, this is how. */
	note_response(r, m, -EACCES, m->reason);
	free(r->realm);
	r->realm = slice_dup(realm);
	what.realm = slice_str(r->realm);
	r->secret.resolved = NULL;
	r->secret.secret = on_secret;
	ua_ask_secret(r->ep->ua, &r->secret, &what);
}

static void challenged(struct request *r, const struct msg *m)
{
	const char *why = NULL;
	struct slice realm;

	switch (auth_challenged(r->ep, r->sent, m, &realm, &why)) {
	case AUTH_RETRY:
		note_response(r, m, -EACCES, m->reason);
		r->n_auth_rounds++;
		request_again(r);
		break;
	case AUTH_NEED_SECRET:
		ask_secret(r, m, realm);
		break;
	case AUTH_REFUSED:
		refused(r, m, "credentials were not accepted");
		break;
	case AUTH_IMPOSSIBLE:
		refused(r, m, why);
		break;
	}
}

static void on_challenge(struct request *r, const struct msg *m)
{
	if (r->cancelled)
		refused(r, m, "cancelled meanwhile");
	else if (!r->ep->kind->authenticates)
		refused(r, m, "a peer-to-peer endpoint does not authenticate");
	else if (!r->to_server)
		refused(r, m, "not asked by the endpoint's own server");
	else if (r->n_auth_rounds >= LIMITS_AUTH_ROUNDS)
		refused(r, m, "asked too often");
	else
		challenged(r, m);
}

/* ---- 3xx ---- */

static bool is_known(const struct request *r, const struct uri *u)
{
	struct uri known;

	for (size_t i = 0; i < r->n_targets; i++)
		if (uri_parse(slice_str(r->targets[i].uri), &known) == 0 && uri_equal(&known, u))
			return true;
	return false;
}

void request_add_target(struct request *r, struct slice uri, uint32_t q_thousandths)
{
	struct request_target *t = &r->targets[r->n_targets];

	if (r->n_targets == LIMITS_ATTEMPTS)
		return;
	t->uri = slice_dup(uri);
	t->q_thousandths = q_thousandths;
	r->n_targets++;
}

/* As a Request-URI: without header fields and the method parameter (8.1.3.4, 19.1.1). */
static void append_request_uri(struct buf *b, const struct uri *u)
{
	const char *end = u->text.p + u->text.n;
	struct slice rest = u->params;
	struct param p;

	if (u->headers.p)
		end = u->headers.p - 1;
	if (u->params.n)
		end = u->params.p;
	buf_put(b, slice_of(u->text.p, (size_t)(end - u->text.p)));
	while (params_next(&rest, &p) == 1) {
		if (slice_eq_ci(p.name, SLICE("method")))
			continue;
		buf_putc(b, ';');
		buf_put(b, p.name);
		if (p.value.p) {
			buf_putc(b, '=');
			buf_put(b, p.value);
		}
	}
}

/*
 * A contact that may be followed: sip or sips, not weaker than what was asked for, with a way to
 * it, and new. Header fields that it brings are left out: a peer does not write our requests.
 */
static void take_contact(struct request *r, const struct addr *a)
{
	struct buf text = BUF_NULL;
	struct request_hop hop;
	struct uri u, first;

	if (a->uri.scheme != URI_SIP && a->uri.scheme != URI_SIPS)
		return;
	append_request_uri(&text, &a->uri);
	if (uri_parse(buf_slice(&text), &u) == 0 &&
		uri_parse(slice_str(r->targets[0].uri), &first) == 0 &&
		!(first.scheme == URI_SIPS && u.scheme != URI_SIPS) && !is_known(r, &u) &&
		request_way_find(r->ep, &r->way, &u, &hop) == 0)
		request_add_target(r, buf_slice(&text), addr_q(a));
	buf_deinit(&text);
}

static void take_contacts(struct request *r, const struct msg *m)
{
	const struct hdr *h = NULL;

	while ((h = msg_header_next(m, HDR_CONTACT, h))) {
		struct slice rest = h->value;
		struct addr a;

		while (addr_next(&rest, &a) == 1)
			take_contact(r, &a);
	}
}

/* 305 names a proxy and 380 something else than the same request elsewhere: those are handed back.
 */
static bool is_followed(const struct request *r, const struct msg *m)
{
	return r->redirects == REQUEST_FOLLOW && r->n_redirects < LIMITS_REDIRECTS &&
	       m->status >= 300 && m->status <= 302;
}

/* ---- all of them ---- */

static void on_unavailable(struct request *r, const struct msg *m)
{
	struct health_trouble t = {
		.transport = r->flow->transport,
		.addr = &r->flow->peer,
		.target = r->domain,
		.reason = "503 Service Unavailable",
	};
	uint32_t seconds;

	note_response(r, m, -EREMOTEIO, m->reason);
	/* RFC 3261 21.5.4: only Retry-After keeps others from asking. */
	if (msg_retry_after(m, &seconds) && seconds) {
		t.retry_after = seconds;
		health_mark(r->ep->ua, &t);
	}
	if (r->cached)
		r->failed = r->hop;
	request_try(r, REQUEST_NEXT_ADDRESS);
}

/*
 * Who looks for the callee has let the caller pass. What the server may say before it looks at
 * credentials, or in place of a 401, proves nothing.
 */
static bool proves_credentials(unsigned status)
{
	switch (status) {
	case 400:
	case 401:
	case 403:
	case 407:
	case 430: /* RFC 5626 section 11.5: as a 400 */
		return false;
	}
	return status < 500 || status >= 600;
}

/*
 * 413, 415, 416 and 420 (8.1.3.5) say that another body, URI or fewer extensions would do. The
 * body, the target and Require are the client's, who alone knows what it can do without: it gets
 * the response with what the server would accept, and no guess of ours.
 */
void request_on_final(struct request *r, const struct msg *m)
{
	if (m->status != 503)
		health_good(r->ep->ua, r->flow->transport, &r->flow->peer);
	if (r->to_server && proves_credentials(m->status))
		auth_accepted(r->ep, r->sent, m);
	if (m->status < 300) {
		note_response(r, m, 0, m->reason);
		request_try(r, REQUEST_NEXT_NOTHING);
	} else if (m->status == 401 || m->status == 407) {
		on_challenge(r, m);
	} else if (m->status == 503) {
		on_unavailable(r, m);
	} else {
		note_response(r, m, -EREMOTEIO, m->reason);
		if (is_followed(r, m)) {
			r->n_redirects++;
			take_contacts(r, m);
		}
		/* A 6xx is the last word wherever it came from (21.6). */
		request_try(r, m->status < 600 ? REQUEST_NEXT_TARGET : REQUEST_NEXT_NOTHING);
	}
}
