/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ipc/body-extent.h"

#include "protocol/base/mem.h"
#include "tests/support/exact.h"
#include "tests/support/run.h"

#define RELATED "multipart/related;boundary=b;type=\"application/rlmi+xml\""
#define RLMI(full)                                                                             \
	"--b\r\nContent-Type: application/rlmi+xml\r\n\r\n"                                    \
	"<list xmlns='urn:ietf:params:xml:ns:rlmi' uri='sip:l@x' version='1' fullState='" full \
	"'/>\r\n--b--\r\n"

static const struct {
	const char *type, *body;
	enum body_extent extent;
} rows[] = {
	/* RFC 4235 section 4.1 */
	{ "application/dialog-info+xml", "<dialog-info state='full'/>", BODY_FULL },
	{ "application/dialog-info+xml;charset=UTF-8",
		"<d:dialog-info xmlns:d='x' state=' full '/>", BODY_FULL },
	{ "Application/Dialog-Info+XML", "<dialog-info state='partial'/>", BODY_PARTIAL },
	{ "application/dialog-info+xml", "<dialog-info/>", BODY_PARTIAL },
	/* RFC 3680 section 5.2 */
	{ "application/reginfo+xml", "<reginfo state='full'/>", BODY_FULL },
	{ "application/reginfo+xml", "<reginfo state='partial'/>", BODY_PARTIAL },
	/* RFC 3858 section 4.2 */
	{ "application/watcherinfo+xml", "<watcherinfo state='full'/>", BODY_FULL },
	{ "application/watcherinfo+xml", "<watcherinfo state='partial'/>", BODY_PARTIAL },
	/* RFC 4575 section 4.4: full is the default; deleted is a change */
	{ "application/conference-info+xml", "<conference-info/>", BODY_FULL },
	{ "application/conference-info+xml", "<conference-info state='full'/>", BODY_FULL },
	{ "application/conference-info+xml", "<conference-info state='partial'/>", BODY_PARTIAL },
	{ "application/conference-info+xml", "<conference-info state='deleted'/>", BODY_PARTIAL },
	/* RFC 5262 section 4 */
	{ "application/pidf-diff+xml", "<pidf-full version='1'/>", BODY_FULL },
	{ "application/pidf-diff+xml", "<pidf-diff version='2'/>", BODY_PARTIAL },
	/* RFC 4662 section 5.2 */
	{ RELATED, RLMI("true"), BODY_FULL },
	{ RELATED, RLMI("1"), BODY_FULL },
	{ RELATED, RLMI("false"), BODY_PARTIAL },
	{ RELATED, RLMI("0"), BODY_PARTIAL },
	{ "application/rlmi+xml", "<list fullState='false'/>", BODY_PARTIAL },
	/* What says nothing of the kind, or cannot be read. */
	{ "application/pidf+xml", "<presence state='partial'/>", BODY_FULL },
	{ "application/dialog-info+xml", "<dialog-info state='partial'>", BODY_FULL },
	{ RELATED, "--b\r\n", BODY_FULL },
	{ "multipart/mixed;boundary=b", RLMI("false"), BODY_FULL },
	{ "text/plain", "", BODY_FULL },
	{ "", "", BODY_FULL },
};

START_TEST(what_a_document_says_of_itself)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice body = exact_str(rows[i].body);

		ck_assert_msg(body_extent_of(slice_str(rows[i].type), body) == rows[i].extent,
			"row %zu", i);
		exact_free(body);
	}
}
END_TEST

RUN_TESTS("body-extent", what_a_document_says_of_itself)
