# SPDX-License-Identifier: LGPL-2.1-or-later
"""baresip as a telephone: without a sound card, steered over its control port."""
import glob
import json
import os
import socket
import struct
import wave

import lab


def hum(here):
    """A minute of a tone. (A source by aubridge falls silent for good when baresip stops any tone of its own.)"""
    path = here.path('hum.wav')
    if not os.path.exists(path):
        with wave.open(path, 'wb') as w:
            w.setparams((1, 2, 8000, 0, 'NONE', ''))
            w.writeframes(b''.join(struct.pack('<h', 8000 * (n // 16 % 2)) for n in range(8000)) * 60)
    return path


class Phone:
    """One baresip, registered as one user. It has a tone for a microphone and no ears."""

    def __init__(self, here, user, transport='udp', contact='alice', answer='manual', name=None, watches=None):
        """answer: manual, auto, or early (183 with a description, then `accept`). name: its own, beside another of that user.

        watches: presence (of the contact) or mwi (its own mailbox), to which it subscribes.
        """
        self.user = user
        self.events = []
        self.data = b''
        port, control = lab.free_port(), lab.free_port()
        folder = 'baresip-' + (name or user)
        modules = sorted(glob.glob('/usr/lib/baresip/modules') + glob.glob('/usr/lib/*/baresip/modules'))[0]
        media = lab.free_port()
        shown = here.certificates['for-servers']
        with open(shown.pem, encoding='ascii') as certificate, open(shown.key, encoding='ascii') as key:
            both = here.write(folder + '/certificate.pem', certificate.read() + key.read())
        here.write(folder + '/config', '\n'.join([
            'sip_listen 127.0.0.1:%d' % port, 'sip_certificate ' + both, 'sip_cafile ' + here.certificates.ca,
            'net_interface 127.0.0.1', 'module_path ' + modules, 'module g711.so',
            'module aufile.so', 'audio_source aufile,' + hum(here), 'module aubridge.so', 'audio_player aubridge,ear',
            'audio_alert aubridge,alert',
            'rtp_ports %d-%d' % (media, media + 98), 'call_max_calls 4', 'call_local_timeout 60', 'module uuid.so', 'module_tmp account.so',
            'module_app contact.so', 'module_app menu.so',
            *['module_app %s.so' % watches] * bool(watches), 'module ctrl_tcp.so', 'ctrl_tcp_listen 127.0.0.1:%d' % control, '']))
        account = ('<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s-secret;regint=60;answermode=%s;call_transfer=yes;mwi=%s;'
                   'outbound="sip:127.0.0.1:%d;transport=%s;lr"'
                   % (user, lab.DOMAIN, transport, user, user, answer, 'yes' if watches == 'mwi' else 'no',
                      here.port + (transport == 'tls'), transport))
        # Its mwi subscribes for ever if it starts after the registration.
        late = watches == 'mwi'
        here.write(folder + '/accounts', '' if late else account + '\n')
        here.write(folder + '/contacts', '"Contact" <sip:%s@%s>%s\n' % (contact, lab.DOMAIN, ';presence=p2p' if watches == 'presence' else ''))
        self.process = here.start(folder, ['baresip', '-4', '-f', here.path(folder, 'x')[:-2], '-s'])
        self.process.patience = 2  # it waits long for a registrar that has forgotten it
        self.says = self.process.says
        if not late:
            self.registered()
        lab.wait_for(lambda: lab.listens('tcp', control), 'baresip to listen to us')
        self.socket = socket.create_connection(('127.0.0.1', control), 5)
        here.sockets.append(self.socket)
        self.socket.setblocking(False)
        if late:
            self.do('uanew', account)
            self.registered()

    def registered(self):
        lab.wait_for(lambda: self.says(r'200 OK') and self.says(r'registered successfully|\d bindings?'), 'baresip to register')

    @property
    def alive(self):
        return self.process.alive

    def poll(self):
        """Reads what came: netstrings with JSON inside, events and answers to commands."""
        try:
            self.data += self.socket.recv(65536)
        except BlockingIOError:
            pass
        while b':' in self.data:
            length, rest = self.data.split(b':', 1)
            if len(rest) <= int(length):
                break
            self.events.append(json.loads(rest[:int(length)]))
            self.data = rest[int(length) + 1:]
        return self.events

    def do(self, command, parameters=''):
        """One command; gives what baresip says to it."""
        seen = len(self.poll())
        text = json.dumps({'command': command, 'params': parameters, 'token': str(seen)}).encode()
        self.socket.sendall(b'%d:%s,' % (len(text), text))
        return lab.wait_for(lambda: [e for e in self.poll()[seen:] if e.get('response')], command)[0].get('data', '')

    def count(self, kind):
        return len([e for e in self.poll() if e.get('type') == kind])

    def wait(self, kind, times=1):
        """Waits for the event, such as CALL_ESTABLISHED, to have come so often; gives the last one."""
        lab.wait_for(lambda: self.count(kind) >= times, '%s: %s' % (self.user, kind))
        return [e for e in self.events if e.get('type') == kind][times - 1]

    def dial(self, user):
        self.do('dial', 'sip:%s@%s' % (user, lab.DOMAIN))
