/** References to contents: a content has one, unless `shares` counts more or `freed` says none. */

import type { Step } from './step.ts';

const REFER = `INSERT INTO shares VALUES (?, 2)
  ON CONFLICT (content) DO UPDATE SET refs = refs + 1`;
const RELEASE = 'UPDATE shares SET refs = refs - 1 WHERE content = ? RETURNING refs';
const FREE = 'INSERT INTO freed VALUES (?, ?)';

const SHARED = `UPDATE shares SET refs = refs - gone.times
  FROM (SELECT messages.content, count(*) AS times FROM messages
    JOIN shares ON shares.content = messages.content
    WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND (flags & ?4) = ?4
    GROUP BY messages.content) AS gone
  WHERE shares.content = gone.content`;
const UNSHARED = `INSERT INTO freed SELECT content, ?5 FROM messages
  WHERE mailbox = ?1 AND uid BETWEEN ?2 AND ?3 AND (flags & ?4) = ?4
    AND NOT EXISTS (SELECT 1 FROM shares WHERE shares.content = messages.content)`;
const FREE_SHARED = 'INSERT INTO freed SELECT content, ? FROM shares WHERE refs < 1';

/** Adds a reference to a content that has one. */
export function refer(step: Step, content: number): void {
  step.sql.run(REFER, content);
}

/** Takes one away; the sweep frees what has none, an hour later. */
export function release(step: Step, content: number, nowMs: number): void {
  const left = step.sql.row<[number]>(RELEASE, content)?.[0];
  if (left === undefined) step.sql.run(FREE, content, nowMs);
  else if (left < 2) step.sql.run('DELETE FROM shares WHERE content = ?', content);
}

/** Messages of a mailbox: UIDs from, to, and the flags that they must have. */
export type Chosen = readonly [mailbox: number, from: number, to: number, flags: number];

/** Takes away the references of all these messages, whose rows are still there. */
export function releaseAll(step: Step, chosen: Chosen, nowMs: number): void {
  // What is not shared first: what the second one frees is then not taken for it.
  step.sql.run(UNSHARED, ...chosen, nowMs);
  if (step.sql.run(SHARED, ...chosen) === 0) return;
  step.sql.run(FREE_SHARED, nowMs);
  step.sql.run('DELETE FROM shares WHERE refs < 2');
}
