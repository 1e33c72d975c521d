# SPDX-License-Identifier: LGPL-2.1-or-later
"""A wire to a server of TCP or TLS: it can be cut, or swallow what is sent."""
import contextlib
import socket
import threading

import lab


class Wire:
    """What comes to .port goes to `port`. .links are the connections that are up, in the order in which they came."""

    def __init__(self, here, port, host='127.0.0.1'):
        self.port, self.there = lab.free_port(), (host, port)
        self.links, self.count = [], 0
        self.listener = socket.create_server((host, self.port))
        here.sockets.append(self)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.take(self.listener.accept()[0])

    def take(self, near):
        try:
            far = socket.create_connection(self.there, 5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        link = Link(near, far)
        self.links.append(link)
        self.count += 1
        link.start(lambda: self.links.remove(link))

    def close(self):
        self.listener.close()
        for link in list(self.links):
            link.cut()


class Link:
    def __init__(self, near, far):
        self.ends, self.silent, self.lock, self.gone = (near, far), False, threading.Lock(), False
        self.pings = 0  # keep-alives that came alone, which without TLS can be seen

    def start(self, ended):
        for here, there in (self.ends, self.ends[::-1]):
            threading.Thread(target=self.carry, args=(here, there, ended), daemon=True).start()

    def carry(self, here, there, ended):
        with contextlib.suppress(OSError):
            while data := here.recv(65536):
                self.pings += data == b'\r\n\r\n'
                if not self.silent:
                    there.sendall(data)
        with self.lock:
            if self.gone:
                return
            self.gone = True
        ended()
        self.cut()

    def cut(self):
        """Both ends see the end of the connection."""
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def hush(self):
        """Nothing gets through any more, and nobody is told."""
        self.silent = True
