/** User enumeration against servers with every habit that has fooled an enumerator. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { dial } from '#audit/wire/dial.ts';
import { enumerate, type Enumeration, type EnumerateOptions } from '#audit/users/enumerate.ts';
import type { Asking, Oracle } from '#audit/users/oracle.ts';
import * as oracles from '#audit/users/oracles/index.ts';
import { compareTimes, type Timing } from '#audit/users/timing/compare.ts';
import { systemClock } from '#network/clock.ts';
import { systemRandom } from '#network/random.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { type MockOptions, type MockSession, startMock } from '../world/mock-smtp.ts';

const USERS = ['alice', 'bob', 'carol', 'root'];
const world = { clock: systemClock, network: tcpNetwork({ lingerMs: 200 }) };

function asking(port: number, domain = 'mock.test', replyMs = 4_000): Asking {
  return {
    clock: systemClock,
    random: systemRandom,
    dial: () => dial(world, { address: '127.0.0.1', port }),
    heloName: 'probe.test',
    serverName: 'mock.test',
    domain,
    replyMs,
  };
}

/** 4 real names among `count`. */
function namesOf(count: number): string[] {
  const names = Array.from({ length: count }, (_, at) => `user${at}`);
  for (const [at, user] of USERS.entries()) names[Math.floor(((at + 0.5) * count) / 4)] = user;
  return names;
}

async function enumerated(
  mock: MockOptions,
  count: number,
  oracle: Oracle = oracles.rcpt,
  options: Partial<EnumerateOptions> = {},
): Promise<{ result: Enumeration; sessions: readonly MockSession[] }> {
  const server = await startMock({ users: USERS, ...mock });
  try {
    const names = namesOf(count);
    const result = await enumerate(oracle, asking(server.port), { names, ...options });
    return { result, sessions: server.sessions };
  } finally {
    server.close();
  }
}

function foundNames({ found }: Enumeration): string[] {
  return found.map(({ name }) => name).toSorted();
}

describe('users: enumerable servers, everything found and nothing else', () => {
  it('550 and 250 at RCPT, each hit confirmed twice on new connections', async () => {
    const { result, sessions } = await enumerated({}, 400);
    assert.equal(result.verdict, 'enumerable');
    assert.deepEqual(foundNames(result), USERS);
    assert.ok(result.found.every(({ times }) => times >= 3));
    const asked = sessions.filter(({ lines }) => lines.some((line) => line.includes('<alice@')));
    assert.ok(asked.length >= 3, `${asked.length}`);
    assert.ok(result.evidence.length >= 2);
  });

  it('252 and 550 at VRFY: 252 is told from 550 by controls', async () => {
    const { result } = await enumerated({ known: '252 2.0.0 someone' }, 100, oracles.vrfy);
    assert.equal(result.verdict, 'enumerable');
    assert.deepEqual(foundNames(result), USERS);
  });

  it('450 for unknown users is a signal', async () => {
    const { result } = await enumerated({ unknown: '450 4.1.1 User unknown' }, 100);
    assert.equal(result.verdict, 'enumerable');
    assert.deepEqual(foundNames(result), USERS);
  });

  it('a tarpit after four errors is measured and kept under', async () => {
    const { result, sessions } = await enumerated({ tarpitAfter: 4, tarpitMs: 1_000 }, 120);
    assert.deepEqual(foundNames(result), USERS);
    assert.equal(result.pace.tarpitAt, 4);
    assert.equal(result.pace.perConnection, 3);
    const slow = sessions.filter(({ errors }) => errors >= 4);
    assert.ok(slow.length <= 10, `${slow.length} of ${sessions.length} ran into it`);
    assert.ok(result.ms < 6_000, `${result.ms}`);
  });

  it('a tarpit that grows with each error is asked for one name a connection', async () => {
    // As Courier's: the second refusal of a session would come later than anybody waits for.
    const tarpit = { tarpitAfter: 1, tarpitMs: 600, tarpitGrowth: 3 };
    const server = await startMock({ users: USERS, ...tarpit });
    try {
      const names = namesOf(12);
      const result = await enumerate(oracles.rcpt, asking(server.port, 'mock.test', 1_000), {
        names,
      });
      assert.equal(result.verdict, 'enumerable', result.why);
      assert.deepEqual(foundNames(result), USERS);
      assert.deepEqual(result.unasked, []);
      assert.deepEqual([result.pace.tarpitAt, result.pace.perConnection], [1, 1]);
      assert.ok(result.ms < 12_000, `${result.ms}`);
    } finally {
      server.close();
    }
  });

  it('421 after five errors: resumed, halved, nobody lost', async () => {
    const { result } = await enumerated({ closeAfter: 5 }, 120);
    assert.equal(result.verdict, 'enumerable');
    assert.deepEqual(foundNames(result), USERS);
    assert.deepEqual(result.unasked, []);
    assert.ok(result.pace.perConnection < 5);
  });

  it('a server that insists on <> is asked with <>', async () => {
    const { result } = await enumerated({ needsBrackets: true }, 40);
    assert.deepEqual(foundNames(result), USERS);
  });

  it('random 4xx hides nobody and invents nobody', async () => {
    const { result } = await enumerated({ random4xx: 0.3 }, 300);
    assert.equal(result.verdict, 'enumerable');
    // Of eight answers six or more are a 4xx for one name in ninety: that name is told as unclear.
    const found = foundNames(result);
    const unclear = new Set(result.unclear.map(({ name }) => name));
    assert.deepEqual(
      USERS.filter((name) => !found.includes(name) && !unclear.has(name)),
      [],
    );
    assert.deepEqual(
      found.filter((name) => !USERS.includes(name)),
      [],
    );
    assert.ok(found.length >= USERS.length - 2, found.join(' '));
  });

  it('controls that were all put off by chance make no names of strangers', async () => {
    let controls = 0;
    const hook = (line: string): string | undefined => {
      const asked =
        line.startsWith('RCPT') && !/<(?:user\d+|alice|bob|carol|root|postmaster)@/.test(line);
      return asked && ++controls <= 5 ? '451 4.7.1 Greylisted, come back' : undefined;
    };
    const { result } = await enumerated({ hook }, 100);
    assert.equal(result.verdict, 'enumerable');
    assert.deepEqual(foundNames(result), USERS);
  });

  it('without PIPELINING one at a time, with the same result', async () => {
    const { result } = await enumerated({ keywords: ['SIZE'] }, 60);
    assert.deepEqual(foundNames(result), USERS);
  });

  it('a server that wants a sender other than <> gets one', async () => {
    const { result } = await enumerated({ hook: noNullSender }, 40);
    assert.deepEqual(foundNames(result), USERS);
  });
});

