#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""TLS to a registrar: whom the daemon trusts, what it says of whom it does not, and what it shows itself.

The certificates are those of tests/support/certificates.py. That pages and sessions go over TLS as over UDP and TCP
is shown by the classes ...OverTls of the other scripts.
"""
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time

import lab

ALICE = lab.endpoint_path('alice')


class WithTls(lab.Case):
    protocol = 'tls'

    def begin(self, more='', register=False):
        """Kamailio with its good certificate, and alice, who does not register by herself."""
        self.lab.start_registrar()
        self.lab.profile('alice', 'tls', register=register, more=more)
        self.bus = self.lab.start_daemon()

    def shows(self, certificate, mutual=False):
        """From now on Kamailio shows that one. The daemon's connection, if there is one, stays."""
        self.lab.secure_registrar(certificate, mutual)
        self.assertIn('reloaded', self.lab.kamctl('tls.reload'))

    def register(self):
        self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})
        self.assertEqual(self.bus.get(ALICE, 'RegistrationState'), 'registered')

    def not_registered(self, reason):
        """Register fails, and the error as well as LastError begins with the reason."""
        with self.refused('TransportFailed') as caught:
            self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})
        status, text, origin = self.bus.get(ALICE, 'LastError')
        self.assertEqual((int(status), str(origin)), (0, 'network'))
        for said in (str(text), caught.exception.get_dbus_message()):
            self.assertTrue(said.startswith(reason + ': '), said)
        self.assertEqual(self.lab.requests('REGISTER', 'alice'), 0, 'something went to a stranger')

    def connection(self, path=ALICE):
        """The one connection of the endpoint."""
        connections = self.bus.get(path, 'Connections')
        self.assertEqual(len(connections), 1, connections)
        return connections[0]

    def cut(self):
        """Every connection to the registrar, as a network would that is gone for a moment."""
        subprocess.run(['ss', '-K', 'state', 'established', 'dport', '=', str(self.lab.port + 1)], check=True, capture_output=True)


class Trust(WithTls):
    def test_whom_it_does_not_trust(self):
        """RFC 5922 7: each refusal names its reason, and nothing is sent to whom is refused."""
        self.lab.certificates['revoked']  # the CRL that is loaded has to know it
        self.begin('CrlFile=%s\n' % self.lab.certificates.crl)
        for certificate, reason in (('expired', 'expired'), ('early', 'expired'), ('self-signed', 'untrusted'),
                                    ('stranger', 'untrusted'), ('for-clients', 'untrusted'), ('wrong-name', 'wrong name'),
                                    ('name-only', 'wrong name'), ('revoked', 'revoked')):
            with self.subTest(certificate):
                self.shows(certificate)
                self.not_registered(reason)
        self.shows('server')
        self.register()

    def test_for_whom_it_has_to_be_good(self):
        """RFC 5922 7.1, 7.2: a SIP URI in the certificate counts before any DNS name, and no wildcard counts."""
        self.begin('ServerName=%s\n' % lab.DOMAIN)
        for certificate, reason in (('uri-other', 'wrong name'), ('wildcard', 'wrong name'), ('uri-only', None), ('chained', None)):
            with self.subTest(certificate):
                self.shows(certificate)
                if reason:
                    self.not_registered(reason)
                else:
                    self.register()
                    self.assertEqual(self.connection()['MatchedDomain'], lab.DOMAIN)
                    self.bus.endpoint(ALICE, 'Unregister', 'a{sv}', {})
                    self.cut()

    def test_pin(self):
        """The pinned key alone, though an authority speaks for others too."""
        self.begin('Pin=%s\n' % self.lab.certificates['server'].pin)
        self.shows('renewed')
        self.not_registered('wrong pin')
        self.shows('server')
        self.register()

    def test_too_old(self):
        """RFC 8996: neither TLS 1.0 nor 1.1; and 1.2 only where the profile lets it be."""
        self.lab.profile('alice', 'tls', register=False, more='MinimumVersion=1.3\n')
        self.bus = self.lab.start_daemon()
        for version in ('-tls1_1', '-tls1_2'):
            with self.subTest(version):
                self.refuses_openssl('server', 'too old', version, '-cipher', 'ALL:@SECLEVEL=0')

    def test_too_weak(self):
        """An RSA key of 1024 bits, which Kamailio itself would not show."""
        self.lab.profile('alice', 'tls', register=False)
        self.bus = self.lab.start_daemon()
        self.refuses_openssl('weak', 'too old', '-cipher', 'ALL:@SECLEVEL=0')

    def refuses_openssl(self, certificate, reason, *more):
        """A server of OpenSSL that shows this is not talked to."""
        shown = self.lab.certificates[certificate]
        peer = self.lab.start('openssl-%d' % len(self.lab.processes), [
            'openssl', 's_server', '-accept', '127.0.0.1:%d' % (self.lab.port + 1), '-cert', shown.pem, '-key', shown.key, '-quiet',
            *more])
        lab.wait_for(lambda: lab.listens('tls', self.lab.port + 1) or not peer.alive, 'OpenSSL to listen')
        with self.refused('TransportFailed') as caught:
            self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})
        self.assertTrue(caught.exception.get_dbus_message().startswith(reason + ': '), caught.exception)
        peer.stop()

    def test_stapled(self):
        """RFC 6066 8: what the authority says of it today, shown by the server itself."""
        self.lab.profile('alice', 'tls', register=False)
        self.bus = self.lab.start_daemon()
        self.refuses_openssl('revoked', 'revoked', '-status_file', self.lab.certificates['revoked'].ocsp)

    def test_no_tls_there(self):
        """A server that answers in the clear."""
        listener = socket.create_server(('127.0.0.1', self.lab.port + 1))
        self.addCleanup(listener.close)
        self.lab.profile('alice', 'tls', register=False)
        self.bus = self.lab.start_daemon()

        def answer():
            with listener.accept()[0] as s:
                s.recv(1000)
                s.sendall(b'SIP/2.0 400 What Is This\r\nContent-Length: 0\r\n\r\n')

        threading.Thread(target=answer, daemon=True).start()
        with self.refused('TransportFailed') as caught:
            self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})
        self.assertIn('does not speak TLS', caught.exception.get_dbus_message())


