/** Parsing, injection and limits: each weakness planted alone is found, the careful twin shows none. */

import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import type { Level } from '#audit/check.ts';
import type { Finding, Outcome } from '#audit/finding.ts';
import type { Probe, ServiceContext } from '#audit/probe.ts';
import * as limits from '#audit/probes/limits/index.ts';
import * as parsing from '#audit/probes/parsing/index.ts';
import { dial } from '#audit/wire/dial.ts';
import type { Clock } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { auditMock, auditPorts, type MockOptions } from '../world/audit.ts';
import { type LaxOptions, type LaxState, startLaxSmtp } from '../world/lax-smtp.ts';

type Told = ReadonlyMap<string, Finding>;

const GROUPS: readonly Probe[] = [parsing, limits].flatMap((group) => Object.values<Probe>(group));
const KEYWORDS = ['PIPELINING', 'CHUNKING', 'SIZE 1000000', 'DSN', 'AUTH PLAIN'];

async function audited(options: LaxOptions, level: Level = 'active', probes = GROUPS) {
  const server = await startLaxSmtp({ content: strict, hook: careful, ...options });
  try {
    const asked = { level, domains: ['mock.test'] };
    const { findings } = await auditPorts([server.port], probes, asked);
    return new Map(findings.map((finding) => [finding.id, finding]));
  } finally {
    server.close();
  }
}

function told(findings: Told): string[] {
  return [...findings.values()]
    .filter(({ confidence }) => confidence === 'confirmed' || confidence === 'likely')
    .map(({ id }) => id)
    .toSorted();
}

function strict(octets: string): string | undefined {
  if (octets.match(/^From:/gm)?.length !== 1) return '550 5.6.0 From';
  if (/\0|\r(?!\n)|(?<!\r)\n/.test(octets)) return '550 5.6.0 line ends';
  const lines = octets.split('\r\n');
  return lines.length > 5_000 || lines.some(({ length }) => length > 1_000)
    ? '552 5.3.4 no'
    : undefined;
}

/** Talk before the answer to EHLO is noticed; logins fail, and end after a few. */
const careful = (line: string, state: LaxState): string | undefined => {
  if (line === 'EHLO audit.invalid' && state.lines.filter((one) => one === line).length > 1) {
    state.end();
    return '554 5.5.0 SMTP synchronization error';
  }
  if (line === 'RSET ') return '250 2.0.0 ok';
  if (!line.startsWith('AUTH')) return undefined;
  if (state.lines.filter((one) => one.startsWith('AUTH')).length < 4) return '535 5.7.8 no';
  state.end();
  return '421 4.7.0 enough';
};

/** Answers lines that match, and goes on as the careful one. */
function answers(pattern: RegExp, reply: string | ((line: string) => string)): LaxOptions {
  return {
    keywords: KEYWORDS,
    hook: (line, state) => {
      if (!pattern.test(line)) return careful(line, state);
      return typeof reply === 'string' ? reply : reply(line);
    },
  };
}

/** The message is taken although it has this fault. */
function takes(fault: RegExp): LaxOptions {
  return { content: (octets) => (fault.test(octets) ? undefined : strict(octets)) };
}

