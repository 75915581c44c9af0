/** A configuration file as findings, and beside them what the server does. */

import { visible } from '#base/bytes.ts';
import { type Check, groupOf } from '../check.ts';
import { type Finding, isFound } from '../finding.ts';
import * as registry from './index.ts';
import type { ConfigurationReader } from './reader.ts';

/** Every check of every reader. */
export const CONFIGURATION_CHECKS: readonly Check[] = Object.values(registry).flatMap(
  ({ checks }) => checks,
);

/** The reader whose language a text is in; undefined: none of them. */
export function readerFor(text: string): ConfigurationReader | undefined {
  return Object.values(registry).find((reader) => reader.recognises(text));
}

/** One finding for each rule of the reader: there, with its line, or not there. */
export function configurationFindings(
  reader: ConfigurationReader,
  text: string,
  file: string,
  at: string,
): readonly Finding[] {
  const weak = new Map(reader.judge(text).map((line) => [line.check.id, line]));
  return reader.checks.map((check): Finding => {
    const found = weak.get(check.id);
    const { parameter, line, severity } = found ?? {};
    const place = line === undefined ? '' : ` (line ${line})`;
    return {
      id: check.id,
      title: check.title,
      group: groupOf(check),
      level: 'passive',
      severity: severity ?? check.severity,
      confidence: found === undefined ? 'not-observed' : 'confirmed',
      seen:
        found === undefined ? 'the file does not say so' : visible(`${found.seen}${place}`, 600),
      means: check.means,
      doesNotMean: check.doesNotMean,
      rfc: check.rfc,
      target: { host: file, address: '', port: 0, protocol: 'configuration', tls: 'none' },
      controls: {},
      details: { parameter: parameter ?? null, line: line ?? null },
      evidence: [],
      product: reader.product,
      cures: check.cures,
      at,
    };
  });
}

/** One weakness from both sides. */
export interface Beside {
  readonly title: string;
  /** What the file says. */
  readonly configuration: 'weak' | 'fine';
  /** What the server does, as far as it was tried. */
  readonly server: 'weak' | 'fine' | 'not told';
  readonly rfc: readonly string[];
  /** `agree`, or what their contradiction means. */
  readonly verdict: string;
}

/**
 * What the file says, what the server does and what the standards want, for each rule of the
 * reader that has a probe. Where the two differ, something else decides than what the rule reads.
 */
export function besides(
  reader: ConfigurationReader,
  configuration: readonly Finding[],
  server: readonly Finding[],
): readonly Beside[] {
  return configuration.flatMap((finding): Beside[] => {
    const ids = reader.live.get(finding.id) ?? [];
    if (ids.length === 0) return [];
    const seen = server.filter(({ id }) => ids.includes(id));
    const tried = seen.filter(
      ({ confidence, details }) => confidence !== 'inconclusive' && details['applicable'] !== false,
    );
    const says = isFound(finding) ? 'weak' : 'fine';
    const does = tried.some(isFound) ? 'weak' : tried.length > 0 ? 'fine' : 'not told';
    return [
      {
        title: finding.title,
        configuration: says,
        server: does,
        rfc: finding.rfc,
        verdict: verdictOf(says, does),
      },
    ];
  });
}

function verdictOf(says: Beside['configuration'], does: Beside['server']): string {
  if (does === 'not told') return 'the server was not asked, or did not tell';
  if (says === does) return 'agree';
  return says === 'weak'
    ? 'the server is stricter: another setting, or another service, closes it'
    : 'the server is weaker: another setting or service opens it, or it runs another file';
}
