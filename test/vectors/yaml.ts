/** A reader of the little YAML that the vector suites are written in; every scalar is a string. */

export type Yaml = string | readonly Yaml[] | YamlMap;
export interface YamlMap {
  readonly [key: string]: Yaml;
}

interface Line {
  readonly indent: number;
  readonly text: string;
}

/**
 * Documents separated by `---`: block maps and sequences, flow sequences, plain and quoted
 * scalars (`\xNN` is the character of that number), block scalars with `|`, `>` and `-`.
 */
export function parseYaml(text: string): Yaml[] {
  const documents: string[][] = [[]];
  for (const line of text.split(/\r?\n/)) {
    if (/^---\s*$/.test(line)) documents.push([]);
    else if (!/^(?:%|\.\.\.\s*$)/.test(line)) documents.at(-1)!.push(line);
  }
  return documents
    .map((lines) => new Reader(lines))
    .filter((reader) => reader.peek() !== undefined)
    .map((reader) => reader.value(0));
}

/** A document as a map, a map's entry as a map; for suites that know their own shape. */
export function asMap(value: Yaml | undefined): YamlMap {
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error('a map was expected');
  return value as YamlMap;
}

/** A sequence as it is, anything else as a sequence of one. */
export function asList(value: Yaml | undefined): readonly Yaml[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as Yaml];
}

export function asText(value: Yaml | undefined): string {
  if (typeof value !== 'string') throw new Error('a scalar was expected');
  return value;
}

class Reader {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** The next line that is neither empty nor a comment. */
  peek(): Line | undefined {
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at]!;
      const text = line.trimStart();
      if (text !== '' && !text.startsWith('#')) {
        return { indent: line.length - text.length, text: text.trimEnd() };
      }
    }
    return undefined;
  }

  /** What begins on the next line, if it is indented by `least` at least. */
  value(least: number): Yaml {
    const line = this.peek();
    if (line === undefined || line.indent < least) return '';
    if (isItem(line.text)) return this.#sequence(line.indent);
    if (splitKey(line.text) !== undefined) return this.#map(line.indent, {});
    this.#at++;
    return this.#scalar(line.text, least);
  }

  #map(indent: number, map: Record<string, Yaml>): YamlMap {
    for (;;) {
      const line = this.peek();
      const entry = line?.indent === indent ? splitKey(line.text) : undefined;
      if (entry === undefined) return map;
      this.#at++;
      map[entry.key] = this.#after(entry.rest, indent);
    }
  }

  #sequence(indent: number): Yaml[] {
    const items: Yaml[] = [];
    for (;;) {
      const line = this.peek();
      if (line === undefined || line.indent !== indent || !isItem(line.text)) return items;
      const rest = line.text.slice(1).trimStart();
      const inner = indent + line.text.length - rest.length;
      const entry = splitKey(rest);
      this.#at++;
      if (rest === '') items.push(this.value(indent + 1));
      else if (entry === undefined) items.push(this.#after(rest, indent));
      else items.push(this.#map(inner, { [entry.key]: this.#after(entry.rest, inner) }));
    }
  }

  /** What follows a key or a dash on the same line, or, if that is empty, below it. */
  #after(rest: string, indent: number): Yaml {
    if (/^[|>][+-]?$/.test(rest)) return this.#block(rest, indent);
    if (rest !== '') return this.#scalar(rest, indent + 1);
    const next = this.peek();
    // A sequence may stand at the indentation of its key.
    if (next?.indent === indent && isItem(next.text)) return this.#sequence(indent);
    return this.value(indent + 1);
  }

  #block(style: string, indent: number): string {
    const lines: string[] = [];
    let inner: number | undefined;
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at]!;
      if (line.trim() === '') {
        lines.push('');
        continue;
      }
      const depth = line.length - line.trimStart().length;
      if (depth <= indent) break;
      inner ??= depth;
      lines.push(line.slice(inner));
    }
    let trailing = 0;
    while (lines.at(-1) === '') {
      lines.pop();
      trailing++;
    }
    const body = lines.join(style.startsWith('|') ? '\n' : ' ');
    if (style.endsWith('-') || body === '') return body;
    return body + (style.endsWith('+') ? '\n'.repeat(trailing + 1) : '\n');
  }

  /** A scalar or flow sequence; a plain scalar may go on in lines that are indented. */
  #scalar(first: string, least: number): Yaml {
    let text = first;
    if (first.startsWith('[')) return parseFlow(first);
    if (first.startsWith('"') || first.startsWith("'")) {
      while (endOfQuoted(text) === -1) {
        text += ` ${(this.#lines[this.#at++] ?? '"').trim()}`;
      }
      return unquote(text.slice(0, endOfQuoted(text)));
    }
    for (let next = this.peek(); next !== undefined && next.indent >= least; next = this.peek()) {
      text += ` ${next.text}`;
      this.#at++;
    }
    return text.replace(/\s+#.*$/, '');
  }
}

function isItem(text: string): boolean {
  return text === '-' || text.startsWith('- ');
}

/** `key: rest` with a plain or quoted key, which may hold colons that no blank follows. */
function splitKey(text: string): { key: string; rest: string } | undefined {
  if (text.startsWith('"') || text.startsWith("'")) {
    const end = endOfQuoted(text);
    if (end === -1 || !/^:(?:\s|$)/.test(text.slice(end))) return undefined;
    return { key: unquote(text.slice(0, end)), rest: text.slice(end + 1).trim() };
  }
  if (text.startsWith('[')) return undefined;
  const colon = /:(?:\s|$)/.exec(text)?.index;
  if (colon === undefined) return undefined;
  return { key: text.slice(0, colon).trim(), rest: text.slice(colon + 1).trim() };
}

function parseFlow(text: string): Yaml[] {
  const items: Yaml[] = [];
  let at = 1;
  while (at < text.length && text[at] !== ']') {
    if (text[at] === ' ' || text[at] === ',') at++;
    else if (text[at] === '"' || text[at] === "'") {
      const end = at + endOfQuoted(text.slice(at));
      items.push(unquote(text.slice(at, end)));
      at = end;
    } else {
      const end = text.slice(at).search(/[,\]]/) + at;
      items.push(text.slice(at, end).trim());
      at = end;
    }
  }
  return items;
}

/** After the closing quote of the quoted text at the start, or -1. */
function endOfQuoted(text: string): number {
  const quote = text[0]!;
  for (let at = 1; at < text.length; at++) {
    if (quote === '"' && text[at] === '\\') at++;
    else if (text[at] === quote) {
      if (quote === "'" && text[at + 1] === "'") at++;
      else return at + 1;
    }
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

function unquote(text: string): string {
  const inner = text.slice(1, -1);
  if (text.startsWith("'")) return inner.replaceAll("''", "'");
  return inner.replace(/\\(?:x([0-9A-Fa-f]{2})|(.))/gs, (_, hex: string | undefined, one: string) =>
    hex === undefined ? (ESCAPES[one] ?? one) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
