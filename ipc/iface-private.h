/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the iface files share among themselves. */
#include "ipc/bus-table.h"
#include "ipc/iface.h"
#include "protocol/ua/ua.h"

#define IFACE_ROOT "/org/sipbus1"

struct request_header;

extern const struct bus_interface iface_manager, iface_profile, iface_endpoint, iface_agent;

/* All of them, agents' included; ends with NULL. */
extern const struct bus_interface *const iface_tables[];

/* Endpoints that one user who is no administrator made by CreateEndpoint and that still are. */
enum { IFACE_ENDPOINTS_PER_USER = 256 };

struct iface_profile {
	struct list node;
	struct iface *iface;
	struct profile *profile;
	struct bus_object *object;
};

struct iface_endpoint {
	struct list node;
	struct iface *iface;
	struct endpoint *ep;
	struct bus_object *object;
	struct list waiting; /* of struct iface_wait: Register and Unregister calls */
	unsigned told_state; /* enum registration_state that the bus was told last */
	bool made;           /* by CreateEndpoint, for uid */
	uid_t uid;
	struct bus_watch *creator; /* Lifetime=client: whose leaving ends the endpoint */
};

int iface_manager_start(struct iface *i);
void iface_manager_changed(struct iface *i, const char *property);
/* Where a profile's object is; the caller frees it. */
char *iface_profile_path(const struct profile *p);
/* It has an object: it was loaded, and is not what CreateEndpoint made up. */
bool iface_profile_is_shown(const struct iface *i, const struct profile *p);

/* iface-create.c */
extern const struct bus_option iface_create_options[];
int iface_create_endpoint(struct bus_call *c, void *object);

/* iface-endpoint-props.c; ends with a row without a name. */
extern const struct bus_property iface_endpoint_properties[];

/* The ua's news about endpoints (iface-endpoint.c). */
void iface_endpoint_added(struct iface *i, struct endpoint *ep);
void iface_endpoint_removed(struct iface *i, struct endpoint *ep);
void iface_endpoint_changed(struct endpoint *ep, unsigned changes);
void iface_endpoint_done(struct endpoint *ep, enum ua_verb verb, const struct outcome *o);
const char *iface_endpoint_path(const struct endpoint *ep);

/* iface-page.c: the handlers of requests that wait for the far end. */
int iface_page_send(struct bus_call *c, void *object);
int iface_page_query(struct bus_call *c, void *object);
/* Manager.GetTargets. */
int iface_target_list(struct bus_call *c, void *object);
enum { IFACE_PAGE_METHOD, IFACE_PAGE_HEADERS, IFACE_PAGE_TIMEOUT };
enum { IFACE_QUERY_HEADERS, IFACE_QUERY_TIMEOUT };

/* -EPERM unless the host says that this user, or who hears a broadcast, may use the profile. */
int iface_guard(const struct iface *i, const struct bus_access *a, const struct profile *p);
/* Answers a call by an outcome that is no success, as the error map of the contract says. */
int iface_fail(struct bus_call *c, const struct outcome *o);

/* a(ss) of every header of a message, and back. */
struct bus_reader;
struct msg;
void iface_write_headers(struct bus_writer *w, const struct msg *m);
/* The same without those of one kind. */
void iface_write_headers_but(struct bus_writer *w, const struct msg *m, enum hdr_id left_out);
/* Borrowed from the reader's message. -ENOSPC above the limit; *ret_headers is the caller's to
 * free. */
int iface_read_headers(struct bus_reader items, struct request_header **ret_headers, size_t *ret_n);
/*
 * The same of an option, checked by request_headers_check(); NULL if it is not given. On failure
 * the call is answered by an error that names the header.
 */
int iface_headers_option(
	struct bus_call *c, unsigned row, struct request_header **ret_headers, size_t *ret_n);
/* Answers a call whose headers cannot be used. */
struct request_header_fault;
int iface_fail_header(struct bus_call *c, int error, const struct request_header_fault *fault);
