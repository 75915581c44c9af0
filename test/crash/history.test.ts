/** The checker can fail: each way of losing, doubling, inventing or altering is seen. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forget, namesIn } from './forget.ts';
import { History, type Outcome, type Sent } from './history.ts';
import * as model from './model.ts';
import { readCalls } from './strace.ts';
import type { Box, Message, World } from './world.ts';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ANN = 'ann@crash.test';
const IDA = 'ida@crash.test';

function message(changes: Partial<Message> = {}): Message {
  const usual = { uid: 1, modSeq: 2, flags: '', id: 'm', hash: 'h', queueId: 'Q' };
  return { ...usual, notice: undefined, ...changes };
}

function box(messages: readonly Message[], changes: Partial<Box> = {}): Box {
  const numbers = { uidValidity: 7, uidNext: 9, highestModSeq: 9 };
  return { account: ANN, name: 'INBOX', ...numbers, messages, ...changes };
}

function world(boxes: readonly Box[], changes: Partial<World> = {}): World {
  const ledger = new Map([['Q', 'accepted']]);
  return { boxes, sink: [], queue: [], ledger, damage: [], ...changes };
}

function sent(changes: Partial<Sent> = {}): History {
  const history = new History();
  const recipients = changes.recipients ?? [{ address: ANN, kind: 'local' as const }];
  const entry = history.sending({ id: 'm', hash: 'h', sender: ANN, recipients, queueId: 'Q' });
  entry.outcome = changes.outcome ?? 'ok';
  return history;
}

const FAR = { address: 'you@far.test', kind: 'far' as const };
const COPY = { id: 'm', hash: 'h', recipient: FAR.address, queueId: 'Q' };
const NOTICE = message({
  uid: 2,
  queueId: 'Q',
  notice: { failed: [FAR.address], delivered: [] },
});

const CASES: readonly (readonly [
  what: string,
  history: () => History,
  world: World,
  expected: RegExp | undefined,
])[] = [
  ['acknowledged and there', () => sent(), world([box([message()])]), undefined],
  ['acknowledged and gone', () => sent(), world([box([])]), /^lost: m/],
  ['there twice', () => sent(), world([box([message(), message({ uid: 2 })])]), /^twice: m/],
  ['refused and gone', () => sent({ outcome: 'failed' }), empty(), undefined],
  [
    'refused, yet there',
    () => sent({ outcome: 'failed' }),
    world([box([message()])]),
    /^refused, yet there/,
  ],
  ['unknown and there', () => sent({ outcome: 'unknown' }), world([box([message()])]), undefined],
  ['unknown and gone', () => sent({ outcome: 'unknown' }), empty(), undefined],
  [
    'unknown and twice',
    () => sent({ outcome: 'unknown' }),
    world([box([message(), message({ uid: 2 })])]),
    /^twice/,
  ],
  ['altered', () => sent(), world([box([message({ hash: 'x' })])]), /^altered: m/],
  [
    'never sent',
    () => sent(),
    world([box([message(), message({ uid: 2, id: 'z' })])]),
    /^invented: z/,
  ],
  ['damaged', () => sent(), world([box([message()])], { damage: ['page 3'] }), /^page 3/],
  [
    'at the next hop',
    () => sent({ recipients: [FAR] }),
    world([box([])], { sink: [COPY] }),
    undefined,
  ],
  [
    'twice at the next hop without a crash',
    () => sent({ recipients: [FAR] }),
    world([box([])], { sink: [COPY, COPY] }),
    /^twice/,
  ],
  ['returned', () => sent({ recipients: [FAR] }), world([box([NOTICE])]), undefined],
  [
    'returned twice',
    () => sent({ recipients: [FAR] }),
    world([box([NOTICE, { ...NOTICE, uid: 3 }])]),
    /^twice/,
  ],
  [
    'returned, though it arrived',
    () => sent({ recipients: [FAR] }),
    world([box([NOTICE])], { sink: [COPY] }),
    /^returned and kept/,
  ],
  [
    'a success that nobody asked to hear of',
    () => sent(),
    world([box([message(), message({ uid: 2, notice: { failed: [], delivered: [ANN] } })])]),
    /^told 1 times instead of 0/,
  ],
  [
    'accepted without a record',
    () => sent(),
    world([box([message()])], { ledger: new Map() }),
    /^accepted, but not in the ledger/,
  ],
  [
    'recorded, but nowhere',
    () => sent(),
    world([box([message()])], {
      ledger: new Map([
        ['Q', 'accepted'],
        ['R', 'accepted'],
      ]),
    }),
    /^in the ledger, but nowhere: R/,
  ],
];

function empty(): World {
  return world([box([])], { ledger: new Map() });
}

for (const [what, history, there, expected] of CASES) {
  test(`checker: ${what}`, () => {
    const problems = history().check(there);
    if (expected === undefined) assert.deepEqual(problems, []);
    else assert.match(problems[0] ?? 'nothing', expected);
  });
}

test('a second copy at the next hop is permitted for each crash, and no third', () => {
  const history = sent({ recipients: [FAR] });
  history.life += 1;
  assert.deepEqual(history.check(world([box([])], { sink: [COPY, COPY] })), []);
  const third = world([box([])], { sink: [COPY, COPY, COPY] });
  assert.match(history.check(third)[0] ?? '', /^twice/);
});

const NUMBERS: readonly (readonly [what: string, later: readonly Box[], expected: RegExp])[] = [
  ['UIDNEXT', [box([message()], { uidNext: 8 })], /UIDNEXT went back/],
  ['HIGHESTMODSEQ', [box([message()], { highestModSeq: 8 })], /HIGHESTMODSEQ went back/],
  ['a UID with other octets', [box([message({ hash: 'x' })])], /UID 1 has other octets/],
  ['UIDVALIDITY', [box([message()], { uidValidity: 6 })], /UIDVALIDITY reused/],
  ['a UID beyond UIDNEXT', [box([message({ uid: 9 })])], /not below UIDNEXT/],
  ['a MODSEQ beyond the highest', [box([message({ modSeq: 10 })])], /newer than all/],
  [
    'two mailboxes with one UIDVALIDITY',
    [box([message()]), box([], { name: 'Other' })],
    /share a UIDVALIDITY/,
  ],
];

for (const [what, later, expected] of NUMBERS) {
  test(`checker: ${what} is watched over all lives`, () => {
    const history = sent();
    assert.deepEqual(history.check(world([box([message()])])), []);
    assert.match(history.check(world(later)).join('\n'), expected);
  });
}

test('a message that was gone does not come back', () => {
  const history = sent({ outcome: 'unknown' });
  history.check(world([box([message()])]));
  history.check(empty());
  assert.match(history.check(world([box([message()])])).join('\n'), /UID 1 came back/);
});

test('a UIDVALIDITY that was gone does not come back, whatever its name', () => {
  const history = new History();
  const none = { ledger: new Map<string, string>() };
  history.check(world([box([]), box([], { name: 'Old', uidValidity: 8 })], none));
  assert.deepEqual(history.check(world([box([])], none)), []);
  const back = world([box([]), box([], { name: 'New', uidValidity: 8 })], none);
  assert.match(history.check(back).join('\n'), /UIDVALIDITY of a deleted mailbox/);
});

test('a tree is what was acknowledged, and either of two things when the answer is missing', () => {
  const put = message({ id: 'p', queueId: undefined });
  const before = world([box([], { account: IDA })], { ledger: new Map() });
  const after = world([box([put], { account: IDA })], { ledger: new Map() });
  const outcomes = [
    ['ok', /0 messages instead of 1/, undefined],
    ['failed', undefined, /1 messages instead of 0/],
    ['unknown', undefined, undefined],
  ] as const;
  for (const [outcome, ifBefore, ifAfter] of outcomes) {
    for (const [there, expected] of [
      [before, ifBefore],
      [after, ifAfter],
    ] as const) {
      const history = new History();
      history.believe(IDA, model.modelOf(before.boxes));
      history.changed(IDA, outcome, model.appended('INBOX', 'p'));
      const problems = history.check(there).join('\n');
      if (expected === undefined) assert.equal(problems, '', `${outcome}`);
      else assert.match(problems, expected, `${outcome}`);
    }
  }
});

function ids(tree: model.Model, name: string): string[] {
  return (tree.get(name)?.messages ?? []).map(({ id, flags }) => `${id}${flags}`);
}

test('a refusal by a disk that is dead tells nothing of what is on it', () => {
  const history = new History();
  assert.equal(history.outcome('failed'), 'failed');
  history.isDoomed = true;
  assert.deepEqual(
    ['ok', 'failed', 'unknown'].map((told) => history.outcome(told as Outcome)),
    ['ok', 'unknown', 'unknown'],
  );
});

test('models: flags, copies, moves, expunges, names', () => {
  const one = message({ id: 'a', queueId: undefined });
  const two = message({ id: 'b', uid: 2, queueId: undefined });
  const start = model.modelOf([box([one, two]), box([], { name: 'Other', uidValidity: 8 })]);
  assert.deepEqual(ids(model.flagged('INBOX', '\\Seen', true)(start), 'INBOX'), [
    'a\\Seen',
    'b\\Seen',
  ]);
  const moved = model.moved('INBOX', 'Other', 1)(start);
  assert.deepEqual([ids(moved, 'INBOX'), ids(moved, 'Other')], [['b'], ['a']]);
  const deleted = model.flagged('INBOX', '\\Deleted', true)(start);
  assert.deepEqual(ids(model.expunged('INBOX')(deleted), 'INBOX'), []);
  const renamed = model.renamed('Other', 'New')(start);
  assert.equal(renamed.get('New')?.uidValidity, 8);
  const wrong = [box([one, two]), box([], { name: 'New', uidValidity: 9 })];
  assert.match(model.fits(renamed, wrong) ?? '', /UIDVALIDITY 9 instead of 8/);
});

test('the strict disk forgets names and octets that were not synced, and no others', () => {
  const data = mkdtempSync(path.join(tmpdir(), 'postern-forget-'));
  try {
    mkdirSync(path.join(data, 'spool'));
    const wal = path.join(data, 'postern.db-wal');
    writeFileSync(wal, 'abcdefgh');
    const before = namesIn(data);
    const file = (name: string): string => path.join(data, 'spool', name);
    for (const name of ['kept', 'nameless', 'half']) writeFileSync(file(name), '12345678');
    const lines = ['kept', 'nameless', 'half'].flatMap((name) => [
      `5 openat(AT_FDCWD</>, "${file(name)}", O_WRONLY|O_CREAT|O_EXCL, 0600) = 9<${file(name)}>`,
      `5 write(9<${file(name)}>, "1234"..., 4) = 4`,
      `5 fdatasync(9<${file(name)}>) = 0`,
      ...(name === 'nameless' ? [] : [`6 fsync(8<${data}/spool>) = 0`]),
      ...(name === 'half' ? [`5 write(9<${file(name)}>, "5678"..., 4) = 4`] : []),
    ]);
    // The last sync of the directory came before `nameless` was made.
    const order = [...lines.slice(0, 4), ...lines.slice(7), ...lines.slice(4, 7)];
    order.push(`7 pwrite64(3<${wal}>, "ab"..., 2, 0) = 2`, `7 fsync(3<${wal}>) = 0`);
    order.push(`7 pwrite64(3<${wal}>, "gh"..., 2, 6 <unfinished ...>`);
    order.push('7 <... pwrite64 resumed>) = 2');
    forget(data, before, readCalls(order.join('\n')));
    assert.equal(readFileSync(file('kept'), 'utf8'), '12345678');
    assert.equal(readFileSync(file('half'), 'utf8'), '1234');
    assert.equal(existsSync(file('nameless')), false);
    assert.equal(readFileSync(wal, 'latin1'), 'abcdef\0\0');
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
