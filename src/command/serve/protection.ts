/** What protects mail on its way: the policies of other domains, kept over restarts. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from '#base/world.ts';
import { DmarcCounts } from '#agents/reports/dmarc/counts.ts';
import { TlsCounts } from '#agents/reports/tls/counts.ts';
import { isReachable } from '#agents/transfer/reach.ts';
import { systemWeb } from '#network/http/client.ts';
import { StsPolicies } from '#trust/mta-sts/policies.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError, EXIT, explain } from '../exit.ts';
import { fileNotebook } from '../notebook.ts';
import type { ReportSources } from './reports.ts';
import { type Protection, reachOf } from './sending.ts';

/** Makes it ready; `close` writes down what is not written yet. */
export function makeProtection(
  settings: Settings,
  world: World,
): { readonly protection: Protection; readonly reports: ReportSources; close(): void } {
  const { clock, resolver, log } = world;
  const authorities = authoritiesFrom(settings, 'smtp_tls_ca_file');
  const web = systemWeb({
    resolver,
    authorities,
    httpsPort: settings.smtp_tls_mta_sts_port,
    // A stranger's policy host must not make us ask our own machine, nor our own network.
    isForbidden: (address) => !isReachable(address, reachOf(settings)),
  });
  const sts = new StsPolicies({
    resolver,
    web,
    clock,
    notebook: fileNotebook(join(settings.data_directory, 'mta-sts.json')),
    notKept: ({ message }) => log.event('warn', 'mta-sts-not-kept', { reason: message }),
  });
  const counts = new TlsCounts({
    clock,
    notebook: fileNotebook(join(settings.data_directory, 'tls-reports.json')),
    notKept: ({ message }) => log.event('warn', 'tls-counts-not-kept', { reason: message }),
  });
  const dmarc = new DmarcCounts({
    clock,
    notebook: fileNotebook(join(settings.data_directory, 'dmarc-reports.json')),
    notKept: ({ message }) => log.event('warn', 'dmarc-counts-not-kept', { reason: message }),
  });
  const reporting = settings.tls_report_from !== undefined;
  return {
    protection: {
      authorities,
      sts: settings.smtp_tls_mta_sts ? sts : undefined,
      ...(reporting ? { counted: counts.counted } : {}),
    },
    reports: { tls: counts, dmarc, web },
    close: () => {
      sts.close();
      counts.close();
      dmarc.close();
    },
  };
}

/** The PEM file that a setting names, or undefined when it names none. */
export function authoritiesFrom(
  settings: Settings,
  name: 'smtp_tls_ca_file' | 'acme_ca_file',
): string | undefined {
  const file = settings[name];
  if (file === '') return undefined;
  try {
    return readFileSync(file, 'latin1');
  } catch (thrown) {
    const known = explain(thrown);
    const cause = `${name}: ${known?.message ?? `${file} cannot be read`}`;
    throw new CommandError(EXIT.configuration, cause, known?.cure, thrown);
  }
}
