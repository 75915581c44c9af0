/** The confusion matrix: what the auditor told beside what the profiles say is there. */

import { type Finding, isFound } from '#audit/finding.ts';
import type { Report } from '#audit/report.ts';
import type { Case } from './profile.ts';

/** What was told of a check at a server, over all its ports: the gravest. */
export type Told = 'found' | 'unclear' | 'absent' | 'not-run';
/**
 * TP TN as it should be; FP FN wrong; `open`: nothing is there, and the auditor said that it could
 * not tell; `free`: the profile does not decide; `untried`: the level does not run it.
 */
export type Cell = 'TP' | 'TN' | 'FP' | 'FN' | 'open' | 'free' | 'untried';

export interface Row {
  readonly case: string;
  readonly check: string;
  readonly cell: Cell;
  readonly told: Told;
  /** What was seen, of the finding that counts. */
  readonly seen: string;
}

/** Counted beside the checks: whether the program of each port was named. */
export const PRODUCT = 'product';

/** Groups that profiles of servers speak of. */
export const JUDGED: ReadonlySet<string> = new Set([
  'fingerprint',
  'plaintext',
  'hygiene',
  'users',
  'relay',
  'exposure',
  'configuration',
  'tls',
  'injection',
  'parsing',
  'limits',
  'smuggling',
]);

/** A profile of a zone speaks of what the DNS says, one of a server of all else. */
export function isJudged(one: Case, check: string): boolean {
  const group = check.split('.', 1)[0] ?? '';
  if (one.without.has(group)) return false;
  if (one.groups !== undefined) return one.groups.has(group);
  return one.server === 'dns' ? group === 'posture' : JUDGED.has(group);
}

/** All cells of one case. */
export function rowsOf(one: Case, report: Report, known: readonly string[]): readonly Row[] {
  const checks = known.filter((id) => isJudged(one, id));
  const unknown = [...one.present, ...one.undecided].filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new Error(`${one.id}: no such check: ${unknown.join(', ')}`);
  const rows = checks.map((check) => {
    const findings = report.findings.filter(({ id }) => id === check);
    const { told, seen } = toldOf(findings);
    return { case: one.id, check, cell: cellOf(one, check, told), told, seen };
  });
  return isJudged(one, 'fingerprint.product') ? [...rows, productRow(one, report)] : rows;
}

/** The product of every port must be the one that runs there. */
function productRow(one: Case, report: Report): Row {
  const names = report.services.map(({ port, product }) => `${port} ${product}`);
  const wrong = report.services.filter(
    ({ product }) => product !== one.product && product !== 'unknown',
  );
  const known = report.services.filter(({ product }) => product === one.product);
  const all = known.length === report.services.length && known.length > 0;
  if (report.services.length === 0 && one.product === 'unknown') {
    return { case: one.id, check: PRODUCT, cell: 'TN', told: 'absent', seen: 'no service' };
  }
  const cell = wrong.length > 0 ? 'FP' : !all ? 'FN' : one.product === 'unknown' ? 'TN' : 'TP';
  return { case: one.id, check: PRODUCT, cell, told: 'found', seen: names.join(', ') };
}

function toldOf(findings: readonly Finding[]): { readonly told: Told; readonly seen: string } {
  const found = findings.find(isFound);
  if (found !== undefined) return { told: 'found', seen: seenOf(found) };
  const unclear = findings.find(({ confidence }) => confidence === 'inconclusive');
  if (unclear !== undefined) return { told: 'unclear', seen: seenOf(unclear) };
  const [first] = findings;
  return first === undefined
    ? { told: 'not-run', seen: '' }
    : { told: 'absent', seen: seenOf(first) };
}

function seenOf({ target, seen, confidence }: Finding): string {
  return `${target.port} ${confidence}: ${seen}`;
}

function cellOf(one: Case, check: string, told: Told): Cell {
  if (one.undecided.has(check)) return 'free';
  if (one.present.has(check)) {
    if (told === 'found') return 'TP';
    return told === 'not-run' && !one.planted.includes(check) ? 'untried' : 'FN';
  }
  if (told === 'not-run') return 'untried';
  return told === 'found' ? 'FP' : told === 'unclear' ? 'open' : 'TN';
}

/** How many of each cell. */
export function countCells(rows: readonly Row[]): Readonly<Record<Cell, number>> {
  const counts = { TP: 0, TN: 0, FP: 0, FN: 0, open: 0, free: 0, untried: 0 };
  for (const { cell } of rows) counts[cell] += 1;
  return counts;
}
