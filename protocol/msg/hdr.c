/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/msg/hdr.h"

#include <string.h>

#define ONE HDR_ONE
#define MANY HDR_MANY
#define LIST HDR_LIST
#define DROP HDR_DROP
#define FATAL HDR_FATAL

const struct slice hdr_names[HDR_COUNT] = { [HDR_OTHER] = SLICE_INIT(""),
#define X(id, name, compact, multi, severity) [HDR_##id] = SLICE_INIT(name),
	HDR_TABLE(X)
#undef X
};

static const struct {
	enum hdr_multiplicity multiplicity;
	enum hdr_severity severity;
} rows[HDR_COUNT] = { [HDR_OTHER] = { MANY, DROP },
#define X(id, name, compact, multi, severity) [HDR_##id] = { multi, severity },
	HDR_TABLE(X)
#undef X
};

/*
 * Where the names with a letter begin and end: the table is sorted, so they stand together, and a
 * look-up compares the lengths of a few neighbours. The test holds this index against HDR_TABLE.
 */
static const struct {
	enum hdr_id first, last, compact;
} letters[26] = {
	['a' - 'a'] = { HDR_ACCEPT, HDR_AUTHORIZATION, HDR_ACCEPT_CONTACT },
	['b' - 'a'] = { HDR_OTHER, HDR_OTHER, HDR_REFERRED_BY },
	['c' - 'a'] = { HDR_CALL_ID, HDR_CSEQ, HDR_CONTENT_TYPE },
	['d' - 'a'] = { HDR_DATE, HDR_DIVERSION, HDR_REQUEST_DISPOSITION },
	['e' - 'a'] = { HDR_ERROR_INFO, HDR_EXPIRES, HDR_CONTENT_ENCODING },
	['f' - 'a'] = { HDR_FLOW_TIMER, HDR_FROM, HDR_FROM },
	['h' - 'a'] = { HDR_HISTORY_INFO, HDR_HISTORY_INFO, HDR_OTHER },
	['i' - 'a'] = { HDR_IDENTITY, HDR_INFO_PACKAGE, HDR_CALL_ID },
	['j' - 'a'] = { HDR_JOIN, HDR_JOIN, HDR_REJECT_CONTACT },
	['k' - 'a'] = { HDR_OTHER, HDR_OTHER, HDR_SUPPORTED },
	['l' - 'a'] = { HDR_OTHER, HDR_OTHER, HDR_CONTENT_LENGTH },
	['m' - 'a'] = { HDR_MAX_FORWARDS, HDR_MIME_VERSION, HDR_CONTACT },
	['o' - 'a'] = { HDR_ORGANIZATION, HDR_ORGANIZATION, HDR_EVENT },
	['p' - 'a'] = { HDR_P_ASSERTED_IDENTITY, HDR_PROXY_REQUIRE, HDR_OTHER },
	['r' - 'a'] = { HDR_RACK, HDR_RSEQ, HDR_REFER_TO },
	['s' - 'a'] = { HDR_SERVER, HDR_SUPPORTED, HDR_SUBJECT },
	['t' - 'a'] = { HDR_TARGET_DIALOG, HDR_TO, HDR_TO },
	['u' - 'a'] = { HDR_UNSUPPORTED, HDR_USER_AGENT, HDR_ALLOW_EVENTS },
	['v' - 'a'] = { HDR_VIA, HDR_VIA, HDR_VIA },
	['w' - 'a'] = { HDR_WARNING, HDR_WWW_AUTHENTICATE, HDR_OTHER },
	['x' - 'a'] = { HDR_OTHER, HDR_OTHER, HDR_SESSION_EXPIRES },
	['y' - 'a'] = { HDR_OTHER, HDR_OTHER, HDR_IDENTITY },
};

/* Apart from the rows, so that the few that a look-up walks over share a cache line. */
static const uint8_t lengths[HDR_COUNT] = {
#define X(id, name, compact, multi, severity) [HDR_##id] = sizeof(name) - 1,
	HDR_TABLE(X)
#undef X
};

enum hdr_id hdr_find(struct slice name)
{
	unsigned char letter;

	if (name.n == 0)
		return HDR_OTHER;
	letter = (unsigned char)((name.p[0] | 0x20) - 'a');
	if (letter > 'z' - 'a')
		return HDR_OTHER;
	if (name.n == 1)
		return letters[letter].compact;
	for (enum hdr_id id = letters[letter].first; id <= letters[letter].last; id++) {
		/* Nearly everyone writes the canonical form. */
		if (lengths[id] == name.n && (memcmp(hdr_names[id].p, name.p, name.n) == 0 ||
						     slice_eq_ci(hdr_names[id], name)))
			return id;
	}
	return HDR_OTHER;
}

struct slice hdr_name(enum hdr_id id)
{
	return hdr_names[id];
}

enum hdr_multiplicity hdr_multiplicity(enum hdr_id id)
{
	return rows[id].multiplicity;
}

enum hdr_severity hdr_severity(enum hdr_id id)
{
	return rows[id].severity;
}
