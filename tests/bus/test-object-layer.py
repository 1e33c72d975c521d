#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The object layer on a real bus: a C service, clients in Python, a dbus-daemon between them.

test-object-layer.py LAMP-SERVICE
"""
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

try:
    import dbus
    import dbus.lowlevel
    import dbus.service
    from private_bus import Client, PrivateBus, finish, kind, run
except ImportError as missing:
    print('1..0 # SKIP %s' % missing)
    sys.exit(0)

ROOT = '/org/sipbus1'
LAMP = 'org.example.Lamp'
HOUSE = 'org.example.House'
PROPERTIES = 'org.freedesktop.DBus.Properties'
MANAGER = 'org.freedesktop.DBus.ObjectManager'
ERROR = 'org.sipbus1.Error.'
STANDARD = 'org.freedesktop.DBus.Error.'
FROM_SERVICE = "type='signal',sender='org.sipbus1'"
DTD = '/usr/share/xml/dbus-1/introspect.dtd'

SERVICE = sys.argv[1]


class Stage:
    """A bus, the service on it, and a client that hears everything."""

    def __init__(self, *args):
        self.args = args

    def __enter__(self):
        self.bus = PrivateBus().__enter__()
        self.service = self.bus.spawn(SERVICE, self.bus.address, 'org.sipbus1', *self.args)
        self.clients = []
        self.client = self.connect(FROM_SERVICE)
        return self

    def connect(self, *rules):
        client = Client(self.bus.address, rules)
        self.clients.append(client)
        return client

    def add(self, name):
        return self.client.call(ROOT, HOUSE, 'Add', 's', name)

    def __exit__(self, kind_of, *_):
        for client in self.clients:
            client.close()
        status = finish(self.service)
        self.bus.__exit__()
        assert kind_of or status == 0, 'the service ended with %d' % status


def check_signature(signature):
    list(dbus.Signature(signature))  # a ValueError if it is none


def check_xml(text):
    """Valid by the DTD, with good signatures and a name for every argument; the root element."""
    if shutil.which('xmllint') and os.path.exists(DTD):
        subprocess.run(['xmllint', '--noout', '--nonet', '--dtdvalid', DTD, '-'], input=text.encode(), check=True)
    tree = ElementTree.fromstring(text)
    for item in list(tree.iter('arg')) + list(tree.iter('property')):
        check_signature(item.get('type'))
        assert item.get('name'), 'an argument without a name'
    return tree


def introspection():
    with Stage() as s:
        path = s.add('desk')
        tree = {}
        todo = ['/']
        while todo:
            here = todo.pop()
            xml = check_xml(s.client.call(here, 'org.freedesktop.DBus.Introspectable', 'Introspect'))
            tree[here] = [i.get('name') for i in xml.findall('interface')]
            todo += [here.rstrip('/') + '/' + n.get('name') for n in xml.findall('node')]
        assert sorted(tree) == ['/', '/org', ROOT, ROOT + '/lamp', path], tree
        assert HOUSE in tree[ROOT] and MANAGER in tree[ROOT]
        assert LAMP in tree[path] and PROPERTIES in tree[path] and MANAGER not in tree[path]
        proxy = s.client.bus.get_object('org.sipbus1', path)  # as a program does it: introspected
        assert dbus.Interface(proxy, LAMP).Dim(1, {}) == []
        s.client.call('/anything', 'org.freedesktop.DBus.Peer', 'Ping')


def properties():
    with Stage() as s:
        path = s.add('desk')
        s.client.call(path, PROPERTIES, 'Set', 'ssv', LAMP, 'Watts', dbus.UInt32(7))
        assert s.client.call(path, PROPERTIES, 'Get', 'ss', LAMP, 'Watts') == 7
        assert s.client.call(path, PROPERTIES, 'GetAll', 's', LAMP) == {'Watts': 7, 'Hidden': 7}
        error = s.client.error
        assert error(path, PROPERTIES, 'Set', 'ssv', LAMP, 'Watts', 'x')[0] == STANDARD + 'InvalidArgs'
        assert error(path, PROPERTIES, 'Set', 'ssv', LAMP, 'Hidden', dbus.UInt32(1))[0] == STANDARD + 'PropertyReadOnly'
        assert error(path, PROPERTIES, 'Get', 'ss', LAMP, 'Nope')[0] == STANDARD + 'UnknownProperty'
        assert error(path, PROPERTIES, 'Get', 'ss', 'a.b', 'Watts')[0] == STANDARD + 'UnknownInterface'


def changes_come_once_and_first():
    with Stage() as s:
        path = s.add('desk')
        s.client.settle()
        serial = s.client.send(path, LAMP, 'Dim', 'ua{sv}', 50, {'Fade': dbus.UInt32(1)})
        s.client.wait_reply(serial)
        # 51 changes of one property: one signal, before everything that could presuppose it.
        assert [kind(m) for m in s.client.seen] == ['PropertiesChanged', 'Dimmed', 'reply'], s.client.seen
        assert s.client.seen[0].get_args_list() == [LAMP, {'Watts': 50}, []]


def objects_are_announced_first():
    with Stage() as s:
        s.client.settle()
        serial = s.client.send(ROOT, HOUSE, 'Add', 's', 'a@b')
        s.client.wait_reply(serial)
        assert [kind(m) for m in s.client.seen] == ['InterfacesAdded', 'reply']
        path, interfaces = s.client.seen[0].get_args_list()
        assert path == ROOT + '/lamp/a_40b'
        # What not everybody may read is not in what everybody hears.
        assert interfaces == {LAMP: {'Watts': 0}}
        objects = s.client.call(ROOT, MANAGER, 'GetManagedObjects')
        assert objects == {path: {LAMP: {'Watts': 0, 'Hidden': 0}}}
        s.client.settle()
        serial = s.client.send(ROOT, HOUSE, 'Remove', 'o', path)
        s.client.wait_reply(serial)
        assert [kind(m) for m in s.client.seen] == ['InterfacesRemoved', 'reply']
        assert s.client.seen[0].get_args_list() == [path, [LAMP]]
        assert s.client.call(ROOT, MANAGER, 'GetManagedObjects') == {}


def errors_have_names():
    with Stage() as s:
        path = s.add('desk')
        error = s.client.error
        assert error(path, LAMP, 'Dim', 'ua{sv}', 101, {}) == (ERROR + 'Refused', '486 Busy Here')
        assert error(path, LAMP, 'Dim', 'ua{sv}', 1, {'Speed': 1}) == (
            ERROR + 'InvalidArgument', 'option "Speed" is not known here')
        assert error(path, LAMP, 'Dim', 'ua{sv}', 1, {'Fade': 'x'}) == (
            ERROR + 'InvalidArgument', 'option "Fade" has to be of type u')
        assert error(ROOT, HOUSE, 'Add', 's', 'desk')[0] == ERROR + 'InvalidArgument'
        assert error(ROOT, HOUSE, 'Remove', 'o', '/nowhere')[0] == ERROR + 'NoSuchObject'
        assert error(path, LAMP, 'Sit')[0] == STANDARD + 'UnknownMethod'
        assert error(path, 'a.b', 'Dim')[0] == STANDARD + 'UnknownInterface'
        assert error('/nowhere', LAMP, 'Dim')[0] == STANDARD + 'UnknownObject'
        assert error(path, LAMP, 'Dim')[0] == STANDARD + 'InvalidArgs'
        headers = dbus.Array([('Via', 'a'), ('Via', 'b')], signature='(ss)')
        assert s.client.call(path, LAMP, 'Dim', 'ua{sv}', 1, {'Headers': headers}) == [('Via', 'a'), ('Via', 'b')]


def content_is_for_one_client():
    with Stage() as s:
        path = s.add('desk')
        other = s.connect(FROM_SERVICE)
        s.client.settle()
        s.client.wait_reply(s.client.send(path, LAMP, 'Tell', 'ay', b'\x00\xff'))
        assert [kind(m) for m in s.client.seen] == ['Told', 'reply']
        assert bytes(s.client.seen[0].get_args_list()[0]) == b'\x00\xff'
        other.call(path, LAMP, 'Dim', 'ua{sv}', 1, {})  # what came before it has arrived by now
        other.wait(lambda: 'Dimmed' in map(kind, other.seen), 'Dimmed')
        assert 'Told' not in map(kind, other.seen)


def kept_calls_are_answered_later():
    with Stage() as s:
        path = s.add('desk')
        serial = s.client.send(path, LAMP, 'Wait')
        assert s.client.error(path, LAMP, 'Wait')[0] == ERROR + 'WrongState'
        s.client.call(path, PROPERTIES, 'Set', 'ssv', LAMP, 'Watts', dbus.UInt32(9))
        assert s.client.wait_reply(serial).get_args_list() == [9]
        serial = s.client.send(path, LAMP, 'Wait')
        s.client.call(ROOT, HOUSE, 'Remove', 'o', path)
        assert kind(s.client.wait_reply(serial)) == 'NoSuchObject'


def kept_calls_end_with_their_caller():
    with Stage() as s:
        path = s.add('desk')
        other = s.connect()
        other.call(ROOT, HOUSE, 'Watch')
        other.send(path, LAMP, 'Wait')
        other.bus.flush()
        other.call(ROOT, 'org.freedesktop.DBus.Peer', 'Ping')
        other.close()
        s.clients.remove(other)
        s.client.wait(lambda: any(m.get_args_list()[:2] == [HOUSE, {'Departed': 1}] for m in s.client.seen
                                  if kind(m) == 'PropertiesChanged'), 'the departure')
        # The place of the one who waited is free.
        serial = s.client.send(path, LAMP, 'Wait')
        s.client.call(path, PROPERTIES, 'Set', 'ssv', LAMP, 'Watts', dbus.UInt32(3))
        assert s.client.wait_reply(serial).get_args_list() == [3]


class Agent(dbus.service.Object):
    @dbus.service.method('org.example.Agent', in_signature='ay', out_signature='u', async_callbacks=('done', 'failed'))
    def Choose(self, body, done, failed):
        self.choose(bytes(body), done, failed)


def agents_are_asked():
    with Stage() as s:
        agent = Agent(s.client.bus, '/agent')
        asked = []

        def ask(msec=20000):
            return s.client.wait_reply(s.client.send(ROOT, HOUSE, 'Ask', 'ou', '/agent', msec))

        agent.choose = lambda body, done, failed: (asked.append(body), done(202))
        assert ask().get_args_list() == [202] and asked == [b'\x00\xff']
        agent.choose = lambda body, done, failed: failed(dbus.DBusException('no', name=ERROR + 'Pass'))
        assert kind(ask()) == 'Pass'
        agent.choose = lambda body, done, failed: asked.append(done)
        assert kind(ask(1)) == 'NoReply'
        asked[-1](200)  # too late: nobody waits for it
        agent.remove_from_connection()
        assert kind(ask()) in ('UnknownMethod', 'UnknownObject')


def an_agent_may_die():
    with Stage() as s:
        other = s.connect()
        other.call(ROOT, HOUSE, 'Watch')
        other.send(ROOT, HOUSE, 'Ask', 'ou', '/agent', 600000)
        other.call(ROOT, 'org.freedesktop.DBus.Peer', 'Ping')
        other.close()
        s.clients.remove(other)
        s.client.wait(lambda: 'PropertiesChanged' in map(kind, s.client.seen), 'the departure')


def guards_know_the_user():
    with Stage('guarded') as s:
        path = s.add('desk')
        assert s.client.call(path, PROPERTIES, 'GetAll', 's', LAMP) == {'Watts': 0}
        assert s.client.error(path, PROPERTIES, 'Get', 'ss', LAMP, 'Hidden')[0] == STANDARD + 'AccessDenied'
        other = s.connect(FROM_SERVICE)
        # Calls of one not known yet keep their order while the bus is asked.
        serials = [other.send(path, PROPERTIES, 'Set', 'ssv', LAMP, 'Watts', dbus.UInt32(i, variant_level=1))
                   for i in range(20)]
        other.wait_reply(serials[-1])
        replies = [m.get_reply_serial() for m in other.seen if kind(m) == 'reply']
        assert replies == serials, replies
        assert other.call(path, PROPERTIES, 'Get', 'ss', LAMP, 'Watts') == 19


def nonsense_does_no_harm():
    with Stage() as s:
        path = s.add('desk')
        send = s.client.send
        deep = dbus.UInt32(1, variant_level=60)
        send(path, LAMP, 'Dim', 'v', deep)
        send(path, LAMP, 'Dim', 'ua{sv}', 1, {'Fade': deep})
        send(path, LAMP, 'Dim', 'ua{sv}', 1, {'': 1})
        send(path, LAMP, 'Dim', 'ua{sv}', 1, {'x' * 100000: 1})
        send(path, PROPERTIES, 'Set', 'ssv', LAMP, 'Watts', deep)
        send(path, PROPERTIES, 'Get', 'ss', '\n', '\x7f' * 1000)
        send(path, PROPERTIES, 'Get', 'as', ['a'] * 1000)
        send('/' + '/'.join(['a' * 200] * 200), LAMP, 'Dim')
        send('/', None, 'Dim')
        send(path, LAMP, 'Tell', 'ay', bytes(8 << 20))
        send(path, LAMP, 'M' * 255, 'g', dbus.Signature('a{sv}' * 40))
        for _ in range(300):
            send(path, LAMP, 'Nothing', no_reply=True)
            send(path, LAMP, 'Tell', 'ay', b'x', no_reply=True)
            send(path, LAMP, 'Wait', no_reply=True)
        # Answers to what was asked of somebody else, twice or too late; and rumours.
        agent = Agent(s.client.bus, '/agent')
        agent.choose = lambda body, done, failed: None
        asked = send(ROOT, HOUSE, 'Ask', 'ou', '/agent', 60000)
        s.client.wait(lambda: 'Choose' in [m.get_member() for m in s.client.seen], 'the question')
        question = next(m for m in s.client.seen if m.get_member() == 'Choose')
        other = s.connect()
        stray = dbus.lowlevel.MethodReturnMessage(question)
        stray.append(666, signature='u')
        other.bus.send_message(stray)
        rumour = dbus.lowlevel.SignalMessage(path, 'org.freedesktop.DBus', 'NameOwnerChanged')
        rumour.append(s.client.name, s.client.name, '', signature='sss')
        rumour.set_destination('org.sipbus1')
        other.bus.send_message(rumour)
        other.settle()
        answer = dbus.lowlevel.MethodReturnMessage(question)
        answer.append(200, signature='u')
        s.client.bus.send_message(answer)
        assert s.client.wait_reply(asked).get_args_list() == [200]
        again = dbus.lowlevel.MethodReturnMessage(question)
        again.append(666, signature='u')
        s.client.bus.send_message(again)
        for _ in range(100):
            s.connect().send(path, LAMP, 'Wait')
        assert s.client.call(path, LAMP, 'Dim', 'ua{sv}', 5, {}) == []
        assert s.service.poll() is None


def the_name_is_unique():
    with Stage() as s:
        second = s.bus.spawn(SERVICE, s.bus.address, 'org.sipbus1')
        assert finish(second, terminate=False) == 17  # EEXIST
        assert s.client.bus.get_name_owner('org.sipbus1') == s.service.ready
        denied = s.bus.spawn(SERVICE, s.bus.address, 'org.example.Denied')
        assert finish(denied, terminate=False) == 1  # EPERM


def a_lost_bus_ends_in_order():
    with PrivateBus() as bus:
        service = bus.spawn(SERVICE, bus.address, 'org.sipbus1')
        client = Client(bus.address)
        path = client.call(ROOT, HOUSE, 'Add', 's', 'desk')
        client.send(path, LAMP, 'Wait')
        client.send(ROOT, HOUSE, 'Ask', 'ou', '/agent', 600000)
        client.call(ROOT, 'org.freedesktop.DBus.Peer', 'Ping')
        bus.stop()
        assert finish(service, terminate=False) == 0
        nobody = bus.spawn(SERVICE, bus.address, 'org.sipbus1')
        assert finish(nobody, terminate=False) == 111  # ECONNREFUSED


if __name__ == '__main__':
    sys.exit(run([introspection, properties, changes_come_once_and_first, objects_are_announced_first,
                  errors_have_names, content_is_for_one_client, kept_calls_are_answered_later,
                  kept_calls_end_with_their_caller, agents_are_asked, an_agent_may_die, guards_know_the_user,
                  nonsense_does_no_harm, the_name_is_unique, a_lost_bus_ends_in_order]))
