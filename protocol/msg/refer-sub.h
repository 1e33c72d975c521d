/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/*
 * Refer-Sub (RFC 4488 section 4): does a REFER make a subscription, or did it? Parameters are
 * checked and ignored. -EBADMSG for anything but "true" and "false". Absent means true.
 */
int refer_sub_parse(struct slice value, bool *ret);
