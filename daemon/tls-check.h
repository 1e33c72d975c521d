/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

struct config;
struct config_source;

/*
 * config_load(), and what only the TLS library can tell: files of [Tls] that hold no certificate, a
 * key that is another's, a certificate of ours that has expired. Such problems name the file that
 * has the [Tls], and the one that it names.
 */
struct config *tls_check_load(const struct config_source *source);
