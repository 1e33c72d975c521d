# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIPp straight against the daemon, by the scenarios sipp/caller-*.xml and sipp/called-*.xml.

They are SIPp's XML with a few words of ours in it, each on a line of its own, so that a scenario shows what it is
about and not twelve headers for every message:

    @takes METHOD NAME    receives a request and remembers its headers as NAME
    @gets CODE            receives a response; its To is that of later @asks (or @acks)
    @target               the response just named tells the Contact for later @asks
    @maybe CODE           a response that may come first
    @with HEADER: REGEXP  the message just named must have that
    @without HEADER       and must not have that
    @line REGEXP          and this anywhere
    @keep NAME HEADER: REGEXP   and this, which is [$NAME] from now on
    @verified USER PASSWORD     and the right Digest credentials
    @answers NAME CODE PHRASE   in a <send>: the start of a response; a dialog's tag may follow NAME (invite/b)
    @calls METHOD CSEQ    in a <send>: the start of a caller's request outside of any dialog
    @acks ACK CSEQ        in a <send>: the start of a caller's ACK for the refusal just received
    @lost METHOD CSEQ     in a <send>: the start of a request in a dialog that nobody knows
    @asks METHOD CSEQ     in a <send>: the start of a caller's request in its dialog
    @asks-back METHOD CSEQ      in a <send>: the same of the called, in the dialog of the request named invite
    @sound                in a <send>: its end with a description
    @hold                 in a <send>: the same changed: on hold
    @empty                in a <send>: its end without a body
