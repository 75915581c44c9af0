/** The reports that this server sends by itself, to the domains that ask for them. */

import { gzipSync } from 'node:zlib';
import { invariant } from '#base/failure.ts';
import { parseAddress } from '#base/address.ts';
import type { Web } from '#base/web.ts';
import type { Log, World } from '#base/world.ts';
import { DailyReports } from '#agents/reports/daily.ts';
import type { DmarcCounts } from '#agents/reports/dmarc/counts.ts';
import { DmarcReporter } from '#agents/reports/dmarc/reporter.ts';
import type { ReportPost } from '#agents/reports/letter.ts';
import type { TlsCounts } from '#agents/reports/tls/counts.ts';
import { TlsReporter } from '#agents/reports/tls/reporter.ts';
import type { Site } from '#service/site.ts';
import type { Settings } from '../configuration/settings.ts';
import { domainOf } from './site.ts';

/** What reports are made from. */
export interface ReportSources {
  readonly tls: TlsCounts;
  readonly dmarc: DmarcCounts;
  readonly web: Web;
}

/** Begins; returns how to end. A kind without a sender is not sent. */
export function startReports(
  settings: Settings,
  world: World,
  site: Pick<Site, 'intake' | 'signer' | 'store'>,
  { tls, dmarc, web }: ReportSources,
): () => void {
  const { tls_report_from: tlsFrom, dmarc_report_from: dmarcFrom } = settings;
  const { resolver, log } = world;
  tellMissing(settings, site, log);
  const reports = new DailyReports(world);
  const post = (sender: string): ReportPost => postFrom(sender, settings, world, site);
  if (tlsFrom !== undefined) {
    reports.add(new TlsReporter({ ...post(tlsFrom), counts: tls, resolver, web, log }));
  }
  if (dmarcFrom !== undefined) {
    reports.add(new DmarcReporter({ ...post(dmarcFrom), counts: dmarc, resolver, log }));
  }
  if (tlsFrom === undefined && dmarcFrom === undefined) return () => undefined;
  reports.start();
  return () => reports.stop();
}

/** An account that is not there gets no reports, and nobody would notice. */
function tellMissing(
  { report_accounts: named }: Settings,
  { store }: Pick<Site, 'store'>,
  log: Log,
) {
  for (const address of named) {
    if (store.directory.account(address) !== undefined) continue;
    const cure = `postern account add ${address}, or take it out of report_accounts`;
    log.event('warn', 'report-account-missing', { address, cure });
  }
}

function postFrom(
  sender: string,
  settings: Settings,
  { clock, random }: World,
  { intake, signer }: Pick<Site, 'intake' | 'signer'>,
): ReportPost {
  const from = parseAddress(sender);
  invariant(from !== undefined, 'senders of reports were checked');
  return {
    intake,
    sign: (mail, atMs) => signer.signNotice(mail, atMs),
    pack: gzipSync,
    clock,
    random,
    myhostname: domainOf(settings.myhostname),
    from,
  };
}
