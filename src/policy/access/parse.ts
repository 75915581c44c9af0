/** Reads access tables as Postfix' postmap does: `key action` lines, or networks and actions. */

import { type IpAddress, cutTo, parseIp } from '#base/ip.ts';
import type { AccessAction } from './action.ts';
import { parseAction } from './action.ts';
import { AccessTable } from './table.ts';
import type { NetworkRow } from './table.ts';

export type TableKind = 'hash' | 'cidr';

export interface TableError {
  readonly line: number;
  readonly why: string;
}

export type ParsedTable =
  | { readonly kind: 'table'; readonly table: AccessTable }
  | { readonly kind: 'errors'; readonly errors: readonly TableError[] };

const CHARACTERS = 16_777_216;
const ROWS = 200_000;
const ERRORS = 20;

/** `hash:/path`, `cidr:/path` or a path to its parts; or what is wrong with the type. */
export function parseTableName(name: string): { kind: TableKind; path: string } | string {
  const match = /^([a-z]+):(.*)$/.exec(name);
  const type = match?.[1] ?? 'hash';
  const path = match === null ? name : (match[2] ?? '');
  if (path === '') return 'names no file';
  if (type === 'cidr') return { kind: 'cidr', path };
  if (PLAIN.has(type)) return { kind: 'hash', path };
  return `is a table of the type "${type}"; hash and cidr are read here, from plain text files`;
}

/** All of them are written as the same plain text in Postfix, too. */
const PLAIN = new Set(['hash', 'texthash', 'lmdb', 'btree', 'cdb', 'dbm']);

/**
 * Empty lines and those that begin with `#` say nothing, a line that begins with a blank goes on
 * with the one before. A key that comes twice keeps its first action. Every error is told, up
 * to 20.
 */
export function parseAccessTable(text: string, kind: TableKind = 'hash'): ParsedTable {
  const names = new Map<string, AccessAction>();
  const networks: NetworkRow[] = [];
  const errors: TableError[] = [];
  if (text.length > CHARACTERS) {
    return {
      kind: 'errors',
      errors: [{ line: 1, why: `is larger than ${CHARACTERS} characters` }],
    };
  }
  let rows = 0;
  for (const { line, text: row } of logicalLines(text)) {
    const why = rows < ROWS ? add(row, kind, names, networks) : `has more than ${ROWS} rows`;
    rows += 1;
    if (why !== undefined) errors.push({ line, why });
    if (errors.length >= ERRORS || rows > ROWS) break;
  }
  if (errors.length > 0) return { kind: 'errors', errors };
  return { kind: 'table', table: new AccessTable(names, networks) };
}

function logicalLines(text: string): { line: number; text: string }[] {
  const lines: { line: number; text: string }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const last = lines.at(-1);
    if (/^\s/.test(line) && last !== undefined) last.text += ` ${line.trim()}`;
    else lines.push({ line: index + 1, text: line });
  }
  return lines;
}

/** What is wrong with a row, or nothing. */
function add(
  row: string,
  kind: TableKind,
  names: Map<string, AccessAction>,
  networks: NetworkRow[],
): string | undefined {
  const match = /^(\S+)\s+(\S.*)$/.exec(row.trim());
  const key = match?.[1];
  if (key === undefined) return 'has no action behind its key';
  const action = parseAction(match?.[2] ?? '');
  if (typeof action === 'string') return action;
  if (kind === 'cidr' || /^[0-9a-fA-F:.]+\/\d{1,3}$/.test(key)) {
    const network = parseCidr(key);
    if (typeof network === 'string') return network;
    networks.push({ key, action, ...network });
    return undefined;
  }
  const lower = key.toLowerCase();
  if (!names.has(lower)) names.set(lower, action);
  return undefined;
}

function parseCidr(key: string): { first: IpAddress; bits: number } | string {
  const match = /^\[?([0-9a-fA-F:.]{2,45})\]?(?:\/(\d{1,3}))?$/.exec(key);
  const first = parseIp(match?.[1] ?? '');
  if (match === null || first === undefined) return `has the key "${key.slice(0, 60)}", no network`;
  const width = first.octets.length * 8;
  const bits = match[2] === undefined ? width : Number(match[2]);
  if (bits > width) return `has a prefix longer than ${width}`;
  if (cutTo(first, bits).text !== first.text) return `has host bits set in ${key}`;
  return { first, bits };
}
