/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"

/* A peer-to-peer endpoint that is to be reached gets sockets for it: the errors of host.listen. */
int endpoint_listen_start(struct endpoint *ep, const struct uri *uri);
/* Nothing if it does not listen. */
void endpoint_listen_stop(struct endpoint *ep);
