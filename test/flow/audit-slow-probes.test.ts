/** Probes that need time: a greeting that keeps waiting, and answers whose time tells. */

import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { Finding } from '#audit/finding.ts';
import type { Clock } from '#base/world.ts';
import { earlyTalker } from '#audit/probes/hygiene/index.ts';
import { imapLogin, noTls } from '#audit/probes/plaintext/index.ts';
import type { Probe } from '#audit/probe.ts';
import { loginFailures, silence } from '#audit/probes/limits/index.ts';
import { accessLines } from '#audit/probes/parsing/index.ts';
import { toldAtPop3, toldByTime } from '#audit/probes/users/index.ts';
import { auditMock, auditPorts, type MockAudit, smtpAnswers } from '../world/audit.ts';

const KNOWN = 'olga';

/** Answers lines after a while each, in order; greets the first connection at once. */
async function audited(
  timed: {
    readonly greeting: string;
    readonly greetMs: number;
    readonly answer: (line: string) => readonly [text: string, afterMs: number];
  },
  probe: Probe,
  options: MockAudit,
): Promise<Finding | undefined> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const say = (text: string): void => void socket.write(text);
    connections += 1;
    if (connections === 1) say(timed.greeting);
    else setTimeout(say, timed.greetMs, timed.greeting);
    let last = Promise.resolve();
    let rest = '';
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString('latin1')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [text, ms] = timed.answer(line);
        last = last
          .then(() => new Promise((resolve) => setTimeout(resolve, ms)))
          .then(() => say(text));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const { findings } = await auditPorts([port], [probe], options);
    return findings.at(-1);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** A minute in less than a second: the probe's own patience shrinks with it. */
const FASTER = 80;
const FAST: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now() * FASTER,
  after: (ms, task) => {
    const timer = setTimeout(task, ms / FASTER);
    return { cancel: () => clearTimeout(timer) };
  },
};

function smtp(line: string): string {
  if (line.startsWith('EHLO')) return '250 mock.test\r\n';
  if (line.startsWith('QUIT')) return '221 2.0.0 bye\r\n';
  return '250 2.0.0 ok\r\n';
}

const NAMED: MockAudit = {
  level: 'intrusive',
  domains: ['mock.test'],
  options: { knownUser: KNOWN },
};

/** What is told of TLS at a server that greets late. */
async function toldLate(keywords: readonly string[]): Promise<string | undefined> {
  const greets = { afterMs: 4_000 };
  const mock = { greeting: '220 mock.test ESMTP\r\n', answer: smtpAnswers(keywords), greets };
  return (await auditMock(mock, [noTls])).get('plaintext.no-tls')?.confidence;
}

