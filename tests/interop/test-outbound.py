#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""RFC 5626 with Kamailio: alice has two flows through an edge proxy, and is reached while one of them lives."""
import call
import cases
import lab
import wire
from cases import ALICE, BOB, uri


class Outbound(cases.WithSessions):
    """alice's way to the edge is a wire that can be cut; bob is with the registrar itself."""
    protocol = 'tcp'
    edge_defines = ()
    flows = 2

    def setUp(self):
        super().setUp()
        self.lab.start_registrar('OUTBOUND')
        self.edge = self.lab.start_edge('edge', *self.edge_defines)
        tls = self.protocol == 'tls'
        self.wire = wire.Wire(self.lab, self.edge.port + tls)
        self.lab.profile('alice', self.protocol, port=self.wire.port - tls, endpoint='Flows=%d\n' % self.flows)
        self.lab.profile('bob')
        self.bus = self.lab.start_daemon()
        self.check_at_end(self.bus)
        for path in (ALICE, BOB):
            self.bus.wait_state(path, 'registered')
        self.wait_flows()
        self.client, self.called = call.Caller(self.lab), call.Caller(self.lab)
        self.called.serve()
        self.pages = lab.PageAgent(self.client, '/pages')
        self.client.call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/pages', {'Kinds': ['page']})

    def instances(self):
        """reg-id of each of alice's bindings at the registrar, which are all of one instance."""
        text = self.lab.kamctl('ul.dump')
        alice = text[text.index('AoR: alice'):].split('AoR: ', 2)[1] if 'AoR: alice' in text else ''
        words = [line.split(': ', 1) for line in alice.splitlines() if ': ' in line]
        self.assertLessEqual(len({value for name, value in words if name.strip() == 'Instance'}), 1)
        return sorted(int(value) for name, value in words if name.strip() == 'Reg-Id')

    def wait_flows(self, seconds=60):
        try:
            lab.wait_for(lambda: self.instances() == list(range(1, self.flows + 1)) and len(self.wire.links) == self.flows,
                         '%d flows' % self.flows, seconds)
        except lab.NotYet as e:
            self.fail('%s: %s' % (e, self.bus.get(ALICE, 'Flows')))
        # RFC 5626 4.5: only with its first keep-alive is a flow a success, which is replaced at once when it breaks.
        lab.wait_for(self.proven, 'a keep-alive of each flow', 30)

    def proven(self):
        flows = self.bus.get(ALICE, 'Flows')
        return len(flows) == self.flows and all(flow['Proven'] for flow in flows)

    def paged(self):
        """bob's page arrives once, however many flows there are."""
        self.bus.page(BOB, uri('alice'), b'a page')
        self.assertEqual([page[0] for page in self.pages.pages], [ALICE])
        self.pages.pages.clear()

    def session(self):
        """One from bob, which alice takes."""
        n = len(self.called.received)
        s = self.client.dial(BOB, uri('alice'), call.Sound(self.lab).describe())
        t = self.called.wait_call(n + 1)
        self.assertEqual(t.get('Endpoint'), ALICE)
        t.accept(call.Sound(self.lab).describe())
        s.wait('Established')
        t.wait('Established')
        return s, t


class TwoFlows(Outbound):
    def test_one_request_for_both(self):
        """RFC 5626 5.3: the registrar asks one flow of an instance."""
        self.paged()
        s, t = self.session()
        self.assertEqual(len(self.called.received), 1)
        t.terminate()
        self.assertEqual((s.ended()[1], t.ended()[1]), ('remote', 'local'))

    def test_one_is_cut(self):
        """Whichever it is: pages and calls still come (430 tells the registrar), and the flow comes back by itself (4.5)."""
        for n in range(self.flows):
            with self.subTest(n):
                self.wire.links[0].cut()  # the older one
                self.paged()
                s, t = self.session()
                s.terminate()
                self.assertEqual((s.ended()[1], t.ended()[1]), ('local', 'remote'))
                self.assertEqual(self.bus.get(ALICE, 'RegistrationState'), 'registered')
                self.wait_flows()

    def test_both_are_cut(self):
        for link in list(self.wire.links):
            link.cut()
        self.wait_flows()
        self.bus.wait_state(ALICE, 'registered')
        self.paged()

    def test_unregister(self):
        """Both bindings go."""
        self.bus.endpoint(ALICE, 'Unregister', 'a{sv}', {})
        lab.wait_for(lambda: self.instances() == [], 'no binding')

    def test_edge_starts_again(self):
        self.assertEqual(self.edge.stop(), 0)
        self.edge = self.lab.start_edge('edge', port=self.edge.port)
        # RFC 5626 4.5: who found it gone waits 30 to 60 seconds, or 90 to 180 if the other flow is back already.
        self.wait_flows(200)
        self.paged()


class TwoFlowsOverTls(TwoFlows):
    protocol = 'tls'


class Dead(Outbound):
    """RFC 5626 4.4.1: a flow on which a keep-alive is not answered within 10 seconds is dead, though no end was seen."""
    edge_defines = ('FLOWTIMER',)

    def test_silence(self):
        self.wire.links[0].hush()
        count = self.wire.count
        lab.wait_for(lambda: self.wire.count > count, 'another connection', 60)
        self.wait_flows()
        self.paged()

    def test_kept_alive(self):
        """Flow-Timer: each flow has a keep-alive every 4 seconds, or a little before (4.4.1)."""
        lab.wait_for(lambda: all(link.pings >= 3 for link in self.wire.links), 'three keep-alives of each flow', 30)
        self.assertEqual((self.wire.count, len(self.wire.links)), (self.flows, self.flows))


if __name__ == '__main__':
    lab.main('kamailio')
