/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/transport.h"

static const struct {
	const char *name, *via_name;
	struct slice text;
	uint16_t port;
	bool reliable;
} rows[] = {
	[TRANSPORT_NONE] = { "", "", SLICE_INIT(""), 5060, false },
	[TRANSPORT_UDP] = { "udp", "UDP", SLICE_INIT("udp"), 5060, false },
	[TRANSPORT_TCP] = { "tcp", "TCP", SLICE_INIT("tcp"), 5060, true },
	[TRANSPORT_TLS] = { "tls", "TLS", SLICE_INIT("tls"), 5061, true },
};

enum transport transport_parse(struct slice text)
{
	for (enum transport t = TRANSPORT_UDP; t <= TRANSPORT_TLS; t++)
		if (slice_eq_ci(text, rows[t].text))
			return t;
	return TRANSPORT_NONE;
}

const char *transport_name(enum transport t)
{
	return rows[t].name;
}

const char *transport_via_name(enum transport t)
{
	return rows[t].via_name;
}

bool transport_is_reliable(enum transport t)
{
	return rows[t].reliable;
}

uint16_t transport_default_port(enum transport t)
{
	return rows[t].port;
}
