/** Tests of the trust model: where trust ends, by which anchor, and what clocks explain. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOW_MS, type Trust, examined, ids, message } from '../testing.ts';
import { ClockModel } from './clock.ts';
import { timeOfId, timeOfThreadIndex } from './queue-ids.ts';

const DATE = '; Sun, 22 Nov 2026 09:00:00 +0000';

function received(...lines: readonly string[]): string {
  return lines.map((line) => `Received: ${line}${DATE}\r\n`).join('');
}

/** `zone zone …` of the hops, newest first. */
async function zones(boundary: string, trust: Trust): Promise<string> {
  const { route } = await examined(message({}, { boundary }), trust);
  return route.hops.map(({ zone }) => zone).join(' ');
}

const INSIDE =
  'from mx1.us.test (mx1.us.test [10.0.0.5]) by imap.us.test (Postfix) with ESMTP id A';
const BORDER =
  'from out.them.test (out.them.test [192.0.2.1]) by mx1.us.test (Postfix) with ESMTP id B';
const THEIRS = 'from pc.them.test ([192.0.2.9]) by out.them.test with ESMTPA id C';
const FORGED = 'from bank.test (bank.test [198.51.100.1]) by mx1.us.test (Postfix) with ESMTP id D';

test('trust goes as far as the anchors say, and ends at the first strange client', async () => {
  const all = received(INSIDE, BORDER, THEIRS);
  const cases: readonly (readonly [trust: Trust, expected: string])[] = [
    [{}, 'claimed claimed claimed'],
    [{ mx: ['imap.us.test'] }, 'boundary claimed claimed'],
    [{ mx: ['imap.us.test', 'mx1.us.test'] }, 'boundary claimed claimed'],
    [{ mx: ['.us.test'], net: ['10.0.0.0/8'] }, 'trusted boundary claimed'],
    [{ net: ['10.0.0.0/8'] }, 'trusted boundary claimed'],
    [{ net: ['10.0.0.0/8', '192.0.2.1'] }, 'trusted trusted boundary'],
    [{ mx: ['mx1.us.test'] }, 'claimed claimed claimed'],
    [{ mx: ['us.test'] }, 'claimed claimed claimed'],
    [{ ids: ['imap.us.test'] }, 'boundary claimed claimed'],
  ];
  for (const [trust, expected] of cases) {
    assert.equal(await zones(all, trust), expected, JSON.stringify(trust));
  }
});

test('a forged line of our own host below the boundary stays a claim, and is a strong sign', async () => {
  const trust = { mx: ['.us.test'], net: ['10.0.0.0/8'] };
  const boundary = received(INSIDE, BORDER, FORGED);
  assert.equal(await zones(boundary, trust), 'trusted boundary claimed');
  const one = await examined(message({}, { boundary }), trust);
  assert.ok(ids(one).includes('own-host-below'));
  assert.equal(one.conclusions.headline.kind, 'contradicts itself');
});

test('loopback and steps without a connection lie inside, if the line below is by a named host', async () => {
  const filter = 'from localhost (localhost [127.0.0.1]) by mx1.us.test (Postfix) with ESMTP id A';
  const amavis =
    'from mx1.us.test ([127.0.0.1]) by localhost (mx1.us.test [127.0.0.1]) with ESMTP id B';
  const lmtp = 'from mx1.us.test by imap.us.test with LMTP id C';
  const trust = { mx: ['mx1.us.test', 'imap.us.test'] };
  assert.equal(await zones(received(filter, amavis, BORDER), trust), 'trusted trusted boundary');
  assert.equal(await zones(received(lmtp, BORDER, THEIRS), trust), 'trusted boundary claimed');
  // No address, and not by LMTP: nobody knows who connected.
  const silent = 'from mx1.us.test by imap.us.test with ESMTP id C';
  assert.equal(await zones(received(silent, FORGED), trust), 'boundary claimed');
});

test('without an anchor it says so and gives no verdict', async () => {
  const { conclusions, route } = await examined(message(), {});
  assert.match(route.why, /no trust anchor given: everything is a claim/);
  assert.equal(conclusions.headline.kind, 'cannot be determined');
  assert.equal(conclusions.handedOver.grade, 'C');
});

