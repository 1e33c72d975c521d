/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf/profile-conf.h"

#include <assert.h>
#include <string.h>

#include "conf/profile-draft.h"
#include "conf/schema-rows.h"
#include "conf/tls-files.h"
#include "conf/value.h"
#include "protocol/base/buf.h"
#include "protocol/base/err.h"
#include "protocol/base/mem.h"
#include "protocol/ua/profile.h"

#define AT(member) .offset = offsetof(struct profile, member)
#define SERVER_AT(member) .offset = offsetof(struct profile_server, member)
#define DRAFT_AT(member) .offset = offsetof(struct profile_draft, member)

static const struct schema_word kinds[] = {
	{ "registered", PROFILE_REGISTERED, SCHEMA_NOW },
	{ "peer-to-peer", PROFILE_PEER_TO_PEER, SCHEMA_NOW },
	{ NULL },
};

static const struct schema_word roles[] = {
	{ "proxy", PROFILE_ROLE_PROXY, SCHEMA_NOW },
	{ "registrar", PROFILE_ROLE_REGISTRAR, SCHEMA_NOW },
	{ NULL },
};

static const struct schema_word auths[] = {
	{ "digest", PROFILE_AUTH_DIGEST, SCHEMA_NOW },
	{ "basic", PROFILE_AUTH_BASIC, SCHEMA_LATER },
	{ "ntlm", PROFILE_AUTH_NTLM, SCHEMA_LATER },
	{ "kerberos", PROFILE_AUTH_KERBEROS, SCHEMA_LATER },
	{ NULL },
};

static const struct schema_word own_packages[] = {
	{ "dialog", PROFILE_PACKAGE_DIALOG, SCHEMA_NOW },
	{ "reg", PROFILE_PACKAGE_REG, SCHEMA_NOW },
	{ NULL },
};

static const struct schema_word owner_losts[] = {
	{ "end", PROFILE_OWNER_LOST_END, SCHEMA_NOW },
	{ "keep", PROFILE_OWNER_LOST_KEEP, SCHEMA_NOW },
	{ NULL },
};

static const struct schema_word floors[] = {
	{ "md5", PROFILE_FLOOR_MD5, SCHEMA_NOW },
	{ "sha256", PROFILE_FLOOR_SHA256, SCHEMA_NOW },
	{ "sha512-256", PROFILE_FLOOR_SHA512_256, SCHEMA_NOW },
	{ NULL },
};

static int parse_addr(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	struct profile_server *s = base;
	struct value_host h;

	if (value_parse_host(value, &h) < 0) {
		buf_lit(want, "expected host or host:port, an IPv6 address as [2001:db8::1]:5060");
		return -EINVAL;
	}
	key->type->clear(key, base);
	s->host = slice_dup(h.host);
	s->port = h.port;
	return 0;
}

static void clear_addr(const struct schema_key *key, void *base)
{
	struct profile_server *s = base;

	(void)key;
	free(s->host);
	s->host = NULL;
	s->port = 0;
}

static const struct schema_type addr_type = {
	.parse = parse_addr, .clear = clear_addr, .syntax = "host[:port]"
};

/* RTC's words are few, so lower case costs no meaning and spares every reader a comparison. */
static char *lower_dup(struct slice s)
{
	char *text = slice_dup(s);

	for (char *c = text; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c | 0x20);
	return text;
}

static int parse_sessions(
	const struct schema_key *key, struct slice value, void *base, struct buf *want)
{
	struct profile_server *s = base;
	struct value_session v;
	struct slice word;

	(void)key;
	while (value_next_word(&value, &word)) {
		if (value_parse_session(word, &v) < 0) {
			buf_lit(want,
				"expected TYPE/PARTY, separated by blanks; TYPE is pc2pc, pc2ph, "
				"ph2ph or im, PARTY is first or third");
			return -EINVAL;
		}
		if (s->n_sessions == SCHEMA_LIST_MAX) {
			buf_printf(want, "more than %d words", SCHEMA_LIST_MAX);
			return -EINVAL;
		}
		s->sessions = mem_realloc(s->sessions, (s->n_sessions + 1) * sizeof(*s->sessions));
		s->sessions[s->n_sessions++] = (struct profile_session){ .type = lower_dup(v.type),
			.party = lower_dup(v.party) };
	}
	return 0;
}

