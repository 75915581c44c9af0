/** Postfix' main.cf (and what `postconf -n` prints) as text to parameters with their lines. */

/** One parameter as it was written last. */
export interface Parameter {
  readonly name: string;
  /** Continuation lines joined with single blanks; nothing is expanded. */
  readonly value: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

export interface MainCf {
  /** By name, in the order of the file; the last of several counts, as in Postfix. */
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly defects: readonly { readonly line: number; readonly why: string }[];
}

const LINES = 100_000;
const NAME = /^[A-Za-z0-9_.:/-]+$/;

/**
 * Reads by the rules of postconf(5): a line that begins with white space continues the one before;
 * empty lines and lines whose first character is `#` are nothing, also within a continuation.
 * Never throws: what is no parameter is a defect. At most 100,000 lines are read.
 */
export function parseMainCf(text: string): MainCf {
  const parameters = new Map<string, Parameter>();
  const defects: { line: number; why: string }[] = [];
  const lines = text.split(/\r?\n/, LINES + 1);
  if (lines.length > LINES) defects.push({ line: LINES, why: `more than ${LINES} lines` });
  for (const { line, text: written } of logicalLines(lines.slice(0, LINES))) {
    const equals = written.indexOf('=');
    const name = written.slice(0, Math.max(0, equals)).trim();
    if (equals === -1) defects.push({ line, why: 'has no "="' });
    else if (!NAME.test(name)) defects.push({ line, why: 'is no parameter name before "="' });
    else {
      if (parameters.has(name)) {
        defects.push({ line, why: `${name} stands here again; the last one counts` });
        parameters.delete(name);
      }
      parameters.set(name, { name, value: written.slice(equals + 1).trim(), line });
    }
  }
  return { parameters, defects };
}

/** Lines with their continuations: the form that main.cf, tables and aliases share. */
export function logicalLines(lines: readonly string[]): { line: number; text: string }[] {
  const found: { line: number; parts: string[] }[] = [];
  for (const [index, line] of lines.entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const last = found.at(-1);
    if (/^\s/.test(line) && last !== undefined) last.parts.push(content);
    else found.push({ line: index + 1, parts: [content] });
  }
  return found.map(({ line, parts }) => ({ line, text: parts.join(' ') }));
}
