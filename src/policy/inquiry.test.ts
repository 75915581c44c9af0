/** What an inquiry writes into the ledger is bounded, whatever strangers publish. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zoneResolver } from '#test/vectors/zone.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { Inquiry } from './inquiry.ts';

test('sixty answers of the largest kind take no more room than a message may', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `n${index}.test`);
  const txt = Array.from({ length: 12 }, () => 'x'.repeat(1_000));
  const resolver = zoneResolver(Object.fromEntries(names.map((name) => [name, { txt }])));
  const inquiry = new Inquiry({ resolver, clock: virtualClock() });
  for (const part of [names.slice(0, 30), names.slice(30)]) {
    const questions = inquiry.questions();
    for (const name of part) assert.equal((await questions.txt(name)).kind, 'found');
  }
  const { dns } = inquiry.facts() as { dns: readonly { name: string; count?: number }[] };
  assert.ok(JSON.stringify(dns).length < 40_000, `${JSON.stringify(dns).length} characters`);
  assert.deepEqual(
    dns.map(({ name }) => name),
    names,
  );
  assert.equal(dns.at(-1)?.count, 12, 'what is not shown is counted');
});
