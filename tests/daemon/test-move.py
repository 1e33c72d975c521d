#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Addresses that come and go, a link that goes down, packets that are lost: registrations and calls stay.

The daemon has a network of its own, joined by one cable to another one, where the registrar is.
"""
import ctypes
import os
import random
import socket
import ssl
import subprocess
import sys
import threading

import case
import sip
from case import lab

ALICE = lab.endpoint_path('alice')
HERE, THERE, OTHER = '192.0.2.10', '192.0.2.1', '192.0.2.77'
CLONE_NEWNET = 0x40000000
PORT = 5060
ENDS = '192.0.2.'


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise OSError('%s: %s' % (' '.join(argv), done.stderr.strip()))


def ip(*words):
    run('ip', *words)


class Cable:
    """v0 here and v1 in a network namespace that lives as long as this object."""

    def __init__(self):
        self.keeper = subprocess.Popen(['unshare', '--net', 'sh', '-c', 'echo; exec sleep 1000'], stdout=subprocess.PIPE)
        self.keeper.stdout.readline()
        try:
            self.lay(str(self.keeper.pid))
        except OSError:
            self.close()
            raise

    def lay(self, there):
        ip('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', there)
        for words in (['address', 'add', THERE + '/24', 'dev', 'v1'], ['link', 'set', 'lo', 'up'], ['link', 'set', 'v1', 'up']):
            run('nsenter', '--net=/proc/%s/ns/net' % there, 'ip', *words)
        ip('link', 'set', 'v0', 'up')

    def over_there(self, make):
        """What make() gives, run in the other namespace: sockets stay where they were made."""
        made = []

        def enter():
            with open('/proc/%d/ns/net' % self.keeper.pid, encoding='ascii') as ns:
                if ctypes.CDLL(None, use_errno=True).setns(ns.fileno(), CLONE_NEWNET) == 0:
                    made.append(make())
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return made[0]

    def close(self):
        subprocess.run(['ip', 'link', 'delete', 'v0'], capture_output=True)
        self.keeper.kill()
        self.keeper.wait()
        self.keeper.stdout.close()


class Moved(case.Case):
    def setUp(self):
        try:
            self.cable = Cable()
        except OSError as e:
            self.skipTest('no network namespaces here: %s' % e)
        self.addCleanup(self.cable.close)
        super().setUp()
        self.peer = self.registrar_there()
        self.address('add', HERE)

    def registrar_there(self, port=PORT, tls=None):
        peer = self.cable.over_there(lambda: sip.Registrar(port, THERE, tls))
        self.addCleanup(peer.close)
        return peer

    def secure(self):
        """The registrar is one that speaks TLS; what [Tls] says for that."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pair = self.lab.certificates['server']
        context.load_cert_chain(pair.pem, pair.key)
        self.peer = self.registrar_there(PORT + 1, context)
        return '[Tls]\nCaFile=%s\nServerName=%s\n' % (self.lab.certificates.ca, lab.DOMAIN)

    def address(self, verb, address):
        ip('address', verb, address + '/24', 'dev', 'v0')

    def begin(self, protocol='udp', endpoint='', listen=''):
        self.lab.configure('sipbus.conf', listen)
        more = self.secure() if protocol == 'tls' else ''
        self.lab.configure('profiles.d/alice.conf', (
            '[Profile]\nName=alice\n[User]\nUri=sip:alice@example.com\n[Server]\nAddr=%s:%d\nProtocol=%s\nRole=registrar\n'
            '[Endpoint]\n%s\n%s') % (THERE, PORT + (protocol == 'tls'), protocol, endpoint, more))
        self.start()
        self.bus.wait_state(ALICE, 'registered')

    def contacts(self, message):
        return [line.split(b':', 1)[1].strip().decode() for line in message.split(b'\r\n') if line.lower().startswith(b'contact:')]

    def registered_from(self, address):
        """The last REGISTER that was not for taking something back alone, if it came from there."""
        last = (self.peer.registers() or [b''])[-1]
        return any('@%s' % address in c and ';expires=0' not in c for c in self.contacts(last)) and last

    def wait_registered_from(self, address):
        message = lab.wait_for(lambda: self.registered_from(address), 'a registration from ' + address)
        self.bus.wait_state(ALICE, 'registered')
        return message

    def assert_reachable(self):
        """A call to the contact as registered last rings at the endpoint, where nobody is."""
        contact = str(self.bus.get(ALICE, 'Contact'))
        hostport = contact.split('@')[1].split(';')[0]
        request = sip.request(method='INVITE', uri=contact, via='%s:%d' % (THERE, PORT), rport=False,
                              transport=contact.partition('transport=')[2].rstrip('>').upper() or 'UDP',
                              headers='Contact: <sip:tester@%s>\r\n' % THERE)
        before = len(self.peer.requests)
        host, port = hostport.rsplit(':', 1)
        self.peer.send(request, (host, int(port)))
        lab.wait_for(lambda: any(m.startswith(b'SIP/2.0 480') for m in self.peer.requests[before:]), 'the answer to a call')


