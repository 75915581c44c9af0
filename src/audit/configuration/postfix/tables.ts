/** Postfix' lookup tables as far as they are plain text: postmap files, CIDR lists and aliases. */

import { logicalLines } from './main-cf.ts';

export interface Row {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** How a table is named in main.cf: `hash:/etc/postfix/virtual`. */
export interface TableName {
  readonly type: string;
  readonly path: string;
}

/** Types whose source is a text file beside the compiled one. */
const PLAIN = new Set(['hash', 'btree', 'lmdb', 'texthash', 'cdb', 'dbm', 'sdbm', 'cidr']);
const ROWS = 1_000_000;

/** `proxy:hash:/etc/aliases` to its type and path; undefined: it names no table. */
export function parseTableName(text: string): TableName | undefined {
  const bare = text.startsWith('proxy:') ? text.slice('proxy:'.length) : text;
  const colon = bare.indexOf(':');
  if (colon <= 0) return undefined;
  return { type: bare.slice(0, colon), path: bare.slice(colon + 1) };
}

/** Whether the rows of a table stand in a text file at its path. */
export function isPlain({ type, path }: TableName): boolean {
  return PLAIN.has(type) && path.startsWith('/');
}

/** A postmap(1) source: key, white space, value; rows without a value have an empty one. */
export function parseTable(text: string): Row[] {
  const rows: Row[] = [];
  for (const { line, text: row } of logicalLines(text.split(/\r?\n/, ROWS))) {
    const blank = row.search(/\s/);
    const key = blank === -1 ? row : row.slice(0, blank);
    rows.push({ key, value: blank === -1 ? '' : row.slice(blank).trim(), line });
  }
  return rows;
}

/** aliases(5): `name: target, target`; a quoted name keeps its blanks. */
export function parseAliases(text: string): Row[] {
  const rows: Row[] = [];
  for (const { line, text: row } of logicalLines(text.split(/\r?\n/, ROWS))) {
    const match = /^(?:"([^"]*)"|([^\s:]+))\s*:(.*)$/.exec(row);
    if (match === null) continue;
    rows.push({ key: match[1] ?? match[2] ?? '', value: (match[3] ?? '').trim(), line });
  }
  return rows;
}
