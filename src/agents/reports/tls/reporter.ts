/** Tells each domain that asks for it what became of yesterday's sessions with it (RFC 8460). */

import { formatAddress, parseAddress } from '#base/address.ts';
import { Failure } from '#base/failure.ts';
import type { Web } from '#base/web.ts';
import type { Log, Resolver } from '#base/world.ts';
import { formatStructured } from '#message/field-text.ts';
import { type ReportPlace, readTlsRptRecords, tlsRptName } from '#trust/tls-rpt/record.ts';
import { type TlsReport, formatTlsReport } from '#trust/tls-rpt/report.ts';
import { attempt } from '../attempt.ts';
import type { Reporting } from '../daily.ts';
import type { Day } from '../days.ts';
import { type ReportPost, postReport } from '../letter.ts';
import type { TlsCounts, TlsRow } from './counts.ts';

export interface TlsReporterOptions extends ReportPost {
  readonly counts: TlsCounts;
  readonly resolver: Resolver;
  readonly web: Web;
  readonly log: Log;
}

const POST_MS = 60_000;
const POST_ANSWER_BYTES = 65_536;

type TlsDay = Day<TlsRow>;

/** By mail and by POST, as the domain's record says. */
export class TlsReporter implements Reporting<TlsRow> {
  readonly name = 'tls-report';
  readonly days: TlsCounts;
  readonly #options: TlsReporterOptions;

  constructor(options: TlsReporterOptions) {
    this.#options = options;
    this.days = options.counts;
  }

  readonly report = async (day: TlsDay): Promise<boolean> => {
    const lookup = await this.#options.resolver.txt(tlsRptName(day.domain));
    if (lookup.kind === 'failed') return false;
    const places = lookup.kind === 'found' ? readTlsRptRecords(lookup.records) : [];
    if (places.length === 0) return true;
    const report = this.#made(day);
    const packed = this.#options.pack(formatTlsReport(report));
    const sent = await Promise.all(places.map((place) => this.#to(place, day, report, packed)));
    // RFC 8460 3: each place is one that the domain would do with.
    return sent.includes(true);
  };

  #to(place: ReportPlace, day: TlsDay, report: TlsReport, packed: Uint8Array): Promise<boolean> {
    const to = place.kind === 'mail' ? place.address : place.url;
    const about = { domain: day.domain, day: day.day, to };
    return attempt(this.#options.log, this.name, about, () =>
      place.kind === 'mail'
        ? this.#mail(place.address, day, report, packed)
        : this.#post(place.url, packed),
    );
  }

  /**
   * RFC 8460 5.3. TLS is optional on its way, for it may speak of broken TLS (RFC 8460 3), and so
   * nothing is counted of it: there is no report about a report.
   */
  async #mail(
    address: string,
    { domain }: TlsDay,
    report: TlsReport,
    packed: Uint8Array,
  ): Promise<void> {
    const { from } = this.#options;
    const to = parseAddress(address);
    if (to === undefined) throw Failure.permanent('bad-address', 'no address');
    await postReport(this.#options, {
      domain,
      begin: seconds(report.start),
      end: seconds(report.end),
      id: report.id,
      to,
      words: words(report, domain),
      packed,
      type: 'application/tlsrpt+gzip',
      extension: 'json',
      multipart: { subtype: 'report', parameters: [['report-type', 'tlsrpt']] },
      fields: [
        formatStructured('TLS-Report-Domain', domain),
        formatStructured('TLS-Report-Submitter', from.domain),
        formatStructured('TLS-Required', 'No'),
      ],
      tls: 'optional',
      kind: 'tls-report',
    });
  }

  /** RFC 8460 5.4. */
  async #post(url: string, packed: Uint8Array): Promise<void> {
    const { status } = await this.#options.web.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/tlsrpt+gzip' },
      body: packed,
      timeoutMs: POST_MS,
      maxBytes: POST_ANSWER_BYTES,
    });
    if (status < 200 || status > 299) {
      throw Failure.temporary('not-taken', `the server answered ${status}`);
    }
  }

  #made({ day, domain, rows }: TlsDay): TlsReport {
    const { from } = this.#options;
    return {
      organization: from.domain,
      start: `${day}T00:00:00Z`,
      end: `${day}T23:59:59Z`,
      contact: formatAddress(from),
      id: `${day}.${domain}@${from.domain}`,
      policies: rows,
    };
  }
}

function seconds(date: string): number {
  return Math.floor(Date.parse(date) / 1_000);
}

function words(report: TlsReport, domain: string): string {
  const good = report.policies.reduce((sum, { successful }) => sum + successful, 0);
  const bad = report.policies.reduce((sum, { failed }) => sum + failed, 0);
  return (
    `This is a report about TLS in mail from ${report.organization} to ${domain}\n` +
    `from ${report.start} to ${report.end} (RFC 8460).\n\n` +
    `Sessions as they should be: ${good}\nSessions with a failure:    ${bad}\n\n` +
    `The attachment has the details.\n`
  );
}
