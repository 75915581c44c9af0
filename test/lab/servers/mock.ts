/** Hostile and odd SMTP servers, for what real ones do not do; each named as profiles call it. */

import { type MockOptions, smtpAnswers } from '../../world/audit.ts';
import { testCertificate } from '../../world/certificates.ts';
import { DOMAIN, HOST } from '../root.ts';

type Answer = MockOptions['answer'];

const GREETING = '220 mx.lab.test ESMTP\r\n';
const OFFERED = ['PIPELINING', 'SIZE 1000000', 'STARTTLS', 'ENHANCEDSTATUSCODES', '8BITMIME'];

/** A server of databases: a length, a version, octets. */
const MYSQL =
  'J\0\0\0\n8.0.36\0\x0b\0\0\0abcdefgh\0\xff\xff\xff\x02\0\xff\xdf\x15\0mysql_native_password\0';

/** What the mock of this name does; undefined: there is none. */
export function mockCalled(name: string): MockOptions | undefined {
  return MOCKS.get(name);
}

const MOCKS: ReadonlyMap<string, MockOptions> = new Map([
  ['careful', mock(() => undefined)],
  ['vrfy-all', mock(on(/^VRFY/, '250 2.0.0 yes'))],
  ['vrfy-dice', mock(on(/^VRFY/, '250 2.0.0 yes', '550 5.1.1 no'))],
  ['rcpt-later', mock(on(/^RCPT TO:<(?!postmaster|abuse).*@lab\.test>/, '450 4.2.0 come again'))],
  [
    'differs-after-tls',
    mock(
      () => undefined,
      (tls) => (tls ? ['XEXPERIMENT', ...OFFERED] : OFFERED),
    ),
  ],
  [
    'starttls-again',
    mock(on(/^EHLO audit\.invalid/, '250-mx.lab.test\r\n250-SIZE 1000000\r\n250 STARTTLS')),
  ],
  ['wrong-lines', mock(on(/^NOOP$/, '250-2.0.0 a\r\n251 2.0.0 b'))],
  ['ntlm', mock(ntlm, () => [...OFFERED, 'AUTH NTLM'])],
  [
    'greets-554',
    {
      greeting: '554 mx.lab.test no SMTP service here\r\n',
      answer: (line, session) => {
        if (line !== 'QUIT') return '503 5.5.1 bad sequence of commands\r\n';
        session.say('221 2.0.0 bye\r\n');
        session.end();
        return '';
      },
    },
  ],
  [
    'tarpit',
    { ...mock(slowly(500), () => ['PIPELINING', '8BITMIME']), greets: { afterMs: 3_000 } },
  ],
  ['three-commands', mock(endsAfter(3))],
  ['ssh', { greeting: 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n', answer: () => undefined }],
  ['http', { greeting: undefined, answer: http }],
  ['ftp', { greeting: '220 (vsFTPd 3.0.3)\r\n', answer: ftp }],
  ['mysql', { greeting: MYSQL, answer: () => undefined }],
  ['hangs-up', { greeting: '', answer: () => undefined, greets: { afterMs: 1, early: '' } }],
  [
    'news',
    {
      greeting: '200 news.lab.test InterNetNews NNRP server ready\r\n',
      answer: () => '500 What?\r\n',
    },
  ],
  [
    'yes',
    mock((line) => (/^(?:EHLO|QUIT|DATA|STARTTLS|\.$)/.test(line) ? undefined : '250 OK\r\n')),
  ],
  [
    'only-helo',
    mock((line) => (/^[EL]HLO/.test(line) ? '502 5.5.1 not implemented\r\n' : undefined)),
  ],
  ['fixup', { ...mock(fixup), greeting: `220 ${'*'.repeat(60)}\r\n` }],
  ['line-feeds', withLineFeeds(mock(() => undefined))],
  ['asks-later', mock(refusesContent)],
  [
    'starttls-454',
    mock((line) => (line.startsWith('STARTTLS') ? '454 4.7.0 TLS not available\r\n' : undefined)),
  ],
  ['imap-preauth', { greeting: '* PREAUTH IMAP4rev1 ready\r\n', answer: imap(' AUTH=PLAIN') }],
  ['imap-login-shown', { greeting: '* OK IMAP4rev1 ready\r\n', answer: imap('') }],
  [
    'wordy',
    {
      ...mock(wordy, () => []),
      greeting: `${Array.from({ length: 9 }, (_, at) => `220-rule ${at} of mx.lab.test\r\n`).join('')}220 go\r\n`,
    },
  ],
  ['silent', { greeting: undefined, answer: () => undefined }],
  ['mute', { greeting: GREETING, answer: () => undefined }],
  ...(['execute', 'refuse', 'late', 'part', 'silent', 'clear'] as const).map(
    (behind): [string, MockOptions] => [`behind-${behind}`, { ...mock(rcptAfterMail), behind }],
  ),
  ['starttls-twice', mock(on(/^STARTTLS/, '220 2.0.0 go'))],
  ['rcpt-slower', mock(later((line) => (/<alice@/.test(line) ? 20 : 5)))],
  ['rcpt-slow', mock(later(() => 5))],
  ['escapes', mock(on(/^NOOP$/, '250 2.0.0 \x1b[2J\x1b]0;owned\x07 help'))],
]);

/** Believes no bad name, knows postmaster, abuse and three people, and looks nothing up. */
function mock(
  more: Answer,
  offered: (tls: boolean) => readonly string[] = () => OFFERED,
): MockOptions {
  return {
    greeting: GREETING,
    tls: testCertificate({ names: [HOST, DOMAIN] }),
    answer: (line, session) =>
      more(line, session) ??
      careful(line, session) ??
      smtpAnswers(offered(session.tls))(line, session)?.replace('250-mock.test', '250-mx.lab.test'),
  };
}

const careful: Answer = (line, session) => {
  const [verb = '', rest = ''] = line.split(/ (.*)/s);
  if (/^(?:GET|POST|\x16)/.test(line)) {
    session.end();
    return '';
  }
  if (line.length > 2_000 || /[^ -~]/.test(line)) return '500 5.5.2 not a command\r\n';
  if (verb === 'STARTTLS' && (session.tls || session.lines.some((one) => one.startsWith('MAIL')))) {
    return '503 5.5.1 not now\r\n';
  }
  const [, parameters] = /^MAIL FROM:<[^<> ]*>(.*)$/.exec(line) ?? [];
  const size = Number(/^ SIZE=(\d{1,12})$/.exec(parameters ?? '')?.[1] ?? 0);
  if (verb === 'MAIL' && parameters === undefined) return '501 5.5.4 no address\r\n';
  if (size > 1_000_000) return '552 5.3.4 too large\r\n';
  if (verb === 'MAIL' && !/^(?: SIZE=\d{1,12})?$/.test(parameters ?? '')) {
    return '555 5.5.4 no such parameter\r\n';
  }
  if (verb === 'EHLO' && !/^[a-z0-9.-]{1,200}\.invalid$/.test(rest)) return '501 5.5.4 no name\r\n';
  if (verb === 'RCPT' && !session.lines.some((one) => one.startsWith('MAIL'))) {
    return '503 5.5.1 MAIL first\r\n';
  }
  if (verb === 'RCPT' && /<(?:postmaster|(?:abuse|postmaster)@lab\.test)>/.test(line)) {
    return '250 2.1.5 ok\r\n';
  }
  if (verb === 'MAIL' && !session.lines.some((one) => /^EHLO|^HELO/.test(one))) {
    return '503 5.5.1 EHLO first\r\n';
  }
  if (verb === 'QUIT') {
    session.say('221 2.0.0 bye\r\n');
    session.end();
    return '';
  }
  return verb === 'noop' ? '250 2.0.0 ok\r\n' : undefined;
};

/** Answers what matches: the replies in turn. */
function on(pattern: RegExp, ...replies: readonly string[]): Answer {
  let turn = 0;
  return (line) => {
    if (!pattern.test(line)) return undefined;
    turn += 1;
    return `${replies[(turn * turn + turn) % 3 === 0 ? replies.length - 1 : 0]}\r\n`;
  };
}

/** Tells by its code whether MAIL was there. */
function rcptAfterMail(line: string, { lines }: Parameters<Answer>[1]): string | undefined {
  if (!line.startsWith('RCPT') || !lines.some((one) => one.startsWith('MAIL'))) return undefined;
  return '550 5.7.1 relay not permitted\r\n';
}

/** Refuses every name at RCPT, after so many milliseconds. */
function later(afterMs: (line: string) => number): Answer {
  return (line, session) => {
    if (!/^RCPT TO:<(?!postmaster|abuse)/.test(line)) return undefined;
    setTimeout(() => session.say('550 5.1.1 no such mailbox\r\n'), afterMs(line));
    return '';
  };
}

/** The careful answer, so many milliseconds later. */
function slowly(afterMs: number): Answer {
  const prompt = mock(
    () => undefined,
    () => ['PIPELINING', '8BITMIME'],
  ).answer;
  return (line, session) => {
    const reply = prompt(line, session) ?? '';
    setTimeout(() => session.say(reply), afterMs);
    return '';
  };
}

function endsAfter(most: number): Answer {
  return (_, session) => {
    if (session.lines.length <= most) return undefined;
    session.end();
    return '';
  };
}

/** Waits for a request, and answers what is none. */
function http(line: string, session: Parameters<Answer>[1]): string | undefined {
  if (line !== '') return undefined;
  session.say('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  session.end();
  return '';
}

function ftp(line: string): string {
  return line === 'QUIT' ? '221 Goodbye.\r\n' : '530 Please login with USER and PASS.\r\n';
}

/** A firewall that overwrites what it does not know: greeting, keywords, and the commands themselves. */
function fixup(line: string, { tls }: Parameters<Answer>[1]): string | undefined {
  if (/^(?:STARTTLS|AUTH|BDAT|VRFY|EXPN)/i.test(line)) return '500 5.5.1 unknown command: XXXX\r\n';
  if (!line.startsWith('EHLO') || tls) return undefined;
  return '250-mx.lab.test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-XXXXXXXA\r\n250 8BITMIME\r\n';
}

/** Its own lines end in LF alone. */
function withLineFeeds(options: MockOptions): MockOptions {
  const { greeting, answer } = options;
  return {
    ...options,
    greeting: greeting?.replaceAll('\r\n', '\n'),
    answer: (line, session) => answer(line, session)?.replaceAll('\r\n', '\n'),
  };
}

/** Whatever was accepted at RCPT is looked at again with DATA. */
function refusesContent(line: string): string | undefined {
  if (line.startsWith('RCPT')) return '250 2.1.5 ok\r\n';
  return line.startsWith('DATA') ? '550 5.7.1 relaying denied\r\n' : undefined;
}

/** IMAP without TLS that looks at each password. */
function imap(words: string): Answer {
  return (line) => {
    const [tag = '*', verb = ''] = line.split(' ');
    if (verb === 'CAPABILITY') return `* CAPABILITY IMAP4rev1${words}\r\n${tag} OK done\r\n`;
    if (verb === 'LOGIN') return `${tag} NO [AUTHENTICATIONFAILED] wrong\r\n`;
    if (verb === 'AUTHENTICATE') return `${tag} NO not now\r\n`;
    if (verb === 'LOGOUT') return `* BYE\r\n${tag} OK done\r\n`;
    return /^[A-Z]+$/i.test(verb) ? `${tag} BAD what\r\n` : `${tag} BAD no\r\n`;
  };
}

/** Nothing twice: every mailbox is taken, each with another number. */
function wordy(line: string, { lines }: Parameters<Answer>[1]): string | undefined {
  const number = `${process.hrtime.bigint() % 1_000_000n}`;
  if (/^rcpt/i.test(line)) {
    const foreign = !line.includes('@lab.test>') && line.includes('@');
    return foreign ? `550 relaying denied, ticket ${number}\r\n` : `250 queued as ${number}\r\n`;
  }
  return /^vrfy/i.test(line) ? `252 try, ${number}, line ${lines.length}\r\n` : undefined;
}

/** MS-NLMP 2.2.1.2: a challenge with the name of the domain inside, and nothing else. */
function ntlm(line: string): string | undefined {
  if (/^AUTH NTLM$/i.test(line)) return '334 \r\n';
  if (!line.startsWith('TlRM')) return undefined;
  const target = Buffer.from('INSIDE', 'utf16le');
  const type2 = Buffer.alloc(48 + target.length);
  type2.write('NTLMSSP\0', 'latin1');
  type2.writeUInt32LE(2, 8);
  type2.writeUInt16LE(target.length, 12);
  type2.writeUInt16LE(target.length, 14);
  type2.writeUInt32LE(48, 16);
  target.copy(type2, 48);
  return `334 ${type2.toString('base64')}\r\n`;
}
