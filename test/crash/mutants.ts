/** Builds of Postern to crash: the true one, and such with one line wrong that must be found out. */

import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../laws/tree.ts';

export interface Build {
  readonly name: string;
  /** What Node is started with. */
  readonly program: string;
}

export interface Mutant {
  readonly name: string;
  /** What is wrong with it, for the report. */
  readonly why: string;
  readonly file: string;
  readonly text: string;
  readonly instead: string;
}

export const NORMAL: Mutant = {
  name: 'normal',
  why: 'synchronous=NORMAL: a commit is not synced',
  file: 'src/engine/connection.ts',
  text: 'PRAGMA synchronous = FULL;',
  instead: 'PRAGMA synchronous = NORMAL;',
};

export const EARLY: Mutant = {
  name: 'early',
  why: 'the reply is sent before the commit',
  file: 'src/agents/intake.ts',
  text: "const written = store.write('accept', { acceptance });",
  instead: `store.write('accept', { acceptance }).catch(() => undefined);
      const written = Promise.resolve({ durable: {}, result: { deliveries: [] } });`,
};

export const NAMELESS: Mutant = {
  name: 'nameless',
  why: 'the directory of a new body file is not synced',
  file: 'src/engine/spool.ts',
  text: 'await Promise.all([this.#sync(), this.#room.syncNames()]);',
  instead: 'await this.#sync();',
};

export const FORGETFUL: Mutant = {
  name: 'forgetful',
  why: 'a new body file is not synced',
  file: 'src/engine/spool.ts',
  text: 'await file?.datasync();',
  instead: '',
};

/**
 * Copies what runs into a folder of its own, so that edits do not reach a run that has begun.
 * Mutants are copies of that copy; one whose text is not there exactly once is an error: it would
 * prove nothing.
 */
export function makeBuild(folder: string, mutant?: Mutant): Build {
  const name = mutant?.name ?? TRUE;
  const root = path.join(folder, name);
  const build = { name, program: path.join(root, 'bin/postern.js') };
  if (existsSync(root)) return build;
  const from = mutant === undefined ? ROOT : path.join(folder, TRUE);
  mkdirSync(root, { recursive: true });
  for (const part of ['src', 'bin', 'package.json']) {
    cpSync(path.join(from, part), path.join(root, part), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
  if (mutant !== undefined) rewrite(path.join(root, mutant.file), mutant);
  return build;
}

const TRUE = 'build';

function rewrite(file: string, { name, text, instead }: Mutant): void {
  const parts = readFileSync(file, 'utf8').split(text);
  if (parts.length !== 2) {
    throw new Error(`mutant ${name}: its line is ${parts.length - 1} times in ${file}`);
  }
  writeFileSync(file, parts.join(instead));
}
