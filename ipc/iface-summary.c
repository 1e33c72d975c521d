/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/iface-summary.h"

#include "ipc/body-dialog.h"
#include "ipc/body-fault.h"
#include "ipc/body-list.h"
#include "ipc/body-multipart.h"
#include "ipc/body-presence.h"
#include "ipc/body-reginfo.h"
#include "ipc/bus-call.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "ipc/iface-summary-write.h"
#include "protocol/base/err.h"
#include "protocol/msg/message-summary.h"

struct kind;

struct iface_summary {
	uint64_t seed;
	const struct kind *kind; /* NULL: nothing was taken yet */
	union {
		struct body_presence presence;
		struct body_dialog dialog;
		struct body_reginfo reginfo;
		struct body_list list;
		struct {
			char *body; /* what the summary borrows from */
			struct message_summary summary;
		} messages;
	};
};

struct kind {
	const char *name;
	void (*init)(struct iface_summary *s);
	void (*deinit)(struct iface_summary *s);
	int (*take)(struct iface_summary *s, struct slice content_type, struct slice body,
		struct body_fault *fault);
	void (*write)(struct bus_writer *w, const struct iface_summary *s);
	/* NULL: each document stands for itself. */
	struct body_version *(*version)(struct iface_summary *s);
};

/* ---- presence ---- */

static void init_presence(struct iface_summary *s)
{
	s->presence = (struct body_presence){ 0 };
}

static void deinit_presence(struct iface_summary *s)
{
	body_presence_deinit(&s->presence);
}

static int take_presence(struct iface_summary *s, struct slice content_type, struct slice body,
	struct body_fault *fault)
{
	struct body_presence p;
	int r = body_presence_parse(body, fault, &p);

	(void)content_type;
	if (r < 0)
		return r;
	body_presence_deinit(&s->presence);
	s->presence = p;
	return BODY_NEWS;
}

static void write_presence(struct bus_writer *w, const struct iface_summary *s)
{
	iface_summary_write_presence(w, &s->presence);
}

/* ---- dialogs ---- */

static void init_dialog(struct iface_summary *s)
{
	body_dialog_init(&s->dialog, s->seed);
}

static void deinit_dialog(struct iface_summary *s)
{
	body_dialog_deinit(&s->dialog);
}

static int take_dialog(struct iface_summary *s, struct slice content_type, struct slice body,
	struct body_fault *fault)
{
	(void)content_type;
	return body_dialog_take(&s->dialog, body, fault);
}

static void write_dialog(struct bus_writer *w, const struct iface_summary *s)
{
	iface_summary_write_dialog(w, &s->dialog);
}

static struct body_version *version_of_dialog(struct iface_summary *s)
{
	return &s->dialog.version;
}

/* ---- registrations ---- */

static void init_reginfo(struct iface_summary *s)
{
	body_reginfo_init(&s->reginfo, s->seed);
}

static void deinit_reginfo(struct iface_summary *s)
{
	body_reginfo_deinit(&s->reginfo);
}

static int take_reginfo(struct iface_summary *s, struct slice content_type, struct slice body,
	struct body_fault *fault)
{
	(void)content_type;
	return body_reginfo_take(&s->reginfo, body, fault);
}

static void write_reginfo(struct bus_writer *w, const struct iface_summary *s)
{
	iface_summary_write_reginfo(w, &s->reginfo);
}

static struct body_version *version_of_reginfo(struct iface_summary *s)
{
	return &s->reginfo.version;
}

/* ---- messages ---- */

static void init_messages(struct iface_summary *s)
{
	s->messages.body = NULL;
}

static void deinit_messages(struct iface_summary *s)
{
	free(s->messages.body);
}

static int take_messages(struct iface_summary *s, struct slice content_type, struct slice body,
	struct body_fault *fault)
{
	char *copy = slice_dup(body);
	struct message_summary summary;
	int r = message_summary_parse(slice_of(copy, body.n), &summary);

	(void)content_type;
	if (r < 0) {
		free(copy);
		return body_fault_set(fault, r, "no line says whether messages are waiting");
	}
	free(s->messages.body);
	s->messages.body = copy;
	s->messages.summary = summary;
	return BODY_NEWS;
}

static void write_messages(struct bus_writer *w, const struct iface_summary *s)
{
	if (s->messages.body)
		iface_summary_write_messages(w, &s->messages.summary);
}

/* ---- lists ---- */

static void init_list(struct iface_summary *s)
{
	body_list_init(&s->list, s->seed);
}

static void deinit_list(struct iface_summary *s)
{
	body_list_deinit(&s->list);
}

static int take_list(struct iface_summary *s, struct slice content_type, struct slice body,
	struct body_fault *fault)
{
	return body_list_take(&s->list, content_type, body, fault);
}

static void write_list(struct bus_writer *w, const struct iface_summary *s)
{
	iface_summary_write_list(w, &s->list);
}

/* ---- all of them ---- */

