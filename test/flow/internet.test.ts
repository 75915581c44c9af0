/** A small internet: each domain's mail ends where it must, for the reason that the ledger says. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { INBOUND } from '../world/internet/inbound.ts';
import { Inside } from '../world/internet/inside.ts';
import { OUTBOUND } from '../world/internet/outbound.ts';
import { Outside } from '../world/internet/outside.ts';

/** What one side of the world saw. */
interface Seen {
  endOf(domain: string): string;
  storyOf(domain: string): string;
}

interface End {
  readonly about: string;
  readonly ends: string;
  readonly why: RegExp;
}

let inside: Inside;
/** The same letters to a server that verifies nobody. */
let blind: Inside;
let outside: Outside;

before(async () => {
  await all([
    Inside.start().then((one) => (inside = one)),
    Inside.start('verify_senders = false').then((one) => (blind = one)),
    Outside.start().then((one) => (outside = one)),
  ]);
});

after(async () => {
  await all([inside?.stop(), blind?.stop(), outside?.stop()]);
});

test('there are at least thirty domains, each of its own name and with a control', () => {
  const names = [...INBOUND, ...OUTBOUND].map(({ name }) => name);
  assert.ok(names.length >= 30, `${names.length}`);
  assert.equal(new Set(names).size, names.length);
});

describe('mail from them', () => table(INBOUND, () => inside));
describe('mail to them', () => table(OUTBOUND, () => outside));

test('who is not verified is not refused: without verification nearly all rows are red', () => {
  // What a header may not be, and who is not there, needs no proof of anybody.
  const same = new Set(['two-authors', 'backscatter']);
  for (const { name, ...row } of INBOUND) {
    const judge = (): void => ended(`${name}.test`, row, blind);
    if (same.has(name)) judge();
    else assert.throws(judge, name);
  }
});

test('nobody was told of a letter that was refused: no backscatter', async () => {
  assert.match(await inside.queue(), /the queue is empty/);
});

/** Each row and its control, which would make the row red. */
function table(
  rows: readonly (End & { readonly name: string; readonly control: End })[],
  seen: () => Seen,
): void {
  for (const { name, control, ...row } of rows) {
    test(`${name}: ${row.about}: ${row.ends}`, () => ended(`${name}.test`, row, seen()));
    test(`${name}, the control: ${control.about}: ${control.ends}`, () => {
      const domain = `${name}-c.test`;
      ended(domain, control, seen());
      const told = seen().endOf(domain) !== row.ends || !row.why.test(seen().storyOf(domain));
      assert.ok(told, 'the row does not tell its control from itself');
    });
  }
}

function ended(domain: string, { ends, why }: End, seen: Seen): void {
  const story = seen.storyOf(domain);
  assert.equal(seen.endOf(domain), ends, story);
  assert.match(story, why);
}

/** Waits for all, so that nothing is left running behind one that fails; then that failure. */
async function all(work: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  for (const done of await Promise.allSettled(work)) {
    if (done.status === 'rejected') throw done.reason;
  }
}
