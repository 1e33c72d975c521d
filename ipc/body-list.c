/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-list.h"

#include "ipc/body-document.h"
#include "ipc/body-fault.h"
#include "ipc/body-multipart.h"
#include "ipc/body-xml.h"
#include "protocol/base/err.h"

#define RLMI SLICE("application/rlmi+xml")
#define RELATED SLICE("multipart/related")

static const struct body_kind kind = {
	.ns = SLICE_INIT("urn:ietf:params:xml:ns:rlmi"),
	.root = SLICE_INIT("list"),
	.name = "resource list information (RLMI)",
	.extent = SLICE_INIT("fullState"),
	.full = SLICE_INIT("true"),
};

/* A list that waits to be read: lists in lists are read one after the other. */
struct job {
	struct list node;
	char *name; /* of the list */
	struct slice content_type, body;
	size_t depth;
	struct body_row *instance; /* whose content it is; NULL: the outer one */
};

struct work {
	struct body_list *l;
	struct list jobs, done; /* those done keep what others borrow from */
	size_t n_jobs;          /* queued so far */
	enum body_news news;
};

/* What a job borrows its bytes from, until everything is done. */
struct held {
	struct list node;
	struct body_multipart parts;
};

/* ---- life ---- */

void body_list_init(struct body_list *l, uint64_t seed)
{
	*l = (struct body_list){ .seed = seed };
	body_table_init(&l->resources, BODY_RESOURCE_CELLS, 2, seed);
	body_table_init(&l->instances, BODY_INSTANCE_CELLS, 3, seed);
	list_init(&l->lists);
	list_init(&l->gone);
}

static void forget_gone(struct body_list *l)
{
	list_for_each_safe (node, next, &l->gone) {
		list_remove(node);
		free(body_row_of(node));
	}
}

static struct body_sublist *sublist_of(struct list *node)
{
	return list_entry(node, struct body_sublist, node);
}

static void drop_sublist(struct body_list *l, struct body_sublist *s)
{
	list_remove(&s->node);
	l->n_lists--;
	free((char *)(uintptr_t)s->name.p);
	free(s->uri);
	free(s->display);
	free(s);
}

void body_list_deinit(struct body_list *l)
{
	forget_gone(l);
	list_for_each_safe (node, next, &l->lists)
		drop_sublist(l, sublist_of(node));
	body_table_deinit(&l->resources);
	body_table_deinit(&l->instances);
}

const struct body_sublist *body_list_outer(const struct body_list *l)
{
	struct list *first = list_first(&l->lists);

	return first ? sublist_of(first) : NULL;
}

void body_list_restart(struct body_list *l)
{
	list_for_each (node, &l->lists)
		sublist_of(node)->version.known = false;
}

bool body_list_is_complete(const struct body_list *l)
{
	list_for_each (node, &l->lists)
		if (!sublist_of(node)->version.complete)
			return false;
	return true;
}

static struct body_sublist *find_sublist(const struct body_list *l, struct slice name)
{
	list_for_each (node, &l->lists)
		if (slice_eq(sublist_of(node)->name, name))
			return sublist_of(node);
	return NULL;
}

/* NULL: there are as many as there may be. */
static struct body_sublist *make_sublist(struct body_list *l, struct slice name)
{
	struct body_sublist *s;

	if (l->n_lists == BODY_LIST_LISTS_MAX)
		return NULL;
	s = mem_new(struct body_sublist);
	s->name = slice_of(slice_dup(name), name.n);
	list_append(&l->lists, &s->node);
	l->n_lists++;
	return s;
}

/* ---- one RLMI document ---- */

struct reading {
	struct work *work;
	const struct job *job;
	const struct body_multipart *parts; /* NULL: the document came alone */
	struct slice list;
};

/* Lists inside, as many as there may be; what is not queued stays bytes. */
static void queue(struct reading *r, struct body_row *row, const struct body_part *part)
{
	struct job *job;

	if (!body_type_is(part->content_type, RELATED) || r->job->depth + 1 >= BODY_LIST_DEPTH_MAX)
		return;
	/* Any number of instances may name one part: each would be read, and held, once more. */
	if (r->work->n_jobs == BODY_LIST_LISTS_MAX - 1)
		return;
	r->work->n_jobs++;
	job = mem_new(struct job);
	job->name = slice_dup(row->cells[BODY_INSTANCE_URI]);
	job->content_type = part->content_type;
	job->body = part->content;
	job->depth = r->job->depth + 1;
	job->instance = row;
	list_append(&r->work->jobs, &job->node);
}

