# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the scenarios of sessions begin."""
import call
import lab
import phone

ALICE, BOB = lab.endpoint_path('alice'), lab.endpoint_path('bob')


def uri(user):
    return 'sip:%s@%s' % (user, lab.DOMAIN)


class WithSessions(lab.Case):
    def check_at_end(self, client):
        self.addCleanup(self.nothing_stays, client)

    def nothing_stays(self, client):
        if not self.failed:
            lab.wait_for(lambda: client.get(lab.ROOT, 'SessionCount', 'Manager') == 0, 'all sessions to be gone')


class WithPhone(WithSessions):
    """alice at the daemon, carol at baresip."""
    answer = 'manual'

    def setUp(self):
        super().setUp()
        self.lab.start_registrar()
        self.lab.profile('alice', self.protocol)
        bus = self.lab.start_daemon()
        self.carol = phone.Phone(self.lab, 'carol', self.protocol, answer=self.answer)
        bus.wait_state(ALICE, 'registered')
        self.check_at_end(bus)
        self.client = call.Caller(self.lab)
        self.client.serve()
        self.sound = call.Sound(self.lab)

    def called(self):
        """carol calls; gives our side of it."""
        self.carol.dial('alice')
        return self.client.wait_call()


class WithTwo(WithSessions):
    """Two endpoints of the daemon with each other, bob over TCP; over TLS both."""
    host = '127.0.0.1'

    def setUp(self):
        super().setUp()
        self.lab.start_registrar()
        self.lab.profile('alice', self.protocol, self.host)
        self.lab.profile('bob', 'tls' if self.protocol == 'tls' else 'tcp', self.host)
        bus = self.lab.start_daemon()
        for path in (ALICE, BOB):
            bus.wait_state(path, 'registered')
        self.check_at_end(bus)
        self.caller, self.called = call.Caller(self.lab), call.Caller(self.lab)
        self.called.serve()
        self.here, self.there = call.Sound(self.lab), call.Sound(self.lab)

    def established(self, endpoint=ALICE, user='bob'):
        s = self.caller.dial(endpoint, uri(user), self.here.describe())
        t = self.called.wait_call()
        t.accept(self.there.describe())
        s.wait('Established')
        t.wait('Established')
        return s, t
