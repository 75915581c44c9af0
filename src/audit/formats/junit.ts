/** Findings as JUnit XML, for CI: a suite for each service, a case for each check. */

import { type Finding, isFound } from '../finding.ts';
import type { Report } from '../report.ts';
import { placeName } from '../verdict.ts';
import { cureText, dialogue } from './words.ts';

/** `isFailing`: what the run was told to fail on; milder findings are cases with output. */
export function junitText(report: Report, isFailing: (finding: Finding) => boolean): string {
  const suites = Map.groupBy(report.findings, ({ target }) => placeName(target));
  const body = [...suites].map(([place, findings]) => suite(place, findings, isFailing));
  const title = escapeXml(`postern audit ${report.target}`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${title}">\n${body.join('')}</testsuites>\n`;
}

function suite(
  place: string,
  findings: readonly Finding[],
  isFailing: (finding: Finding) => boolean,
): string {
  const failures = findings.filter(isFailing).length;
  const skipped = findings.filter(({ confidence }) => confidence === 'inconclusive').length;
  const cases = findings.map((finding) => testCase(finding, isFailing(finding)));
  return (
    `<testsuite name="${escapeXml(place)}" tests="${findings.length}" failures="${failures}" ` +
    `errors="0" skipped="${skipped}">\n${cases.join('')}</testsuite>\n`
  );
}

function testCase(finding: Finding, failing: boolean): string {
  const { id, title, seen, severity, confidence, group, target } = finding;
  const name = escapeXml(`${id}: ${title}`);
  const text = escapeXml(
    [seen, finding.means, ...finding.cures.map(cureText), '', ...dialogue(finding)].join('\n'),
  );
  const words = escapeXml(`${severity}, ${confidence}: ${seen}`);
  const inner = failing
    ? `<failure message="${words}" type="${severity}">${text}</failure>`
    : confidence === 'inconclusive'
      ? `<skipped message="${words}"/>`
      : isFound(finding)
        ? `<system-out>${text}</system-out>`
        : '';
  const place = escapeXml(`${placeName(target)}.${group}`);
  return `<testcase classname="${place}" name="${name}">${inner}</testcase>\n`;
}

/** Text for XML 1.0: markup escaped, characters that XML cannot hold become `?`. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '?')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
