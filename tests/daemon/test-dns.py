#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers found by RFC 3263: the daemon, a name server that is not always good, and registrars that are not always there."""
import os
import time

import case
import dns
import sip
from case import lab

ALICE = lab.endpoint_path('alice')
DOMAIN = 'example.test'
SRV_UDP, SRV_TCP = '_sip._udp.' + DOMAIN, '_sip._tcp.' + DOMAIN


class Dns(case.Case):
    def setUp(self):
        super().setUp()
        os.unlink(self.lab.path('config/profiles.d/alice.conf'))
        self.dns = dns.Server()
        self.addCleanup(self.dns.close)
        self.configure('[Daemon]\nDnsServers=127.0.0.1:%d\n' % self.dns.port)

    def server(self):
        """A registrar at a port of its own."""
        port = lab.free_port()
        registrar = sip.Registrar(port)
        registrar.port = port
        self.addCleanup(registrar.close)
        return registrar

    def profile(self, protocol='udp', addr=DOMAIN, endpoint='', register='no'):
        self.lab.configure('profiles.d/alice.conf', '[Profile]\nName=alice\nRegister=%s\n[User]\nUri=sip:alice@%s\n[Server]\nAddr=%s\n'
                           'Protocol=%s\nRole=registrar\n[Endpoint]\n%s\n' % (register, DOMAIN, addr, protocol, endpoint))

    def begin(self, **options):
        self.profile(**options)
        self.start()

    def register(self):
        self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})

    def refused(self, *words):
        """Register fails, and says so with these words."""
        try:
            self.register()
        except Exception as e:  # whatever the bindings call it
            text = str(e)
        else:
            self.fail('registered')
        for word in words:
            self.assertIn(word, text)

    def targets(self):
        return [{str(k): v for k, v in t.items()} for t in self.bus.call(lab.ROOT, lab.NAME + '.Manager.GetTargets')]


class Records(Dns):
    def test_srv_of_the_protocol(self):
        """4.2: Protocol is given, so no NAPTR; SRV for it, then the target's addresses."""
        server = self.server()
        self.dns.srv(SRV_TCP, 'one.test', server.port)
        self.dns.address('one.test')
        self.begin(protocol='tcp')
        self.register()
        self.assertEqual(len(server.registers()), 1)
        self.assertEqual(server.accepted, 1)
        self.assertEqual(self.dns.questions('SRV', 'NAPTR', 'A'), ['SRV ' + SRV_TCP, 'A one.test'])

    def test_port_means_addresses(self):
        """4.2: a port, and nothing but A and AAAA are asked for."""
        server = self.server()
        self.dns.srv(SRV_UDP, 'wrong.test', 9)
        self.dns.address(DOMAIN)
        self.begin(addr='%s:%d' % (DOMAIN, server.port))
        self.register()
        self.assertEqual(self.dns.questions('SRV', 'NAPTR'), [])

    def test_alias(self):
        """A CNAME on the way to SRV, and another to the address."""
        server = self.server()
        self.dns.cname(SRV_UDP, '_sip._udp.other.test')
        self.dns.srv('_sip._udp.other.test', 'alias.test', server.port)
        self.dns.cname('alias.test', 'one.test')
        self.dns.address('one.test')
        self.begin()
        self.register()
        self.assertEqual(len(server.registers()), 1)

    def test_both_families(self):
        """A name with AAAA that leads nowhere here, and A: the second is tried."""
        server = self.server()
        self.dns.srv(SRV_TCP, 'one.test', server.port)
        self.dns.address('one.test', '::1')  # nobody listens there
        self.dns.address('one.test')
        self.begin(protocol='tcp')
        self.register()
        self.assertEqual(len(server.registers()), 1)

    def test_no_service(self):
        """RFC 2782: the target "." says that there is none."""
        self.dns.srv(SRV_UDP, '', 0)
        self.dns.address(DOMAIN)
        self.begin()
        self.refused('does not offer')

    def test_wrong_srv(self):
        """Targets without address, a port where nobody is, then one that works."""
        server = self.server()
        self.dns.srv(SRV_TCP, 'nowhere.test', 5060, priority=1)
        self.dns.srv(SRV_TCP, 'one.test', lab.free_port(), priority=2)
        self.dns.srv(SRV_TCP, 'one.test', server.port, priority=3)
        self.dns.address('one.test')
        self.begin(protocol='tcp')
        self.register()
        self.assertEqual(len(server.registers()), 1)

    def test_many_records(self):
        """An answer that fits into no datagram comes by TCP; more targets than we keep do no harm."""
        server = self.server()
        self.dns.srv(SRV_UDP, 'one.test', server.port, priority=1)
        for i in range(200):
            self.dns.srv(SRV_UDP, 'server-with-a-long-name-%d.test' % i, 5060, priority=2)
        self.dns.address('one.test')
        self.begin()
        self.register()
        self.assertIn((SRV_UDP, 'SRV', 'tcp'), self.dns.asked)

    def test_truncated(self):
        server = self.server()
        self.dns.treat[SRV_UDP, dns.SRV] = 'truncated'
        self.dns.srv(SRV_UDP, 'one.test', server.port)
        self.dns.address('one.test')
        self.begin()
        self.register()
        self.assertIn((SRV_UDP, 'SRV', 'tcp'), self.dns.asked)


