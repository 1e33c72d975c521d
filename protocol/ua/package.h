/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "protocol/ua/profile.h"

/*
 * The event packages that the daemon serves by itself, if the profile says so (OwnPackages): the
 * endpoint's sessions ("dialog", RFC 4235) and its bindings ("reg", RFC 3680). Each document is
 * the whole state; agents that serve the package come first.
 */

struct buf;
struct endpoint;
struct package;
struct subscriber;

/*
 * Nobody else takes that SUBSCRIBE. false: it is for no package of ours; else it was accepted, or
 * refused with 403: only the address of record's own user may see this, and whom the profile lists
 * as PackageWatchers, and only if the profile's server says that it is them.
 */
bool package_take(struct subscriber *s);
/* What the document shows may be another now: who subscribed is told. */
void package_changed(struct endpoint *ep, enum profile_package which);
/* ", dialog, reg": those that are served, for Allow-Events. */
void package_append_names(struct buf *b, const struct endpoint *ep);
/* The document with that version: the rest of it is what the subscriber keeps as the state. */
void package_append(struct buf *b, const struct package *p, uint32_t version, struct slice rest);
