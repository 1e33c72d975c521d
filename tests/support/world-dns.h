/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/dns.h"
#include "tests/support/world.h"

/*
 * The names of the world: world_set_name() of world.h adds addresses, these the other records.
 * Names are compared as they are written. A name that is not there does not exist.
 */

/*
 * Several records at once, one a line; "." is the root, "-" an empty string:
 *   A sip.example.com 192.0.2.1              (or an IPv6 address)
 *   SRV _sip._udp.example.com PRIORITY WEIGHT PORT TARGET
 *   NAPTR example.com ORDER PREFERENCE FLAGS SERVICES REGEXP REPLACEMENT
 *   FAIL NAPTR|SRV|A example.com timeout|server
 */
void world_dns_zone(struct world *w, const char *text);
void world_dns_srv(struct world *w, const char *name, const struct dns_srv *srv);
void world_dns_naptr(struct world *w, const char *name, const struct dns_naptr *naptr);
/* From now on that question is answered so; error 0: truly again. */
void world_dns_fail(struct world *w, const char *name, enum dns_kind kind, int error);
/* That question is answered later, by so much more. */
void world_dns_slow(struct world *w, const char *name, usec_t by);
/* No record of that name is there any more. */
void world_dns_remove(struct world *w, const char *name);
/* "NAPTR example.com\nSRV _sip._udp.example.com\n": all that was asked since it was read last;
 * good until something is asked. */
const char *world_dns_asked(struct world *w);