describe('users: servers that tell nothing are recognised after at most 12 probes', () => {
  const cases: readonly [string, MockOptions, Oracle, string][] = [
    ['catch-all', { unknown: '250 2.1.5 Ok' }, oracles.rcpt, 'not-enumerable'],
    [
      '252 to all',
      { known: '252 2.5.2 no', unknown: '252 2.5.2 no' },
      oracles.vrfy,
      'not-enumerable',
    ],
    ['no EXPN', {}, oracles.expn, 'not-enumerable'],
    ['greylisting of all', { random4xx: 1 }, oracles.rcpt, 'inconclusive'],
  ];
  for (const [what, mock, oracle, verdict] of cases) {
    it(what, async () => {
      const { result } = await enumerated(mock, 500, oracle);
      assert.equal(result.verdict, verdict, result.why);
      assert.ok(result.probes <= 12, `${result.probes}`);
      assert.deepEqual(result.found, []);
    });
  }
});

describe('users: what could not be told is never a pass', () => {
  it('a server that accepts everybody after ten errors finds no new users', async () => {
    let errors = 0;
    const hook = (line: string): string | undefined => {
      if (!line.startsWith('RCPT')) return undefined;
      errors += 1;
      return errors > 30 ? '250 2.1.5 Ok' : undefined;
    };
    const { result } = await enumerated({ hook }, 200);
    assert.equal(result.verdict, 'inconclusive', result.why);
    assert.deepEqual(result.found, []);
  });

  it('a server that refuses connections half-way leaves names unasked, and says so', async () => {
    const { result } = await enumerated({ hook: sixSessionsOnly, users: [] }, 300);
    assert.equal(result.verdict, 'inconclusive', result.why);
    assert.ok(result.unasked.length > 0);
  });

  it('nobody there: inconclusive', async () => {
    const result = await enumerate(oracles.rcpt, asking(1), { names: ['a'] });
    assert.equal(result.verdict, 'inconclusive');
    assert.equal(result.silent, false, 'a refused connection is an answer');
  });

  it('a server that greets and is silent then is given up after two waits, in so many words', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('220 mute.test ESMTP\r\n');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const result = await enumerate(
      oracles.rcpt,
      { ...asking(port), replyMs: 300 },
      { names: ['a'] },
    );
    server.close();
    assert.equal(result.silent, true);
    assert.equal(result.verdict, 'inconclusive');
    assert.match(result.why, /the server is silent/);
    assert.equal(result.connections, 2);
    assert.ok(result.ms < 3_000, String(result.ms));
  });
});

describe('users: by time alone', () => {
  it('3 ms more for a name that is there is found, and its twin without is not', async () => {
    const [alice, nobody] = await timed(3);
    assert.equal(alice?.verdict, 'differs', JSON.stringify(alice));
    assert.ok((alice?.shiftMs ?? 0) > 1.5);
    assert.equal(nobody?.verdict, 'same', JSON.stringify(nobody));
    for (const timing of await timed(undefined)) assert.equal(timing.verdict, 'same');
  });
});

async function timed(leakMs: number | undefined): Promise<readonly Timing[]> {
  const server = await startMock({
    users: USERS,
    unknown: '250 2.1.5 Ok',
    ...(leakMs === undefined ? {} : { leakMs }),
  });
  try {
    const options = { names: ['alice', 'nobody-here'], pairs: 30 };
    return (await compareTimes(oracles.rcpt, asking(server.port), options)).timings;
  } finally {
    server.close();
  }
}

function noNullSender(line: string): string | undefined {
  return line === 'MAIL FROM:<>' ? '550 5.7.1 no null sender here' : undefined;
}

function sixSessionsOnly(line: string, { number }: MockSession): string | undefined {
  return number > 6 && /^(?:EHLO|HELO)/.test(line) ? '554 5.7.1 go away' : undefined;
}