static const struct kind presence = {
	.name = "presence",
	.init = init_presence,
	.deinit = deinit_presence,
	.take = take_presence,
	.write = write_presence,
};
static const struct kind dialog = {
	.name = "dialog",
	.init = init_dialog,
	.deinit = deinit_dialog,
	.take = take_dialog,
	.write = write_dialog,
	.version = version_of_dialog,
};
static const struct kind registration = {
	.name = "registration",
	.init = init_reginfo,
	.deinit = deinit_reginfo,
	.take = take_reginfo,
	.write = write_reginfo,
	.version = version_of_reginfo,
};
static const struct kind messages = {
	.name = "messages",
	.init = init_messages,
	.deinit = deinit_messages,
	.take = take_messages,
	.write = write_messages,
};
static const struct kind list = {
	.name = "list",
	.init = init_list,
	.deinit = deinit_list,
	.take = take_list,
	.write = write_list,
};

static const struct {
	struct slice type;
	const struct kind *kind;
} types[] = {
	{ SLICE_INIT("application/pidf+xml"), &presence },
	{ SLICE_INIT("application/cpim-pidf+xml"), &presence },
	{ SLICE_INIT("application/dialog-info+xml"), &dialog },
	{ SLICE_INIT("application/reginfo+xml"), &registration },
	{ SLICE_INIT("application/simple-message-summary"), &messages },
	{ SLICE_INIT("multipart/related"), &list },
	{ SLICE_INIT("application/rlmi+xml"), &list },
};

static const struct kind *kind_of(struct slice content_type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (body_type_is(content_type, types[i].type))
			return types[i].kind;
	return NULL;
}

struct iface_summary *iface_summary_new(uint64_t seed)
{
	struct iface_summary *s = mem_new(struct iface_summary);

	s->seed = seed;
	return s;
}

void iface_summary_free(struct iface_summary *s)
{
	if (s && s->kind)
		s->kind->deinit(s);
	free(s);
}

bool iface_summary_is_piece(struct slice content_type)
{
	const struct kind *kind = kind_of(content_type);

	return kind && kind->version;
}

bool iface_summary_is_list(struct slice content_type)
{
	return kind_of(content_type) == &list;
}

void iface_summary_restart(struct iface_summary *s)
{
	if (s->kind && s->kind->version)
		s->kind->version(s)->known = false;
	else if (s->kind == &list)
		body_list_restart(&s->list);
}

bool iface_summary_is_complete(struct iface_summary *s)
{
	if (s->kind && s->kind->version)
		return s->kind->version(s)->complete;
	return s->kind != &list || body_list_is_complete(&s->list);
}

/* Another kind than before is another thing: nothing is left of that. */
int iface_summary_take(struct iface_summary *s, struct slice content_type, struct slice body,
	struct body_fault *ret_fault)
{
	const struct kind *kind = kind_of(content_type);

	ret_fault->text[0] = '\0';
	if (!kind)
		return body_fault_set(ret_fault, -EOPNOTSUPP, "nothing is known about '%.*s'",
			SLICE_ARGS(slice_head(content_type, 80)));
	if (s->kind != kind) {
		if (s->kind)
			s->kind->deinit(s);
		kind->init(s);
		s->kind = kind;
	}
	return kind->take(s, content_type, body, ret_fault);
}

void iface_summary_write(struct bus_writer *w, const struct iface_summary *s)
{
	bus_open_dict(w);
	if (s->kind) {
		bus_entry_str(w, "Kind", s->kind->name);
		s->kind->write(w, s);
	}
	bus_close(w);
}

/* A list in a list is taken apart with that, so nothing is read here that would have to call this
 * again. */
void iface_summary_write_body(
	struct bus_writer *w, uint64_t seed, struct slice content_type, struct slice body)
{
	struct iface_summary *s = iface_summary_new(seed);
	struct body_fault fault;

	if (kind_of(content_type) == &list ||
		iface_summary_take(s, content_type, body, &fault) < 0) {
		bus_open_dict(w);
		bus_close(w);
	} else {
		iface_summary_write(w, s);
	}
	iface_summary_free(s);
}

const struct body_list *iface_summary_list(const struct iface_summary *s)
{
	return s->kind == &list ? &s->list : NULL;
}

int iface_summary_fail(
	struct bus_call *c, int error, struct slice content_type, const struct body_fault *fault)
{
	if (error == -EOPNOTSUPP)
		return bus_call_fail(c, error, "%s", fault->text);
	return bus_call_fail(
		c, error, "%.*s: %s", SLICE_ARGS(slice_head(content_type, 80)), fault->text);
}

int iface_summary_read(struct bus_call *c, void *object)
{
	struct iface *i = object;
	struct slice content_type = bus_read_s(bus_call_args(c));
	struct slice body = bus_read_ay(bus_call_args(c));
	struct iface_summary *s = iface_summary_new(i->ua->queries.seed);
	struct body_fault fault;
	struct bus_writer w;
	int r = iface_summary_take(s, content_type, body, &fault);

	if (r < 0) {
		r = iface_summary_fail(c, r, content_type, &fault);
	} else {
		bus_call_open(c, &w);
		iface_summary_write(&w, s);
		bus_call_send(c, &w);
		r = 0;
	}
	iface_summary_free(s);
	return r;
}
