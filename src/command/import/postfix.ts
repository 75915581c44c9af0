/** A Postfix main.cf (or `postconf -n`) to settings and people of Postern. */

import { postfix } from '#audit/configuration/postfix/judge.ts';
import { parseMainCf } from '#audit/configuration/postfix/main-cf.ts';
import type { DefaultFacts, Raw } from '../configuration/declare.ts';
import type { Problem } from '../configuration/read.ts';
import { readConfiguration } from '../configuration/read.ts';
import { formatRaw } from '../configuration/toml.ts';
import { Collection } from './collect.ts';
import type { Imported, ReadFile } from './imported.ts';
import { takePeople } from './people.ts';
import { takePlain } from './plain.ts';
import { reasonFor } from './reasons.ts';
import type { RelayLogin } from './routes.ts';
import { takeNetworks, takeRelayLogin, takeRestrictions, takeTransport } from './routes.ts';

export interface PostfixImport extends Imported {
  readonly relayLogin: RelayLogin | undefined;
}

/**
 * Every line of the file ends in the result: taken over, or left with the reason. Settings that
 * our own reader refuses are left too, so what is returned can be started. Never throws on what
 * stands in the file.
 */
export function importPostfix(text: string, read: ReadFile, facts: DefaultFacts): PostfixImport {
  const file = parseMainCf(text);
  const into = new Collection(file, read);
  for (const { line, why } of file.defects) {
    into.left.push({ line, parameter: '', value: '', why });
  }
  takePlain(into);
  takeNetworks(into);
  takeRestrictions(into);
  takeTransport(into);
  const relayLogin = takeRelayLogin(into);
  const people = takePeople(into);
  dropRefused(into, facts);
  for (const { name, value } of file.parameters.values()) {
    if (!into.knows(name)) into.leave(name, value === '' ? 'is empty there' : reasonFor(name));
  }
  const { settings, taken, left } = into;
  return {
    settings,
    people,
    taken: taken.sort(byLine),
    left: left.sort(byLine),
    unsafe: postfix.judge(text),
    relayLogin,
  };
}

function byLine(
  a: { readonly line: number | undefined },
  b: { readonly line: number | undefined },
): number {
  return (a.line ?? 0) - (b.line ?? 0);
}

/** Settings as a file that our own reader takes. */
export function formatSettings(settings: ReadonlyMap<string, Raw>): string {
  const lines = [...settings].map(([name, raw]) => `${name} = ${formatRaw(raw)}`);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

const ROUNDS = 100;

/** Takes out what our reader refuses, one after another, and says why. */
function dropRefused(into: Collection, facts: DefaultFacts): void {
  for (let round = 0; round < ROUNDS; round += 1) {
    const result = readConfiguration(formatSettings(into.settings), facts);
    if (result.kind === 'good') return;
    const refused = result.problems.filter(({ name }) => into.settings.has(settingOf(name)));
    if (refused.length === 0) return;
    for (const problem of refused) drop(problem, into);
  }
}

/** `transport_maps.example.org` and `mynetworks[2]` are about the setting before the dot. */
function settingOf(name: string | undefined): string {
  return /^[a-z0-9_]*/.exec(name ?? '')?.[0] ?? '';
}

function drop({ name, cause }: Problem, into: Collection): void {
  const setting = settingOf(name);
  into.settings.delete(setting);
  const at = into.taken.findIndex(({ became }) => became.startsWith(`${setting} = `));
  const taken = at === -1 ? undefined : into.taken.splice(at, 1)[0];
  into.left.push({
    line: taken?.line,
    parameter: taken?.parameter ?? setting,
    value: taken?.became ?? '',
    why: cause,
  });
}
