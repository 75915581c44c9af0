/** A configuration file to settings, or to all that is wrong with it. */

import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import type { DefaultFacts, Raw, Setting } from './declare.ts';
import { isDerived } from './declare.ts';
import { contradictions } from './contradictions.ts';
import { formatRaw } from './toml.ts';
import { nearest } from '#base/nearest.ts';
import { places } from './places.ts';
import { SETTINGS } from './settings.ts';
import type { Settings } from './settings.ts';

/** One thing that is wrong, with all that is needed to mend it. */
export interface Problem {
  readonly line: number | undefined;
  readonly name: string | undefined;
  /** What is wrong, after the name: `must be a duration ...`. */
  readonly cause: string;
  /** What to do, as a sentence. */
  readonly cure: string;
}

export type ReadResult =
  | { readonly kind: 'good'; readonly settings: Settings; readonly given: ReadonlySet<string> }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] };

const PROBLEMS = 100;
const FILE_CHARACTERS = 4_194_304;

/** Reads TOML text; every error is told, not only the first, up to 100. Never throws. */
export function readConfiguration(toml: string, facts: DefaultFacts): ReadResult {
  const parsed = parseToml(toml);
  if (parsed.kind === 'bad') return parsed;
  const lines = places(toml);
  const problems: Problem[] = [];
  const given = new Map<string, Raw>(Object.entries(parsed.table as Record<string, Raw>));
  for (const name of given.keys()) {
    if (!SETTINGS.has(name)) problems.push(unknown(name, lines.get(name)));
  }
  const values = new Map<string, unknown>();
  for (const [name, setting] of SETTINGS) {
    const raw = given.get(name) ?? defaultOf(setting, facts);
    const result = v.safeParse(setting.type.schema, raw, { abortPipeEarly: true });
    if (result.success) values.set(name, result.output);
    else problems.push(...broken(name, setting, result.issues, lines, given.has(name)));
  }
  const settings = Object.fromEntries(values) as unknown as Settings;
  if (problems.length === 0) {
    for (const found of contradictions(settings, facts)) {
      problems.push({ ...found, line: lines.get(found.name ?? '') });
    }
  }
  if (problems.length === 0) return { kind: 'good', settings, given: new Set(given.keys()) };
  const sorted = problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { kind: 'bad', problems: sorted.slice(0, PROBLEMS) };
}

/** A problem as one line: `file:12: name cause. Cure.` */
export function formatProblem(file: string, problem: Problem): string {
  const place = problem.line === undefined ? file : `${file}:${problem.line}`;
  const name = problem.name === undefined ? '' : `${problem.name} `;
  return `${place}: ${name}${problem.cause}. ${problem.cure}`;
}

/** What a setting is when the file says nothing, as it would stand in the file. */
export function defaultOf(setting: Setting<unknown>, facts: DefaultFacts): Raw {
  return isDerived(setting.default) ? setting.default.derived(facts) : setting.default;
}

function curing(name: string, setting: Setting<unknown>): string {
  const more = `see \`postern config explain ${name}\``;
  if (isDerived(setting.default)) return `Write ${name} = ... in the file; ${more}.`;
  return `The default is ${formatRaw(setting.default)}; ${more}.`;
}

function parseToml(
  toml: string,
):
  | { readonly kind: 'table'; readonly table: object }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] } {
  if (toml.length > FILE_CHARACTERS) {
    const cause = `is larger than ${FILE_CHARACTERS} characters`;
    const cure = 'Is this the right file?';
    return { kind: 'bad', problems: [{ line: undefined, name: 'The file', cause, cure }] };
  }
  try {
    const table = parse(toml, { unsafeKeyBehaviour: 'throw', maxDepth: 20 });
    return { kind: 'table', table };
  } catch (error) {
    const line = error instanceof TomlError ? error.line : undefined;
    const message = error instanceof Error ? error.message : String(error);
    const first = message.split('\n')[0] ?? '';
    const cause = `This is no TOML: ${first.replace(/^Invalid TOML document: /, '')}`;
    const cure = 'Lines look like name = "text", name = 5, name = true or name = ["a", "b"].';
    return { kind: 'bad', problems: [{ line, name: undefined, cause, cure }] };
  }
}

function unknown(name: string, line: number | undefined): Problem {
  const near = nearest(name, SETTINGS.keys());
  const cure =
    near === undefined
      ? 'See `postern config explain` for all names.'
      : `Did you mean ${near}? Else remove it.`;
  return { line, name: name.slice(0, 80), cause: 'is no setting', cure };
}

function broken(
  name: string,
  setting: Setting<unknown>,
  issues: readonly v.BaseIssue<unknown>[],
  lines: ReadonlyMap<string, number>,
  given: boolean,
): Problem[] {
  return issues.slice(0, PROBLEMS).map((issue) => {
    const path = (issue.path ?? []).map((step) => String(step.key));
    const deep = [name, ...path].join('.');
    const shownName = path.length === 0 ? name : `${name}[${path.join('.')}]`;
    const cause = given ? issue.message : `is not set, and its default ${issue.message}`;
    return {
      line: lines.get(deep) ?? lines.get(name),
      name: shownName,
      cause,
      cure: curing(name, setting),
    };
  });
}
