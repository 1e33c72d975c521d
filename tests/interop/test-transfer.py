#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Transfers (RFC 5589) with baresip in each role that it knows, and joining two parties (RFC 3725)."""
import re

import call
import cases
import lab
import phone
from cases import ALICE, BOB, uri


class Blind(cases.WithPhone):
    """alice, carol and frank; who refers stays with nobody."""

    def setUp(self):
        super().setUp()
        self.frank = phone.Phone(self.lab, 'frank', self.protocol)

    def established(self):
        s = self.called()
        s.accept(self.sound.describe())
        s.wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        return s

    def follow(self, s):
        number, target, _ = s.wait('ReferReceived')
        self.assertIn(uri('frank'), target)
        path = s.do('FollowRefer', 'ua{sv}', number, {'ContentType': call.SDP, 'Description': self.sound.describe()})
        return call.Call(self.client, path)

    def test_we_refer(self):
        s = self.established()
        s.refer(uri('frank'))
        self.assertEqual(self.frank.wait('CALL_INCOMING')['peeruri'], uri('carol'))
        self.frank.do('accept')
        self.assertEqual(int(s.wait('ReferFinished')[0]), 200)
        self.carol.wait('CALL_ESTABLISHED', 2)
        s.terminate()
        s.ended()
        self.frank.do('hangup')
        self.carol.wait('CALL_CLOSED', 2)

    def test_we_refer_to_who_is_busy(self):
        s = self.established()
        s.refer(uri('busy'))
        self.assertEqual(int(s.wait('ReferFinished')[0]), 486)
        self.assertEqual((s.get('State'), len(s.of('ReferFinished'))), ('established', 1))
        s.terminate()
        s.ended()

    def test_we_are_referred(self):
        s = self.established()
        self.carol.do('transfer', uri('frank'))
        t = self.follow(s)
        self.assertEqual(self.frank.wait('CALL_INCOMING')['peeruri'], uri('alice'))
        self.frank.do('accept')
        t.wait('Established')
        self.assertEqual(self.carol.wait('CALL_CLOSED')['param'], 'Call transfered')
        self.assertEqual(s.ended()[1], 'remote')
        self.sound.wait()
        t.terminate()
        t.ended()
        self.frank.wait('CALL_CLOSED')

    def test_we_are_referred_and_decline(self):
        s = self.established()
        self.carol.do('transfer', uri('frank'))
        s.do('RejectRefer', 'uu', s.wait('ReferReceived')[0], lab.dbus.UInt32(603))
        self.carol.wait('TRANSFER_FAILED')
        self.assertEqual(s.get('State'), 'established')
        s.terminate()
        s.ended()


class BlindOverTcp(Blind):
    protocol = 'tcp'


class Attended(cases.WithTwo):
    """baresip knows no Replaces, but carries it in a Refer-To that it is given: carol transfers alice to bob."""

    def setUp(self):
        super().setUp()
        self.carol = phone.Phone(self.lab, 'carol', answer='auto')

    def test_by_baresip(self):
        """RFC 3891: bob's session with carol is replaced by one with alice."""
        t = self.called.dial(BOB, uri('carol'), self.there.describe())
        t.wait('Established')
        s = self.caller.dial(ALICE, uri('carol'), self.here.describe())
        s.wait('Established')
        final = bytes(bytearray(t.do('GetMessage', 's', 'final'))).decode()
        to, sender = (re.search(header + r':.*;tag=([^;\s]+)', final, re.I).group(1) for header in ('To', 'From'))
        replaces = '%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s' % (t.get('CallId').replace('@', '%40'), sender, to)
        self.carol.wait('CALL_ESTABLISHED', 2)
        self.carol.do('transfer', '%s?Replaces=%s' % (uri('bob'), replaces))
        number, target, _ = s.wait('ReferReceived')
        self.assertIn('Replaces=', target)
        u = call.Call(self.caller, s.do('FollowRefer', 'ua{sv}', number,
                                        {'ContentType': call.SDP, 'Description': self.here.describe()}))
        v = self.called.wait_call()
        self.assertEqual(v.details['Replaces'], t.path)
        v.accept(self.there.describe())
        u.wait('Established')
        t.ended()
        s.ended()
        self.carol.wait('CALL_CLOSED', 2)
        u.terminate()
        u.ended()
        self.assertEqual(v.ended()[1], 'remote')

    def test_between_ourselves(self):
        """alice talks to bob twice, as transferor: from one of them to the other."""
        s = self.caller.dial(ALICE, uri('bob'), self.here.describe())
        first = self.called.wait_call()
        first.accept(self.there.describe())
        s.wait('Established')
        t = self.caller.dial(ALICE, uri('bob'), self.here.describe())
        second = self.called.wait_call(2)
        second.accept(self.there.describe())
        t.wait('Established')
        s.do('Refer', 'sa{sv}', '', {'Replaces': lab.dbus.ObjectPath(t.path)})
        number, target, _ = first.wait('ReferReceived')
        u = call.Call(self.called, first.do('FollowRefer', 'ua{sv}', number,
                                            {'ContentType': call.SDP, 'Description': self.there.describe()}))
        self.assertEqual(u.get('State') in ('trying', 'ringing', 'established'), True)
        v = self.caller_receives()
        v.accept(self.here.describe())
        u.wait('Established')
        self.assertEqual(int(s.wait('ReferFinished')[0]), 200)


if __name__ == '__main__':
    lab.main('kamailio', 'baresip')