static void clear_sessions(const struct schema_key *key, void *base)
{
	struct profile_server *s = base;

	(void)key;
	for (size_t i = 0; i < s->n_sessions; i++) {
		free(s->sessions[i].type);
		free(s->sessions[i].party);
	}
	free(s->sessions);
	s->sessions = NULL;
	s->n_sessions = 0;
}

static const struct schema_type sessions_type = {
	.parse = parse_sessions,
	.clear = clear_sessions,
	.again = SCHEMA_ADDS,
	.syntax = "list of type/party",
};

static const struct schema_key profile_keys[] = {
	{ .name = "Name",
		AT(name),
		.type = &schema_name,
		.max = 64,
		.doc = "The name on the bus; without it the file's name without .conf" },
	{ .name = "Kind",
		AT(kind),
		.type = &schema_word,
		.words = kinds,
		.preset = "registered",
		.doc = "Whether endpoints register, or talk to each other directly" },
	{ .name = "Enabled",
		AT(enabled),
		.type = &schema_bool,
		.preset = "yes",
		.doc = "Whether the profile can be used" },
	{ .name = "Autostart",
		AT(autostart),
		.type = &schema_bool,
		.preset = "yes",
		.doc = "Make an endpoint of the profile's name when the daemon starts" },
	{ .name = "Register",
		AT(registers),
		.type = &schema_bool,
		.preset = "yes",
		.doc = "Register an endpoint as soon as it exists" },
	{ .name = "MicrosoftExtensions",
		AT(microsoft_extensions),
		.type = &schema_bool,
		.preset = "no",
		.doc = "Speak the dialect of Office Communications Server and Lync" },
};

static const struct schema_key user_keys[] = {
	{ .name = "Uri",
		AT(uri),
		.type = &schema_aor,
		.doc = "The address of record, such as sip:alice@example.com" },
	{ .name = "DisplayName",
		AT(display_name),
		.type = &schema_text,
		.max = 256,
		.doc = "The name that goes out beside the address" },
	{ .name = "Account",
		AT(account),
		.type = &schema_text,
		.max = 256,
		.doc = "The user name for authentication; without it the user part of Uri" },
	{ .name = "Realm",
		AT(realm),
		.type = &schema_text,
		.max = 256,
		.doc = "The only realm that is answered; without it the registrar's; * for any" },
	{ .name = "AllowedAuth",
		AT(allowed_auth),
		.type = &schema_mask,
		.words = auths,
		.doc = "The schemes that are answered, in place of the servers' Auth; with nothing "
		       "behind the = none is" },
	{ .name = "EndpointId",
		AT(endpoint_id),
		.type = &schema_token,
		.max = 64,
		.doc = "Tells this point of presence from others; made and kept by the daemon "
		       "without it" },
	{ .name = "InstanceId",
		AT(instance_id),
		.type = &schema_instance,
		.doc = "The SIP instance (RFC 5626); made and kept by the daemon without it" },
};

static const struct schema_key secret_keys[] = {
	{ .name = "PasswordFile",
		DRAFT_AT(password_file),
		.type = &schema_path,
		.doc = "A file with the password, which its owner alone may read" },
	{ .name = "Credential",
		DRAFT_AT(credential),
		.type = &schema_file,
		.max = 255,
		.doc = "The systemd credential that holds the password" },
	{ .name = "Password",
		DRAFT_AT(password),
		.type = &schema_secret,
		.doc = "The password itself, if the owner alone may read the profile" },
};