class Checked(WithTls):
    """What is wrong with files of [Tls] is told before anything is used, with the place."""

    def check(self, ca, certificate, key):
        self.lab.profile('alice', 'tls', more='CaFile=%s\nCertificateFile=%s\nKeyFile=%s\n' % (ca, certificate, key))
        self.lab.configure('sipbus.conf', '')
        run = subprocess.run([os.environ['SIPBUSD'], '--check', '--config=' + self.lab.path('config', 'x')[:-2]], capture_output=True,
                             text=True, timeout=60)
        return run.returncode, run.stdout.replace(self.lab.folder + '/', '')

    def test_files(self):
        certs = self.lab.certificates
        server, expired = certs['server'], certs['expired']
        self.lab.write('config/nonsense', 'nonsense')
        mine = 'config/profiles.d/alice.conf'
        for files, code, said in (
                ((certs.ca, server.pem, server.key), 0, ''),
                ((certs.ca, server.pem, expired.key), 78, '%s: error: [Tls] tls/expired.key: is not the certificate' % mine),
                ((certs.ca, expired.pem, expired.key), 0, '%s: warning: [Tls] tls/expired.pem: has expired' % mine),
                (('nonsense', server.pem, server.key), 78, '%s: error: [Tls] config/nonsense: has nothing' % mine),
                ((certs.ca, 'nonsense', server.key), 78, '%s: error: [Tls] config/nonsense: cannot be used with the key' % mine),
                ((certs.ca, server.pem, 'missing'), 78, 'error: [Tls] KeyFile: config/missing does not exist')):
            with self.subTest(said):
                status, text = self.check(*files)
                self.assertEqual(status, code, text)
                self.assertIn(said, text)


class Mutual(WithTls):
    """Kamailio wants a certificate."""

    def begin_with(self, name):
        """The profile's own certificate; without one that of sipbus.conf is shown, so that it must have none either."""
        shown = name and self.lab.certificates[name]
        self.lab.configure('sipbus.conf', '')
        self.begin('CertificateFile=%s\nKeyFile=%s\n' % (shown.pem, shown.key) if shown else '')
        self.shows('server', mutual=True)

    def test_ours_is_taken(self):
        self.begin_with('client')
        self.register()

    def test_ours_is_refused(self):
        for name in ('stranger', 'expired'):
            with self.subTest(name):
                self.begin_with(name)
                self.not_registered('refused by peer')
                self.assertEqual(self.lab.daemon.stop(), 0)
                self.lab.registrar.stop()

    def test_we_have_none(self):
        self.begin_with(None)
        self.not_registered('refused by peer')


