/** Before the server takes a changed configuration: the rehearsal, and what follows from it. */

import { join } from 'node:path';
import type { Log } from '#base/world.ts';
import type { Problem } from '../configuration/read.ts';
import type { Settings } from '../configuration/settings.ts';
import { CommandError, EXIT } from '../exit.ts';
import { accept, wasAccepted } from './accepted.ts';
import type { Rehearsed, Weak } from './attack.ts';
import { type Outcome, rehearse } from './rehearse.ts';

const SHOWN = 4;
const AGAIN = 'Try again when the machine has less to do.';

/**
 * Returns when the settings may be served: unchanged ones at once. A CommandError tells what was
 * found; with `self_audit = "warn"` it is logged instead. What could not be told in time is
 * logged, and not accepted: the next start tries again.
 */
export async function enter(
  settings: Settings,
  log: Log,
  attack: (settings: Settings, certificates: string) => Promise<Outcome> = rehearse,
): Promise<void> {
  if (wasAccepted(settings)) return;
  const outcome = await attack(settings, join(settings.data_directory, 'tls'));
  if (outcome.kind === 'untold') {
    log.event('warn', 'self-audit-not-told', { reason: outcome.why });
    return;
  }
  const { weak, tests, unclear, undecided } = outcome.rehearsed;
  if (weak.length > 0 && settings.self_audit === 'refuse') throw refusal(outcome.rehearsed);
  for (const { id, severity, listener, title, cure } of weak) {
    log.event('warn', 'self-audit-found', { id, severity, listener, title, cure });
  }
  if (unclear > 0) log.event('warn', 'self-audit-unclear', { tests, unclear, undecided });
  // What was not told about grave weaknesses was not shown to be absent.
  if (undecided.length > 0) return;
  if (weak.length === 0) log.event('info', 'self-audit-passed', { tests, unclear });
  accept(settings);
}

/** The same attack by hand: what is wrong, or could not be told; nothing is remembered. */
export async function attackedProblems(settings: Settings): Promise<readonly Problem[]> {
  const outcome = await rehearse(settings, undefined);
  const told = { line: undefined, name: undefined };
  if (outcome.kind === 'untold') {
    return [{ ...told, cause: `the attack could not be made: ${outcome.why}`, cure: AGAIN }];
  }
  const { weak, stranger, undecided } = outcome.rehearsed;
  const found = weak.map(({ id, severity, title, seen, listener, cure }) => ({
    ...told,
    cause: `${severity} to a stranger from ${stranger}: ${title} (${id}, on ${listener}). ${seen}`,
    cure,
  }));
  if (undecided.length === 0) return found;
  const cause = `the attack could not tell: ${undecided.join(', ')}`;
  return [...found, { ...told, cause, cure: AGAIN }];
}

/** What was found, a line each, for a person. */
function weakLines({ weak }: Rehearsed): readonly string[] {
  const byId = new Map<string, Weak[]>();
  for (const one of weak) byId.set(one.id, [...(byId.get(one.id) ?? []), one]);
  const lines = [...byId.values()].map((all) => {
    const [{ id, severity, title, seen, cure }] = all as [Weak];
    const where = [...new Set(all.map(({ listener }) => listener))].join(', ');
    const end = cure === '' ? '' : ` Cure: ${cure}`;
    return `${severity}: ${title} (${id}, on ${where}). ${seen}${/[.!?]$/.test(seen) ? '' : '.'}${end}`;
  });
  const more = lines.length - SHOWN;
  return more > 0 ? [...lines.slice(0, SHOWN), `and ${more} more findings`] : lines;
}

function refusal(rehearsed: Rehearsed): CommandError {
  const lines = [
    'the configuration is not taken: the auditor attacked a scratch server with it, ' +
      `as a stranger from ${rehearsed.stranger}, and found:`,
    ...weakLines(rehearsed),
    'Mend it and start again; `postern config check --audit` attacks it without starting. ' +
      'With self_audit = "warn" it is taken all the same.',
  ];
  return new CommandError(EXIT.configuration, lines.join('\n'));
}
