/** The source tree as the laws see it: files, their text, and what each imports. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface SourceFile {
  /** From the project's root: `src/base/bytes.ts`. */
  readonly path: string;
  /** `base`, `protocol`; `test` for everything under test/. */
  readonly floor: string;
  readonly text: string;
  readonly isTest: boolean;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The project's file it names, if it is one. */
  readonly target: string | undefined;
}

export const ROOT = path.resolve(import.meta.dirname, '../..');

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)/g;
const BARE = /(?:^|\n)import\s+'([^']+)'/g;

/** Every TypeScript file under src and test. */
export function readTree(): SourceFile[] {
  return [...filesBelow('src'), ...filesBelow('test')].map(readSource);
}

function filesBelow(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)))
    .sort();
}

function readSource(file: string): SourceFile {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const [top, floor] = file.split('/');
  const specifiers = [...text.matchAll(IMPORT), ...text.matchAll(BARE)].map(
    (match) => match[1] ?? match[2] ?? '',
  );
  return {
    path: file,
    floor: top === 'test' ? 'test' : (floor ?? ''),
    text,
    isTest: file.endsWith('.test.ts') || top === 'test',
    imports: specifiers.map((specifier) => ({ specifier, target: targetOf(file, specifier) })),
  };
}

function targetOf(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('#test/')) return specifier.replace('#test/', 'test/');
  if (specifier.startsWith('#')) return specifier.replace('#', 'src/');
  if (specifier.startsWith('.')) return path.join(path.dirname(from), specifier);
  return undefined;
}
