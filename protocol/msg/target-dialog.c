/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/target-dialog.h"

#include "protocol/base/buf.h"

int target_dialog_parse(struct slice value, struct dialog_id *ret)
{
	int r = dialog_id_parse_named(value, SLICE("local-tag"), SLICE("remote-tag"), ret);

	/* The parameter is no word of this header's. */
	if (r == 0)
		ret->early_only = false;
	return r;
}

void target_dialog_append(struct buf *b, const struct dialog_id *d)
{
	dialog_id_append_named(b, SLICE("local-tag"), SLICE("remote-tag"), d);
}
