# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab: a bus, the daemon under test and real SIP peers, all private to one test script.

main() runs a script's test cases with TAP on stdout, in a network namespace of its own if the machine
allows one; every port is chosen free all the same. Nothing sleeps for a fixed time: wait_for() polls a
condition. Every process is ended by its pid. On failure the logs of all processes stay and are named.
"""
import contextlib
import functools
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import dbus
import dbus.lowlevel
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(HERE, '..', 'support'))
import certificates  # noqa: E402

NAME = 'org.sipbus1'
ROOT = '/org/sipbus1'
PROPERTIES = 'org.freedesktop.DBus.Properties'
OBJECTS = 'org.freedesktop.DBus.ObjectManager'
DOMAIN = 'sipbus.test'
SANITIZER = re.compile(r'ERROR: (Address|Leak|Undefined)\w*Sanitizer|runtime error:')
FATAL_OPTIONS = {'ASAN_OPTIONS': 'detect_stack_use_after_return=1',
                 'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1'}


class NotYet(Exception):
    """A condition did not come true in time."""


def wait_for(condition, what, seconds=20):
    """Runs D-Bus callbacks until condition() is true; gives what it gave."""
    context = GLib.MainContext.default()
    end = time.monotonic() + seconds
    while True:
        while context.iteration(False):
            pass
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise NotYet('waited %s s in vain for %s' % (seconds, what))
        time.sleep(0.01)


def has_ipv6():
    with socket.socket(socket.AF_INET6) as s:
        try:
            s.bind(('::1', 0))
            return True
        except OSError:
            return False


def free_port(taken=set()):
    """A port free for UDP and TCP on 127.0.0.1 and ::1, given out once.

    The port after it is left alone: it is for TLS. All are below those from which the kernel takes one for whoever
    connects: a connection to a port where nobody listens yet may even meet itself.
    """
    for port in range(10000 + os.getpid() % 10000 * 2, 32768, 2):
        if port not in taken and all(is_free(port, family, kind) for family in (socket.AF_INET, socket.AF_INET6)
                                     for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
            taken.add(port)
            return port
    raise OSError('no free port')


def is_free(port, family, kind):
    with socket.socket(family, kind) as s:
        try:
            s.bind(('127.0.0.1' if family == socket.AF_INET else '::1', port))
            return True
        except OSError as error:
            return family == socket.AF_INET6 and not isinstance(error, PermissionError) and not has_ipv6()


def listens(transport, port):
    """Whether somebody receives on this IPv4 port; the kernel's table calls a listening TCP socket 0A."""
    with open('/proc/net/' + ('udp' if transport == 'udp' else 'tcp'), encoding='ascii') as table:
        rows = [line.split() for line in table][1:]
    return any(row[1].endswith(':%04X' % port) and (transport == 'udp' or row[3] == '0A') for row in rows)


