/** The relay survey against our own server (nothing), and servers with one weakness each (that one). */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CanaryReceiver } from '#audit/canary/receiver.ts';
import type { Canary } from '#audit/probe.ts';
import { type Form, NMAP_FORMS } from '#audit/relay/forms.ts';
import { FORMS, surveyRelay, type Survey } from '#audit/relay/survey.ts';
import { enumerate } from '#audit/users/enumerate.ts';
import type { Asking } from '#audit/users/oracle.ts';
import * as oracles from '#audit/users/oracles/index.ts';
import { dial } from '#audit/wire/dial.ts';
import { systemClock } from '#network/clock.ts';
import { systemRandom } from '#network/random.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { type MockOptions, startMock } from '../world/mock-smtp.ts';
import { LineClient } from '../world/line-client.ts';
import { DOMAIN, WholeServer } from '../world/whole-server.ts';

const world = { clock: systemClock, network: tcpNetwork({ lingerMs: 200 }) };

function survey(
  port: number,
  domain: string,
  options: {
    canary?: Canary;
    level?: 'safe' | 'active';
    server?: string;
    forms?: readonly Form[];
    replyMs?: number;
    leftMs?: () => number;
  } = {},
): Promise<Survey> {
  const { canary, level = 'safe', server = `mx.${domain}`, forms, replyMs = 3_000 } = options;
  const { leftMs = () => 300_000 } = options;
  return surveyRelay({
    clock: systemClock,
    random: systemRandom,
    place: {
      foreign: canary?.domain ?? 'relay.invalid',
      other: 'sender.invalid',
      address: '127.0.0.1',
      server,
      domains: [domain],
      user: undefined,
      helo: 'probe.invalid',
    },
    level,
    messages: 50,
    dial: () => dial(world, { address: '127.0.0.1', port }, { source: '127.66.0.1' }),
    serverName: server,
    leftMs,
    replyMs,
    canary,
    arrivalMs: 1_000,
    ...(forms === undefined ? {} : { forms }),
  });
}

function formsWith(result: Survey, verdict: string): string[] {
  const trials = result.trials.filter((trial) => trial.verdict === verdict);
  return [...new Set(trials.map(({ form }) => form))].toSorted();
}

describe('our own server, on its defaults', () => {
  let server: WholeServer;
  before(async () => {
    server = await WholeServer.start({ users: ['ann', 'ben'] });
  });
  after(async () => server.stop());

  it('relays in none of the forms: every one is refused', async () => {
    const result = await survey(server.port('smtp'), DOMAIN);
    assert.equal(result.verdict, 'closed', JSON.stringify(result.why));
    assert.equal(result.controls.isCatchAll, false);
    const tried = new Set(result.trials.map(({ form }) => form));
    const safe = FORMS.filter(({ level }) => level === 'safe').map(({ id }) => id);
    assert.deepEqual([...tried].toSorted(), safe.toSorted());
    assert.ok(result.trials.every(({ trusted }) => !trusted));
    assert.equal(result.etrn.accepted, false);
    // And content does not come into it either, nor BDAT, nor logins that are none.
    const active = await survey(server.port('smtp'), DOMAIN, { level: 'active' });
    assert.equal(active.verdict, 'closed', active.why);
  });

  it('enumerates by neither VRFY nor EXPN nor a login, told within 12 probes', async () => {
    const names = ['zoe', 'ann', 'nobody1', 'ben', 'nobody2', 'nobody3', 'nobody4', 'nobody5'];
    const logins = names.map((name) => `${name}@${DOMAIN}`);
    const cases = [
      [oracles.vrfy, 'smtp', false, names],
      [oracles.expn, 'smtp', false, names],
      [oracles.auth, 'submissions', true, logins],
      [oracles.imap, 'imaps', true, logins],
      [oracles.pop3, 'pop3s', true, logins],
    ] as const;
    for (const [oracle, port, tls, list] of cases) {
      const result = await enumerate(oracle, asking(server.port(port), tls), {
        names: list,
        parallel: 1,
        knownUser: list.find((name) => name.startsWith('ann')),
      });
      assert.equal(result.verdict, 'not-enumerable', `${oracle.name}: ${result.why}`);
      assert.ok(result.probes <= 12, `${oracle.name}: ${result.probes}`);
    }
  });
});

