/** SQL is constant text: nothing that comes from outside is ever joined into a statement. */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MIGRATIONS } from './migrate.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SQL =
  /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|ALTER|DROP|PRAGMA|VACUUM|BEGIN|REPLACE)\b/;
const STRING = /`(?:[^`\\]|\\.)*`|'(?:[^'\\\n]|\\.)*'/g;

/** The queue is bounded by other means; listing and counting it may walk through it. */
const GROWING =
  /^SCAN (?:messages|tombstones|contents|octets|files|threads|keywords|mailboxes|ledger_index)\b/;

/** Statements that are not whole constants: with a hole in them, or with something added. */
function suspicious(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...code.matchAll(STRING)]
    .filter(([literal]) => SQL.test(literal.slice(1)))
    .filter(({ 0: literal, index }) => {
      const before = code.slice(0, index).trimEnd();
      const after = code.slice(index + literal.length).trimStart();
      return literal.includes('${') || before.endsWith('+') || after.startsWith('+');
    })
    .map(([literal]) => literal);
}

test('no statement is built from pieces', () => {
  const files = readdirSync(HERE, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  assert.ok(files.length > 50);
  let statements = 0;
  for (const name of files) {
    const text = readFileSync(join(HERE, name), 'utf8');
    assert.deepEqual(suspicious(text), [], name);
    statements += [...text.matchAll(STRING)].filter(([one]) => SQL.test(one.slice(1))).length;
  }
  assert.ok(statements > 100, 'the pattern still finds the statements');
});

test('no statement walks through a table that grows with the mail', () => {
  const database = new DatabaseSync(':memory:');
  for (const { sql } of MIGRATIONS) database.exec(sql);
  let explained = 0;
  for (const name of readdirSync(HERE, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts') || name.includes('schema')) continue;
    for (const [literal] of readFileSync(join(HERE, name), 'utf8').matchAll(STRING)) {
      if (!/^.\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/.test(literal)) continue;
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${literal.slice(1, -1)}`).all();
      const walks = plan.filter(({ detail }) => GROWING.test(String(detail)));
      assert.deepEqual(walks, [], `${name}: ${literal}`);
      explained += 1;
    }
  }
  database.close();
  assert.ok(explained > 80);
});

test('no limit is a bare parameter: SQLite prepares such a statement anew each time it runs', () => {
  for (const name of readdirSync(HERE, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const bare = readFileSync(join(HERE, name), 'utf8').match(/LIMIT \?\d*(?!\d| \+ 0).*/g);
    assert.equal(bare, null, name);
  }
});

test('the pattern finds what it should', () => {
  for (const wrong of [
    'sql.run(`DELETE FROM x WHERE a = ${b}`)',
    "sql.run('SELECT ' + column)",
    "sql.run(prefix + 'SELECT 1')",
  ]) {
    assert.equal(suspicious(wrong).length, 1, wrong);
  }
});
