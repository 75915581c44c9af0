/** DMARC aggregate reports (RFC 9990): what came in the name of our domains, and from where. */

import { parseAggregateReport } from '#trust/dmarc-report/parse.ts';
import type { ReadAggregate } from '#trust/dmarc-report/parse.ts';
import type { AggregateReport, AggregateRow } from '#trust/dmarc-report/report.ts';
import type { ReadReport, ReportKind } from '../kind.ts';

export const dmarc: ReportKind = {
  name: 'dmarc',
  read: (octets) => {
    const read = parseAggregateReport(octets);
    return read === undefined ? undefined : shown(read);
  },
};

const HEAD = ['from', 'count', 'done', 'DKIM', 'SPF', 'author', 'signed by', 'sender', 'because'];

function shown({ report, defects }: ReadAggregate): ReadReport {
  const { organization, policy, begin, end } = report;
  // What fails comes first: that is what an operator looks for.
  const rows = report.rows.toSorted((one, other) => rank(one) - rank(other)).map(cells);
  const title =
    `DMARC report of ${organization} about ${policy.domain} (${published(report)}), ` +
    `${day(begin)} to ${day(end)}`;
  const odd = [...report.errors, ...defects].map((one) => ['!', one]);
  const json = { kind: 'dmarc', ...report, defects } as unknown as ReadReport['json'];
  return { title, rows: [HEAD, ...rows, ...odd], json };
}

function rank({ dkim, spf, count }: AggregateRow): number {
  return (dkim === 'pass' || spf === 'pass' ? 1e12 : 0) - count;
}

function cells(row: AggregateRow): readonly string[] {
  const { reasons, signatures, senders } = row;
  return [
    row.sourceAddress,
    String(row.count),
    row.disposition,
    row.dkim,
    row.spf,
    row.headerFrom,
    signatures.map(({ domain, result }) => `${domain} ${result}`).join(', '),
    senders.map(({ domain, result }) => `${domain} ${result}`).join(', '),
    reasons.map(({ type, comment = '' }) => `${type} ${comment}`.trim()).join(', '),
  ];
}

function published({ policy }: AggregateReport): string {
  const { p, sp, np, testing } = policy;
  return [
    `p=${p}`,
    ...(sp === undefined ? [] : [`sp=${sp}`]),
    ...(np === undefined ? [] : [`np=${np}`]),
    ...(testing === 'y' ? ['t=y'] : []),
  ].join(' ');
}

/** Of Unix seconds with at most eleven digits, so it is a date. */
function day(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');
}
