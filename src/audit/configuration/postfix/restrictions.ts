/** Restriction lists of main.cf, as words and as what they come to. */

import type { Values } from './values.ts';

const STAGES = ['client', 'helo', 'sender', 'relay', 'recipient', 'data', 'end_of_data', 'etrn'];
const DEPTH = 5;
const WORDS = 10_000;

/** The words of all lists of restrictions, in the order of the session. */
export function restrictions(values: Values): readonly string[] {
  return STAGES.flatMap((stage) => restrictionList(values, `smtpd_${stage}_restrictions`));
}

/**
 * The words of one list: classes (`smtpd_restriction_classes`) are replaced by what stands in
 * them, and what only warns (`warn_if_reject`) is left out.
 */
export function restrictionList(values: Values, name: string): readonly string[] {
  const classes = new Set(values.list('smtpd_restriction_classes'));
  let words = values.list(name);
  for (let depth = 0; depth < DEPTH && words.some((word) => classes.has(word)); depth += 1) {
    words = words.flatMap((word) => (classes.has(word) ? values.list(word) : [word]));
    words = words.slice(0, WORDS);
  }
  return words.filter(
    (word, index) => word !== 'warn_if_reject' && words[index - 1] !== 'warn_if_reject',
  );
}

/**
 * Whether the word at that place is a table that says OK to everybody: `static:OK`, and
 * `cidr:{{0.0.0.0/0 OK}}` (braces are taken off, so that they are two words).
 */
export function permitsAll(words: readonly string[], at: number): boolean {
  const [table = '', row = ''] = words.slice(at, at + 2);
  if (!/^check_[a-z_]+_access$/.test(words[at - 1] ?? '')) return false;
  if (/^static:(?:ok|permit)$/i.test(table)) return true;
  if (table === 'static:') return /^(?:ok|permit)\b/i.test(row);
  return table === 'cidr:' && /(?:0\.0\.0\.0|::)\/0[ \t]+(?:ok|permit)\b/i.test(row);
}