class Process:
    """A program with its output in a file."""

    def __init__(self, log, argv, **options):
        self.log = log
        self.argv = argv
        with open(log, 'ab') as out:
            self.popen = subprocess.Popen(argv, **{'stdin': subprocess.DEVNULL, 'stdout': out, 'stderr': out, **options})

    @property
    def alive(self):
        return self.popen.poll() is None

    def text(self):
        with open(self.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def says(self, pattern):
        return re.findall(pattern, self.text())

    patience = 20  # seconds
    stopped = False

    def stop(self, how=signal.SIGTERM):
        """Ends it; gives the exit code. What does not end in time is killed and counts as -9."""
        self.stopped = True
        if self.alive:
            self.popen.send_signal(how)
            try:
                self.popen.wait(self.patience)
            except subprocess.TimeoutExpired:
                self.popen.kill()
        return self.popen.wait()


class Lab:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='sipbus-lab-')
        self.processes = []
        self.sockets = []
        self.address = None
        self.daemon = None
        self.registrar = None
        self.port = free_port()
        self.states = free_port()  # of the presence server
        self.fronts = {}
        self.secure = False  # whether registrar and daemon listen for TLS, each at the port after the other one

    # ---- beginning and end

    def path(self, *names):
        path = os.path.join(self.folder, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    @functools.cached_property
    def certificates(self):
        """Made when asked for: certificates['expired'].pem, .key; certificates.ca."""
        return certificates.Certificates(self.path('tls', 'x')[:-2])

    def start(self, name, argv, **options):
        process = Process(self.path(name + '.log'), argv, **options)
        self.processes.append(process)
        return process

    def close(self, failed):
        """Ends everything in reverse order of its start. Gives what went wrong in doing so."""
        wrong = []
        for held in self.sockets:
            held.close()
        for process in reversed(self.processes):
            by_itself = not process.alive and not process.stopped
            code = process.stop()
            if process.log.endswith('sipbusd.log') and (by_itself or code not in (0, -signal.SIGKILL)):
                wrong.append('sipbusd ended with code %d%s' % (code, ' by itself' if by_itself else ''))
        wrong += ['%s: %s' % (p.log, text) for p in self.processes for text in SANITIZER.findall(p.text())]
        if failed or wrong:
            print('# logs: ' + self.folder, file=sys.stderr)
            for process in self.processes:
                print('# ---- %s\n%s' % (process.log, process.text()[-4000:]), file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        return wrong

    # ---- the bus and the daemon

    def start_bus(self):
        self.address = 'unix:path=' + self.path('bus')
        self.start('dbus-daemon', ['dbus-daemon', '--session', '--nofork', '--nopidfile', '--address=' + self.address])
        wait_for(self.bus_answers, 'the bus')

    def bus_answers(self):
        """The socket file is there a moment before somebody listens."""
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.path('bus')) == 0

    def configure(self, name, text):
        return self.write('config/' + name, text)

    def profile(self, user, protocol='udp', host='127.0.0.1', password=None, port=None, endpoint='', name=None, register=True,
                more=''):
        """An endpoint of the lab's registrar, or of a server at `port` (for TLS the one after it).

        `endpoint` goes into [Endpoint], `more` below it, which for TLS is [Tls].
        """
        name = name or user
        self.write('secret-' + name, password or user + '-secret')
        port = (port or self.port) + (protocol == 'tls')
        server = 'Addr=%s:%d\nProtocol=%s\n' % ('[%s]' % host if ':' in host else host, port, protocol)
        if protocol == 'tls':
            more = '[Tls]\nCaFile=%s\n' % self.certificates.ca + more
        self.configure('profiles.d/%s.conf' % name, '''\
[Profile]
Name=%s
Kind=registered
Register=%s
[User]
Uri=sip:%s@%s
Account=%s
Realm=%s
PasswordFile=%s
[Server]
%sRole=registrar
[Server]
%sRole=proxy
[Endpoint]
%s
%s''' % (name, 'yes' if register else 'no', user, DOMAIN, user, DOMAIN, self.path('secret-' + name), server, server, endpoint, more))

    def listen(self, more='', secure=''):
        """sipbus.conf with listeners on each loopback address: UDP and TCP at self.listen_port, TLS after it, with `secure`."""
        self.listen_port = free_port()
        hosts = ['127.0.0.1'] + (['::1'] if has_ipv6() else [])
        if self.secure:
            shown = self.certificates['server']
            more += '[Tls]\nCaFile=%s\nCertificateFile=%s\nKeyFile=%s\n' % (self.certificates.ca, shown.pem, shown.key)
        self.configure('sipbus.conf', more + ''.join(
            '[Listen]\nTransport=%s\nAddress=%s\nPort=%d\n' % (transport, host, self.listen_port + (transport == 'tls'))
            + (secure if transport == 'tls' else '')
            for host in hosts for transport in (('udp', 'tcp', 'tls') if self.secure else ('udp', 'tcp'))))

    def start_daemon(self, *arguments):
        program = os.environ.get('SIPBUSD') or shutil.which('sipbusd') or sys.exit('SIPBUSD names no daemon')
        self.path('config/profiles.d/x')
        self.path('state/x')
        if not os.path.exists(self.path('config/sipbus.conf')):
            self.listen()
        self.daemon = self.start('sipbusd', [program, '--address=' + self.address, '--config=' + self.path('config'),
                                             '--state=' + self.path('state'), *arguments],
                                 env={**os.environ, **FATAL_OPTIONS})
        bus = self.connect()
        wait_for(lambda: bus.owned() or not self.daemon.alive, 'sipbusd to own its name')
        if not self.daemon.alive:
            raise NotYet('sipbusd ended: ' + self.daemon.text()[-2000:])
        return bus

    def connect(self):
        return Client(self.address)

    def busctl(self, *arguments):
        return subprocess.run(['busctl', '--address=' + self.address, '--no-pager', *arguments], capture_output=True,
                              text=True, timeout=60)

    # ---- peers

    def start_registrar(self, *defines):
        self.registrar = self.start_kamailio('kamailio', self.port, defines)
        wait_for(lambda: self.options_answered(self.port) or not self.registrar.alive, 'the registrar')
        if not self.registrar.alive:
            raise NotYet('kamailio ended: ' + self.registrar.text()[-2000:])

    def start_edge(self, name='edge', *defines, port=None):
        """An edge proxy (edge.cfg) before the registrar, which wants OUTBOUND for that. Its port is .port."""
        port = port or free_port()
        edge = self.start_kamailio(name, port, defines, 'edge')
        edge.port = port
        wait_for(lambda: self.options_answered(port) or not edge.alive, 'the edge proxy')
        return edge

    def start_presence(self, *defines, lists={}, forget=True):
        """The presence server behind the registrar, which wants PRESENCE for that. A list is a user's name and who is on it.

        Once more: with what was published, unless it shall forget that; of subscriptions it never knows.
        """
        if forget:
            self.write_tables(lists)
        self.presence = self.start_kamailio('presence', self.states, defines, 'presence')
        wait_for(lambda: self.options_answered(self.states) or not self.presence.alive, 'the presence server')
        if not self.presence.alive:
            raise NotYet('the presence server ended: ' + self.presence.text()[-2000:])

    def write_tables(self, lists):
        """Empty ones as Kamailio brings them; each user of the lab has all lists as rls-services (RFC 4826)."""
        for table in ('version', 'presentity', 'active_watchers', 'watchers', 'pua', 'rls_presentity', 'rls_watchers', 'xcap'):
            shutil.copy('/usr/share/kamailio/dbtext/kamailio/' + table, self.path('tables', table))
        services = ''.join('<service uri="sip:%s@%s"><list name="l">%s</list><packages><package>presence</package></packages></service>'
                           % (name, DOMAIN, ''.join('<rl:entry uri="sip:%s@%s"/>' % (user, DOMAIN) for user in users))
                           for name, users in lists.items())
        text = ('<?xml version="1.0"?><rls-services xmlns="urn:ietf:params:xml:ns:rls-services" '
                'xmlns:rl="urn:ietf:params:xml:ns:resource-lists">%s</rls-services>' % services)
        with open(self.path('tables', 'xcap'), 'a', encoding='ascii') as f:
            for row, user in enumerate(('alice', 'bob', 'carol'), 1):  # each sees the same lists
                f.write('%d:%s:%s:%s:8:1:0:/lists/%s:0\n' % (row, user, DOMAIN, text.replace(':', r'\:'), user))

    def start_kamailio(self, name, port, defines, kind='kamailio'):
        modules = sorted(glob.glob('/usr/lib/*/kamailio/modules/') + glob.glob('/usr/lib*/kamailio/modules/'))[0]
        run = self.path(name, 'x')[:-2]
        with open(os.path.join(HERE, kind + '.cfg'), encoding='utf-8') as f:
            text = f.read()
        for word, value in (('MODULES', modules), ('EDGE', str(port)), ('PORT', str(self.port)), ('SECURE', str(port + 1)), ('RUN', run),
                            ('STATES', str(self.states)), ('TABLES', self.path('tables', 'x')[:-2])):
            text = text.replace(word, value)
        config = self.write(name + '/kamailio.cfg', text)
        if self.secure:
            self.secure_registrar(name=name)
        # A plain allocator: the one for debugging takes a second to set up TLS.
        argv = ['kamailio', '-f', config, '-w', run, '-Y', run, '-P', run + '/pid', '-m', '64', '-M', '8', '-x', 'fm', '-X', 'fm', '-DD', '-E']
        for define in (*defines, *['IPV6'] * has_ipv6(), *['TLS'] * self.secure):
            argv += ['-A', define]
        return self.start(name, argv)

    def secure_registrar(self, certificate='server', mutual=False, name='kamailio'):
        """Which certificate it shows, and whether it wants one. Once it runs, kamctl('tls.reload') makes it so."""
        pair, wanted = self.certificates[certificate], 'yes' if mutual else 'no'
        self.write(name + '/tls.cfg', ''.join(
            '[%s:default]\nmethod=TLSv1.2+\nprivate_key=%s\ncertificate=%s\nca_list=%s\ncrl=%s\n'
            'verify_certificate=%s\nrequire_certificate=%s\n'
            % (side, pair.key, pair.pem, self.certificates.ca, self.certificates.crl, wanted, wanted)
            for side in ('server', 'client')))

    def kamctl(self, *words, name='kamailio'):
        """What Kamailio says to a command of its own, such as tls.list or ul.dump."""
        run = subprocess.run(['kamcmd', '-s', 'unix:' + self.path(name, 'ctl'), *words], capture_output=True, text=True,
                             timeout=20, check=True)
        return run.stdout

    def options_answered(self, port):
        """One OPTIONS to the registrar; true if anything comes back. By TCP: those processes it starts last."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
            s.settimeout(5)
            try:
                s.connect(('127.0.0.1', port))
                s.sendall(('OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:%d;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\n'
                           'From: <sip:lab@127.0.0.1>;tag=1\r\nTo: <sip:%s>\r\nCall-ID: %d@lab\r\nCSeq: 1 OPTIONS\r\n'
                           'Content-Length: 0\r\n\r\n'
                           % (DOMAIN, s.getsockname()[1], time.monotonic_ns(), DOMAIN, time.monotonic_ns())).encode())
                return bool(s.recv(4096))
            except OSError:
                return False

    def requests(self, method, user):
        """How many such requests the registrar has seen, over all its lives."""
        return len(self.registrar.says(r'lab: %s from %s by' % (method, user)))

    def sipp(self, name, user, to='nobody', transport='udp', port=None, wait=True, words={}):
        """Runs sipp/NAME.xml once as `user`, with these words in place of others; gives the exit code, or who runs it."""
        port = port or free_port()
        users = self.write('sipp-users-%s.csv' % user,
                           'SEQUENTIAL\n%s;[authentication username=%s password=%s-secret]\n' % (user, user, user))
        with open(os.path.join(HERE, 'sipp', name + '.xml'), encoding='ascii') as f:
            text = f.read()
        for word, value in words.items():
            text = text.replace(word, value)
        process = self.run_sipp(name, text, port, self.port, transport,
                                '-inf', users, '-s', to, '-trace_msg', '-message_file', self.path('sipp-%s-%d.trace' % (name, port)))
        process.port = port
        if not wait:
            if name == 'take':
                wait_for(lambda: listens(transport, port), 'SIPp to listen')
            return process
        wait_for(lambda: not process.alive, 'SIPp', 60)
        return process.popen.returncode

    def publish(self, user, event, content_type, body, to=None):
        """SIPp publishes a state of `to`, which stays for ten minutes; gives the exit code."""
        return self.sipp('publish', user, to or user, words={'EVENT': event, 'TYPE': content_type, 'BODY': body})

    def watch(self, user, to, event, first, then, last=True):
        """SIPp subscribes; a pattern of what it shall hear at first, and one of what is next; whether there is a last word."""
        words = {'<!--LAST': '', 'LAST-->': ''} if last else {}
        return self.sipp('watch', user, to, wait=False, words={**words, 'EVENT': event, 'FIRST': first, 'NEXT': then})

    def notified(self, watcher):
        """How many NOTIFYs a watching SIPp was sent, by its trace."""
        path = self.path('sipp-watch-%d.trace' % watcher.port)
        if not os.path.exists(path):
            return 0
        with open(path, encoding='utf-8', errors='replace') as f:
            return len(re.findall('^NOTIFY ', f.read(), re.M))

    def run_sipp(self, name, scenario, port, remote, transport, *more):
        """A scenario with SIPp, which is called if there is no `remote`. TLS at the ports after these is stunnel's affair."""
        if transport == 'tls':
            scenario = scenario.replace('[transport]', 'TLS').replace('[local_port]', str(port + 1))
            way_out = self.front(port, remote)
            remote = way_out if remote else None
        scenario = self.write('sipp-%s-%d.xml' % (name, port), scenario)
        argv = ['sipp', '127.0.0.1:%d' % remote if remote else '127.0.0.1', '-sf', scenario, '-i', '127.0.0.1', '-p', str(port),
                '-t', 'u1' if transport == 'udp' else 't1', '-m', '1', '-nostdin', '-timeout', '40s', '-timeout_error', *more]
        return self.start('sipp-%s-%d' % (name, port), argv, env={**os.environ, 'TERM': 'dumb'}, cwd=self.folder)


    def front(self, port, remote=None, certificate='server'):
        """stunnel for a program that has no TLS: what comes to the port after `port` goes there in the clear.

        Gives the port to which the program sends what shall go to the one after `remote`.
        """
        if port in self.fronts:
            return self.fronts[port]
        shown, way_out = self.certificates[certificate], free_port()
        text = ('foreground=yes\npid=\nsocket=l:TCP_NODELAY=1\nsocket=r:TCP_NODELAY=1\nTIMEOUTclose=0\n'
                '[in]\naccept=127.0.0.1:%d\nconnect=127.0.0.1:%d\ncert=%s\nkey=%s\n' % (port + 1, port, shown.pem, shown.key))
        if remote:
            text += ('[out]\nclient=yes\naccept=127.0.0.1:%d\nconnect=127.0.0.1:%d\nverifyChain=yes\nCAfile=%s\ncheckHost=%s\n'
                     % (way_out, remote + 1, self.certificates.ca, DOMAIN))
        name = 'stunnel-%d' % way_out
        self.start(name, ['stunnel', self.write(name + '.conf', text)])
        wait_for(lambda: listens('tls', way_out if remote else port + 1), 'stunnel to listen')
        self.fronts[port] = way_out
        return way_out


class Client:
    """A D-Bus client of the daemon with a connection of its own."""

    def __init__(self, address):
        loop = dbus.mainloop.glib.DBusGMainLoop()
        self.bus = dbus.bus.BusConnection(address, mainloop=loop)

    def owned(self):
        return self.bus.name_has_owner(NAME)

    def call(self, path, method, signature='', *arguments, seconds=60):
        """method is INTERFACE.MEMBER. Callbacks run while it waits, so an agent here can be asked."""
        interface, member = method.rsplit('.', 1)
        answers, errors = [], []
        self.bus.call_async(NAME, path, interface, member, signature, arguments,
                            lambda *values: answers.append(values), errors.append, timeout=seconds)
        wait_for(lambda: answers or errors, method, seconds + 5)
        if errors:
            raise errors[0]
        return answers[0][0] if len(answers[0]) == 1 else answers[0]

    def get(self, path, name, interface='Endpoint'):
        return self.call(path, PROPERTIES + '.Get', 'ss', NAME + '.' + interface, name)

    def all(self, path, interface='Endpoint'):
        return self.call(path, PROPERTIES + '.GetAll', 's', NAME + '.' + interface)

    def endpoint(self, path, method, signature, *arguments, seconds=60):
        return self.call(path, NAME + '.Endpoint.' + method, signature, *arguments, seconds=seconds)

    def page(self, path, target, body, content_type='text/plain', **options):
        return self.endpoint(path, 'SendPage', 'ssaya{sv}', target, content_type, dbus.ByteArray(body), options)

    def wait_state(self, path, state, seconds=20):
        def is_so():
            try:
                return self.get(path, 'RegistrationState') == state
            except dbus.exceptions.DBusException as e:
                # A reload makes its endpoints one after the other.
                if e.get_dbus_name() == 'org.freedesktop.DBus.Error.UnknownObject':
                    return False
                raise

        wait_for(is_so, '%s to be %s' % (path, state), seconds)

    def signals(self, member, path=None, interface='Endpoint'):
        """A list that fills with the arguments of each such signal."""
        seen = []
        self.bus.add_signal_receiver(lambda *arguments: seen.append(arguments), member, NAME + '.' + interface,
                                     NAME, path)
        return seen


class PageAgent(dbus.service.Object):
    """Takes pages with the given answer and remembers them."""

    def __init__(self, client, path='/agent', answer=(200, '')):
        super().__init__(client.bus, path)
        self.pages = []
        self.answer = answer
        self.credentials = {}
        self.asked = []
        self.released = 0

    @dbus.service.method(NAME + '.Agent', in_signature='osssaya{sv}', out_signature='us')
    def PageReceived(self, endpoint, id, sender, content_type, body, details):
        self.pages.append((str(endpoint), str(sender), str(content_type), bytes(bytearray(body)), details))
        return self.answer

    @dbus.service.method(NAME + '.Agent', in_signature='osasa{sv}', out_signature='a{sv}')
    def CredentialsRequired(self, endpoint, realm, schemes, details):
        self.asked.append((str(endpoint), str(realm)))
        return dbus.Dictionary(self.credentials, signature='sv')

    @dbus.service.method(NAME + '.Agent')
    def Released(self):
        self.released += 1


def endpoint_path(name):
    return ROOT + '/endpoint/' + name


class Case(unittest.TestCase):
    """A scenario with a lab of its own, over one transport."""
    protocol = 'udp'

    def setUp(self):
        self.lab = Lab()
        self.lab.secure = self.protocol == 'tls'
        self.addCleanup(self.close)
        self.lab.start_bus()

    @property
    def failed(self):
        return self.id() in Tap.counted

    def close(self):
        self.assertEqual(self.lab.close(self.failed), [])

    @contextlib.contextmanager
    def refused(self, *names):
        """The block must fail with one of these org.sipbus1.Error names (or full names)."""
        with self.assertRaises(dbus.DBusException) as caught:
            yield caught
        full = [n if '.' in n else NAME + '.Error.' + n for n in names]
        self.assertIn(caught.exception.get_dbus_name(), full, str(caught.exception))


class Tap(unittest.TestResult):
    number = 0
    counted = set()  # the tests that failed

    def line(self, test, word, note=''):
        self.number += 1
        print('%s %d - %s%s' % (word, self.number, test.id().split('.', 1)[-1], note), flush=True)

    def addSuccess(self, test):
        self.line(test, 'ok')

    def addSkip(self, test, reason):
        self.line(test, 'ok', ' # SKIP ' + reason)

    def bad(self, test, error):
        print(self._exc_info_to_string(error, test), file=sys.stderr, flush=True)
        if test.id() not in self.counted:
            self.counted.add(test.id())
            self.line(test, 'not ok')

    def addSubTest(self, test, subtest, error):
        """Each subtest is a result of its own."""
        if error:
            self.failures.append(test)
            self.counted.add(test.id())
            print(self._exc_info_to_string(error, test), file=sys.stderr, flush=True)
        self.line(subtest, 'not ok' if error else 'ok')

    def addFailure(self, test, error):
        self.failures.append(test)
        self.bad(test, error)

    def addError(self, test, error):
        self.errors.append(test)
        self.bad(test, error)


def own_network():
    """Starts this script again in a private network namespace, if the machine lets us."""
    if os.environ.get('SIPBUS_LAB_NETWORK'):
        return
    os.environ['SIPBUS_LAB_NETWORK'] = 'host'
    inside = ['sh', '-c', 'ip link set lo up && exec "$@"', 'lab', sys.executable, *sys.argv]
    for unshare in (['unshare', '--net'], ['unshare', '--map-root-user', '--net']):
        if subprocess.run(unshare + ['ip', 'link', 'set', 'lo', 'up'], capture_output=True).returncode == 0:
            os.environ['SIPBUS_LAB_NETWORK'] = 'private'
            os.execvp('unshare', unshare + inside)


def need(*programs):
    """Skips the script where a peer is not installed (tests/packages interop installs all)."""
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    missing = [p for p in programs if not shutil.which(p)]
    if missing:
        print('1..0 # SKIP not installed: ' + ', '.join(missing))
        sys.exit(0)


def main(*programs):
    """Runs the calling script's cases. An argument names one of them."""
    need('dbus-daemon', *programs)
    own_network()
    dbus.mainloop.glib.threads_init()
    loader, script = unittest.defaultTestLoader, sys.modules['__main__']
    suite = loader.loadTestsFromNames(sys.argv[1:], script) if sys.argv[1:] else loader.loadTestsFromModule(script)
    result = Tap()
    suite.run(result)
    print('1..%d' % result.number, flush=True)
    sys.exit(0 if result.wasSuccessful() and suite.countTestCases() else 1)
