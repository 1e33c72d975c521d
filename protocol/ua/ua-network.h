/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

struct ua;

/* Inputs of the host that concern everything at once. */

/*
 * Addresses or routes of this machine have changed. Flows that this broke went down before:
 * registrations go on over others, at a pace (pace.h), and then tell the peers of their sessions;
 * what waited for a network is tried at once.
 */
void ua_network_changed(struct ua *ua);
/*
 * The machine slept, and ua_advance() has told the time since. Registrations are refreshed within
 * seconds, for nobody knows which of those that a NAT or a server held for us are still there.
 */
void ua_resumed(struct ua *ua);