describe('servers with one weakness each', () => {
  it('a closed one is closed', async () => {
    const result = await surveyed({});
    assert.equal(result.verdict, 'closed');
    assert.equal(result.controls.somebody[0]?.rung, 'accepted');
  });

  it('one that accepts everything at RCPT: delivery unproven at level safe', async () => {
    const result = await surveyed({ hook: acceptForeign });
    assert.equal(result.verdict, 'accepts');
    assert.ok(formsWith(result, 'accepts').includes('N1'));
  });

  it('the same at level active is queued, and names that nobody has are refused: a relay', async () => {
    const result = await surveyed({ hook: acceptForeign }, 'active');
    assert.equal(result.verdict, 'relays');
  });

  it('a catch-all is no relay', async () => {
    const result = await surveyed({ hook: catchAll }, 'active');
    assert.equal(result.verdict, 'may-be-local');
    assert.equal(result.controls.isCatchAll, true);
    assert.deepEqual(formsWith(result, 'relays'), []);
  });

  it('one that holds refusals back is waited for, as its controls have it', async () => {
    // Courier holds the first of a session back for eight seconds.
    const held = await surveyed({ tarpitAfter: 1, tarpitMs: 1_200 }, 'safe', { replyMs: 500 });
    assert.equal(held.verdict, 'closed', held.why);
    assert.deepEqual(formsWith(held, 'unclear'), []);
    const relay = { tarpitAfter: 1, tarpitMs: 1_200, hook: trustSender };
    const found = await surveyed(relay, 'safe', { replyMs: 500 });
    assert.deepEqual(formsWith(found, 'accepts'), ['R26']);
    assert.deepEqual(formsWith(found, 'unclear'), []);
  });

  it('one that holds them back for longer than anybody waits is unclear, not closed', async () => {
    const few = { replyMs: 300, forms: NMAP_FORMS.slice(0, 4) };
    const result = await surveyed({ tarpitAfter: 1, tarpitMs: 3_000 }, 'safe', few);
    assert.equal(result.verdict, 'unclear', result.why);
  });

  it('what is left when the time is over is unclear, the rest is told', async () => {
    const untilMs = performance.now() + 5_500;
    const leftMs = () => untilMs - performance.now();
    const late = await surveyed({ tarpitAfter: 1, tarpitMs: 1_200 }, 'safe', {
      replyMs: 500,
      leftMs,
    });
    assert.ok(leftMs() > 0, 'in time');
    assert.equal(late.verdict, 'unclear');
    const told = formsWith(late, 'closed').length;
    assert.ok(told > 10, `${told} are told`);
    const rest = late.trials.filter(({ verdict }) => verdict === 'unclear');
    assert.ok(rest.length > 10 && rest.every(({ answer }) => answer.startsWith('not tried')));
  });

  it('the percent hack at a relay domain: R17 and its kin alone', async () => {
    const result = await surveyed({ hook: percent });
    assert.deepEqual(formsWith(result, 'accepts'), ['R17']);
  });

  it('trust in XCLIENT: R28 alone', async () => {
    const result = await surveyed({ hook: xclient });
    assert.deepEqual(formsWith(result, 'accepts'), ['R28']);
    assert.ok(result.trials.some(({ form, trusted }) => form === 'R28' && trusted));
  });

  it('trust in a sender: R26; in a HELO name: R27', async () => {
    const sender = await surveyed({ hook: trustSender });
    assert.deepEqual(formsWith(sender, 'accepts'), ['R26']);
    const helo = await surveyed({ hook: trustHelo });
    assert.deepEqual(formsWith(helo, 'accepts'), ['R27']);
  });

  it('what was relayed arrives at our canary', async () => {
    const network = tcpNetwork();
    const listening = await network.listen(
      { host: '127.0.0.1', port: 0, maxConnections: 20 },
      (connection) => receiver.accept(connection),
    );
    const receiver = new CanaryReceiver({
      clock: systemClock,
      domain: 'canary.test',
      endpoint: listening.local,
    });
    // A relay: each recipient at the canary is handed on there.
    const hook = (line: string): string | undefined => {
      if (!/^RCPT TO:<[^@]*@canary\.test>$/i.test(line)) return undefined;
      const to = line.slice('RCPT TO:'.length);
      queueMicrotask(() => void handOn(listening.local.port, to));
      return '250 2.1.5 Ok';
    };
    const server = await startMock({ users: ['ann'], domain: 'mock.test', hook });
    try {
      const result = await survey(server.port, 'mock.test', { level: 'active', canary: receiver });
      assert.equal(result.verdict, 'relays', result.why);
      const arrived = result.trials.filter(({ rung }) => rung === 'arrived');
      assert.ok(arrived.some(({ form }) => form === 'N1'));
      assert.match(arrived[0]?.answer ?? '', /arrived at our canary from 127\.0\.0\.1/);
    } finally {
      server.close();
      await listening.close();
    }
  });
});

