/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

struct profile_tls;
struct schema_reader;

#define TLS_FILES_MAX (1024 * 1024) /* bytes of one file */

/*
 * What the tables can't say of a [Tls]: names that do not begin with / are looked up in the folder
 * (and are absolute afterwards), each file can be read, a certificate and its key come together,
 * and nobody but owner and group reads the key. What is inside is the TLS library's affair.
 */
void tls_files_check(struct schema_reader *r, const char *folder, struct profile_tls *tls);
