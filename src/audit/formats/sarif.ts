/** Findings as SARIF 2.1.0 (OASIS), for code scanning: rules, results, the dialogue as attachment. */

import type { Finding } from '../finding.ts';
import type { Report } from '../report.ts';
import { placeName } from '../verdict.ts';
import { jsonText } from './json.ts';
import { cureText, dialogue } from './words.ts';

const LEVELS = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
} as const;

/** What GitHub and others sort by: CVSS-like numbers as text. */
const SCORES = { critical: '9.5', high: '8.0', medium: '5.5', low: '3.0', info: '0.5' } as const;

/** The whole SARIF file. */
export function sarifText(report: Report): string {
  const findings = report.findings;
  const rules = [...new Map(findings.map((finding) => [finding.id, finding])).values()];
  const ruleIndex = new Map(rules.map(({ id }, index) => [id, index]));
  return `${jsonText(
    {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              name: 'postern audit',
              semanticVersion: report.version,
              rules: rules.map(ruleOf),
            },
          },
          invocations: [
            {
              executionSuccessful: true,
              startTimeUtc: report.started,
              endTimeUtc: report.finished,
              properties: { target: report.target, level: report.level },
            },
          ],
          results: findings.map((finding) => resultOf(finding, ruleIndex.get(finding.id) ?? 0)),
        },
      ],
    },
    1,
  )}\n`;
}

function ruleOf({ id, title, means, doesNotMean, rfc, cures, severity, group }: Finding): object {
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: means },
    help: { text: [means, doesNotMean, ...rfc, ...cures.map(cureText)].join('\n') },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { tags: ['security', group], 'security-severity': SCORES[severity] },
  };
}

function resultOf(finding: Finding, ruleIndex: number): object {
  const { id, title, seen, severity, confidence, target, evidence, controls, details } = finding;
  const kinds = {
    confirmed: 'fail',
    likely: 'fail',
    inconclusive: 'review',
    'not-observed': 'pass',
  } as const;
  const kind = kinds[confidence];
  const uri = `${target.protocol}://${placeName(target)}`;
  return {
    ruleId: id,
    ruleIndex,
    kind,
    // SARIF 3.27.10: what is no failure has the level none.
    level: kind === 'fail' ? LEVELS[severity] : 'none',
    message: { text: `${title}: ${seen}` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri }, region: regionOf(finding) },
        logicalLocations: [{ fullyQualifiedName: `${placeName(target)}/${id}`, kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'postern/v1': `${id} ${placeName(target)}` },
    properties: { confidence, controls, details, connections: evidence.length },
  };
}

/** Lines of the dialogue, counted as `dialogue` writes them. */
function regionOf(finding: Finding): object {
  const lines = dialogue(finding);
  return {
    startLine: 1,
    endLine: Math.max(1, lines.length),
    snippet: { text: lines.join('\n').slice(0, 20_000) },
  };
}
