/** Collects an import while it is made: every parameter ends as taken or as left, with its line. */

import type { MainCf } from '#audit/configuration/postfix/main-cf.ts';
import { isPlain, parseTable, parseTableName } from '#audit/configuration/postfix/tables.ts';
import type { Row } from '#audit/configuration/postfix/tables.ts';
import type { Values } from '#audit/configuration/postfix/values.ts';
import { valuesOf } from '#audit/configuration/postfix/values.ts';
import type { Raw } from '../configuration/declare.ts';
import { formatRaw } from '../configuration/toml.ts';
import type { Left, ReadFile, Taken } from './imported.ts';

/** Mutable on purpose: the rows of the import write into it one after another. */
export class Collection {
  readonly file: MainCf;
  readonly values: Values;
  readonly settings = new Map<string, Raw>();
  readonly taken: Taken[] = [];
  readonly left: Left[] = [];
  readonly #read: ReadFile;

  constructor(file: MainCf, read: ReadFile) {
    this.file = file;
    this.values = valuesOf(file);
    this.#read = read;
  }

  lineOf(parameter: string): number | undefined {
    return this.file.parameters.get(parameter)?.line;
  }

  /** A setting of ours comes from a parameter of theirs. */
  set(parameter: string, setting: string, raw: Raw): void {
    this.settings.set(setting, raw);
    this.note(parameter, `${setting} = ${formatRaw(raw)}`);
  }

  /** Something else came of a parameter. */
  note(parameter: string, became: string): void {
    this.taken.push({ line: this.lineOf(parameter), parameter, became });
  }

  /** A parameter, or the part `value` of it, comes to nothing. */
  leave(parameter: string, why: string, value = this.values.text(parameter) ?? ''): void {
    this.left.push({ line: this.lineOf(parameter), parameter, value, why });
  }

  /** The text of a file that main.cf names, or undefined, which was noted then. */
  text(parameter: string, path: string): string | undefined {
    const text = this.#read(path);
    if (text === undefined) this.leave(parameter, 'the file is not there or cannot be read', path);
    return text;
  }

  /** The rows of a table that a parameter names; none when it is not plain, which is noted. */
  table(parameter: string, name: string): readonly Row[] {
    const table = parseTableName(name);
    if (table === undefined || !isPlain(table)) {
      this.leave(parameter, 'only plain text tables are read', name);
      return [];
    }
    const text = this.text(parameter, table.path);
    return text === undefined ? [] : parseTable(text);
  }

  /** Whether anything was said of a parameter. */
  knows(name: string): boolean {
    return [...this.taken, ...this.left].some(({ parameter }) => parameter === name);
  }
}