describe('slow probes', () => {
  it('hygiene.slow-greeting: strangers wait for the greeting longer than many clients do', async () => {
    const timed = {
      greeting: '220 mock.test ESMTP\r\n',
      greetMs: 5_300,
      answer: (line: string) => [smtp(line), 0] as const,
    };
    const probes = Object.values({ earlyTalker });
    const [probe] = probes;
    assert.ok(probe);
    const server = await audited(timed, probe, { level: 'active' });
    assert.equal(server?.id, 'hygiene.slow-greeting');
    assert.equal(server.confidence, 'confirmed', server.seen);
  });

  it('limits.login-no-delay is not found where a wrong password is answered late', async () => {
    const timed = {
      greeting: '220 mock.test ESMTP\r\n',
      greetMs: 0,
      answer: (line: string): readonly [string, number] => {
        if (line.startsWith('EHLO')) return ['250-mock.test\r\n250 AUTH PLAIN\r\n', 0];
        if (line === 'AUTH PLAIN') return ['334 \r\n', 0];
        return ['535 5.7.8 wrong\r\n', 700];
      },
    };
    const finding = await audited(timed, loginFailures, { level: 'active' });
    assert.equal(finding?.id, 'limits.login-no-delay');
    assert.match(finding.seen, /wrong password 1: held back for/);
  });

  for (const [what, slowerMs, confidence] of [
    ['a name that is there takes longer', 25, 'confirmed'],
    ['both take the same time', 0, 'not-observed'],
  ] as const) {
    it(`users.timing: ${what}`, async () => {
      const timed = {
        greeting: '220 mock.test ESMTP\r\n',
        greetMs: 0,
        answer: (line: string): readonly [string, number] => {
          if (!line.startsWith('RCPT')) return [smtp(line), 0];
          return ['550 5.7.1 not here\r\n', line.includes(KNOWN) ? slowerMs : 0];
        },
      };
      const finding = await audited(timed, toldByTime, NAMED);
      assert.equal(finding?.id, 'users.timing');
      assert.equal(finding.confidence, confidence, finding.seen);
    });
  }

  for (const [what, endsMs, short, none] of [
    ['after 100 s', 100_000, 'confirmed', 'not-observed'],
    ['after 400 s', 400_000, 'not-observed', 'not-observed'],
    ['never', undefined, 'not-observed', 'confirmed'],
  ] as const) {
    it(`limits.short-timeout and limits.no-timeout: silence ends ${what}`, async () => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (bytes) => void socket.write(smtp(bytes.toString('latin1'))));
        socket.write('220 mock.test ESMTP\r\n');
        if (endsMs !== undefined) setTimeout(() => socket.destroy(), endsMs / FASTER);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        const { port } = server.address() as AddressInfo;
        const options = { level: 'intrusive', clock: FAST } as const;
        const { findings } = await auditPorts([port], [silence], options);
        const of = (id: string): Finding | undefined => findings.find((one) => one.id === id);
        assert.equal(of('limits.short-timeout')?.confidence, short);
        assert.equal(of('limits.no-timeout')?.confidence, none);
      } finally {
        server.close();
      }
    });
  }

  it('plaintext.no-tls is told of who greets after four seconds', async () => {
    assert.deepEqual(await Promise.all([toldLate([]), toldLate(['STARTTLS'])]), [
      'confirmed',
      'not-observed',
    ]);
  });

  it('plaintext.imap-login-accepted: what is answered too late was looked at', async () => {
    for (const [words, confidence] of [
      ['', 'likely'],
      [' LOGINDISABLED', 'inconclusive'],
    ] as const) {
      const answer = (line: string) => {
        const [tag = '', verb] = line.split(' ');
        if (verb === 'CAPABILITY') return `* CAPABILITY IMAP4rev1${words}\r\n${tag} OK done\r\n`;
        return verb === 'LOGIN' ? undefined : `${tag} OK done\r\n`;
      };
      const mock = { greeting: '* OK ready\r\n', answer };
      const findings = await auditMock(mock, [imapLogin]);
      assert.equal(findings.get('plaintext.imap-login-accepted')?.confidence, confidence);
    }
  });

  it('parsing.access-long-line is not found where such a line ends the session', async () => {
    const server = createServer((socket) => {
      let rest = '';
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        const lines = (rest + bytes.toString('latin1')).split('\r\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const [tag = ''] = line.split(' ', 1);
          const first = line.includes('CAPABILITY') ? '* CAPABILITY IMAP4rev1\r\n' : '';
          socket.write(`${first}${tag} OK done\r\n`);
        }
        if (rest.length > 10_000) socket.end('* BYE too long\r\n');
      });
      socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const { findings } = await auditPorts([port], [accessLines]);
      const finding = findings.find(({ id }) => id === 'parsing.access-long-line');
      assert.equal(finding?.confidence, 'not-observed', finding?.seen ?? '');
    } finally {
      server.close();
    }
  });

  it('users.login-pop3 is not found where every name is asked for its password', async () => {
    const findings = await auditMock(
      {
        greeting: '+OK ready\r\n',
        answer: (line) => {
          if (line.startsWith('CAPA')) return '+OK\r\nUSER\r\n.\r\n';
          return line.startsWith('PASS') ? '-ERR wrong\r\n' : '+OK\r\n';
        },
      },
      [toldAtPop3],
      { ...NAMED, level: 'active' },
    );
    assert.equal(findings.get('users.login-pop3')?.confidence, 'not-observed');
  });
});
