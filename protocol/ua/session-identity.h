/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include <stdbool.h>

struct endpoint;
struct flow;

/*
 * The profile's server speaks for whom it lets in; anybody else may write what they like into
 * P-Asserted-Identity (RFC 3325 section 5). What it said is session_asserted().
 */
bool session_identity_is_from_server(const struct endpoint *ep, const struct flow *f);
