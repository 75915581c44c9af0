/** Sends each domain that asks for it what became of yesterday's sessions with it (RFC 8460). */

import { type Address, formatAddress, parseAddress } from '#base/address.ts';
import type { Domain } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import type { Web } from '#base/web.ts';
import type { Clock, Log, Random, Resolver, Timer } from '#base/world.ts';
import { type ReportPlace, readTlsRptRecords, tlsRptName } from '#trust/tls-rpt/record.ts';
import { type TlsReport, formatTlsReport } from '#trust/tls-rpt/report.ts';
import type { Intake, NewMail } from '../../mail.ts';
import type { DayCounts, TlsCounts } from './counts.ts';
import { tlsLetter } from './letter.ts';

export interface TlsReporterOptions {
  readonly counts: TlsCounts;
  readonly intake: Pick<Intake, 'newId' | 'accept'>;
  /** Signs the mail (DKIM): unsigned reports are not believed (RFC 8460 3). */
  readonly sign: (mail: NewMail, atMs: number) => NewMail;
  /** gzip. */
  readonly pack: (octets: Uint8Array) => Uint8Array;
  readonly resolver: Resolver;
  readonly web: Web;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly myhostname: Domain;
  readonly from: Address;
}

const EVERY_MS = 3_600_000;
/** Not all the world at midnight: somewhere in the first hours of the day (RFC 8460 4.1). */
const SPREAD_MS = 3 * 3_600_000;
const POST_MS = 60_000;
const POST_ANSWER_BYTES = 65_536;
const BOUNDARY_OCTETS = 18;

/** Looks each hour for days that are over; what cannot be sent is tried again next time. */
export class TlsReporter {
  readonly #options: TlsReporterOptions;
  readonly #delayMs: number;
  #timer: Timer | undefined;

  constructor(options: TlsReporterOptions) {
    const [high = 0, low = 0] = options.random.bytes(2);
    this.#options = options;
    this.#delayMs = Math.floor(((high * 256 + low) / 65_536) * SPREAD_MS);
  }

  start(): void {
    this.#timer = this.#options.clock.after(EVERY_MS, () => {
      this.start();
      if (this.#options.clock.now() % 86_400_000 >= this.#delayMs) void this.send();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Reports all that is over, one domain after the other. Never rejects. */
  async send(): Promise<void> {
    const { counts, log } = this.#options;
    for (const day of counts.over()) {
      try {
        if (await this.#report(day)) counts.done(day);
      } catch (thrown) {
        const reason = Failure.from(thrown).message;
        log.event('warn', 'tls-report-failed', { domain: day.domain, day: day.day, reason });
      }
    }
  }

  /** Whether nothing more is to be done for this day. */
  async #report(day: DayCounts): Promise<boolean> {
    const lookup = await this.#options.resolver.txt(tlsRptName(day.domain));
    if (lookup.kind === 'failed') return false;
    const places = lookup.kind === 'found' ? readTlsRptRecords(lookup.records) : [];
    if (places.length === 0) return true;
    const report = this.#made(day);
    const packed = this.#options.pack(formatTlsReport(report));
    const sent = await Promise.all(places.map((place) => this.#to(place, day, report, packed)));
    // RFC 8460 3: each place is one that the domain would do with.
    return sent.includes(true);
  }

  async #to(
    place: ReportPlace,
    day: DayCounts,
    report: TlsReport,
    packed: Uint8Array,
  ): Promise<boolean> {
    const { log } = this.#options;
    const to = place.kind === 'mail' ? place.address : place.url;
    const about = { domain: day.domain, day: day.day, to };
    try {
      if (place.kind === 'mail') await this.#mail(place.address, day, report, packed);
      else await this.#post(place.url, packed);
      log.event('info', 'tls-report-sent', about);
      return true;
    } catch (thrown) {
      log.event('warn', 'tls-report-failed', { ...about, reason: Failure.from(thrown).message });
      return false;
    }
  }

  async #mail(
    address: string,
    day: DayCounts,
    report: TlsReport,
    packed: Uint8Array,
  ): Promise<void> {
    const { intake, clock, random, sign, myhostname, from } = this.#options;
    const to = parseAddress(address);
    if (to === undefined) throw Failure.permanent('bad-address', 'no address');
    const nowMs = clock.now();
    const id = intake.newId();
    const { domain } = day;
    const chance = random.bytes(BOUNDARY_OCTETS);
    const letter = { id, report, packed, domain, from, to, myhostname, nowMs, random: chance };
    await intake.accept(sign(tlsLetter(letter), nowMs));
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

  #made({ day, domain, entries }: DayCounts): TlsReport {
    const { from } = this.#options;
    return {
      organization: from.domain,
      start: `${day}T00:00:00Z`,
      end: `${day}T23:59:59Z`,
      contact: formatAddress(from),
      id: `${day}.${domain}@${from.domain}`,
      policies: entries,
    };
  }
}
