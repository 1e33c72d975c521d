/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/schema-rows.h"

#include "protocol/ua/profile.h"

const struct schema_word schema_transports[] = {
	{ "udp", TRANSPORT_UDP, SCHEMA_NOW },
	{ "tcp", TRANSPORT_TCP, SCHEMA_NOW },
	{ "tls", TRANSPORT_TLS, SCHEMA_NOW },
	{ NULL },
};

const struct schema_word schema_tls_versions[] = {
	{ "1.2", 0, SCHEMA_NOW },
	{ "1.3", 0, SCHEMA_NOW },
	{ NULL },
};