class Address(Moved):
    def moves(self, protocol):
        self.begin(protocol)
        old = self.contacts(self.peer.registers()[-1])[0].split('>')[0]
        self.assertIn('@' + HERE, old)
        self.assert_reachable()
        self.address('del', HERE)
        self.bus.wait_state(ALICE, 'waiting')
        # Tried at once, and found to be in vain.
        self.assertIn(str(self.bus.get(ALICE, 'LastError')[1]), ['the address %s is gone' % HERE, 'Network is unreachable'])
        sent = len(self.peer.requests)
        self.address('add', OTHER)
        message = self.wait_registered_from(OTHER)
        # RFC 3261 section 10.2.2: where we are no more is taken back in the same request.
        self.assertIn(old + '>;expires=0', self.contacts(message))
        self.assertEqual(len(self.peer.requests), sent + 1)
        self.assert_reachable()

    def test_udp(self):
        self.moves('udp')

    def test_tcp(self):
        self.moves('tcp')

    def test_tls(self):
        self.moves('tls')

    def test_better_way(self):
        """Both addresses are there, and routing prefers the new one: UDP follows, TCP stays connected."""
        self.begin()
        self.address('add', OTHER)
        ip('route', 'replace', ENDS + '0/24', 'dev', 'v0', 'src', OTHER)
        self.wait_registered_from(OTHER)
        self.assert_reachable()

    def test_comes_back(self):
        """Gone and back within the time in which changes settle: nothing has happened."""
        self.begin('tcp')
        self.address('del', HERE)
        self.address('add', HERE)
        lab.wait_for(lambda: self.lab.daemon.says('the network has changed') or self.quiet(), 'nothing')
        self.assertEqual(len(self.peer.registers()), 1)
        self.assert_reachable()

    def quiet(self):
        self.ticks = getattr(self, 'ticks', 0) + 1
        return self.ticks > 150

    def test_without_auto_refresh(self):
        """Not before the next message."""
        self.begin('udp', 'AutoRefresh=no')
        self.address('del', HERE)
        self.bus.wait_state(ALICE, 'waiting')
        self.address('add', OTHER)
        self.bus.page(ALICE, 'sip:bob@example.com', b'hello')
        self.wait_registered_from(OTHER)

    def test_listener_without_address(self):
        """An address that [Listen] names may come later; what comes to it is heard."""
        self.begin(listen='[Listen]\nTransport=udp\nAddress=%s\nPort=5070\n' % OTHER)
        self.assertTrue(self.lab.daemon.says('%s is no address of this machine yet' % OTHER))
        self.address('add', OTHER)
        udp = self.cable.over_there(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind((THERE, 0))
        udp.settimeout(20)
        udp.sendto(sip.request(uri='sip:alice@example.com', via=THERE), (OTHER, 5070))
        self.assertEqual(sip.status(udp.recv(65536)), 200)
        udp.close()


class Link(Moved):
    def test_down_and_up(self):
        for protocol in ('udp', 'tcp'):
            with self.subTest(protocol):
                self.address('replace', HERE)
                if not self.lab.daemon:
                    self.begin(protocol)
                ip('link', 'set', 'v0', 'down')
                self.bus.wait_state(ALICE, 'waiting')
                heard = len(self.peer.registers())
                ip('link', 'set', 'v0', 'up')
                lab.wait_for(lambda: len(self.peer.registers()) > heard, 'a registration')
                self.wait_registered_from(HERE)
                self.assert_reachable()

    def test_starts_without_network(self):
        """Waits, and says why; registers the moment that there is an address."""
        self.address('del', HERE)
        self.lab.configure('sipbus.conf', '')
        self.lab.configure('profiles.d/alice.conf', '[Profile]\nName=alice\n[User]\nUri=sip:alice@example.com\n[Server]\nAddr=%s:%d\n'
                           'Protocol=udp\nRole=registrar\n' % (THERE, PORT))
        self.start()
        self.bus.wait_state(ALICE, 'waiting')
        self.assertEqual(str(self.bus.get(ALICE, 'LastError')[1]), 'Network is unreachable')
        self.address('add', HERE)
        self.wait_registered_from(HERE)


class Loss(Moved):
    def test_three_in_ten(self):
        """RFC 3261 17.1.2: what is lost, requests and answers alike, is sent again."""
        dice = random.Random(1)
        self.peer.answer = lambda m: None if dice.random() < 0.3 or dice.random() < 0.3 else 200
        self.begin()
        for i in range(10):
            self.assertEqual(int(self.bus.page(ALICE, 'sip:bob@example.com', b'page %d' % i)[0]), 200)
            self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})
        self.assertEqual(str(self.bus.get(ALICE, 'RegistrationState')), 'registered')
        self.assertGreater(len(self.peer.requests), 21)  # something was lost indeed


if __name__ == '__main__':
    if os.getuid() != 0:
        print('1..0 # SKIP network namespaces need root')
        sys.exit(0)
    case.main()
