/** Tells each domain that asks for it what came in its name yesterday (RFC 9990, RFC 7489 7.2). */

import { type Address, formatAddress } from '#base/address.ts';
import { nextTurn } from '#base/turns.ts';
import type { Log, Resolver } from '#base/world.ts';
import { reportDestinations } from '#trust/dmarc-report/destinations.ts';
import { formatAggregateReport } from '#trust/dmarc-report/format.ts';
import type { AggregateReport } from '#trust/dmarc-report/report.ts';
import { attempt } from '../attempt.ts';
import type { Reporting } from '../daily.ts';
import type { Day } from '../days.ts';
import { type ReportPost, postReport } from '../letter.ts';
import type { DmarcCounts, DmarcRow } from './counts.ts';

export interface DmarcReporterOptions extends ReportPost {
  readonly counts: DmarcCounts;
  readonly resolver: Resolver;
  readonly log: Log;
}

type DmarcDay = Day<DmarcRow>;

const DAY_SECONDS = 86_400;

/** By mail: RFC 9990 knows no other way that anybody offers. */
export class DmarcReporter implements Reporting<DmarcRow> {
  readonly name = 'dmarc-report';
  readonly days: DmarcCounts;
  readonly #options: DmarcReporterOptions;

  constructor(options: DmarcReporterOptions) {
    this.#options = options;
    this.days = options.counts;
  }

  readonly report = async (day: DmarcDay): Promise<boolean> => {
    const { resolver, clock, log, from } = this.#options;
    const found = await reportDestinations(day.domain, resolver, clock);
    if (found.kind === 'failed') return false;
    const about = { domain: day.domain, day: day.day };
    for (const to of found.refused) {
      log.event('info', 'dmarc-report-not-wanted', { ...about, to });
    }
    const report = this.#made(day);
    if (report === undefined) return true;
    const packed = this.#options.pack(formatAggregateReport(report));
    // A full report is 20 ms of work: signing it is another turn's.
    await nextTurn(clock);
    const sent: boolean[] = [];
    for (const address of found.addresses) {
      const to = formatAddress(address);
      // We would report to ourselves about what we reported.
      if (to === formatAddress(from)) continue;
      const mail = () => this.#mail(address, report, packed);
      sent.push(await attempt(log, this.name, { ...about, to }, mail));
    }
    // Whoever got it must not get it again each hour because another one could not.
    return sent.length === 0 || sent.includes(true);
  };

  async #mail(to: Address, report: AggregateReport, packed: Uint8Array): Promise<void> {
    await postReport(this.#options, {
      domain: report.policy.domain,
      begin: report.begin,
      end: report.end,
      id: report.id,
      to,
      words: words(report),
      packed,
      type: 'application/gzip',
      extension: 'xml',
      multipart: { subtype: 'mixed', parameters: [] },
      fields: [],
      tls: undefined,
      kind: 'dmarc-report',
    });
  }

  #made({ day, domain, rows, beyond }: DmarcDay): AggregateReport | undefined {
    const { from } = this.#options;
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    const begin = Math.floor(Date.parse(`${day}T00:00:00Z`) / 1_000);
    return {
      organization: from.domain,
      email: formatAddress(from),
      contact: undefined,
      id: `${day}.${domain}@${from.domain}`,
      begin,
      end: begin + DAY_SECONDS - 1,
      errors: beyond === 0 ? [] : [`${beyond} more messages are not in this report`],
      policy: last.policy,
      rows,
    };
  }
}

function words({ organization, policy, rows, begin, end }: AggregateReport): string {
  const all = rows.reduce((sum, { count }) => sum + count, 0);
  const passed = rows.reduce(
    (sum, { dkim, spf, count }) => sum + (dkim === 'pass' || spf === 'pass' ? count : 0),
    0,
  );
  const [from, to] = [begin, end].map((one) => new Date(one * 1_000).toISOString());
  return (
    `This is a DMARC aggregate report of ${organization} about mail from ${policy.domain}\n` +
    `from ${from} to ${to} (RFC 9990).\n\n` +
    `Messages that passed: ${passed}\nMessages that failed: ${all - passed}\n\n` +
    `The attachment has the details.\n`
  );
}
