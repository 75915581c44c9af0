/** Keywords of a mailbox: each kind has a number, and there is a limit on kinds. */

import { formatNumbers, parseNumbers } from '../flags.ts';
import type { Step } from './step.ts';

/** Number by keyword in lower case. */
export type KeywordNumbers = Map<string, number>;

/** The numbers of a mailbox' keywords. */
export function keywordNumbers(step: Step, mailbox: number): KeywordNumbers {
  const rows = step.sql.rows<[number, string]>(
    'SELECT number, name FROM keywords WHERE mailbox = ?',
    mailbox,
  );
  return new Map(rows.map(([number, name]) => [name.toLowerCase(), number]));
}

/** The keywords of a mailbox by number, as first written. */
export function keywordNames(step: Step, mailbox: number): Map<number, string> {
  return new Map(
    step.sql.rows<[number, string]>('SELECT number, name FROM keywords WHERE mailbox = ?', mailbox),
  );
}

/** Numbers for all `keywords`, new kinds made; undefined, and nothing done, above the limit. */
export function addKeywords(
  step: Step,
  mailbox: number,
  keywords: readonly string[],
): number[] | undefined {
  if (keywords.length === 0) return [];
  let known = keywordNumbers(step, mailbox);
  let fresh = keywords.filter((keyword) => !known.has(keyword.toLowerCase()));
  if (known.size + fresh.length > step.limits.keywordKinds && fresh.length > 0) {
    forgetUnused(step, mailbox);
    known = keywordNumbers(step, mailbox);
    fresh = keywords.filter((keyword) => !known.has(keyword.toLowerCase()));
    if (known.size + fresh.length > step.limits.keywordKinds) return undefined;
  }
  let next = Math.max(0, ...known.values()) + 1;
  for (const keyword of fresh) {
    step.sql.run('INSERT INTO keywords VALUES (?, ?, ?)', mailbox, next, keyword);
    known.set(keyword.toLowerCase(), next);
    next += 1;
  }
  return keywords.map((keyword) => known.get(keyword.toLowerCase()) ?? 0);
}

/** As a row keeps them; kinds above the limit are left away, since mail matters more. */
export function keywordsThatFit(
  step: Step,
  mailbox: number,
  keywords: readonly string[],
): string | null {
  if (keywords.length === 0) return null;
  const all = addKeywords(step, mailbox, keywords);
  if (all !== undefined) return formatNumbers(all);
  const known = keywordNumbers(step, mailbox);
  const numbers = keywords.map((keyword) => known.get(keyword.toLowerCase()));
  return formatNumbers(numbers.filter((number) => number !== undefined));
}

/** Kinds that no message and no readable tombstone uses make room for new ones. */
function forgetUnused(step: Step, mailbox: number): void {
  const used = new Set<number>();
  const rows = step.sql.rows<[string]>(
    `SELECT DISTINCT keywords FROM messages WHERE mailbox = ?1 AND keywords IS NOT NULL
     UNION SELECT DISTINCT keywords FROM tombstones WHERE mailbox = ?1 AND keywords IS NOT NULL`,
    mailbox,
  );
  for (const [text] of rows) for (const number of parseNumbers(text)) used.add(number);
  for (const number of keywordNames(step, mailbox).keys()) {
    if (used.has(number)) continue;
    step.sql.run('DELETE FROM keywords WHERE mailbox = ? AND number = ?', mailbox, number);
  }
}
