/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Connections on the bus: what is shown of one, and what may be done to it. */

struct bus_call;
struct bus_option;
struct bus_writer;

/* How many Manager.Connections shows at most. */
enum { IFACE_CONNECTIONS_MAX = 4096 };

/* Of both tables: what the dictionaries hold. */
#define IFACE_CONNECTION_KEYS                                                                 \
	"Id t, Transport s, Local s, Remote s, Incoming b, State s (opening, up), Since t, "  \
	"Idle u (seconds without traffic, at the time of reading), and where there is one: "  \
	"RegId u (RFC 5626), TlsVersion s, TlsCipher s, Resumed b, Certificate a{sv} of the " \
	"peer (Subject s, Issuer s, Fingerprint s, Expires t), MatchedDomain s (RFC 5922). "

/* Endpoint.Connections, Disconnect and SetIdleTimeout; object is a struct iface_endpoint. */
void iface_connection_get(struct bus_writer *w, void *object);
int iface_connection_end(struct bus_call *c, void *object);
int iface_connection_set_idle(struct bus_call *c, void *object);
/* Manager.Connections and Disconnect; object is the struct iface. */
void iface_connection_get_all(struct bus_writer *w, void *object);
int iface_connection_end_any(struct bus_call *c, void *object);
