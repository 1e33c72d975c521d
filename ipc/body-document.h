/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "ipc/body-table.h"

struct body_element;
struct body_fault;
struct body_xml;

/* What documents that have versions have in common. */
struct body_kind {
	struct slice ns, root;
	const char *name; /* for texts: "dialog information" */
	struct slice extent, full;
};

struct body_document {
	struct body_xml *xml;
	const struct body_element *root;
	uint32_t version;
	enum body_extent extent;
};

/* -EBADMSG: no such document, or its version is none; -EMSGSIZE. body_xml_free(ret->xml) later. */
int body_document_parse(struct slice body, const struct body_kind *kind,
	struct body_fault *ret_fault, struct body_document *ret);
/* Decimal digits as they stand, without blanks around them; empty if it is no 32-bit number. */
struct slice body_document_number(struct slice text);
