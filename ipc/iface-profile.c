/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* org.sipbus1.Profile: what configuration said, read only and without secrets. */
#include "ipc/bus-object.h"
#include "ipc/bus-value.h"
#include "ipc/iface-private.h"
#include "protocol/base/buf.h"
#include "protocol/ua/profile.h"

static const struct profile *of(void *object)
{
	return ((struct iface_profile *)object)->profile;
}

static void get_name(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->name);
}

static void get_uri(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->uri);
}

static void get_display_name(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->display_name);
}

static void get_realm(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->realm);
}

static void get_source(struct bus_writer *w, void *object)
{
	bus_write_str(w, of(object)->source);
}

static void get_enabled(struct bus_writer *w, void *object)
{
	bus_write_b(w, of(object)->enabled);
}

static void write_auth(struct bus_writer *w, unsigned mask)
{
	bus_open_array(w, "s");
	for (unsigned bit = 1; bit <= PROFILE_AUTH_KERBEROS; bit <<= 1)
		if (mask & bit)
			bus_write_str(w, profile_auth_name((enum profile_auth)bit));
	bus_close(w);
}

static void get_allowed_auth(struct bus_writer *w, void *object)
{
	write_auth(w, of(object)->allowed_auth);
}

static void write_server(struct bus_writer *w, const struct profile_server *s)
{
	struct buf addr = BUF_NULL;
	bool v6 = s->host && slice_find(slice_str(s->host), ':') < slice_str(s->host).n;

	if (s->port)
		buf_printf(&addr, v6 ? "[%s]:%u" : "%s:%u", s->host, s->port);
	else
		buf_str(&addr, s->host);
	bus_open_dict(w);
	bus_entry_s(w, "Addr", buf_slice(&addr));
	bus_entry_str(w, "Protocol", transport_name(s->protocol));
	bus_open_entry(w, "Auth", "as");
	write_auth(w, s->auth);
	bus_close(w);
	bus_entry_str(w, "Role", s->role == PROFILE_ROLE_REGISTRAR ? "registrar" : "proxy");
	bus_open_entry(w, "Sessions", "a(ss)");
	bus_open_array(w, "(ss)");
	for (size_t k = 0; k < s->n_sessions; k++)
		bus_write_ss(w, slice_str(s->sessions[k].type), slice_str(s->sessions[k].party));
	bus_close(w);
	bus_close(w);
	bus_close(w);
	buf_deinit(&addr);
}

static void get_servers(struct bus_writer *w, void *object)
{
	const struct profile *p = of(object);

	bus_open_array(w, "a{sv}");
	for (size_t k = 0; k < p->n_servers; k++)
		write_server(w, &p->servers[k]);
	bus_close(w);
}

static int guard(const struct bus_access *a, void *object)
{
	struct iface_profile *p = object;

	return iface_guard(p->iface, a, p->profile);
}

const struct bus_interface iface_profile = {
	.name = "org.sipbus1.Profile",
	.doc = "A server profile as loaded. Immutable until a reload; shows no secret in any form.",
	.guard = guard,
	.properties =
		(const struct bus_property[]){
			{ .name = "Name",
				.sig = "s",
				.get = get_name,
				.flags = BUS_CONST,
				.doc = "Name of the profile, the last element of its path." },
			{ .name = "Key",
				.sig = "s",
				.get = get_name,
				.flags = BUS_CONST,
				.doc = "Key of the RTC provisioning schema; the name for INI profiles." },
			{ .name = "Uri",
				.sig = "s",
				.get = get_uri,
				.flags = BUS_CONST,
				.doc = "Address of record (RFC 3261 section 10)." },
			{ .name = "DisplayName",
				.sig = "s",
				.get = get_display_name,
				.flags = BUS_CONST,
				.doc = "Name shown to the far end; empty if none is set." },
			{ .name = "Realm",
				.sig = "s",
				.get = get_realm,
				.flags = BUS_CONST,
				.doc = "The only realm that gets credentials; empty: any of the server's." },
			{ .name = "AllowedAuth",
				.sig = "as",
				.get = get_allowed_auth,
				.flags = BUS_CONST,
				.doc = "Schemes that may be answered: basic, digest, ntlm, kerberos." },
			{ .name = "Servers",
				.sig = "aa{sv}",
				.get = get_servers,
				.flags = BUS_CONST,
				.doc = "Addr s, Protocol s, Auth as, Role s (proxy, registrar), Sessions a(ss) "
				       "(type, party)." },
			{ .name = "Source",
				.sig = "s",
				.get = get_source,
				.flags = BUS_CONST,
				.doc = "The file that it was read from." },
			{ .name = "Enabled",
				.sig = "b",
				.get = get_enabled,
				.flags = BUS_CONST,
				.doc = "Whether endpoints may be made of it." },
			{ 0 },
		},
};

static const struct bus_interface *const interfaces[] = { &iface_profile, NULL };

char *iface_profile_path(const struct profile *p)
{
	struct buf path = BUF_NULL;

	buf_printf(&path, IFACE_ROOT "/profile/%s", p->name);
	return buf_take(&path);
}

bool iface_profile_is_shown(const struct iface *i, const struct profile *p)
{
	list_for_each (node, &i->profiles)
		if (list_entry(node, struct iface_profile, node)->profile == p)
			return true;
	return false;
}

void iface_profile_add(struct iface *i, struct profile *p)
{
	struct iface_profile *ip = mem_new(struct iface_profile);
	char *path cleanup_free = iface_profile_path(p);

	ip->iface = i;
	ip->profile = profile_ref(p);
	list_append(&i->profiles, &ip->node);
	(void)bus_object_new(i->bus, path, interfaces, ip, &ip->object);
	iface_manager_changed(i, "Profiles");
}

void iface_profile_remove(struct iface *i, const struct profile *p)
{
	list_for_each_safe (node, next, &i->profiles) {
		struct iface_profile *ip = list_entry(node, struct iface_profile, node);

		if (ip->profile != p)
			continue;
		bus_object_free(ip->object);
		list_remove(&ip->node);
		profile_unref(ip->profile);
		free(ip);
		iface_manager_changed(i, "Profiles");
		return;
	}
}
