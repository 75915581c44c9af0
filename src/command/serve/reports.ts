/** The reports that this server sends by itself: TLS reports to the domains that ask for them. */

import { gzipSync } from 'node:zlib';
import { invariant } from '#base/failure.ts';
import { parseAddress } from '#base/address.ts';
import type { Web } from '#base/web.ts';
import type { World } from '#base/world.ts';
import type { TlsCounts } from '#agents/reports/tls/counts.ts';
import { TlsReporter } from '#agents/reports/tls/reporter.ts';
import type { Site } from '#service/site.ts';
import type { Settings } from '../configuration/settings.ts';
import { domainOf } from './site.ts';

/** What reports are made from. */
export interface ReportSources {
  readonly counts: TlsCounts;
  readonly web: Web;
}

/** Begins; returns how to end. Without a sender nothing is sent. */
export function startReports(
  settings: Settings,
  world: World,
  site: Pick<Site, 'intake' | 'signer'>,
  { counts, web }: ReportSources,
): () => void {
  const { tls_report_from: sender, myhostname } = settings;
  if (sender === undefined) return () => undefined;
  const from = parseAddress(sender);
  invariant(from !== undefined, 'tls_report_from was checked');
  const { resolver, clock, random, log } = world;
  const reporter = new TlsReporter({
    counts,
    intake: site.intake,
    sign: (mail, atMs) => site.signer.signNotice(mail, atMs),
    pack: gzipSync,
    resolver,
    web,
    clock,
    random,
    log,
    myhostname: domainOf(myhostname),
    from,
  });
  reporter.start();
  return () => reporter.stop();
}
