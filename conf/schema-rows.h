/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "conf/schema-type.h"

/* Rows and rules that sipbus.conf and the profiles have in common. */

#define SCHEMA_HOUR (3600 * USEC_PER_SEC)
#define SCHEMA_DAY (24 * SCHEMA_HOUR)
#define SCHEMA_KEYS(rows) .keys = (rows), .n_keys = ARRAY_LEN(rows)

/* udp, tcp, tls as enum transport. */
extern const struct schema_word schema_transports[];
extern const struct schema_word schema_tls_versions[];

/* The [Tls] of both files; member is a struct profile_tls. Written into an array of rows. */
#define SCHEMA_TLS_ROWS(type_, member)                                                           \
	{ .name = "CaFile",                                                                      \
		.type = &schema_path,                                                            \
		.offset = offsetof(type_, member.ca_file),                                       \
		.doc = "Certificates that are trusted, in place of the system's" },              \
		{ .name = "CrlFile",                                                             \
			.type = &schema_path,                                                    \
			.offset = offsetof(type_, member.crl_file),                              \
			.doc = "Lists of certificates that their authorities revoked" },         \
		{ .name = "CertificateFile",                                                     \
			.type = &schema_path,                                                    \
			.offset = offsetof(type_, member.certificate_file),                      \
			.doc = "The certificate that is shown to the far end, with its chain" }, \
		{ .name = "KeyFile",                                                             \
			.type = &schema_path,                                                    \
			.offset = offsetof(type_, member.key_file),                              \
			.doc = "The private key of CertificateFile" },                           \
		{ .name = "MinimumVersion",                                                      \
			.type = &schema_choice,                                                  \
			.offset = offsetof(type_, member.minimum_version),                       \
			.words = schema_tls_versions,                                            \
			.preset = "1.2",                                                         \
			.doc = "The oldest TLS that is spoken" },                                \
	{                                                                                        \
		.name = "KeyLogFile", .type = &schema_path,                                      \
		.offset = offsetof(type_, member.key_log_file),                                  \
		.doc = "Where session keys are written so that a trace can be read"              \
	}

/* The [Access] of both files. */
#define SCHEMA_ACCESS_ROWS(type_)                                                          \
	{ .name = "Users",                                                                 \
		.type = &schema_list,                                                      \
		.offset = offsetof(type_, users),                                          \
		.n_offset = offsetof(type_, n_users),                                      \
		.doc = "Users that may act, by name or number" },                          \
	{                                                                                  \
		.name = "Groups", .type = &schema_list, .offset = offsetof(type_, groups), \
		.n_offset = offsetof(type_, n_groups),                                     \
		.doc = "Groups whose members may act, by name or number"                   \
	}