test('our own record is an anchor; the client’s address is proved by it', async () => {
  const { examine } = await import('../examine.ts');
  const { examineOptions } = await import('../testing.ts');
  const fact = { clientAddress: '192.0.2.1', helo: 'h', atMs: NOW_MS, messageId: '1@example.org' };
  const one = await examine('x', Buffer.from(message({}, { boundary: received(BORDER) })), {
    ...examineOptions({}),
    ledger: async (id, by) => (id === 'B' && by === 'mx1.us.test' ? fact : undefined),
  });
  assert.equal(one.route.hops[0]?.recorded, fact);
  assert.deepEqual(one.conclusions.handedOver.grade, 'P');
  // A copy of our line on top of something else is nobody's word.
  const copies = [
    message({ 'Message-ID': '<2@example.org>' }, { boundary: received(BORDER) }),
    message({}, { boundary: received(BORDER.replace('192.0.2.1', '192.0.2.66')) }),
    message({}, { boundary: received(BORDER).replace('22 Nov', '21 Nov') }),
    message({ 'Message-ID': '' }, { boundary: received(BORDER) }),
  ];
  for (const copy of copies) {
    const options = { ...examineOptions({}), ledger: async () => fact };
    const { route, conclusions } = await examine('x', Buffer.from(copy), options);
    assert.equal(route.boundary, undefined, copy);
    assert.equal(conclusions.headline.kind, 'cannot be determined');
  }
});

function dated(...times: readonly (readonly [host: string, time: string])[]): string {
  return times
    .map(
      ([host, time]) =>
        `Received: from a by ${host} with ESMTP id X; Sun, 22 Nov 2026 ${time} +0000\r\n`,
    )
    .join('');
}

test('delays: a step back within the clocks’ differences is not flagged, one beyond is', async () => {
  const within = dated(['c.test', '09:00:10'], ['b.test', '09:00:14'], ['a.test', '09:00:01']);
  const one = await examined(message({}, { boundary: within }), {});
  assert.deepEqual(
    one.delays.map(({ ms, impossible }) => [ms, impossible]),
    [
      [-4_000, false],
      [13_000, false],
    ],
  );
  const beyond = dated(['c.test', '09:00:00'], ['b.test', '15:00:00'], ['a.test', '08:59:00']);
  const other = await examined(message({}, { boundary: beyond }), {});
  assert.ok(other.delays[0]?.impossible === true && ids(other).includes('backwards'));
});

test('a clock that is wrong in many messages is learnt, and explains its delays', async () => {
  const model = new ClockModel();
  for (let at = 0; at < 10; at++) {
    const lines = dated(['c.test', '09:00:10'], ['b.test', '10:00:05'], ['a.test', '09:00:01']);
    const { route } = await examined(message({}, { boundary: lines }), {});
    model.observe(route.hops);
  }
  const clock = model.clockOf('b.test');
  assert.ok(Math.abs(clock.skewMs - 3_595_000) < 10_000, String(clock.skewMs));
  const again = dated(['c.test', '09:30:10'], ['b.test', '10:30:05'], ['a.test', '09:30:01']);
  const { route } = await examined(message({}, { boundary: again }), {});
  assert.deepEqual(
    model.delays(route.hops).map(({ impossible }) => impossible),
    [false, false],
  );
});

test('queue ids tell their time', () => {
  const at = Date.UTC(2026, 10, 22, 9, 0, 0);
  const b52 = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';
  const b62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const postfix = `${base(at / 1_000, b52)}0abcz9sT`.replace('0abc', '0bcd');
  assert.equal(timeOfId(postfix, 'Postfix', at)?.ms, at);
  assert.equal(timeOfId(`${base(at / 1_000, b62)}-0005DT-2f`, 'Exim', at)?.ms, at);
  assert.equal(timeOfId(`${base(at / 1_000, b62)}-00000005DTx-2fab`, 'Exim', at)?.ms, at);
  assert.equal(timeOfId('6AM90000012345', 'sendmail', at)?.ms, at);
  const hex = (at / 1_000).toString(16).toUpperCase().padStart(16, '0');
  assert.equal(timeOfId(`00000000000401F6.${hex}.00003F2A`, 'Courier', at)?.ms, at);
  assert.equal(timeOfId('a1sor1.5.2026.11.22.09.00.00', 'Google', at)?.ms, at);
  for (const id of ['4F2A81C0F3', '', 'zzzzzzzzzz', '1-2-3']) {
    assert.equal(timeOfId(id, 'Postfix', at), undefined, id);
  }
  const filetime = (BigInt(at) * 10_000n + 116_444_736_000_000_000n) >> 16n;
  const octets = Buffer.alloc(22);
  octets.writeUIntBE(Number(filetime), 0, 6);
  const index = timeOfThreadIndex(octets.toString('base64'));
  assert.ok(Math.abs((index?.ms ?? 0) - at) < 10_000);
  assert.equal(timeOfThreadIndex('nonsense'), undefined);
});

function base(value: number, alphabet: string): string {
  let text = '';
  for (let left = value; left > 0; left = Math.floor(left / alphabet.length)) {
    text = (alphabet[left % alphabet.length] ?? '') + text;
  }
  return text;
}
