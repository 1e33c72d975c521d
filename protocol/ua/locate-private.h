/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/locate.h"

/* What the files of locate share. */

enum locate_kind {
	LOCATE_NAPTR,   /* ask for the domain's services */
	LOCATE_SRV,     /* ask for a service's targets */
	LOCATE_HOST,    /* ask for a host's addresses */
	LOCATE_DEFAULT, /* the same, unless SRV records were found */
	LOCATE_ADDRESS, /* a place to try */
};

/*
 * The plan is a list of steps. The first is taken, and what is not an address yet is replaced by
 * what the answer says: services, targets, addresses.
 */
struct locate_step {
	struct list node;
	enum locate_kind kind;
	enum transport transport; /* NONE: not known yet */
	uint16_t port;
	bool passed_over; /* it was bad when its turn came, and comes again at the end */
	char name[DNS_NAME_BYTES];
};

/* ---- locate.c ---- */
/* A step before at; NULL where the limit is reached or the name is too long. */
struct locate_step *locate_add(
	struct locate *l, struct list *at, enum locate_kind kind, struct slice name);
/* Remembers the most telling of several. */
void locate_note_error(struct locate *l, int error);

/* ---- locate-dns.c ---- */
/* Puts what the answer to step says before at, where step was. */
void locate_expand(struct locate *l, const struct locate_step *step, struct list *at,
	const struct dns_answer *a);
/* 4.2: the service name of that transport at the host, as a step before at. */
void locate_add_service(
	struct locate *l, struct list *at, enum transport transport, struct slice host);