static const struct schema_key server_keys[] = {
	{ .name = "Addr",
		SERVER_AT(host),
		.type = &addr_type,
		.doc = "Name or address of the server. A name with a port is looked up for its addresses; "
		       "one without for the SRV records of Protocol, and if there are none for its "
		       "addresses and the default port (RFC 3263 4.2). NAPTR records are not asked "
		       "for, because Protocol has chosen" },
	{ .name = "Protocol",
		SERVER_AT(protocol),
		.type = &schema_word,
		.words = schema_transports,
		.preset = "udp",
		.doc = "The transport to the server" },
	{ .name = "Auth",
		SERVER_AT(auth),
		.type = &schema_mask,
		.words = auths,
		.doc = "The schemes that this server is answered with; without any digest" },
	{ .name = "Role",
		SERVER_AT(role),
		.type = &schema_word,
		.words = roles,
		.preset = "registrar",
		.doc = "What the server does; a registrar is proxy too when no server is" },
	{ .name = "Sessions",
		SERVER_AT(sessions),
		.type = &sessions_type,
		.doc = "The sessions that go to this server: pc2pc, pc2ph, ph2ph or im, then / and "
		       "first or third" },
};

static const struct schema_key endpoint_keys[] = {
	{ .name = "Transport",
		AT(transport),
		.type = &schema_word,
		.words = schema_transports,
		.doc = "The transport where neither server nor URI says one" },
	{ .name = "OutboundProxy",
		AT(outbound_proxy),
		.type = &schema_host,
		.doc = "Where every request goes first" },
	{ .name = "Listen",
		AT(listen),
		.type = &schema_bool,
		.preset = "no",
		.doc = "Let anybody reach a peer-to-peer endpoint, and open a port for it if none is" },
	{ .name = "RegisterExpires",
		AT(register_expires),
		.type = &schema_seconds,
		.min = USEC_PER_SEC,
		.max = 30 * SCHEMA_DAY,
		.preset = "1h",
		.doc = "How long a registration is asked to last" },
	{ .name = "AutoRefresh",
		AT(auto_refresh),
		.type = &schema_bool,
		.preset = "yes",
		.doc = "Register anew at once when the connection broke or our address is gone, "
		       "not with the next message" },
	{ .name = "Flows",
		AT(flows),
		.type = &schema_number,
		.min = 1,
		.max = 8,
		.preset = "1",
		.doc = "Connections kept to the registrar at one time (RFC 5626)" },
	{ .name = "MaximumRegisterRedirections",
		AT(register_redirections),
		.type = &schema_number,
		.min = 0,
		.max = 5,
		.preset = "3",
		.doc = "How many servers REGISTER is led to in turn, with MicrosoftExtensions" },
	{ .name = "IdleTimeout",
		AT(idle_timeout),
		.type = &schema_duration,
		.min = USEC_PER_SEC,
		.max = SCHEMA_DAY,
		.preset = "15min",
		.doc = "A connection without traffic is closed after this" },
	{ .name = "ConnectionLinger",
		AT(connection_linger),
		.type = &schema_duration,
		.min = USEC_PER_SEC,
		.max = SCHEMA_DAY,
		.preset = "1min",
		.doc = "How long a connection of ours stays open once nobody needs it" },
	{ .name = "SharedConnections",
		AT(shared_connections),
		.type = &schema_bool,
		.preset = "no",
		.doc = "All endpoints of the profile share one connection to each server" },
	{ .name = "OwnerGrace",
		AT(owner_grace),
		.type = &schema_duration,
		.min = USEC_PER_MSEC,
		.max = SCHEMA_HOUR,
		.preset = "15s",
		.doc = "How long what a client gave up, or left behind, waits to be adopted" },
	{ .name = "OnOwnerLost",
		AT(on_owner_lost),
		.type = &schema_word,
		.words = owner_losts,
		.preset = "end",
		.doc = "Whether its sessions then end, or stay for whoever may use the profile" },
	{ .name = "AgentTimeout",
		AT(agent_timeout),
		.type = &schema_delay,
		.min = 100 * USEC_PER_MSEC,
		/* A non-INVITE transaction ends after 32 s (RFC 3261 section 17.1.2.2). */
		.max = 30 * USEC_PER_SEC,
		.preset = "20s",
		.doc = "An agent that did not answer after this is passed over" },
	{ .name = "Inbox",
		AT(inbox),
		.type = &schema_bool,
		.preset = "yes",
		.doc = "Keep pages that no agent takes; otherwise 480 is answered" },
	{ .name = "OutboxExpires",
		AT(outbox_expires),
		.type = &schema_duration,
		.min = USEC_PER_SEC,
		.max = 365 * SCHEMA_DAY,
		.preset = "1d",
		.support = SCHEMA_LATER_HINT,
		.doc = "How long delivery of a queued page is tried" },
	{ .name = "DigestFloor",
		AT(digest_floor),
		.type = &schema_word,
		.words = floors,
		.preset = "md5",
		.doc = "The weakest Digest algorithm that is answered (RFC 8760)" },
	{ .name = "DeliveryReports",
		AT(delivery_reports),
		.type = &schema_bool,
		.preset = "no",
		.support = SCHEMA_LATER_HINT,
		.doc = "Ask for and send delivery notices (RFC 5438)" },
	{ .name = "OwnPackages",
		AT(own_packages),
		.type = &schema_mask,
		.words = own_packages,
		.doc = "What the daemon tells who subscribes to it, where no agent does; without "
		       "this key nothing" },
	{ .name = "PackageWatchers",
		AT(package_watchers),
		.n_offset = offsetof(struct profile, n_package_watchers),
		.type = &schema_aors,
		.doc = "Who else may see what OwnPackages shows: sip: or sips: URIs, separated by "
		       "blanks" },
};

