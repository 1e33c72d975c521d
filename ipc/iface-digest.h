/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a subscription's notifications come to when they are read: the summary of its state, and of
 * a list the state of each resource. Read as far as somebody wants it, or as later ones build on
 * them. Where something was lost, the notifier is asked for its whole state.
 */
#include "ipc/bus-table.h"

struct iface_digest;
struct iface_subscription;
struct msg;

enum { IFACE_DIGEST_ASK = 30 }; /* seconds from one question for the whole state to the next */

/* State came, and was told as it is: reads it, and tells all who want to know. */
void iface_digest_take(struct iface_subscription *sub, const struct msg *m);
/* What is known already, and was told as it is, to one who comes late. */
void iface_digest_replay(struct iface_subscription *sub, const char *client);
void iface_digest_free(struct iface_digest *d);

/* Subscription.GetSummary and GetResources. */
int iface_digest_get_summary(struct bus_call *c, void *object);
int iface_digest_get_resources(struct bus_call *c, void *object);

#define IFACE_DIGEST_RESOURCE_DOC                                                                  \
	"Uri and name of the resource, state of one of its notifiers (active, pending, "           \
	"terminated; empty: nothing is known; removed: it is not in the list any more), type and " \
	"body of what it said, and details: List s (the resource that is the list it is in, if "   \
	"that is an inner one), Instance s (which notifier), Reason s"
