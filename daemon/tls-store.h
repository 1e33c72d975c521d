/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "daemon/tls-known.h"

struct log_sink;

struct tls_store {
	const struct log_sink *log;
	struct tls_known known;
	struct list sources; /* of struct tls_source, as long as an identity has them */
};
