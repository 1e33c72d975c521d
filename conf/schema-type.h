/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "conf/schema.h"

/*
 * The kinds of values that rows of a schema use. In brackets: the C type at key->offset. For texts,
 * key->max is the longest in bytes; 0 is SCHEMA_TEXT_MAX.
 */
#define SCHEMA_TEXT_MAX 1024

extern const struct schema_type schema_bool;     /* [bool] */
extern const struct schema_type schema_number;   /* [uint32_t] min to max */
extern const struct schema_type schema_port;     /* [uint16_t] 0 to 65535 */
extern const struct schema_type schema_size;     /* [uint32_t] bytes, min to max */
extern const struct schema_type schema_duration; /* [usec_t] min to max, or 0 for off */
extern const struct schema_type schema_delay;    /* [usec_t] min to max */
extern const struct schema_type schema_seconds;  /* [uint32_t] min to max (usec) in whole seconds */
extern const struct schema_type schema_word;     /* [an enum] one of key->words */
extern const struct schema_type schema_mask;     /* [unsigned] any of key->words */
extern const struct schema_type schema_text;     /* [char *] */
extern const struct schema_type schema_choice;   /* [char *] one of key->words */
extern const struct schema_type schema_secret;   /* [char *] wiped, never shown */
extern const struct schema_type schema_path;     /* [char *] */
extern const struct schema_type schema_file;     /* [char *] a file's name without directory */
extern const struct schema_type schema_token;    /* [char *] RFC 3261 section 25.1 token */
extern const struct schema_type schema_address;  /* [char *] IPv4 or IPv6, without brackets */
extern const struct schema_type schema_host;     /* [char *] host[:port] */
extern const struct schema_type schema_domain;   /* [char *] host */
extern const struct schema_type schema_name;     /* [char *] a D-Bus path element */
extern const struct schema_type schema_aor;      /* [char *] a sip: or sips: URI */
extern const struct schema_type schema_pin;      /* [char *] 64 hexadecimal digits */
extern const struct schema_type schema_instance; /* [char *] urn:uuid:UUID */
extern const struct schema_type schema_list;     /* [char **], [size_t] at n_offset: words */
extern const struct schema_type schema_servers;  /* the same; each address[:port] */
extern const struct schema_type schema_aors;     /* the same; each a sip: or sips: URI */
extern const struct schema_type schema_domains;  /* the same; each a host name */
