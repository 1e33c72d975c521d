/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/base/slice.h"

/*
 * Everything this user agent knows about header fields, as data: id, name, compact form, whether a
 * message may carry it more than once and as a comma-separated list, and what a malformed one
 * costs. A new header is one row here, a value file if it has a grammar of its own, and a test.
 */
#define HDR_TABLE(X)                                                             \
	/* id, name, compact letter or 0, multiplicity, severity */              \
	X(ACCEPT, "Accept", 0, LIST, DROP)                                       \
	X(ACCEPT_CONTACT, "Accept-Contact", 'a', LIST, DROP)                     \
	X(ACCEPT_ENCODING, "Accept-Encoding", 0, LIST, DROP)                     \
	X(ACCEPT_LANGUAGE, "Accept-Language", 0, LIST, DROP)                     \
	X(ALERT_INFO, "Alert-Info", 0, LIST, DROP)                               \
	X(ALLOW, "Allow", 0, LIST, DROP)                                         \
	X(ALLOW_EVENTS, "Allow-Events", 'u', LIST, DROP)                         \
	X(AUTHENTICATION_INFO, "Authentication-Info", 0, MANY, DROP)             \
	X(AUTHORIZATION, "Authorization", 0, MANY, DROP)                         \
	X(CALL_ID, "Call-ID", 'i', ONE, FATAL)                                   \
	X(CALL_INFO, "Call-Info", 0, LIST, DROP)                                 \
	X(CONTACT, "Contact", 'm', LIST, FATAL)                                  \
	X(CONTENT_DISPOSITION, "Content-Disposition", 0, ONE, DROP)              \
	X(CONTENT_ENCODING, "Content-Encoding", 'e', LIST, DROP)                 \
	X(CONTENT_LANGUAGE, "Content-Language", 0, LIST, DROP)                   \
	X(CONTENT_LENGTH, "Content-Length", 'l', ONE, FATAL)                     \
	X(CONTENT_TYPE, "Content-Type", 'c', ONE, FATAL)                         \
	X(CSEQ, "CSeq", 0, ONE, FATAL)                                           \
	X(DATE, "Date", 0, ONE, DROP)                                            \
	X(DIVERSION, "Diversion", 0, LIST, DROP)                                 \
	X(ERROR_INFO, "Error-Info", 0, LIST, DROP)                               \
	X(EVENT, "Event", 'o', ONE, FATAL)                                       \
	X(EXPIRES, "Expires", 0, ONE, DROP)                                      \
	X(FLOW_TIMER, "Flow-Timer", 0, ONE, DROP)                                \
	X(FROM, "From", 'f', ONE, FATAL)                                         \
	X(HISTORY_INFO, "History-Info", 0, LIST, DROP)                           \
	X(IDENTITY, "Identity", 'y', LIST, DROP)                                 \
	X(IN_REPLY_TO, "In-Reply-To", 0, LIST, DROP)                             \
	X(INFO_PACKAGE, "Info-Package", 0, ONE, DROP)                            \
	X(JOIN, "Join", 0, ONE, FATAL)                                           \
	X(MAX_FORWARDS, "Max-Forwards", 0, ONE, DROP)                            \
	X(MIN_EXPIRES, "Min-Expires", 0, ONE, DROP)                              \
	X(MIN_SE, "Min-SE", 0, ONE, DROP)                                        \
	X(MIME_VERSION, "MIME-Version", 0, ONE, DROP)                            \
	X(ORGANIZATION, "Organization", 0, ONE, DROP)                            \
	X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0, LIST, DROP)             \
	X(P_ASSOCIATED_URI, "P-Associated-URI", 0, LIST, DROP)                   \
	X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0, LIST, DROP)           \
	X(PATH, "Path", 0, LIST, DROP)                                           \
	X(PRIORITY, "Priority", 0, ONE, DROP)                                    \
	X(PRIVACY, "Privacy", 0, MANY, DROP)                                     \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0, MANY, DROP)               \
	X(PROXY_AUTHENTICATION_INFO, "Proxy-Authentication-Info", 0, MANY, DROP) \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0, MANY, DROP)             \
	X(PROXY_REQUIRE, "Proxy-Require", 0, LIST, FATAL)                        \
	X(RACK, "RAck", 0, ONE, FATAL)                                           \
	X(REASON, "Reason", 0, LIST, DROP)                                       \
	X(RECORD_ROUTE, "Record-Route", 0, LIST, FATAL)                          \
	X(RECV_INFO, "Recv-Info", 0, LIST, DROP)                                 \
	X(REFER_SUB, "Refer-Sub", 0, ONE, DROP)                                  \
	X(REFER_TO, "Refer-To", 'r', ONE, FATAL)                                 \
	X(REFERRED_BY, "Referred-By", 'b', ONE, DROP)                            \
	X(REJECT_CONTACT, "Reject-Contact", 'j', LIST, DROP)                     \
	X(REPLACES, "Replaces", 0, ONE, FATAL)                                   \
	X(REPLY_TO, "Reply-To", 0, ONE, DROP)                                    \
	X(REQUEST_DISPOSITION, "Request-Disposition", 'd', LIST, DROP)           \
	X(REQUIRE, "Require", 0, LIST, FATAL)                                    \
	X(RETRY_AFTER, "Retry-After", 0, ONE, DROP)                              \
	X(ROUTE, "Route", 0, LIST, FATAL)                                        \
	X(RSEQ, "RSeq", 0, ONE, DROP)                                            \
	X(SERVER, "Server", 0, ONE, DROP)                                        \
	X(SERVICE_ROUTE, "Service-Route", 0, LIST, DROP)                         \
	X(SESSION_EXPIRES, "Session-Expires", 'x', ONE, DROP)                    \
	X(SIP_ETAG, "SIP-ETag", 0, ONE, DROP)                                    \
	X(SIP_IF_MATCH, "SIP-If-Match", 0, ONE, DROP)                            \
	X(SUBJECT, "Subject", 's', ONE, DROP)                                    \
	X(SUBSCRIPTION_STATE, "Subscription-State", 0, ONE, FATAL)               \
	X(SUPPORTED, "Supported", 'k', LIST, DROP)                               \
	X(TARGET_DIALOG, "Target-Dialog", 0, ONE, DROP)                          \
	X(TIMESTAMP, "Timestamp", 0, ONE, DROP)                                  \
	X(TO, "To", 't', ONE, FATAL)                                             \
	X(UNSUPPORTED, "Unsupported", 0, LIST, DROP)                             \
	X(USER_AGENT, "User-Agent", 0, ONE, DROP)                                \
	X(VIA, "Via", 'v', LIST, FATAL)                                          \
	X(WARNING, "Warning", 0, LIST, DROP)                                     \
	X(WWW_AUTHENTICATE, "WWW-Authenticate", 0, MANY, DROP)

enum hdr_id {
	HDR_OTHER, /* kept, reachable by name */
#define X(id, name, compact, multi, severity) HDR_##id,
	HDR_TABLE(X)
#undef X
		HDR_COUNT,
};

enum hdr_multiplicity {
	HDR_ONE,  /* a second one makes a request a 400 */
	HDR_MANY, /* repeated, never split at commas (challenges and credentials, RFC 3261 7.3.1) */
	HDR_LIST, /* repeated or comma-separated, which means the same */
};

enum hdr_severity {
	HDR_DROP,  /* malformed: treated as absent and counted */
	HDR_FATAL, /* malformed: 400, or the response is dropped */
};

/* One header field of a message: name as received, value trimmed and without line folds. */
struct hdr {
	enum hdr_id id;
	struct slice name, value;
};

/* By full name or compact letter, ignoring case; HDR_OTHER if not in the table. */
enum hdr_id hdr_find(struct slice name);
/* The canonical full names; "" for HDR_OTHER. */
extern const struct slice hdr_names[HDR_COUNT];
struct slice hdr_name(enum hdr_id id);
enum hdr_multiplicity hdr_multiplicity(enum hdr_id id);
enum hdr_severity hdr_severity(enum hdr_id id);
