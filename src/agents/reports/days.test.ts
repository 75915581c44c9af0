/** Days: rows by day and domain, limited in number and in size, over restarts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Notebook } from '#base/notebook.ts';
import { virtualClock } from '#test/world/virtual-clock.ts';
import { Days, type DaysOptions } from './days.ts';

interface Row {
  readonly name: string;
  readonly more: string[];
}

const SAVE_MS = 10_000;

test('rows of any size take no more room than there is, in memory and on disk', () => {
  const house = open({ characters: 10_000 });
  for (let index = 0; index < 100; index += 1) {
    house.days.row(`d${index % 10}.test`, { name: `${index} ${'x'.repeat(1_000)}`, more: [] });
  }
  house.clock.pass(SAVE_MS);
  assert.ok(house.text().length < 13_000, `${house.text().length} characters`);
  // What was counted before goes on being counted, and is told of what was not.
  assert.ok(house.days.row('d0.test', { name: `0 ${'x'.repeat(1_000)}`, more: [] }) !== undefined);
  house.clock.pass(86_400_000);
  const over = house.days.over();
  assert.equal(
    over.reduce((sum, { rows, beyond }) => sum + rows.length + beyond, 0),
    100,
  );
  for (const day of over) house.days.done(day);
  assert.ok(house.days.row('new.test', { name: 'y'.repeat(1_000), more: [] }) !== undefined);
});

test('rows that grow where they are count, too, and so does what a restart finds', () => {
  const house = open({ characters: 10_000 });
  const row = house.days.row('a.test', { name: 'a', more: [] });
  for (let index = 0; index < 20; index += 1) row?.more.push('x'.repeat(1_000));
  house.clock.pass(SAVE_MS);
  assert.equal(house.days.row('b.test', { name: 'b', more: [] }), undefined);
  const again = open({ characters: 10_000 }, house.notebook);
  assert.equal(again.days.row('b.test', { name: 'b', more: [] }), undefined);
  assert.notEqual(again.days.row('a.test', { name: 'a', more: [] }), undefined);
});

/** Days in a notebook of their own. */
function open(options: Partial<DaysOptions>, notebook = memory()) {
  const clock = virtualClock();
  const days = new Days<Row>({ clock, notebook, notKept, ...options }, ({ name }) => name);
  return { clock, notebook, days, text: () => notebook.read() ?? '' };
}

function notKept(): never {
  assert.fail('it is always kept');
}

function memory(): Notebook {
  let text: string | undefined;
  return { read: () => text, write: (whole) => (text = whole) };
}
