/** Where each name stands in a TOML file: its line, for errors that are about values. */

const LONGEST_KEY = 8;

/**
 * Line numbers (from 1) by dotted name. A reader of lines, not of TOML: it follows headers,
 * keys, and strings over several lines, and is right for files that the TOML parser accepted.
 */
export function places(toml: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  let table = '';
  let open: string | undefined;
  for (const [index, line] of toml.split('\n').entries()) {
    if (open !== undefined) {
      if (line.includes(open)) open = undefined;
      continue;
    }
    const header = /^\s*\[{1,2}([^[\]]+)\]{1,2}/.exec(line)?.[1];
    const key = header === undefined ? keyOf(line) : undefined;
    if (header !== undefined) table = normal(header);
    const name = header === undefined ? join(table, key) : table;
    if (name !== undefined && !found.has(name)) found.set(name, index + 1);
    open = opened(line);
  }
  return found;
}

/** The key before the first `=` that is outside of quotes; undefined when there is none. */
function keyOf(line: string): string | undefined {
  let quote = '';
  for (let at = 0; at < line.length && at < 1_000; at += 1) {
    const character = line.charAt(at);
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '#') return undefined;
    else if (character === '=') {
      const key = normal(line.slice(0, at));
      return key === '' ? undefined : key;
    }
  }
  return undefined;
}

function normal(dotted: string): string {
  return parts(dotted).join('.');
}

function parts(dotted: string): string[] {
  const found: string[] = [];
  for (const match of dotted.matchAll(/"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)/g)) {
    if (found.length === LONGEST_KEY) break;
    found.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return found;
}

function join(table: string, key: string | undefined): string | undefined {
  if (key === undefined) return undefined;
  return table === '' ? key : `${table}.${key}`;
}

/** The delimiter of a multi-line string that a line leaves open. */
function opened(line: string): string | undefined {
  for (const delimiter of ['"""', "'''"]) {
    if ((line.split(delimiter).length - 1) % 2 === 1) return delimiter;
  }
  return undefined;
}
