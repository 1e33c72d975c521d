#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Presence at Kamailio: watched by SUBSCRIBE, published by PUBLISH, shared by clients, kept over losses."""
import os
import re
import subprocess
import time

import lab
import states
from states import ALICE, BOB, pidf, uri


class Presence(states.WithStates):
    def test_each_watches_the_other(self):
        """RFC 3856 5, RFC 3903 4: published, changed, removed; each change is seen by who watches, and only that."""
        of_bob, of_alice = self.client.subscribe(ALICE, uri('bob')), self.client.subscribe(BOB, uri('alice'))
        for watch in (of_bob, of_alice):
            watch.wait_state('active')
            lab.wait_for(lambda: watch.told, 'the first state')
        publications = [self.client.publish(BOB, pidf('bob', 'open', 'at the desk')), self.client.publish(ALICE, pidf('alice', 'open'))]
        for publication in publications:
            publication.wait_state('published')
            self.assertTrue(publication.get('ETag'))
            self.assertGreater(publication.get('Expires'), time.time())
        self.assertIn('at the desk', of_bob.wait_told('<basic>open</basic>'))
        of_alice.wait_told('<basic>open</basic>')
        tag, heard = publications[0].get('ETag'), len(of_alice.told)
        self.client.modify(publications[0], pidf('bob', 'closed'))
        of_bob.wait_told('<basic>closed</basic>')
        lab.wait_for(lambda: publications[0].get('ETag') != tag, 'another entity tag')
        self.client.modify(publications[0], pidf('bob', 'open'))
        of_bob.wait_told('<basic>open</basic>')
        publications[0].do('Remove')
        lab.wait_for(lambda: not publications[0].exists(), 'the publication to go')
        lab.wait_for(lambda: '<basic>open' not in of_bob.told[-1][1], 'bob to have no state')
        self.assertEqual(len(of_alice.told), heard)
        for watch in (of_bob, of_alice):
            watch.do('Unsubscribe')
            watch.ended()

    def test_unknown_event(self):
        """RFC 6665 8.3.2: 489."""
        watch = self.client.subscribe(ALICE, uri('bob'), event='nothing-of-the-kind')
        self.assertRegex(watch.ended(), '489|Bad Event')


class PresenceOverTcp(Presence):
    protocol = 'tcp'


class PresenceOverTls(Presence):
    protocol = 'tls'


class Shared(states.WithStates):
    def test_many_clients_one_dialog(self):
        """Whoever wants the same is told the same, from one dialog, which ends with the last of them."""
        clients = [states.Watcher(self.lab) for _ in range(4)]
        first = clients[0].subscribe(ALICE, uri('bob'))
        publication = self.client.publish(BOB, pidf('bob', 'open'))
        publication.wait_state('published')
        first.wait_told('<basic>open</basic>')
        watches = [first] + [c.subscribe(ALICE, uri('bob')) for c in clients[1:]]
        self.assertEqual(len({watch.path for watch in watches}), 1)
        for watch in watches:
            watch.wait_told('<basic>open</basic>')
        self.assertEqual(first.get('Shared'), 4)
        self.client.modify(publication, pidf('bob', 'closed'))
        for watch in watches:
            watch.wait_told('<basic>closed</basic>')
        self.assertEqual(self.server_saw('SUBSCRIBE', 'alice'), 1)
        watches.pop(0).do('Unsubscribe')
        clients[1].bus.close()  # leaves the bus without a word
        lab.wait_for(lambda: watches[1].get('Shared') == 2, 'two to be left')
        heard = len(first.told)
        self.client.modify(publication, pidf('bob', 'open'))
        for watch in watches[1:]:
            watch.wait_told('<basic>open</basic>')
        self.assertEqual(len(first.told), heard)
        self.assertEqual(self.server_saw('SUBSCRIBE', 'alice', 'expires=0'), 0)
        for watch in watches[1:]:
            watch.do('Unsubscribe')
        lab.wait_for(lambda: self.server_saw('SUBSCRIBE', 'alice', 'expires=0') == 1, 'the dialog to end')

    def test_fetch(self):
        """RFC 6665 4.4.3: the state once."""
        self.client.publish(BOB, pidf('bob', 'open')).wait_state('published')
        watch = self.client.subscribe(ALICE, uri('bob'), Expires=lab.dbus.UInt32(0))
        watch.ended()
        self.assertEqual(len(watch.told), 1)
        self.assertIn('<basic>open</basic>', watch.told[0][1])


