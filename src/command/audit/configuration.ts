/** `postern audit --config FILE`: the configuration of another server, read and judged. */

import type { Finding } from '#audit/finding.ts';
import { besides, configurationFindings, readerFor } from '#audit/configuration/findings.ts';
import type { ConfigurationReader } from '#audit/configuration/reader.ts';
import { isChosen } from '#audit/run/request.ts';
import { REPORT_SCHEMA, type Report } from '#audit/report.ts';
import type { Context } from '../command.ts';
import { option } from '../command.ts';
import { posternVersion } from '../commands/version.ts';
import { columns, harmless } from '../io.ts';
import { choiceOf } from './choice.ts';
import { levelOf, textOf, usage } from './options.ts';

export interface ReadConfiguration {
  readonly file: string;
  readonly reader: ConfigurationReader;
  readonly findings: readonly Finding[];
}

/** The file of another server that `--config` names; undefined: none, or Postern's own. */
export function otherConfiguration(context: Context): ReadConfiguration | undefined {
  const file = option(context, 'config');
  if (file === undefined) return undefined;
  const text = textOf(file);
  const reader = readerFor(text);
  if (reader === undefined) return undefined;
  const at = new Date(context.now()).toISOString();
  const choice = choiceOf(context);
  const findings = configurationFindings(reader, text, file, at);
  return { file, reader, findings: findings.filter(({ id }) => isChosen(id, choice)) };
}

/** A report about the file alone; a CommandError where nothing of it was to be judged. */
export function configurationReport(context: Context, read: ReadConfiguration): Report {
  if (read.findings.length === 0) {
    throw usage('--only and --skip leave no check of the file', 'See docs/checks.md.');
  }
  const now = new Date(context.now()).toISOString();
  const level = levelOf(context);
  return {
    schema: REPORT_SCHEMA,
    version: posternVersion(),
    target: read.file,
    started: now,
    finished: now,
    level,
    grounds: [],
    vantage: { source: undefined, note: `the configuration of ${read.reader.product} was read` },
    services: [],
    others: [],
    closedPorts: 0,
    filteredPorts: 0,
    spent: { connections: 0, messages: 0, sentBytes: 0, receivedBytes: 0 },
    findings: read.findings,
    request: { places: [], domains: [], level, source: undefined, selectors: [] },
  };
}

/** Side by side: what the file says, what the server does, what the standards want. */
export function besideText(read: ReadConfiguration, server: readonly Finding[]): string {
  const rows = besides(read.reader, read.findings, server);
  if (rows.length === 0) return '';
  const table = columns([
    ['', 'file', 'server', 'standard', ''],
    ...rows.map(({ title, configuration, server: does, rfc, verdict }) => [
      `  ${title}`,
      configuration,
      does,
      rfc[0] ?? '',
      verdict,
    ]),
  ]);
  return `\nThe file ${harmless(read.file, 200)} beside the server:\n${table}`;
}
