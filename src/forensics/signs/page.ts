/** The table of the signs for docs/forensics.md: made from the registry, so that it cannot lie. */

import type { Sign } from '../case.ts';
import * as registry from './index.ts';

/** Rows of Markdown, one a sign, in the order in which they are told. */
export function signTable(): string {
  const rows = Object.values(registry).map(rowOf);
  return [
    '| sign | worth | what it is | phishing | easy ham | hard ham | spam | innocent |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function rowOf({ id, title, strength, rates, innocent }: Sign): string {
  const counts = rates === undefined ? ['', '', '', ''] : Object.values(rates).map(String);
  return `| \`${id}\` | ${strength} | ${title} | ${counts.join(' | ')} | ${innocent ?? ''} |`;
}
