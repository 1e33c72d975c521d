#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages that wait (RFC 3842): asked for by SUBSCRIBE at Kamailio, and told unasked by SIPp."""
import dbus

import lab
import states
from states import ALICE, SUMMARY, summary, uri


class MessagesWaiting(states.WithStates):
    def leave_messages(self, new, old):
        self.assertEqual(self.lab.publish('alice', 'message-summary', SUMMARY, summary(new, old)), 0)

    def test_subscribed(self):
        watch = self.client.subscribe(ALICE, uri('alice'), 'message-summary', Accept=dbus.Array([SUMMARY], signature='s'))
        watch.wait_state('active')
        self.leave_messages(2, 8)
        watch.wait_told('Messages-Waiting: yes\r\nVoice-Message: 2/8')
        self.leave_messages(0, 10)
        watch.wait_told('Messages-Waiting: no\r\nVoice-Message: 0/10')
        self.assertEqual(watch.told[-1][0], SUMMARY)
        watch.do('Unsubscribe')
        watch.ended()

    def test_unasked(self):
        self.assertEqual(self.lab.sipp('unsolicited', 'voicemail', 'alice', words={'BODY': summary(1, 4)}), 0)
        told = self.client.get(ALICE, 'MessageSummary')
        self.assertTrue(told['MessagesWaiting'])
        self.assertEqual([int(n) for n in told['Voice']], [1, 4, 0, 0])


if __name__ == '__main__':
    lab.main('kamailio', 'sipp')