class Naptr(Dns):
    """Endpoints without a server ask the whole question: 4.1."""

    def setUp(self):
        super().setUp()
        self.start()
        self.peer = self.bus.call(lab.ROOT, lab.NAME + '.Manager.CreateEndpoint', 'sa{sv}', '',
                                  {'Id': 'peer', 'Kind': 'peer-to-peer', 'Uri': 'sip:peer@127.0.0.1'})

    def page(self, uri='sip:bob@' + DOMAIN):
        return self.bus.page(self.peer, uri, b'hello')

    def test_order(self):
        server = self.server()
        self.dns.naptr(DOMAIN, 'SIP+D2U', '_sip._udp.wrong.test', order=20)
        self.dns.naptr(DOMAIN, 'SIP+D2T', '_sip._tcp.school.test', order=10)
        self.dns.srv('_sip._tcp.school.test', 'one.test', server.port)
        self.dns.address('one.test')
        self.page()
        self.assertEqual(server.accepted, 1)
        self.assertEqual(self.dns.questions('NAPTR', 'SRV'), ['NAPTR ' + DOMAIN, 'SRV _sip._tcp.school.test'])

    def test_none(self):
        """SRV for each transport, the safest first."""
        server = self.server()
        self.dns.srv(SRV_UDP, 'one.test', server.port)
        self.dns.address('one.test')
        self.page()
        self.assertEqual(self.dns.questions('NAPTR', 'SRV'),
                         ['NAPTR ' + DOMAIN, 'SRV _sips._tcp.' + DOMAIN, 'SRV ' + SRV_TCP, 'SRV ' + SRV_UDP])

    def test_loop(self):
        """NAPTR records that lead to one another end in what there is without them."""
        server = self.server()
        self.dns.naptr(DOMAIN, '', 'other.test', flags='')
        self.dns.naptr('other.test', '', DOMAIN, flags='')
        self.dns.address(DOMAIN)
        self.page('sip:bob@%s:%d' % (DOMAIN, server.port))
        with self.assertRaises(Exception):
            self.page()  # nobody at port 5060
        self.assertLessEqual(len(self.dns.questions('NAPTR')), 5)

    def test_expressions(self):
        """Only "s" leads to SRV; regular expressions and other services are nobody's."""
        server = self.server()
        self.dns.naptr(DOMAIN, 'E2U+sip', '', flags='u', regexp='!^.*$!sip:evil@example.test!')
        self.dns.naptr(DOMAIN, 'SIP+D2S', '_sip._sctp.' + DOMAIN, order=1)
        self.dns.naptr(DOMAIN, 'SIP+D2U', SRV_UDP, order=2)
        self.dns.srv(SRV_UDP, 'one.test', server.port)
        self.dns.address('one.test')
        self.page()


class Failover(Dns):
    def test_dead_first_target(self):
        """4.3: refused, then the next; and who failed is known to all."""
        dead, server = lab.free_port(), self.server()
        self.dns.srv(SRV_TCP, 'one.test', dead, priority=1)
        self.dns.srv(SRV_TCP, 'two.test', server.port, priority=2)
        self.dns.address('one.test')
        self.dns.address('two.test')
        self.begin(protocol='tcp')
        self.register()
        self.assertEqual(len(server.registers()), 1)
        known = self.targets()
        self.assertEqual([(t['Target'], t['Transport'], t['Address'], t['State']) for t in known],
                         [(DOMAIN, 'tcp', '127.0.0.1:%d' % dead, 'avoided')])
        self.assertGreater(known[0]['Until'], time.time())
        self.assertIn('refused', known[0]['Reason'])

    def test_unavailable(self):
        """4.3: 503, then the next; Retry-After is kept and shown."""
        first, second = self.server(), self.server()
        first.answer = lambda m: 503
        self.dns.srv(SRV_UDP, 'one.test', first.port, priority=1)
        self.dns.srv(SRV_UDP, 'one.test', second.port, priority=2)
        self.dns.address('one.test')
        self.begin()
        self.register()
        self.assertEqual((len(first.registers()), len(second.registers())), (1, 1))
        a, b = first.registers()[0], second.registers()[0]
        self.assertEqual(sip.header(a, 'Call-ID'), sip.header(b, 'Call-ID'))
        self.assertNotEqual(sip.header(a, 'Via'), sip.header(b, 'Via'))

    def test_lazy(self):
        """The second target's name is not asked for as long as the first works."""
        server = self.server()
        self.dns.srv(SRV_UDP, 'one.test', server.port, priority=1)
        self.dns.srv(SRV_UDP, 'two.test', server.port, priority=2)
        self.dns.address('one.test')
        self.begin()
        self.register()
        self.assertEqual(self.dns.questions('A'), ['A one.test'])


