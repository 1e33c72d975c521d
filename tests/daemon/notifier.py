# SPDX-License-Identifier: LGPL-2.1-or-later
"""A notifier (RFC 6665) over UDP that does what a test tells it to."""
import select
import socket
import threading
import time

import sip


class Dialog:
    def __init__(self, subscribe, peer):
        self.call = sip.header(subscribe, 'Call-ID')
        self.them = sip.header(subscribe, 'From')
        self.us = '%s;tag=n%d' % (sip.header(subscribe, 'To'), next(sip.serial))
        self.target = sip.header(subscribe, 'Contact').split('<')[1].split('>')[0]
        self.event = sip.header(subscribe, 'Event')
        self.peer, self.cseq = peer, 0


class Notifier:
    """Agrees to every SUBSCRIBE and tells its state at once and whenever told to; or says what `answer` says."""

    def __init__(self, port, host='127.0.0.1'):
        self.state, self.word, self.content_type = b'open', 'active', 'text/plain'
        self.answer = lambda subscribe: 200 # None: silence
        self.early = False  # NOTIFY goes before the 200
        self.patient = False  # the last word waits for finish()
        self.heard = []  # each SUBSCRIBE once
        self.answers = []  # to NOTIFYs
        self.dialogs, self.sent = {}, {}
        self.open = {}  # NOTIFYs without an answer, to be sent again
        self.lock = threading.RLock()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, port))
        self.here = '%s:%d' % (host, port)
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()

    # ---- what a test tells it

    def tell(self, state):
        with self.lock:
            self.state = state
            for dialog in self.dialogs.values():
                self.notify(dialog, self.word)

    def finish(self, reason):
        """The last word in every dialog."""
        with self.lock:
            while self.dialogs:
                self.notify(self.dialogs.popitem()[1], 'terminated;reason=' + reason)

    def forget(self):
        """As after a restart: dialogs are not known any more."""
        with self.lock:
            self.dialogs.clear()

    def subscribes(self, expires=None):
        """Those heard, or those that asked for so many seconds."""
        with self.lock:
            return [m for m in self.heard if expires is None or sip.header(m, 'Expires') == str(expires)]

    # ---- the wire

    def run(self):
        while not self.stopping:
            ready = select.select([self.socket], [], [], 0.05)[0]
            with self.lock:
                if ready:
                    self.take(*self.socket.recvfrom(65536))
                self.repeat()

    def repeat(self):
        for key, (at, data, peer) in list(self.open.items()):
            if time.monotonic() - at > 0.5:
                self.open[key] = time.monotonic(), data, peer
                self.socket.sendto(data, peer)

    def take(self, message, peer):
        if message.startswith(b'SIP/2.0 '):
            if sip.status(message) >= 200 and self.open.pop(sip.header(message, 'Via').split('branch=')[1].split(';')[0], None):
                self.answers.append(sip.status(message))
        elif message.startswith(b'SUBSCRIBE '):
            key = sip.header(message, 'Call-ID'), sip.header(message, 'CSeq')
            if key in self.sent:  # a retransmission
                for data in self.sent[key]:
                    self.socket.sendto(data, peer)
            else:
                self.sent[key] = []
                self.heard.append(message)
                self.subscribe(message, peer, key)

    def subscribe(self, message, peer, key):
        dialog = self.dialogs.get(key[0])
        tagged = 'tag=' in sip.header(message, 'To')
        code = 481 if tagged and not dialog else self.answer(message)
        ends = sip.header(message, 'Expires') == '0'
        if code is None:
            return
        if code >= 300:
            self.reply(message, peer, key, code, '')
            return
        if not dialog:
            dialog = self.dialogs[key[0]] = Dialog(message, peer)
        steps = [lambda: self.reply(message, peer, key, code, dialog.us),
                 lambda: self.notify(dialog, 'terminated;reason=timeout' if ends else self.word)]
        if ends and self.patient:
            steps.pop()
        elif ends:
            del self.dialogs[key[0]]
        for step in reversed(steps) if self.early else steps:
            step()

    def reply(self, message, peer, key, code, to):
        text = 'SIP/2.0 %d Said So\r\n' % code
        for name in ('Via', 'From', 'Call-ID', 'CSeq'):
            text += '%s: %s\r\n' % (name, sip.header(message, name))
        text += 'To: %s\r\nContact: <sip:notifier@%s>\r\n' % (to or sip.header(message, 'To') + ';tag=x', self.here)
        text += 'Expires: %s\r\nContent-Length: 0\r\n\r\n' % sip.header(message, 'Expires')
        self.sent[key].append(text.encode())
        self.socket.sendto(text.encode(), peer)

    def notify(self, dialog, state):
        dialog.cseq += 1
        branch = 'z9hG4bKn%d' % next(sip.serial)
        expires = '' if state.startswith('terminated') else ';expires=600'
        data = ('NOTIFY %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n'
                'Call-ID: %s\r\nCSeq: %d NOTIFY\r\nContact: <sip:notifier@%s>\r\nEvent: %s\r\n'
                'Subscription-State: %s%s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n'
                % (dialog.target, self.here, branch, dialog.us, dialog.them, dialog.call, dialog.cseq, self.here, dialog.event,
                   state, expires, self.content_type, len(self.state))).encode() + self.state
        self.open[branch] = time.monotonic(), data, dialog.peer
        self.socket.sendto(data, dialog.peer)
