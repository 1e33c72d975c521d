#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A list of resources at Kamailio's resource list server (RFC 4662): one subscription, the states of all on it."""
import dbus

import lab
import states
from states import ALICE, BOB, pidf, uri


class Lists(states.WithStates):
    lists = {'friends': ['bob', 'carol']}

    def setUp(self):
        super().setUp()
        self.lab.profile('carol', self.protocol)

    def subscribe(self):
        return self.client.subscribe(ALICE, uri('friends'), List=True)

    def test_states_of_all(self):
        watch = self.subscribe()
        watch.wait_state('active')
        watch.wait_told('(?s)sip:bob@.*sip:carol@|sip:carol@.*sip:bob@')
        self.assertTrue(watch.told[0][0].startswith('multipart/related'), watch.told[0])
        publication = self.client.publish(BOB, pidf('bob', 'open'))
        watch.wait_told('<basic>open</basic>')
        self.client.modify(publication, pidf('bob', 'closed'))
        watch.wait_told('<basic>closed</basic>')
        watch.do('Unsubscribe')
        watch.ended(60)
        self.assertTrue(self.lab.presence.alive)


if __name__ == '__main__':
    lab.main('kamailio')