/* Section 5.5. Without a part of its own it is as it was told last. */
static int take_instance(struct reading *r, struct slice uri, const struct body_element *e)
{
	struct body_table *t = &r->work->l->instances;
	struct slice cid = body_xml_attribute(e, SLICE("cid"));
	struct slice cells[BODY_INSTANCE_CELLS] = {
		[BODY_INSTANCE_LIST] = r->list,
		[BODY_INSTANCE_URI] = uri,
		[BODY_INSTANCE_ID] = body_xml_attribute(e, SLICE("id")),
		[BODY_INSTANCE_STATE] = body_xml_attribute(e, SLICE("state")),
		[BODY_INSTANCE_REASON] = body_xml_attribute(e, SLICE("reason")),
	};
	const struct body_part *part =
		r->parts && cid.n ? body_multipart_find(r->parts, cid) : NULL;
	struct body_row *row = body_table_find(t, cells);
	int error;

	/* Told of already in this document: one id is one instance. */
	if (row && body_row_is_new(t, row))
		return 0;
	if (part) {
		cells[BODY_INSTANCE_CONTENT_TYPE] = part->content_type;
		cells[BODY_INSTANCE_CONTENT] = part->content;
	} else if (row) {
		cells[BODY_INSTANCE_CONTENT_TYPE] = row->cells[BODY_INSTANCE_CONTENT_TYPE];
		cells[BODY_INSTANCE_CONTENT] = row->cells[BODY_INSTANCE_CONTENT];
	}
	error = body_table_put(t, cells, &row);
	if (error == 0 && part)
		queue(r, row, part);
	return error;
}

static int take_resource(struct reading *r, const struct body_element *e)
{
	struct body_table *t = &r->work->l->resources;
	struct slice cells[BODY_RESOURCE_CELLS] = {
		[BODY_RESOURCE_LIST] = r->list,
		[BODY_RESOURCE_URI] = slice_trim(body_xml_attribute(e, SLICE("uri"))),
		[BODY_RESOURCE_NAME] = body_xml_child_text(e, SLICE("name")),
	};
	const struct body_element *instance = body_xml_child(e, SLICE("instance"));
	struct body_row *row = body_table_find(t, cells);
	int error;

	if (row && !cells[BODY_RESOURCE_NAME].n)
		cells[BODY_RESOURCE_NAME] = row->cells[BODY_RESOURCE_NAME];
	error = body_table_put(t, cells, &row);
	for (; instance && error == 0;
		instance = body_xml_find(instance->next, instance->ns, instance->name))
		error = take_instance(r, cells[BODY_RESOURCE_URI], instance);
	return error;
}

static void describe(struct body_sublist *s, const struct body_document *doc)
{
	free(s->uri);
	free(s->display);
	s->uri = slice_dup(body_xml_attribute(doc->root, SLICE("uri")));
	s->display = slice_dup(body_xml_child_text(doc->root, SLICE("name")));
	s->extent = doc->extent;
}

/* Section 5.6; other than elsewhere, a second document of one version is no news. */
static enum body_news judge(struct body_sublist *s, const struct body_document *doc)
{
	if (s->version.known && doc->version == s->version.number)
		return BODY_NEWS_STALE;
	return body_version_take(&s->version, doc->version, doc->extent);
}

static int take_document(
	struct reading *r, const struct body_document *doc, struct body_fault *fault)
{
	struct body_list *l = r->work->l;
	const struct body_element *e = body_xml_child(doc->root, SLICE("resource"));
	struct body_sublist *s = find_sublist(l, r->list);
	enum body_news news;
	int error = 0;

	if (!s)
		s = make_sublist(l, r->list);
	if (!s)
		return body_fault_set(fault, -EMSGSIZE, "there are too many lists in the list");
	news = judge(s, doc);
	if (news == BODY_NEWS_STALE)
		return (int)news;
	s->told = l->resources.document;
	describe(s, doc);
	for (; e && error == 0; e = body_xml_find(e->next, e->ns, e->name))
		error = take_resource(r, e);
	if (error == 0)
		return (int)news;
	/* What was not reached is not gone. */
	s->version.complete = false;
	s->extent = BODY_PARTIAL;
	return body_fault_set(fault, -EMSGSIZE, "there are too many resources");
}

static int take_root(struct work *w, const struct job *job, const struct body_multipart *parts,
	struct body_fault *fault)
{
	struct reading r = { .work = w, .job = job, .parts = parts, .list = slice_str(job->name) };
	struct slice rlmi = parts ? parts->parts[parts->root].content : job->body;
	struct body_document doc;
	int news = body_document_parse(rlmi, &kind, fault, &doc);

	if (news < 0)
		return news;
	news = take_document(&r, &doc, fault);
	body_xml_free(doc.xml);
	return news;
}

