/** `postern version`: of Postern, of Node and of SQLite. */

import { readFileSync } from 'node:fs';
import type { Command } from '../command.ts';
import { answer } from '../command.ts';

export const version: Command = {
  name: 'version',
  summary: 'print the versions of Postern, Node and SQLite',
  run: async (context) => {
    const versions = {
      postern: posternVersion(),
      node: process.versions.node,
      sqlite: process.versions['sqlite'] ?? 'unknown',
    };
    answer(
      context,
      versions,
      () => `postern ${versions.postern} (node ${versions.node}, sqlite ${versions.sqlite})\n`,
    );
  },
};

/** The version in package.json. */
export function posternVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  const description: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof description === 'object' && description !== null && 'version' in description) {
    return String(description.version);
  }
  return 'unknown';
}