async function handOn(port: number, to: string): Promise<void> {
  const client = await LineClient.connect(port);
  await client.reply();
  await client.ask('EHLO relay.test');
  await client.ask('MAIL FROM:<>');
  await client.ask(`RCPT TO:${to}`);
  await client.ask('DATA');
  await client.ask('relayed\r\n.');
  client.close();
}

function acceptForeign(line: string): string | undefined {
  return /^RCPT TO:<[^@%!"]*@[a-z.]*\.invalid>$/i.test(line) ? '250 2.1.5 Ok' : undefined;
}

function catchAll(line: string): string | undefined {
  return /^RCPT TO:<.*@mock\.test>$/i.test(line) ? '250 2.1.5 Ok' : undefined;
}

function percent(line: string): string | undefined {
  return /^RCPT TO:<[a-z0-9]+%relay\.invalid@mock\.test>$/i.test(line) ? '250 2.1.5 Ok' : undefined;
}

function xclient(line: string, { lines }: { lines: readonly string[] }): string | undefined {
  if (line.startsWith('XCLIENT')) return '220 mock ESMTP';
  const isTrusted = lines.some((one) => one.startsWith('XCLIENT'));
  return line.startsWith('RCPT') && isTrusted ? '250 2.1.5 Ok' : undefined;
}

function trustSender(line: string, { lines }: { lines: readonly string[] }): string | undefined {
  const isOwn = lines.some((one) => /^MAIL FROM:<[a-z]+@mock\.test>/.test(one));
  return line.startsWith('RCPT') && isOwn ? '250 2.1.5 Ok' : undefined;
}

function trustHelo(line: string, { lines }: { lines: readonly string[] }): string | undefined {
  const isTrusted = lines.some((one) => one === 'EHLO localhost');
  return line.startsWith('RCPT') && isTrusted ? '250 2.1.5 Ok' : undefined;
}

async function surveyed(
  mock: MockOptions,
  level: 'safe' | 'active' = 'safe',
  more: { forms?: readonly Form[]; replyMs?: number; leftMs?: () => number } = {},
): Promise<Survey> {
  const server = await startMock({ users: ['ann'], domain: 'mock.test', ...mock });
  try {
    return await survey(server.port, 'mock.test', { level, ...more });
  } finally {
    server.close();
  }
}

function asking(port: number, tls: boolean): Asking {
  const implicit = tls ? { tls: { name: 'mx.whole.test' } } : {};
  return {
    clock: systemClock,
    random: systemRandom,
    dial: () => dial(world, { address: '127.0.0.1', port }, implicit),
    heloName: 'probe.invalid',
    serverName: 'mx.whole.test',
    domain: DOMAIN,
    replyMs: 5_000,
  };
}