static int take_job(struct work *w, const struct job *job, struct body_fault *fault)
{
	struct held *held;
	int r;

	fault->text[0] = '\0';
	if (body_type_is(job->content_type, RLMI))
		return take_root(w, job, NULL, fault);
	if (!body_type_is(job->content_type, RELATED))
		return body_fault_set(fault, -EBADMSG, "the content type '%.*s' is no list's",
			SLICE_ARGS(slice_head(job->content_type, 64)));
	held = mem_new(struct held);
	r = body_multipart_parse(job->content_type, job->body, fault, &held->parts);
	if (r < 0) {
		free(held);
		return r;
	}
	list_append(&w->done, &held->node);
	if (!body_type_is(held->parts.parts[held->parts.root].content_type, RLMI))
		return body_fault_set(fault, -EBADMSG, "the root of the list is no RLMI document");
	return take_root(w, job, &held->parts, fault);
}

/* ---- what is left when all of them were read ---- */

/* A resource of a list that told everything, but not of it; of a list that is no more. */
static bool is_gone(const struct body_list *l, const struct body_row *resource)
{
	const struct body_sublist *s = find_sublist(l, resource->cells[BODY_RESOURCE_LIST]);

	if (!s)
		return true;
	return s->told == l->resources.document && s->extent == BODY_FULL &&
	       !body_row_is_new(&l->resources, resource);
}

static void sweep_resources(struct body_list *l)
{
	list_for_each_safe (node, next, &l->resources.rows) {
		struct body_row *row = body_row_of(node);

		if (!is_gone(l, row))
			continue;
		body_table_unlink(&l->resources, row);
		list_append(&l->gone, &row->node);
	}
}

struct body_row *body_list_resource_of(const struct body_list *l, const struct body_row *instance)
{
	return body_table_find(&l->resources, &instance->cells[BODY_INSTANCE_LIST]);
}

/* A resource's state is what was told of it last, with the instances of that time. */
static void sweep_instances(struct body_list *l)
{
	list_for_each (node, &l->resources.rows)
		list_init(&body_row_of(node)->below);
	list_for_each_safe (node, next, &l->instances.rows) {
		struct body_row *row = body_row_of(node), *resource = body_list_resource_of(l, row);

		if (!resource || (body_row_is_new(&l->resources, resource) &&
					 !body_row_is_new(&l->instances, row)))
			body_table_remove(&l->instances, row);
		else
			list_append(&resource->below, &row->in_below);
	}
}

/* Another list has it, and it is not over. */
static bool is_resource(const struct body_list *l, struct slice name)
{
	list_for_each (node, &l->instances.rows) {
		const struct slice *cells = body_row_of(node)->cells;

		if (slice_eq(cells[BODY_INSTANCE_URI], name) &&
			!slice_eq(cells[BODY_INSTANCE_LIST], name) &&
			!slice_eq(cells[BODY_INSTANCE_STATE], SLICE("terminated")))
			return true;
	}
	return false;
}

/* Inner lists that no list has any more take their resources with them, which may be lists. */
static void sweep(struct body_list *l)
{
	size_t before;

	do {
		before = l->n_lists;
		sweep_resources(l);
		sweep_instances(l);
		list_for_each_safe (node, next, &l->lists) {
			struct body_sublist *s = sublist_of(node);

			if (s->name.n && !is_resource(l, s->name))
				drop_sublist(l, s);
		}
	} while (l->n_lists != before);
}

/* ---- a notification ---- */

static void free_job(struct job *job)
{
	list_remove(&job->node);
	free(job->name);
	free(job);
}

/* What becomes of the lists inside is no failure of the whole. */
static void take_inner(struct work *w)
{
	struct body_fault ignored;
	struct list *first;

	while ((first = list_first(&w->jobs))) {
		struct job *job = list_entry(first, struct job, node);
		int r = take_job(w, job, &ignored);

		if (r >= 0)
			job->instance->cells[BODY_INSTANCE_CONTENT] = SLICE("");
		if (r == BODY_NEWS_GAP)
			w->news = BODY_NEWS_GAP;
		free_job(job);
	}
}

int body_list_take(struct body_list *l, struct slice content_type, struct slice body,
	struct body_fault *ret_fault)
{
	struct job outer = { .name = (char[]){ "" }, .content_type = content_type, .body = body };
	struct work w = { .l = l };
	int r;

	list_init(&w.jobs);
	list_init(&w.done);
	forget_gone(l);
	l->resources.document++;
	l->instances.document++;
	r = take_job(&w, &outer, ret_fault);
	if (r >= 0)
		w.news = (enum body_news)r;
	take_inner(&w);
	sweep(l);
	list_for_each_safe (node, next, &w.done) {
		struct held *held = list_entry(node, struct held, node);

		body_multipart_deinit(&held->parts);
		free(held);
	}
	return r < 0 ? r : (int)w.news;
}