class Brief(states.WithStates):
    """A subscription lasts 10 seconds, a publication too."""
    defines = ('BRIEF',)

    def setUp(self):
        super().setUp()
        self.watch = self.client.subscribe(ALICE, uri('bob'))
        self.publication = self.client.publish(BOB, pidf('bob', 'open'))
        self.watch.wait_told('<basic>open</basic>')
        self.publication.wait_state('published')

    def test_refresh(self):
        """RFC 6665 4.1.2.2, RFC 3903 4.3: long after the first time has run out, all is as it was."""
        first = self.watch.get('Expires'), self.publication.get('Expires')
        self.assertLess(max(first), time.time() + 11)
        lab.wait_for(lambda: min(self.watch.get('Expires'), self.publication.get('Expires')) > max(first) + 5, 'two refreshes', 40)
        self.assertEqual((self.watch.get('State'), self.publication.get('State')), ('active', 'published'))
        self.assertGreaterEqual(self.server_saw('PUBLISH', 'bob', 'etag=a'), 2)
        self.client.modify(self.publication, pidf('bob', 'closed'))
        self.watch.wait_told('<basic>closed</basic>')
        self.assertFalse(any('closed' in body for _, body in self.watch.told[:-1]))  # it has never been away

    def test_server_starts_again_and_has_forgotten(self):
        """481 (RFC 6665 4.1.2.2) and 412 (RFC 3903 4.3): subscribed and published anew, with nobody asking."""
        tag = self.publication.get('ETag')
        self.assertEqual(self.lab.presence.stop(), 0)
        self.lab.start_presence('BRIEF')
        lab.wait_for(lambda: self.publication.get('ETag') not in ('', tag), 'the publication to come back', 40)
        self.watch.wait_state('active', 40)
        self.client.modify(self.publication, pidf('bob', 'closed'))
        self.watch.wait_told('<basic>closed</basic>', 40)
        self.assertTrue(self.watch.exists() and self.publication.exists())

    def test_server_is_away_for_long(self):
        """Neither ends: both wait and come back."""
        self.lab.presence.stop()
        lab.wait_for(lambda: (self.watch.get('State'), self.publication.get('State')) == ('waiting', 'waiting'), 'both to wait', 60)
        self.lab.start_presence('BRIEF')
        self.publication.wait_state('published', 120)
        self.watch.wait_state('active', 120)
        self.client.modify(self.publication, pidf('bob', 'closed', 'back'))
        self.watch.wait_told('back')


class Refused(lab.Case):
    def test_wrong_password(self):
        """Who cannot prove himself neither publishes nor watches, and does not try for ever."""
        self.lab.start_registrar('PRESENCE')
        self.lab.start_presence()
        self.lab.profile('alice', password='wrong', register=False)
        self.lab.start_daemon()
        client = states.Watcher(self.lab)
        with self.refused('AuthenticationFailed'):
            client.publish(ALICE, pidf('alice', 'open'), Wait=True)
        watch = client.subscribe(ALICE, uri('bob'))
        self.assertRegex(watch.ended(), '407')
        self.assertLessEqual(self.lab.requests('PUBLISH', 'alice'), 3)
        self.assertLessEqual(self.lab.requests('SUBSCRIBE', 'alice'), 3)
        self.assertEqual(len(self.lab.presence.says('lab: (PUBLISH|SUBSCRIBE) ')), 0)


class Readme(states.WithStates):
    """What README.md says about states, word for word."""
    endpoint = 'OnOwnerLost=keep'  # as it tells whoever writes scripts

    def commands(self, title):
        with open(os.path.join(lab.HERE, '..', '..', 'README.md'), encoding='utf-8') as f:
            section = f.read().split('## ' + title)[1].split('\n## ')[0]
        block = '\n'.join(line[4:] for line in section.splitlines() if line.startswith('    '))
        return block.replace('\\\n', '').splitlines()

    def run_command(self, known, command):
        """With what was assigned before; tried again while the far end has not answered yet. Gives its output."""
        command = command.replace('--user', '--address=' + self.lab.address).replace('example.com', lab.DOMAIN)
        name = re.match(r'(\w)=', command)
        script = '\n'.join(known + [command] + (['echo "$%s"' % name.group(1)] if name else []))
        runs = []

        def succeeds():
            runs.append(subprocess.run(['sh', '-ec', script], cwd=self.lab.folder, capture_output=True, text=True, timeout=30, check=False))
            return runs[-1].returncode == 0

        try:
            lab.wait_for(succeeds, command)
        except lab.NotYet:
            self.fail('%s: %s' % (command, runs[-1].stderr))
        if name:
            known.append('%s=%s' % (name.group(1), runs[-1].stdout.strip()))
        return runs[-1].stdout

    def test_lines(self):
        self.lab.write('open.xml', pidf('alice', 'open'))
        self.lab.write('closed.xml', pidf('alice', 'closed'))
        self.client.publish(BOB, pidf('bob', 'open', 'at the desk'), Wait=True)
        watch = self.client.subscribe(BOB, uri('alice'))
        known = ['E=' + ALICE] + [line for line in self.commands('A session') if line.startswith('bytes()')]
        said = [self.run_command(known, command) for command in self.commands('Watching a contact') if command]
        watch.wait_told('<basic>closed|^$')
        self.assertEqual(self.server_saw('PUBLISH', 'alice'), 3)
        self.assertTrue(any('application/pidf+xml' in text for text in said), said)
        lab.wait_for(lambda: self.server_saw('SUBSCRIBE', 'alice', 'expires=0') == 1, 'the end')


if __name__ == '__main__':
    lab.main('kamailio')
