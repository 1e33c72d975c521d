/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/endpoint.h"
#include "protocol/ua/package.h"

/*
 * What the files of our own packages share.
 *
 *   package.c         who may see them, and when they are told
 *   package-dialog.c  application/dialog-info+xml
 *   package-reg.c     application/reginfo+xml
 */

struct package {
	enum profile_package name;
	const char *event, *type;
	/* The document up to the digits of its version, which counts what one subscriber is told.
	 */
	const char *head;
	/* From behind them to the end. */
	void (*append_rest)(struct buf *b, const struct endpoint *ep);
};

extern const struct package package_dialog, package_reg;

/* As the content of an element or of an attribute in double quotes; what XML 1.0 cannot have, and
 * what is not UTF-8, becomes "?". */
void package_append_text(struct buf *b, struct slice text);
/* ` name="text"` */
void package_append_attribute(struct buf *b, const char *name, struct slice text);
