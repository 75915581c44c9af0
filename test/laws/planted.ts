/** The law of plantings: every check was shown by something weak and denied by its cured twin. */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { CONFIGURATION_CHECKS } from '#audit/configuration/findings.ts';
import { checksOf, PROBES } from '#audit/probes/all.ts';
import { SHOWN } from '../world/shown.ts';

/** What is missing of the catalogue, a line each; empty when the law is kept. */
export function unplanted(ids: readonly string[], notes: readonly string[]): string[] {
  const said = new Set(notes);
  return ids.flatMap((id) => {
    const missing = ['shown', 'denied'].filter((word) => !said.has(`${id} ${word}`));
    return missing.length === 0 ? [] : [`${id}: never ${missing.join(', never ')}`];
  });
}

/** Reads what all test processes wrote while POSTERN_SHOWN named a folder. */
function main(): number {
  const folder = process.env[SHOWN] ?? '';
  if (folder === '' || !existsSync(folder)) {
    process.stderr.write(`${SHOWN} names no folder with what tests have shown: npm test\n`);
    return 2;
  }
  const notes = readdirSync(folder).flatMap((name) =>
    readFileSync(path.join(folder, name), 'utf8').split('\n'),
  );
  const ids = [...checksOf(PROBES), ...CONFIGURATION_CHECKS].map(({ id }) => id);
  const missing = unplanted(ids, notes);
  for (const line of missing) process.stderr.write(`${line}\n`);
  process.stdout.write(`${ids.length - missing.length} of ${ids.length} checks are planted\n`);
  return missing.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main();
