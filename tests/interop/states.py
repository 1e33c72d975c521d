# SPDX-License-Identifier: LGPL-2.1-or-later
"""States that are published and watched."""
import lab


def pidf(user, basic, note=''):
    """RFC 3863."""
    return ('<?xml version="1.0" encoding="UTF-8"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:%s@%s">'
            '<tuple id="t1"><status><basic>%s</basic></status>%s</tuple></presence>'
            % (user, lab.DOMAIN, basic, '<note>%s</note>' % note if note else ''))


def summary(new, old):
    """RFC 3842."""
    return 'Messages-Waiting: %s\r\nVoice-Message: %d/%d (0/0)\r\n' % ('yes' if new else 'no', new, old)
