/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/locate.h"
#include "protocol/ua/request.h"

/* What decides whom a request is handed to, beside its Request-URI. */
struct request_way {
	enum request_server server;
	const struct profile_server *proxy; /* NULL: none */
	struct dialog *dialog;              /* NULL: outside of any */
	unsigned reg_id;                    /* 0: whichever flow lives */
	struct slice route;                 /* a client's own (request-route.h); empty: none */
};

struct request_hop {
	struct locate_target to;
	bool own; /* the endpoint's own server, which alone gets credentials */
};

/* Reads what the wish says of it. */
void request_way_init(
	struct request_way *w, const struct endpoint *ep, const struct request_spec *spec);
/*
 * Where a request of ep to that URI goes first. -EOPNOTSUPP: no way, or none that is secure enough
 * for sips; -EINVAL: the outbound proxy or a dialog's route is no URI. Borrows from everything.
 */
int request_way_find(const struct endpoint *ep, const struct request_way *way,
	const struct uri *uri, struct request_hop *ret);
