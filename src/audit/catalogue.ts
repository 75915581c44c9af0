/** docs/checks.md from the checks themselves: what is looked for, how bad it is, what cures it. */

import { type Check, groupOf, GROUPS, type Group, type Level, LEVELS } from './check.ts';
import { isSentence, placeOf } from './cure.ts';
import { CONFIGURATION_CHECKS } from './configuration/findings.ts';
import type { Probe } from './probe.ts';
import { NOTHING_ANSWERS, UNIDENTIFIED } from './run/discovered.ts';
import { productName } from './formats/words.ts';

interface Entry {
  readonly check: Check;
  readonly level: Level;
}

const TITLES: Readonly<Record<Group, string>> = {
  fingerprint: 'Fingerprint',
  plaintext: 'Plaintext and logins',
  hygiene: 'Manners of the protocol',
  tls: 'TLS',
  injection: 'Injection',
  smuggling: 'SMTP smuggling',
  parsing: 'Parsing',
  limits: 'Limits',
  users: 'User enumeration',
  relay: 'Relay',
  posture: 'DNS posture',
  configuration: 'Configuration',
  exposure: 'Exposure',
};

/** Markdown, a section for each group. */
export function checksPage(probes: readonly Probe[]): string {
  const entries = entriesOf(probes);
  const sections = GROUPS.flatMap((group) => {
    const own = entries.filter(({ check }) => groupOf(check) === group);
    return own.length === 0 ? [] : [section(TITLES[group], own)];
  });
  return `# Checks of the auditor

Made by \`npm run docs\` from \`src/audit/probes\`. ${entries.length} checks. Each is told as confirmed, likely,
inconclusive (with the reason) or not observed. Severity is that of a confirmed finding where nothing softens it: a
finding on port 25, where TLS is opportunistic, may be milder.

${sections.join('\n')}`;
}

/** Every check there is, each once, by id: of probes, of discovery and of configuration files. */
export function allChecks(probes: readonly Probe[]): readonly Check[] {
  return entriesOf(probes).map(({ check }) => check);
}

/** Each check with the mildest level at which a probe tries it. */
function entriesOf(probes: readonly Probe[]): readonly Entry[] {
  const all = new Map<string, Entry>();
  for (const check of [NOTHING_ANSWERS, UNIDENTIFIED])
    all.set(check.id, { check, level: 'passive' });
  for (const check of CONFIGURATION_CHECKS) all.set(check.id, { check, level: 'passive' });
  for (const { checks, level } of probes) {
    for (const check of checks) {
      const before = all.get(check.id);
      if (before === undefined || LEVELS.indexOf(level) < LEVELS.indexOf(before.level)) {
        all.set(check.id, { check, level });
      }
    }
  }
  return [...all.values()].sort((a, b) => (a.check.id < b.check.id ? -1 : 1));
}

function section(title: string, entries: readonly Entry[]): string {
  return `## ${title}\n\n${entries.map(entry).join('\n')}`;
}

function entry({ check, level }: Entry): string {
  const rows = check.cures.map(
    ({ product, lines }) =>
      `- ${productName(product)}: ${lines.map(code).join('; ').replaceAll(':; ', ': ')}`,
  );
  const rfc = check.rfc.length === 0 ? '' : ` ${check.rfc.join(', ')}.`;
  const cures = rows.length === 0 ? '' : `\n${rows.join('\n')}\n`;
  return `### ${check.id}
**${check.title}** (${check.severity}; level ${level}).${rfc}
${check.means} ${check.doesNotMean}
${cures}`;
}

/** Configuration as code, sentences and places as they are. */
function code(line: string): string {
  const place = placeOf(line);
  if (place !== undefined) return `in ${place}:`.replace('in then run', 'then run');
  if (isSentence(line)) return line;
  // The quotes of m4 begin with a backtick: two of them around it keep it as it is.
  return line.includes('`') ? `\`\` ${line.trim()} \`\`` : `\`${line.trim()}\``;
}