class Trouble(Dns):
    """Name servers that do not do their work."""

    def settle(self, how, kind=dns.A, name='one.test'):
        server = self.server()
        self.dns.srv(SRV_UDP, 'one.test', server.port)
        self.dns.address('one.test')
        self.dns.treat[name, kind] = how
        self.begin()
        return server

    def test_slow(self):
        self.settle(1.5, dns.SRV, SRV_UDP)
        self.register()

    def test_one_family_is_never_answered(self):
        """The other one does not wait for it: far less than the time of all tries."""
        self.settle('silent', dns.AAAA)
        before = time.monotonic()
        self.register()
        self.assertLess(time.monotonic() - before, 5)

    def test_failing(self):
        self.settle('servfail', None)
        self.refused('name server failed')

    def test_silent(self):
        """Named as what it is, and not for ever."""
        self.settle('silent', None)
        self.refused('name server did not answer')

    def test_foreign_answer(self):
        """A wrong id is nobody's answer."""
        self.settle('wrong id', None)
        self.refused('name server did not answer')

    def test_nonsense(self):
        """What is no DNS message does no harm."""
        self.settle('garbage', dns.SRV, SRV_UDP)
        self.refused()
        self.bus.call(lab.ROOT, lab.NAME + '.Manager.GetStatistics')

    def test_no_such_name(self):
        self.begin()
        self.refused('host name has no address')


class Memory(Dns):
    """Answers are kept no longer than they say."""

    def questions(self):
        return len(self.dns.questions('SRV'))

    def test_time_to_live(self):
        server = self.server()
        self.dns.srv(SRV_TCP, 'one.test', server.port, ttl=2)
        self.dns.address('one.test', ttl=600)
        self.begin(protocol='tcp')
        self.register()
        # The connection is gone: found anew, but not asked again.
        server.hang_up()
        self.register()
        self.assertEqual(self.questions(), 1)
        time.sleep(2.1)
        self.dns.asked.clear()
        server.hang_up()
        time.sleep(0.2)
        self.register()
        self.assertEqual(self.dns.questions('SRV', 'A'), ['SRV ' + SRV_TCP])

    def test_nothing_is_remembered_shortly(self):
        """RFC 2308: as long as the SOA says."""
        self.dns.minimum = 2
        self.begin()
        self.refused()
        asked = len(self.dns.asked)
        self.refused()
        self.assertEqual([q for q in self.dns.asked[asked:] if q[1] == 'SRV'], [])
        time.sleep(2.1)
        server = self.server()
        self.dns.srv(SRV_UDP, 'one.test', server.port)
        self.dns.address('one.test')
        self.register()

    def test_other_servers(self):
        """DnsServers changed and reloaded: nothing of the old ones is believed."""
        first, second = self.server(), self.server()
        self.dns.srv(SRV_TCP, 'one.test', first.port, ttl=600)
        self.dns.address('one.test', ttl=600)
        self.begin(protocol='tcp')
        self.register()
        heard = len(first.registers())
        other = dns.Server()
        self.addCleanup(other.close)
        other.srv(SRV_TCP, 'one.test', second.port)
        other.address('one.test')
        self.configure('[Daemon]\nDnsServers=127.0.0.1:%d\n' % other.port)
        self.bus.call(lab.ROOT, lab.NAME + '.Manager.Reload')
        first.hang_up()
        lab.wait_for(lambda: self.connections() == 0, 'the end of the connection')
        self.register()
        # One, or two if the lost connection was made anew (AutoRefresh) before the client asked.
        self.assertIn(len(second.registers()), (1, 2))
        self.assertEqual(len(first.registers()), heard)

    def test_reload(self):
        """Names are asked for again, and who failed is no longer passed over."""
        dead, server = lab.free_port(), self.server()
        self.dns.srv(SRV_TCP, 'one.test', dead, priority=1, ttl=600)
        self.dns.srv(SRV_TCP, 'one.test', server.port, priority=2, ttl=600)
        self.dns.address('one.test', ttl=600)
        self.begin(protocol='tcp')
        self.register()
        self.assertEqual(len(self.targets()), 1)
        self.bus.call(lab.ROOT, lab.NAME + '.Manager.Reload')
        self.assertEqual(self.targets(), [])
        self.dns.asked.clear()
        server.hang_up()
        lab.wait_for(lambda: self.connections() == 0, 'the end of the connection')
        self.register()
        self.assertEqual(self.dns.questions('SRV'), ['SRV ' + SRV_TCP])

    def connections(self):
        return len(self.bus.get(ALICE, 'Connections'))


if __name__ == '__main__':
    case.main()
