#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates for tests, good ones and each kind of bad one, made anew for every run.

    certificates.py FOLDER [NAME...]    writes those of the table below (without names: all) as FOLDER/NAME.pem,
                                        NAME.key and, where an authority speaks of them, NAME.ocsp; and ca.pem, crl.pem

The domain is sipbus.test. As a module: certs = Certificates(folder); certs['expired'].pem, .key, .pin, .ocsp
"""
import datetime
import ipaddress
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DOMAIN = 'sipbus.test'
NOW = datetime.datetime.utcnow().replace(microsecond=0)
DAY = datetime.timedelta(days=1)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
LOOPBACK = ['127.0.0.1', '::1']
HERE = {'dns': [DOMAIN, 'localhost'], 'ips': LOOPBACK}

# What Certificates makes when asked. Keys are those of Authority.issue(); `by` names the authority.
KINDS = {
    'server': {**HERE, 'uris': ['sip:' + DOMAIN]},
    'renewed': {**HERE, 'uris': ['sip:' + DOMAIN]},  # takes the place of server
    'client': {'dns': ['client.' + DOMAIN], 'uris': ['sip:client.' + DOMAIN]},
    'alice': {'uris': ['sip:alice@' + DOMAIN]},  # a user's, and nobody's server
    'other': {'dns': ['other.test'], 'uris': ['sip:other.test']},  # good, but of somebody else
    'wrong-name': {'dns': ['other.test']},
    'expired': {**HERE, 'begins': -30, 'ends': -1},
    'early': {**HERE, 'begins': 1, 'ends': 30},
    'revoked': HERE,
    'stranger': {**HERE, 'by': 'stranger-ca'},
    'chained': {**HERE, 'by': 'intermediate'},
    'for-clients': {**HERE, 'usage': [CLIENT]},
    'for-servers': {**HERE, 'usage': [SERVER]},
    'uri-only': {'uris': ['sip:' + DOMAIN], 'ips': LOOPBACK},
    # RFC 5922 7.1: with a SIP URI in it the DNS names do not count
    'uri-other': {'dns': [DOMAIN], 'uris': ['sip:other.test'], 'ips': LOOPBACK},
    'wildcard': {'dns': ['*.' + DOMAIN]},
    'name-only': {},  # the domain as common name and nothing else
    'weak': {**HERE, 'bits': 1024},
}
AUTHORITIES = {'ca': None, 'stranger-ca': None, 'intermediate': 'ca'}


class Pair:
    """A certificate with its key, in files of that name."""

    def __init__(self, folder, name, certificate, key, chain=()):
        self.name, self.certificate, self.private = name, certificate, key
        self.pem, self.key = (os.path.join(folder, name + end) for end in ('.pem', '.key'))
        self.ocsp = os.path.join(folder, name + '.ocsp')
        write(self.pem, b''.join(c.public_bytes(serialization.Encoding.PEM) for c in (certificate, *chain)))
        write(self.key, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()), 0o600)

    @property
    def pin(self):
        """SHA-256 of the public key as the certificate has it, in hexadecimal."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.certificate.public_key().public_bytes(serialization.Encoding.DER,
                                                                 serialization.PublicFormat.SubjectPublicKeyInfo))
        return digest.finalize().hex()


def write(path, data, mode=0o644):
    """Another file of that name, at once: who reads never sees half of one."""
    with open(os.open(path + '.new', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), 'wb') as f:
        f.write(data)
    os.rename(path + '.new', path)


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def builder(subject, issuer, key, begins, ends):
    return (x509.CertificateBuilder().subject_name(name_of(subject)).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(NOW + begins * DAY).not_valid_after(NOW + ends * DAY))


class Authority(Pair):
    def __init__(self, folder, name, above=None):
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = above.certificate.subject if above else name_of(name)
        certificate = (builder(name, issuer, key, -60, 60)
                       .add_extension(x509.BasicConstraints(True, None), True)
                       .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), True)
                       .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
                       .sign(above.private if above else key, hashes.SHA256()))
        self.folder, self.revoked = folder, []
        self.chain = [certificate] if above else []
        super().__init__(folder, name, certificate, key, above.chain if above else ())

    def issue(self, name, dns=(), uris=(), ips=(), begins=-1, ends=30, usage=(SERVER, CLIENT), bits=0):
        """A certificate with its chain but for the root; begins and ends in days from now. bits: an RSA key of that size."""
        key = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(n) for n in dns] + [x509.UniformResourceIdentifier(u) for u in uris]
        names += [x509.IPAddress(ipaddress.ip_address(a)) for a in ips]
        b = builder(DOMAIN if not names else name, self.certificate.subject, key, begins, ends)
        b = b.add_extension(x509.BasicConstraints(False, None), True)
        b = b.add_extension(x509.ExtendedKeyUsage(usage), False)
        b = b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.private.public_key()), False)
        if names:
            b = b.add_extension(x509.SubjectAlternativeName(names), False)
        pair = Pair(self.folder, name, b.sign(self.private, hashes.SHA256()), key, self.chain)
        self.staple(pair)
        return pair

    def revoke(self, pair):
        self.revoked.append(pair.certificate.serial_number)
        self.staple(pair)

    def write_crl(self, path):
        crl = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        crl = crl.last_update(NOW - DAY).next_update(NOW + 30 * DAY)
        for number in self.revoked:
            crl = crl.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(number)
                                              .revocation_date(NOW - DAY).build())
        crl = crl.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.private.public_key()), False)
        crl = crl.add_extension(x509.CRLNumber(1), False)
        write(path, crl.sign(self.private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def staple(self, pair):
        """What the authority says of it today (RFC 6960), for the server to show beside it."""
        revoked = pair.certificate.serial_number in self.revoked
        response = ocsp.OCSPResponseBuilder().add_response(
            pair.certificate, self.certificate, hashes.SHA1(),
            ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD, NOW - DAY, NOW + 30 * DAY,
            NOW - DAY if revoked else None, None)
        response = response.responder_id(ocsp.OCSPResponderEncoding.NAME, self.certificate)
        write(pair.ocsp, response.sign(self.private, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


class Certificates:
    """Makes what is asked for, once. `ca` is what is to be trusted, `crl` its list of what is not."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.made = folder, {}
        self.ca = self['ca'].pem
        self.crl = os.path.join(folder, 'crl.pem')
        self['ca'].write_crl(self.crl)

    def __getitem__(self, name):
        if name not in self.made:
            self.made[name] = self.make(name)
        return self.made[name]

    def make(self, name):
        if name in AUTHORITIES:
            return Authority(self.folder, name, AUTHORITIES[name] and self[AUTHORITIES[name]])
        if name == 'self-signed':
            return self.self_signed()
        wish = dict(KINDS[name])
        authority = self[wish.pop('by', 'ca')]
        pair = authority.issue(name, **wish)
        if name == 'revoked':
            authority.revoke(pair)
            authority.write_crl(self.crl)
        return pair

    def self_signed(self):
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(DOMAIN)] + [x509.IPAddress(ipaddress.ip_address(a)) for a in LOOPBACK]
        b = builder(DOMAIN, name_of(DOMAIN), key, -1, 30).add_extension(x509.SubjectAlternativeName(names), False)
        return Pair(self.folder, 'self-signed', b.sign(key, hashes.SHA256()), key)


def main(folder, *names):
    certs = Certificates(folder)
    for name in names or [*KINDS, 'self-signed']:
        print(certs[name].pem)


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
