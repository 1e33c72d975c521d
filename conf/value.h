/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"
#include "protocol/base/timer.h"

struct buf;

/*
 * The texts of a configuration value, one function for each kind. All are pure, borrow from their
 * input, want it without blanks around, return 0 or -EINVAL, and write their result on success
 * only.
 */

/* yes, no, true, false, on, off, 1, 0, ignoring case. */
int value_parse_bool(struct slice s, bool *ret);
/* As systemd.time(7): "30s", "1h 30min", "1.5s", a bare number is seconds, "infinity" is off. */
int value_parse_duration(struct slice s, usec_t *ret);
/* Bytes, with K, M or G for 1024, its square and its cube. */
int value_parse_size(struct slice s, uint64_t *ret);

/* host[:port]; an IPv6 address stands in brackets when a port follows (RFC 3261 section 25.1). */
struct value_host {
	struct slice host; /* without brackets */
	uint16_t port;     /* 0: none given */
	bool is_address;   /* IPv4 or IPv6, no name */
};
int value_parse_host(struct slice s, struct value_host *ret);

/* type/party as an RTC profile lists them. */
struct value_session {
	struct slice type, party;
};
int value_parse_session(struct slice s, struct value_session *ret);

/* A sip: or sips: URI with a user part, as an address of record has. */
int value_check_aor(struct slice s);
/* [A-Za-z0-9_]+, what one element of a D-Bus object path may be. */
int value_check_path_element(struct slice s);

/* A UUID (RFC 4122 section 3), with or without urn:uuid: in front; appends it with, in lower case.
 */
int value_append_instance(struct buf *b, struct slice s);

/* Takes the next word off a list separated by blanks; false at its end. */
bool value_next_word(struct slice *rest, struct slice *ret);