const OK = '250 2.0.0 ok';
const EHLO = '250-mock.test\r\n250-PIPELINING\r\n250 SIZE 1000000';
const PLANTED: readonly (readonly [string, LaxOptions])[] = [
  ['parsing.bare-lf-command', { lineEnd: /\r?\n/ }],
  ['parsing.bare-cr-command', { lineEnd: /\r\n|\r/ }],
  ['parsing.nul-command', answers(/^RS\0ET$/, OK)],
  ['parsing.eight-bit-command', answers(/^MAIL FROM:<\xe9/, OK)],
  ['parsing.short-command', answers(/^NOOP x{505}$/, '500 5.5.2 too long')],
  ['parsing.long-command', answers(/^NOOP x{1000}/, OK)],
  ['parsing.trailing-space', answers(/^RSET $/, '501 5.5.4 no')],
  ['parsing.no-brackets', answers(/^MAIL FROM:[a-z]/, OK)],
  ['parsing.space-after-colon', answers(/^MAIL FROM: </, OK)],
  ['parsing.unauthorised-pipelining', answers(/^EHLO audit\.invalid$/, EHLO)],
  ['parsing.http-body-run', answers(/^(?:POST|GET) /, '500 5.5.2 what')],
  ['parsing.tls-in-clear-run', answers(/^\x16/, '500 5.5.2 what')],
  ['parsing.address-control', answers(/^MAIL FROM:<"a\r/, OK)],
  ['parsing.helo-control', answers(/^EHLO a\t/, OK)],
  ['parsing.parameter-unknown', answers(/XAUDIT/, OK)],
  ['parsing.parameter-twice', answers(/SIZE=10 SIZE=20/, OK)],
  ['parsing.parameter-control', answers(/ENVID=/, OK)],
  [
    'parsing.login-control',
    {
      keywords: KEYWORDS,
      hook: (line, state) => {
        const name = line.startsWith('AUTH') ? loginIn(line) : '';
        return /[\r\n]/.test(name) ? `535 5.7.8 no ${name}` : careful(line, state);
      },
    },
  ],
  ['parsing.reply-broken', answers(/\x1b/, (line) => `500 5.5.2 "${line}" unknown`)],
  ['parsing.bdat-refused-run', { bdat: 'runs-refused' }],
  ['parsing.bdat-size', { bdat: 'any-size' }],
  ['parsing.bdat-short', { bdat: 'answers-early' }],
  ['parsing.bdat-data-mixed', { bdat: 'data-after' }],
  ['parsing.from-twice', takes(/^From:[^]*^From:/m)],
  ['parsing.nul-content', takes(/\0/)],
  ['parsing.bare-lf-content', takes(/(?<!\r)\n/)],
  ['parsing.bare-cr-content', takes(/\r(?!\n)/)],
  ['parsing.long-text-line', takes(/x{2000}/)],
  ['limits.size-missing', { keywords: ['PIPELINING'] }],
  ['limits.size-unlimited', { keywords: ['PIPELINING', 'SIZE'] }],
  ['limits.size-ignored', { ignoresSize: true }],
  ['limits.no-error-limit', { errorLimit: 1_000 }],
  ['limits.hop-loop', { countsHops: false }],
  ['limits.many-fields', takes(/(?:^X-[^]*?){5000}/m)],
];

/** What a reply that quotes the name raw would have in it. */
function loginIn(line: string): string {
  const octets = Buffer.from(line.split(' ')[2] ?? '', 'base64').toString('latin1');
  return octets.split('\0')[1] ?? '';
}

describe('parsing and limits, planted one by one', { concurrency: 6 }, () => {
  it('a careful server shows none, and nothing stays untold', async () => {
    for (const keywords of [KEYWORDS, ['SIZE 1000000']]) {
      const findings = await audited({ keywords });
      assert.deepEqual(told(findings), []);
      const open = [...findings.values()].filter(({ confidence }) => confidence === 'inconclusive');
      assert.deepEqual(
        open.map(({ id, seen }) => `${id}: ${seen}`),
        [],
      );
    }
  });

  for (const [id, options] of PLANTED) {
    it(`${id} alone`, async () => assert.deepEqual(told(await audited(options)), [id]));
  }

  it('a name in EHLO that is refused at RCPT was not believed', async () => {
    const odd = /^EHLO a[\t\x1b\r]/;
    const hook: LaxOptions['hook'] = (line, state) => {
      if (odd.test(line)) return OK;
      const isOdd = line.startsWith('RCPT') && state.lines.some((one) => odd.test(one));
      return isOdd ? '501 5.5.2 bad name' : careful(line, state);
    };
    assert.deepEqual(told(await audited({ keywords: KEYWORDS, hook }, 'safe')), []);
  });

  it('limits.few-recipients alone', async () => {
    let count = 0;
    const few = answers(/^RCPT TO:<postmaster>$/, () => (++count > 60 ? '452 4.5.3 enough' : OK));
    const probes = [limits.recipientCount];
    assert.deepEqual(told(await audited(few, 'active', probes)), ['limits.few-recipients']);
    assert.deepEqual(told(await audited({}, 'active', probes)), []);
  });

  it('a sender that is refused with the first recipient is no limit of recipients', async () => {
    const probes = [limits.recipientCount];
    const findings = await audited({ hook: ownSenderRefused }, 'active', probes);
    assert.equal(findings.get('limits.few-recipients')?.confidence, 'not-observed');
    let count = 0;
    const once = answers(/^RCPT TO:<postmaster>$/, () => (++count > 1 ? '553 5.1.8 who?' : OK));
    const none = await audited(once, 'active', probes);
    assert.equal(none.get('limits.few-recipients')?.confidence, 'inconclusive');
  });

  it('who is crowded out cannot tell what the server does with other protocols', async () => {
    const crowded = { keywords: KEYWORDS, hook: () => '421 4.3.2 too many' };
    const findings = await audited(crowded, 'safe', [parsing.crossProtocol]);
    assert.equal(findings.get('parsing.tls-in-clear-run')?.confidence, 'inconclusive');
    assert.equal(findings.get('parsing.http-body-run')?.confidence, 'inconclusive');
  });

  it('a tarpit is a limit', async () => {
    const findings = await audited({ errorLimit: 30 }, 'active', [limits.errorLimit]);
    assert.equal(findings.get('limits.no-error-limit')?.details['endsAt'], 31);
  });

  it('who takes no mail now, or none of us, is not said to be free of it', async () => {
    const later = await audited(answers(/^RCPT/, '450 4.7.1 later'), 'active', [parsing.content]);
    assert.equal(later.get('parsing.nul-content')?.confidence, 'inconclusive');
    const never = await audited(answers(/^RCPT/, '550 5.7.1 no'), 'active', [parsing.content]);
    assert.ok(never.get('parsing.nul-content')?.seen.startsWith('not applicable'));
  });
});

const IMAP_GREETING = '* OK [CAPABILITY IMAP4rev1 LITERAL-] ready\r\n';

/** A careful IMAP server, as far as lines go. */
function imap(more: MockOptions['answer'] = () => undefined): MockOptions {
  const answer: MockOptions['answer'] = (line, session) => {
    const own = more(line, session);
    if (own !== undefined) return own;
    const [tag = '*', verb = ''] = line.split(' ');
    if (/^(?:POST|GET|\x16)/.test(line) || line.endsWith('{900000000+}')) {
      session.say('* BYE no\r\n');
      session.end();
      return '';
    }
    // Behind a refused literal, and behind the end, nothing is run.
    if (session.lines.some((one) => /900000000|HTTP|\x16/.test(one))) return '';
    if (verb === 'CAPABILITY') return `* CAPABILITY IMAP4rev1 LITERAL-\r\n${tag} OK done\r\n`;
    if (verb === 'NOOP' && line.length < 1_000) return `${tag} OK done\r\n`;
    if (line.endsWith('{4}')) return '+ go\r\n';
    return line.length > 100_000 ? '' : `${tag} BAD no\r\n`;
  };
  return { greeting: IMAP_GREETING, answer };
}

function pop3(more: MockOptions['answer'] = () => undefined): MockOptions {
  const answer: MockOptions['answer'] = (line, session) => {
    const own = more(line, session);
    if (own !== undefined) return own;
    if (/^(?:POST|GET|\x16)/.test(line)) session.end();
    if (session.lines.some((one) => /HTTP|\x16/.test(one))) return '';
    if (line === 'CAPA') return '+OK list\r\nUIDL\r\n.\r\n';
    return line.length > 100_000 ? '' : '-ERR no\r\n';
  };
  return { greeting: '+OK ready\r\n', answer };
}

describe('before any login', { concurrency: 4 }, () => {
  const probes = [parsing.literals, parsing.accessLines, parsing.crossProtocol];
  const cases: readonly (readonly [string, MockOptions, readonly string[]])[] = [
    ['a careful IMAP server', imap(), []],
    ['a careful POP3 server', pop3(), []],
    [
      'a huge literal',
      imap((line) => (line.endsWith('{1073741824}') ? '+ go\r\n' : undefined)),
      ['parsing.imap-huge-literal'],
    ],
    [
      'a refused literal that is run',
      imap((line) => {
        if (line.endsWith('{900000000+}')) return 'b1 BAD too large\r\n';
        return line === 'b2 CAPABILITY' ? 'b2 OK done\r\n' : undefined;
      }),
      ['parsing.imap-literal-run'],
    ],
    [
      'LITERAL- that is LITERAL+',
      imap((line) => {
        if (line.endsWith('{5000+}')) return '';
        return line.startsWith('xxxx') ? 'b1 NO wrong\r\n' : undefined;
      }),
      ['parsing.imap-literal-minus'],
    ],
    [
      'a long line',
      imap((line) => (line.length > 1_000_000 ? 'b1 OK done\r\n' : undefined)),
      ['parsing.access-long-line'],
    ],
    [
      'NUL in IMAP',
      imap((line) => (line.includes('\0') ? 'b1 OK done\r\n' : undefined)),
      ['parsing.access-nul'],
    ],
    [
      'NUL in POP3',
      pop3((line) => (line === 'CA\0PA' ? '+OK list\r\n.\r\n' : undefined)),
      ['parsing.access-nul'],
    ],
    [
      'HTTP in POP3',
      pop3((line, { lines }) => {
        if (line.length > 1_000 || lines.some((one) => one.startsWith('\x16'))) return undefined;
        if (line === 'CAPA') return '+OK list\r\nUIDL\r\n.\r\n';
        return '-ERR no\r\n';
      }),
      ['parsing.http-body-run'],
    ],
  ];
  for (const [name, mock, expected] of cases) {
    it(name, async () => {
      const findings = await auditMock(mock, probes, { level: 'active' });
      assert.deepEqual(told(findings), expected);
    });
  }
});

function fiftyAtMost(number: number): string {
  return number > 50 ? '421 4.7.0 too many connections' : '220 mock.test ESMTP';
}

describe('level intrusive', () => {
  it('connections without a limit, and with one', async () => {
    const probes = [limits.connectionCount];
    assert.deepEqual(told(await audited({}, 'intrusive', probes)), ['limits.connections']);
    const findings = await audited({ greeting: fiftyAtMost }, 'intrusive', probes);
    assert.deepEqual(told(findings), []);
    assert.equal(findings.get('limits.connections')?.confidence, 'not-observed');
  });

  it('a line without end that is swallowed, and one that is cut off', async () => {
    const probes = [limits.endlessLine];
    assert.deepEqual(told(await audited({ swallows: true }, 'intrusive', probes)), [
      'limits.endless-line',
    ]);
    assert.deepEqual(told(await audited({}, 'intrusive', probes)), []);
  });

  it('silence that is ended too early, in time, and never', async () => {
    const [early, right, never] = await Promise.all([silence(600), silence(4_000), silence()]);
    assert.deepEqual(early, ['limits.short-timeout']);
    assert.deepEqual(right, []);
    assert.deepEqual(never, ['limits.no-timeout']);
  });
});

/** A hundred seconds of the probe are one of ours. */
const FASTER = 100;

async function silence(endsMs?: number): Promise<string[]> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('220 mock.test ESMTP\r\n');
    if (endsMs !== undefined) setTimeout(() => socket.destroy(), endsMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clock: Clock = {
    now: () => systemClock.now(),
    elapsed: () => systemClock.elapsed() * FASTER,
    after: (ms, task) => systemClock.after(ms / FASTER, task),
  };
  const world = { clock, network: tcpNetwork() };
  const outcomes: Outcome[] = [];
  const context = {
    world,
    options: { replyMs: 60_000 },
    leftMs: () => 700_000,
    tell: (outcome: Outcome) => outcomes.push(outcome),
    dial: () => dial(world, { address: '127.0.0.1', port }),
  };
  await limits.silence.run(context as unknown as ServiceContext);
  server.close();
  return outcomes
    .filter(({ confidence }) => confidence === 'confirmed')
    .map(({ check }) => check.id);
}

/** Refuses the auditor's own sender, with the first recipient. */
function ownSenderRefused(line: string, { lines }: { readonly lines: readonly string[] }) {
  const sender = lines.findLast((one) => one.startsWith('MAIL')) ?? '';
  return line.startsWith('RCPT') && sender.includes('<audit@') ? '553 5.1.8 who?' : undefined;
}