class Life(WithTls):
    def setUp(self):
        super().setUp()
        self.begin(register=True)
        self.bus.wait_state(ALICE, 'registered')

    def test_as_seen_on_the_bus(self):
        seen = self.connection()
        server = self.lab.certificates['server'].certificate
        self.assertEqual((seen['Transport'].lower(), bool(seen['Incoming']), seen['State']), ('tls', False, 'up'))
        self.assertEqual(seen['Remote'], '127.0.0.1:%d' % (self.lab.port + 1))
        self.assertEqual(seen['TlsVersion'], 'TLS1.3')
        self.assertEqual(seen['Certificate']['Fingerprint'], server.fingerprint(server.signature_hash_algorithm).hex())
        self.assertGreater(seen['Certificate']['Expires'], time.time())
        self.assertEqual(seen['MatchedDomain'], '127.0.0.1')

    def test_cut_off(self):
        """A connection that is gone is made anew at once (AutoRefresh), and the registration goes on over it."""
        first = self.connection()
        self.cut()
        self.another(first)
        self.bus.wait_state(ALICE, 'registered')

    def another(self, first):
        """The connection that took the place of that one."""
        return lab.wait_for(lambda: [c for c in self.bus.get(ALICE, 'Connections') if c['Id'] != first['Id'] and c['State'] == 'up'],
                            'another connection', 40)[0]

    def test_kamailio_renews(self):
        """What is up stays; the next connection sees the new certificate."""
        first = self.connection()
        self.shows('renewed')
        self.register()
        self.assertEqual(self.connection()['Id'], first['Id'])
        self.cut()
        self.assertNotEqual(self.another(first)['Certificate']['Fingerprint'], first['Certificate']['Fingerprint'])
        self.bus.wait_state(ALICE, 'registered')


class Shown(WithTls):
    """The daemon's own certificate, to who connects."""

    def connect(self, identity=None):
        context = ssl.create_default_context(cafile=self.lab.certificates.ca)
        if identity:
            context.load_cert_chain(identity.pem, identity.key)
        raw = socket.create_connection(('127.0.0.1', self.lab.listen_port + 1), 10)
        self.addCleanup(raw.close)
        return context.wrap_socket(raw, server_hostname=lab.DOMAIN)

    def shown(self):
        with self.connect() as s:
            return int(s.getpeercert()['serialNumber'], 16)

    def test_replaced_while_it_runs(self):
        """Other files under the old names count from the next connection on; half a pair changes nothing."""
        self.begin()
        server, renewed = (self.lab.certificates[name] for name in ('server', 'renewed'))
        kept = self.connect()
        self.assertEqual(self.shown(), server.certificate.serial_number)
        shutil.copy(renewed.pem, server.pem + '.new')
        os.rename(server.pem + '.new', server.pem)
        lab.wait_for(lambda: self.shown() == server.certificate.serial_number and server.key in self.lab.daemon.text(),
                     'the log to name the key')
        shutil.copy(renewed.key, server.key + '.new')
        os.rename(server.key + '.new', server.key)
        lab.wait_for(lambda: self.shown() == renewed.certificate.serial_number, 'the new certificate')
        kept.sendall(b'\r\n\r\n')
        kept.settimeout(10)
        self.assertEqual(kept.recv(100), b'\r\n')

    def test_allowed_domains(self):
        """Mutual TLS: who shows nothing, or is nobody of ours, is out before the first message."""
        self.lab.listen('', 'MutualTls=yes\nAllowedDomains=.%s\n' % lab.DOMAIN)
        self.begin()
        for name, good in (('client', True), ('other', False), ('alice', False), ('stranger', False), ('expired', False), (None, False)):
            with self.subTest(name or 'none'):
                self.assertEqual(self.answered(name and self.lab.certificates[name]), good)

    def answered(self, identity):
        """Whether a keep-alive gets its answer."""
        try:
            with self.connect(identity) as s:
                s.sendall(b'\r\n\r\n')
                return s.recv(100) == b'\r\n'
        except OSError:
            return False


if __name__ == '__main__':
    lab.main('kamailio', 'openssl', 'ss')
