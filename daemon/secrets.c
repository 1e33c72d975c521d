/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/secrets.h"

#include <gsasl.h>
#include <string.h>

#include "daemon/loop.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/log.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"
#include "protocol/ua/ua.h"

/* Where the callback finds what it is asked for. */
struct source {
	struct slice user, password;
};

struct answer {
	struct list node;
	uint64_t query;
	char *user, *password; /* NULL: nobody has one */
};

static void wipe(char *text)
{
	if (text)
		mem_wipe(text, strlen(text));
	free(text);
}

static void answer_free(struct answer *a)
{
	list_remove(&a->node);
	wipe(a->user);
	wipe(a->password);
	free(a);
}

/* libgsasl asks for what a mechanism needs. */
static int on_property(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
	const struct source *from = gsasl_session_hook_get(session);
	struct slice value = SLICE_NULL;

	(void)gsasl;
	if (property == GSASL_AUTHID)
		value = from->user;
	else if (property == GSASL_PASSWORD)
		value = from->password;
	if (!value.p)
		return GSASL_NO_CALLBACK;
	return gsasl_property_set_raw(session, property, value.p, value.n);
}

/* libgsasl frees its copies without wiping them. */
static void wipe_property(Gsasl_session *session, Gsasl_property property)
{
	const char *value = gsasl_property_fast(session, property);

	if (value)
		mem_wipe((void *)(uintptr_t)value, strlen(value));
}

/* A property as SASLprep leaves it; NULL if it cannot be prepared. */
static char *prepared(Gsasl_session *session, Gsasl_property property, size_t want)
{
	const char *raw = gsasl_property_get(session, property);
	char *given = NULL, *own;

	/* A NUL inside would be the end for SASLprep: such a password is not ours to shorten. */
	if (!raw || strlen(raw) != want)
		return NULL;
	if (gsasl_saslprep(raw, GSASL_ALLOW_UNASSIGNED, &given, NULL) != GSASL_OK)
		return NULL;
	own = mem_strdup(given);
	mem_wipe(given, strlen(given));
	gsasl_free(given);
	return own;
}

/* Both or neither. */
static void prepare(struct secrets *s, struct answer *a, struct source *from)
{
	Gsasl_session *session;

	/* PLAIN is the mechanism that asks for just these two. */
	if (gsasl_client_start(s->gsasl, "PLAIN", &session) != GSASL_OK) {
		log_line(s->log, LOG_LEVEL_ERROR, "libgsasl cannot start a session");
		return;
	}
	gsasl_session_hook_set(session, from);
	a->user = prepared(session, GSASL_AUTHID, from->user.n);
	a->password = prepared(session, GSASL_PASSWORD, from->password.n);
	wipe_property(session, GSASL_PASSWORD);
	gsasl_finish(session);
	if (a->user && a->password)
		return;
	log_line(s->log, LOG_LEVEL_ERROR,
		"the %s contains what SASLprep (RFC 4013) forbids, such as control characters",
		a->user ? "password" : "user name");
	wipe(mem_take(&a->user));
	wipe(mem_take(&a->password));
}

static void tell(struct timer *t)
{
	struct secrets *s = container_of(t, struct secrets, tell);
	struct list *node;

	while ((node = list_first(&s->answers))) {
		struct answer *a = list_entry(node, struct answer, node);

		list_remove(&a->node);
		loop_enter(s->loop);
		if (s->loop->ua)
			ua_secret(s->loop->ua, a->query, a->user ? slice_str(a->user) : SLICE_NULL,
				a->password ? slice_str(a->password) : SLICE_NULL);
		answer_free(a);
	}
}

void secrets_answer(struct secrets *s, uint64_t query, struct slice user, struct slice password)
{
	struct answer *a = mem_new(struct answer);
	struct source from = { user, password };

	a->query = query;
	if (password.p)
		prepare(s, a, &from);
	list_append(&s->answers, &a->node);
	loop_soon(s->loop, &s->tell);
}

void secrets_ask(struct secrets *s, uint64_t query, const struct host_secret_query *what)
{
	const struct profile *p = what->profile;
	struct buf user cleanup_buf = BUF_NULL;

	if (p->secret.bytes) {
		buf_reserve(&user, 1); /* so that not even an empty name is no name */
		profile_append_user(&user, p);
		secrets_answer(s, query, buf_slice(&user), slice_of(p->secret.bytes, p->secret.n));
	} else if (s->ask_agent) {
		s->ask_agent(s->agent_ctx, query, what);
	} else {
		secrets_answer(s, query, SLICE_NULL, SLICE_NULL);
	}
}

int secrets_init(struct secrets *s, struct loop *loop, const struct log_sink *log)
{
	Gsasl *gsasl;
	int r = gsasl_init(&gsasl);

	*s = (struct secrets){ .loop = loop, .log = log, .tell.fire = tell };
	list_init(&s->answers);
	if (r != GSASL_OK) {
		log_line(log, LOG_LEVEL_ERROR, "libgsasl: %s", gsasl_strerror(r));
		return -EIO;
	}
	gsasl_callback_set(gsasl, on_property);
	s->gsasl = gsasl;
	return 0;
}

void secrets_deinit(struct secrets *s)
{
	struct list *node;

	if (!s->loop)
		return;
	while ((node = list_first(&s->answers)))
		answer_free(list_entry(node, struct answer, node));
	timer_cancel(&s->loop->timers, &s->tell);
	if (s->gsasl)
		gsasl_done(s->gsasl);
	*s = (struct secrets){ 0 };
}