"""
import os
import re

import lab

SOUND = '''\
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 VERSION IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 9 RTP/AVP 0
a=rtpmap:0 PCMU/8000
'''
ENDS = {'sound': SOUND.replace('VERSION', '1'), 'hold': SOUND.replace('VERSION', '2') + 'a=sendonly\n',
        'empty': 'Content-Length: 0\n\n'}
COMMON = '''\
Max-Forwards: 70
Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>
Call-ID: [call_id]
'''
SAVED = (('via', 'Via'), ('from', 'From'), ('to', 'To'), ('cseq', 'CSeq'))
TAG = 'tag=called-'


class Expansion:
    """One scenario on its way to SIPp's own form."""

    def __init__(self):
        self.variables = set()
        self.lines = []
        self.actions = None  # of the receiving element that is open
        self.opening = ''

    def variable(self, name):
        self.variables.add(name)
        return name

    def close(self):
        if self.actions is not None:
            self.lines += [self.opening, '<action>', *self.actions, '</action>', '</recv>']
        self.actions = None

    def find(self, regexp, header, variable, more='check_it="true" '):
        self.actions.append('<ereg regexp="%s" search_in="hdr" header="%s:" %sassign_to="%s"/>'
                            % (regexp, header, more, self.variable(variable)))

    def takes(self, method, name):
        self.opening, self.actions = '<recv request="%s">' % method, []
        for what, header in SAVED:
            self.find('[^ ].*', header, name + '_' + what)
        if method == 'INVITE':
            self.find('sip:[^&gt;]*', 'Contact', name + '_target')

    def gets(self, code):
        self.opening, self.actions = '<recv response="%s">' % code, []
        if int(code) > 100:
            self.find('[^ ].*', 'To', 'peer_to' if int(code) < 300 else 'refused_to')

    # ---- what is said of the message just named

    def with_(self, rest):
        header, regexp = rest.split(':', 1)
        self.find(regexp.strip(), header, 'seen_%d' % len(self.variables))

    def without(self, header):
        self.find('.', header, 'seen_%d' % len(self.variables), 'check_it_inverse="true" ')

    def line(self, regexp):
        self.actions.append('<ereg regexp="%s" search_in="msg" check_it="true" assign_to="%s"/>'
                            % (regexp, self.variable('seen_%d' % len(self.variables))))

    def keep(self, rest):
        name, header, regexp = re.match(r'(\S+) ([^:]+): *(.*)', rest).groups()
        self.find(regexp, header, name)

    def target(self, _):
        self.find('sip:[^&gt;]*', 'Contact', 'peer_target')

    def verified(self, rest):
        """Whoever is not jumps into a wait that ends in failure."""
        self.actions.append('<verifyauth assign_to="%s" username="%s" password="%s"/>'
                            % (self.variable('known'), *rest.split()))
        self.close()
        self.lines += ['<nop next="known" test="known"/>', '<recv request="NOTHING" timeout="1"/>', '<label id="known"/>']

    # ---- what is sent

    def answers(self, name, code, phrase):
        name, _, tag = name.partition('/')
        self.lines += ['SIP/2.0 %s %s' % (code, phrase), 'Via: [$%s_via]' % name, 'From: [$%s_from]' % name,
                       'To: [$%s_to]' % name + (';%s%s' % (TAG, tag) if name == 'invite' else ''), 'Call-ID: [call_id]',
                       'CSeq: [$%s_cseq]' % name]
        if int(code) < 300:
            self.lines.append('Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>')

    def asks(self, method, branch, target, sender, to):
        """RFC 3261 17.1.1.3, 9.1: a CANCEL, and the ACK for a refusal, have the branch of their INVITE."""
        self.lines += ['%s %s SIP/2.0' % (method, target),
                       'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-%s;rport' % branch,
                       *COMMON.splitlines(), 'From: ' + sender, 'To: ' + to]

    def word(self, word, rest):
        said = {'with': self.with_, 'without': self.without, 'line': self.line, 'keep': self.keep, 'target': self.target,
                'verified': self.verified}
        if word in said:
            said[word](rest)
            return
        self.close()
        words = rest.split(None, 2)
        if word in ENDS:
            self.lines.append(ENDS[word])
        elif word == 'maybe':
            self.lines.append('<recv response="%s" optional="true"/>' % words[0])
        elif word in ('takes', 'gets', 'answers'):
            {'takes': self.takes, 'gets': self.gets, 'answers': self.answers}[word](*words)
        else:
            self.request(word, *words)

    def request(self, word, method, number, way=''):
        me, there = '<sip:sipp@[local_ip]>;tag=caller', 'sip:[service]@' + lab.DOMAIN
        if word == 'calls':
            self.asks(method, number + way, there, me, '<%s>' % there)
        elif word == 'lost':
            self.asks(method, number, there, me, '<%s>;tag=nobody' % there)
        elif word == 'acks':
            self.asks(method, number, there, me, '[$refused_to]')
        elif word == 'asks':
            self.asks(method, number + '-ack' * (method == 'ACK'), '[$peer_target]', me, '[$peer_to]')
        elif word == 'asks-back':
            self.asks(method, number + '-back' + '-ack' * (method == 'ACK'), '[$invite_target]', '[$invite_to];' + TAG,
                      '[$invite_from]')
        else:
            raise ValueError('@' + word)
        self.lines.append('CSeq: %s %s' % (number, method))

    def expand(self, text):
        for line in text.splitlines():
            found = re.match(r'\s*@([a-z-]+) ?(.*)', line)
            if found:
                self.word(*found.groups())
                continue
            if line.strip():
                self.close()
            if '</scenario>' in line and self.variables:
                self.lines.append('<Reference variables="%s"/>' % ','.join(sorted(self.variables)))
            self.lines.append(line)
        return '\n'.join(self.lines) + '\n'


class Sipp:
    """A run of one scenario. end() waits for its end and tells whether all went as it says."""

    def __init__(self, here, name, port, remote=None, transport='udp', more=(), user='alice'):
        """remote: the daemon's port, for a caller, which calls `user`."""
        with open(os.path.join(lab.HERE, 'sipp', name + '.xml'), encoding='ascii') as f:
            scenario = Expansion().expand(f.read())
        self.trace = here.path('sipp-%s.trace' % name)
        self.process = here.run_sipp(name, scenario, port, remote, transport, '-s', user, '-default_behaviors', 'abortunexp',
                                     '-trace_msg', '-message_file', self.trace,
                                     '-trace_err', '-error_file', here.path('sipp-%s.errors' % name), *more)
        self.errors = here.path('sipp-%s.errors' % name)
        if not remote:
            lab.wait_for(lambda: lab.listens(transport, port), 'SIPp to listen')

    def text(self, path):
        if not os.path.exists(path):
            return ''
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def wait(self, text, times=1):
        """Until so many messages with that text went either way."""
        lab.wait_for(lambda: self.text(self.trace).count(text) >= times or not self.process.alive, text)

    def end(self):
        lab.wait_for(lambda: not self.process.alive, 'SIPp', 60)
        code = self.process.popen.returncode
        if code:
            raise AssertionError('SIPp ended with %d\n%s\n%s' % (code, self.text(self.errors)[:3000], self.text(self.trace)[-6000:]))
