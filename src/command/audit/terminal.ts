/** The report for a terminal: the short answer first, then each finding in detail. */

import { cureText, controlsText, dialogue, productName } from '#audit/formats/words.ts';
import type { Finding } from '#audit/finding.ts';
import type { Report } from '#audit/report.ts';
import { type Judged, placeName } from '#audit/verdict.ts';
import { columns, harmless, type Io, type Style, styled } from '../io.ts';

export interface TerminalOptions {
  /** The short answer alone. */
  readonly quiet: boolean;
  /** Also what was not found. */
  readonly all: boolean;
}

const EVIDENCE_LINES = 24;
const UNCLEAR_ROWS = 20;
const STYLES: Readonly<Record<Finding['severity'], Style>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  info: 'dim',
};

/** Text with line ends; everything from outside is harmless. */
export function terminalReport(
  report: Report,
  judged: Judged,
  io: Pick<Io, 'colour'>,
  options: TerminalOptions,
): string {
  const found = [...judged.failing, ...judged.milder];
  const parts = [
    head(report),
    services(report),
    found.map((finding) => shortLine(finding, io)).join(''),
    unclear(judged),
    waived(judged),
    options.quiet ? '' : found.map((finding) => detail(finding, io)).join(''),
    options.all ? passed(report) : '',
    closing(report, judged, io),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function head({ target, level, vantage, grounds }: Report): string {
  const why = grounds.flatMap(({ host, ground }) => {
    if (ground.kind === 'authorised') return [`${host}: authorised by ${ground.by}`];
    return ground.kind === 'published' ? [`${host}: permitted by ${ground.name}`] : [];
  });
  const lines = [`${target}, level ${level}; ${vantage.note}`, ...why];
  return lines.map((line) => `${harmless(line)}\n`).join('');
}

function services({ services: rows, others }: Report): string {
  const table = columns([
    ...rows.map(({ host, address, port, protocol, tls, product, productVersion }) => [
      `  ${harmless(placeName({ host, address, port, protocol, tls }), 60)}`,
      protocol,
      tls === 'none' ? 'no TLS' : tls === 'implicit' ? 'TLS' : 'STARTTLS',
      harmless(`${productName(product)} ${productVersion ?? ''}`.trim(), 60),
    ]),
    ...others.map(({ host, port, why }) => [
      `  ${harmless(host, 60)}:${port}`,
      'unknown',
      '',
      harmless(why, 100),
    ]),
  ]);
  return table === '' ? '' : table;
}

function shortLine(finding: Finding, io: Pick<Io, 'colour'>): string {
  const { severity, title, confidence, target } = finding;
  const tag = styled(io, STYLES[severity], severity.padEnd(8));
  const sure = confidence === 'confirmed' ? '' : ` (${confidence})`;
  return `${tag} ${harmless(placeName(target), 60)}  ${title}${sure}\n`;
}

function unclear({ unclear: findings }: Judged): string {
  const rows = findings
    .slice(0, UNCLEAR_ROWS)
    .map(
      ({ id, target, seen }) =>
        `  ${id} ${harmless(placeName(target), 60)}: ${harmless(seen, 200)}\n`,
    );
  if (rows.length === 0) return '';
  const more = findings.length - rows.length;
  const rest = more > 0 ? `  and ${more} more\n` : '';
  return `Could not be told (no pass):\n${rows.join('')}${rest}`;
}

function waived({ waived: rows, expired }: Judged): string {
  const lines = [
    ...rows.map(
      ({ finding, waiver }) =>
        `  ${finding.id} ${placeName(finding.target)}: waived until ${waiver.until}: ${waiver.reason}`,
    ),
    ...expired.map(({ id, until }) => `  ${id}: the waiver ended on ${until}`),
  ];
  return lines.map((line) => `${harmless(line)}\n`).join('');
}

function detail(finding: Finding, io: Pick<Io, 'colour'>): string {
  const { id, title, seen, means, doesNotMean, rfc, cures, severity, target } = finding;
  const controls = controlsText(finding.controls);
  const all = dialogue(finding);
  const cut = all.length - EVIDENCE_LINES;
  const shown = cut > 0 ? all.slice(-EVIDENCE_LINES) : all;
  const lines = [
    `  seen      ${harmless(seen)}`,
    `  means     ${means}`,
    `  but       ${doesNotMean}`,
    ...(controls === '' ? [] : [`  controls  ${controls}`]),
    ...(rfc.length === 0 ? [] : [`  see       ${rfc.join(', ')}`]),
    ...cures
      .slice(0, finding.product === 'unknown' ? undefined : 1)
      .map((cure) => `  cure      ${cureText(cure)}`),
    ...(cut > 0 ? [`  | (${cut} lines before: see --output)`] : []),
    ...shown.map((line) => `  | ${harmless(line, 300)}`),
  ];
  const where = harmless(placeName(target), 60);
  const name = styled(io, STYLES[severity], `${severity}: ${title}`);
  return `\n${name}\n  at        ${where} (${id})\n${lines.join('\n')}\n`;
}

function passed({ findings }: Report): string {
  const rows = findings
    .filter(({ confidence }) => confidence === 'not-observed')
    .map(
      ({ id, target, seen }) =>
        `  ${id} ${harmless(placeName(target), 60)}: ${harmless(seen, 160)}\n`,
    );
  return rows.length === 0 ? '' : `Tested and not found:\n${rows.join('')}`;
}

function closing(
  { findings, spent, started, finished }: Report,
  judged: Judged,
  io: Pick<Io, 'colour'>,
): string {
  const seconds = ((Date.parse(finished) - Date.parse(started)) / 1_000).toFixed(1);
  const count = judged.failing.length + judged.milder.length;
  const words = { pass: 'passed', findings: 'not passed', inconclusive: 'undecided' } as const;
  const styles = { pass: 'green', findings: 'red', inconclusive: 'yellow' } as const;
  const word = styled(io, styles[judged.verdict], words[judged.verdict]);
  return (
    `${word}: ${count} found, ${judged.unclear.length} not told, of ${findings.length} tests; ` +
    `${spent.connections} connections, ${spent.messages} messages, ${seconds} s\n`
  );
}
