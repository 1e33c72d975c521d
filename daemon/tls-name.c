/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/tls-name.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "protocol/base/mem.h"
#include "protocol/msg/uri.h"

#define OID_SUBJECT_ALT_NAME "2.5.29.17"

/* Numeric addresses are compared as inet_ntop() writes them. */
static char *address_of(struct slice host)
{
	char text[INET6_ADDRSTRLEN], bytes[16];
	int family = AF_INET;

	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = slice_of(host.p + 1, host.n - 2);
	if (host.n >= sizeof(text))
		return NULL;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(family, text, bytes) != 1) {
		family = AF_INET6;
		if (inet_pton(family, text, bytes) != 1)
			return NULL;
	}
	return inet_ntop(family, bytes, text, sizeof(text)) ? mem_strdup(text) : NULL;
}

static char *domain_of(struct slice host)
{
	char *text;

	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	if (!host.n || host.n > TLS_MAX_NAME)
		return NULL;
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] <= ' ' || host.p[i] > '~')
			return NULL;
	text = slice_dup(host);
	for (char *p = text; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	return text;
}

/* Takes text; NULL is nothing. */
static void add(struct tls_names *n, char *text, bool address)
{
	if (!text)
		return;
	n->all = mem_realloc(n->all, (n->n + 1) * sizeof(*n->all));
	n->all[n->n].text = text;
	n->all[n->n].address = address;
	n->n++;
}

static void add_host(struct tls_names *n, struct slice host)
{
	char *address = host.n ? address_of(host) : NULL;

	if (address)
		add(n, address, true);
	else
		add(n, domain_of(host), false);
}

/* Section 7.1, 1. URI: of scheme sip (never sips), and without a user. */
static void add_uri(struct tls_names *n, struct slice text)
{
	struct uri u;

	if (uri_parse(text, &u) == 0 && u.scheme == URI_SIP && !u.user.p)
		add_host(n, u.host);
}

static void add_address(struct tls_names *n, struct slice bytes)
{
	char text[INET6_ADDRSTRLEN];
	int family = bytes.n == 4 ? AF_INET : AF_INET6;

	if (bytes.n != 4 && bytes.n != 16)
		return;
	if (inet_ntop(family, bytes.p, text, sizeof(text)))
		add(n, mem_strdup(text), true);
}

static void add_alternatives(struct tls_names *n, gnutls_x509_crt_t crt, unsigned wanted)
{
	char value[1024];

	for (unsigned i = 0; n->n < TLS_MAX_NAMES; i++) {
		size_t size = sizeof(value);
		int type = gnutls_x509_crt_get_subject_alt_name(crt, i, value, &size, NULL);

		if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue; /* no host name is that long */
		if (type < 0)
			return;
		if ((unsigned)type != wanted)
			continue;
		if (wanted == GNUTLS_SAN_URI)
			add_uri(n, slice_of(value, size));
		else if (wanted == GNUTLS_SAN_DNSNAME)
			add(n, domain_of(slice_of(value, size)), false);
		else
			add_address(n, slice_of(value, size));
	}
}

static bool is_host_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		const char c = s.p[i];

		if (!(c == '-' || c == '.' || (c >= '0' && c <= '9') ||
			    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')))
			return false;
	}
	return s.n > 0;
}

/* Section 7.1, 2. Several of them say nothing. */
static void add_common_name(struct tls_names *n, gnutls_x509_crt_t crt)
{
	char value[TLS_MAX_NAME + 2];
	size_t size = sizeof(value), other = 0;
	char *address;

	if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, value, &size) < 0)
		return;
	if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 1, 0, NULL, &other) !=
		GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return;
	if (!is_host_name(slice_of(value, size)))
		return;
	address = address_of(slice_of(value, size));
	if (!address)
		add(n, domain_of(slice_of(value, size)), false);
	free(address);
}

static bool has_alternatives(gnutls_x509_crt_t crt)
{
	size_t size = 0;

	return gnutls_x509_crt_get_extension_by_oid(crt, OID_SUBJECT_ALT_NAME, 0, NULL, &size,
		       NULL) != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

void tls_names_read(struct tls_names *n, gnutls_x509_crt_t crt)
{
	*n = (struct tls_names){ 0 };
	if (!has_alternatives(crt)) {
		add_common_name(n, crt);
		return;
	}
	add_alternatives(n, crt, GNUTLS_SAN_URI);
	/* "if and only if no other identity is found that matches the sip URI type" */
	if (!n->n)
		add_alternatives(n, crt, GNUTLS_SAN_DNSNAME);
	add_alternatives(n, crt, GNUTLS_SAN_IPADDRESS);
}

void tls_names_deinit(struct tls_names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->all[i].text);
	free(n->all);
	*n = (struct tls_names){ 0 };
}

/* RFC 5280 section 7.2: names with letters beyond ASCII are compared as A-labels. */
static char *ascii_domain(const char *domain)
{
	gnutls_datum_t ascii = { 0 };
	char *text;

	if (gnutls_idna_map(domain, (unsigned)strlen(domain), &ascii, 0) < 0)
		return domain_of(slice_str(domain));
	text = domain_of(slice_of((const char *)ascii.data, ascii.size));
	gnutls_free(ascii.data);
	return text;
}

char *tls_name_canonical(const char *domain)
{
	char *address = address_of(slice_str(domain));

	return address ? address : ascii_domain(domain);
}

const char *tls_names_match(const struct tls_names *n, const char *domain)
{
	char *text cleanup_free = tls_name_canonical(domain);
	const bool address = text && uri_host_is_numeric(slice_str(text));

	for (size_t i = 0; text && i < n->n; i++)
		if (n->all[i].address == address && strcmp(n->all[i].text, text) == 0)
			return n->all[i].text;
	return NULL;
}

/* What is below domain (".example.com"), at any depth, but not itself. */
static const char *match_below(const struct tls_names *n, const char *domain)
{
	const size_t len = strlen(domain);

	for (size_t i = 0; i < n->n; i++) {
		const size_t own = strlen(n->all[i].text);

		if (!n->all[i].address && own > len && n->all[i].text[0] != '*' &&
			n->all[i].text[0] != '.' &&
			strcasecmp(n->all[i].text + own - len, domain) == 0)
			return n->all[i].text;
	}
	return NULL;
}

const char *tls_names_allowed(const struct tls_names *n, char *const *allowed, size_t n_allowed)
{
	const char *found = NULL;

	for (size_t i = 0; i < n_allowed && !found; i++) {
		if (strcmp(allowed[i], "*") == 0)
			found = n->n ? n->all[0].text : "*";
		else if (allowed[i][0] == '.')
			found = match_below(n, allowed[i]);
		else
			found = tls_names_match(n, allowed[i]);
	}
	return found;
}

void tls_names_append(struct buf *b, const struct tls_names *n)
{
	const size_t shown = n->n > 4 ? 3 : n->n;

	for (size_t i = 0; i < shown; i++)
		buf_printf(b, "%s%s", i ? ", " : "", n->all[i].text);
	if (n->n > shown)
		buf_printf(b, " and %zu more", n->n - shown);
	if (!n->n)
		buf_lit(b, "no SIP domain");
}
