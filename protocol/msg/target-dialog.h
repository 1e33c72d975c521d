/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/msg/dialog-id.h"

/*
 * A Target-Dialog value (RFC 4538 section 7). Its tags are written for the recipient's eyes too
 * (section 3): "local-tag", the recipient's own, becomes to_tag and "remote-tag" from_tag, each
 * there exactly once. -EBADMSG otherwise.
 */
int target_dialog_parse(struct slice value, struct dialog_id *ret);
/* The value that names d, which is the recipient's view as everywhere; early_only is not written.
 */
void target_dialog_append(struct buf *b, const struct dialog_id *d);
