/** What greetings give away about the inside: internal names, private addresses, process numbers. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { smtpSession } from '../../session.ts';
import { isInsideName } from '../../inside.ts';
import { isOwnNetwork } from '../../safety/permit.ts';
import { isLoopback, parseIp } from '#base/ip.ts';

const INTERNAL: Check = {
  id: 'fingerprint.internal-name',
  title: 'The server calls itself by an internal name or address',
  severity: 'low',
  means:
    'Names and addresses of the inside tell an attacker how the network is built, and receivers ' +
    'mistrust a server whose name the DNS does not know.',
  doesNotMean: 'Nobody can reach the inside because of it.',
  rfc: ['RFC 5321 2.3.5', 'RFC 5321 4.1.1.1'],
  cures: [
    { product: 'postfix', lines: ['myhostname = mail.example.org'] },
    { product: 'exim', lines: ['primary_hostname = mail.example.org'] },
    { product: 'opensmtpd', lines: ['listen on 0.0.0.0 hostname mail.example.org'] },
    { product: 'sendmail', lines: ["define(`confDOMAIN_NAME', `mail.example.org')dnl"] },
    { product: 'dovecot', lines: ['hostname = mail.example.org'] },
    { product: 'postern', lines: ['myhostname = "mail.example.org"'] },
  ],
};

const UNQUALIFIED: Check = {
  id: 'hygiene.greeting-name',
  title: 'The greeting carries no fully qualified domain name',
  severity: 'info',
  means: 'Clients and administrators cannot tell which host they reached; some receivers object.',
  doesNotMean: 'Mail still flows.',
  rfc: ['RFC 5321 4.2', 'RFC 5321 4.1.3'],
  cures: INTERNAL.cures,
};

const DIFFERENT: Check = {
  id: 'hygiene.ehlo-name-differs',
  title: 'The greeting and the answer to EHLO carry different names',
  severity: 'info',
  means: 'A proxy or several machines answer, or the configuration contradicts itself.',
  doesNotMean: 'It is no attack surface by itself.',
  rfc: ['RFC 5321 4.1.1.1'],
  cures: INTERNAL.cures,
};

const PROCESS: Check = {
  id: 'fingerprint.apop-process',
  title: 'The POP3 greeting tells process number and clock (APOP)',
  severity: 'info',
  means: 'APOP needs MD5 of a password kept in clear; its challenge tells process and start time.',
  doesNotMean: 'The login is not sent in clear by APOP itself.',
  rfc: ['RFC 1939 7'],
  cures: [
    { product: 'dovecot', lines: ['auth_mechanisms = plain'] },
    { product: 'postern', lines: ['APOP is not offered; update Postern.'] },
  ],
};

export const names: ServiceProbe = {
  name: 'names',
  scope: 'service',
  level: 'passive',
  checks: [INTERNAL, UNQUALIFIED, DIFFERENT, PROCESS],
  fits: ({ protocol }) => protocol === 'smtp' || protocol === 'lmtp' || protocol === 'pop3',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const { protocol, greeting } = context.service;
  if (protocol === 'pop3') {
    for (const check of [INTERNAL, UNQUALIFIED, DIFFERENT]) {
      context.tell(inapplicable(check, 'POP3 greetings need no name'));
    }
    const apop = /<[^<>@\s]{1,100}@[^<>@\s]{1,255}>/.exec(greeting)?.[0];
    context.tell(
      apop === undefined ? absent(PROCESS, 'no APOP challenge') : found(PROCESS, `it is ${apop}`),
    );
    return;
  }
  context.tell(inapplicable(PROCESS, 'this is not POP3'));
  const session = await smtpSession(context);
  const greeted = wordOf(session.greeting.lines[0]);
  const answered = wordOf(session.ehlo.lines[0]);
  const internal = [greeted, answered].find(isInternal);
  const itself = `it calls itself "${internal ?? greeted}"`;
  context.tell((internal === undefined ? absent : found)(INTERNAL, itself));
  const qualified = greeted.includes('.') || greeted.startsWith('[');
  context.tell((qualified ? absent : found)(UNQUALIFIED, `the greeting begins with "${greeted}"`));
  const same = greeted.toLowerCase() === answered.toLowerCase();
  const both = `"${greeted}" in the greeting, "${answered}" after EHLO`;
  context.tell((same ? absent : found)(DIFFERENT, both));
  session.wire.line('QUIT');
}

function wordOf(line: string | undefined): string {
  return (line ?? '').split(/\s/, 1)[0]?.slice(0, 255) ?? '';
}

/** A private address, or a name of the inside; loopback is for tests on one machine. */
function isInternal(name: string): boolean {
  const bare = name.replace(/^\[(?:IPv6:)?|\]$/gi, '');
  if (parseIp(bare) !== undefined) return isOwnNetwork(bare) && !isLoopback(bare);
  return isInsideName(bare);
}