static const struct schema_key tls_keys[] = {
	SCHEMA_TLS_ROWS(struct profile, tls),
	{ .name = "ServerName",
		AT(tls.server_name),
		.type = &schema_domain,
		.doc = "The name that the server's certificate has to bear, in place of the URI's" },
	{ .name = "Pin",
		AT(tls.pin),
		.type = &schema_pin,
		.doc = "SHA-256 of the only public key that is accepted, in hexadecimal" },
	{ .name = "TrustOnFirstUse",
		AT(tls.trust_on_first_use),
		.type = &schema_bool,
		.preset = "no",
		.doc = "Ask an agent about a certificate that is not trusted, and remember it" },
};

static const struct schema_key access_keys[] = { SCHEMA_ACCESS_ROWS(struct profile) };

static void *profile_of(void *root)
{
	return ((struct profile_draft *)root)->profile;
}

static void *draft_of(void *root)
{
	return root;
}

static void *next_server(void *root)
{
	struct profile *p = profile_of(root);

	p->servers = mem_realloc(p->servers, (p->n_servers + 1) * sizeof(*p->servers));
	p->servers[p->n_servers] = (struct profile_server){ .host = NULL };
	return &p->servers[p->n_servers++];
}

static const struct schema_section sections[] = {
	{ .name = "Profile", SCHEMA_KEYS(profile_keys), .base = profile_of },
	{ .name = "User", SCHEMA_KEYS(user_keys), .base = profile_of },
	{ .name = "User", SCHEMA_KEYS(secret_keys), .base = draft_of },
	{ .name = "Server",
		SCHEMA_KEYS(server_keys),
		.base = next_server,
		.repeats = SCHEMA_REPEATS },
	{ .name = "Endpoint", SCHEMA_KEYS(endpoint_keys), .base = profile_of },
	{ .name = "Tls", SCHEMA_KEYS(tls_keys), .base = profile_of },
	{ .name = "Access", SCHEMA_KEYS(access_keys), .base = profile_of },
};
static_assert(ARRAY_LEN(sections) <= SCHEMA_ROWS_MAX, "the reader has too few places");

const struct schema profile_conf_schema = { .sections = sections,
	.n_sections = ARRAY_LEN(sections) };

/*
 * Reads a profile. Problems are added to the list; the result is never NULL but means something
 * only if no error was added. The caller owns the one reference.
 */
struct profile *profile_conf_read(
	struct slice text, const struct profile_conf_source *source, struct problem_list *problems)
{
	struct profile_draft d = { .profile = profile_new(), .source = source };
	struct schema_reader r = { .schema = &profile_conf_schema,
		.root = &d,
		.file = source->file,
		.problems = problems };

	d.reader = &r;
	d.profile->source = mem_strdup(source->file);
	schema_read(&r, text);
	profile_draft_finish(&d);
	tls_files_check(&r, source->folder, &d.profile->tls);
	schema_reader_deinit(&r);
	for (size_t i = 0; i < ARRAY_LEN(secret_keys); i++)
		secret_keys[i].type->clear(&secret_keys[i], &d);
	return d.profile;
}
