/** Ledger entries as a story for people: one head line an entry, its facts indented below. */

import type { Json, JsonObject } from '#base/json.ts';
import type { LedgerEntry } from '#store/ledger.ts';
import type { Io, Style } from './io.ts';
import { harmless, styled } from './io.ts';

const HEADS: Readonly<Record<LedgerEntry['kind'], readonly [words: string, style: Style]>> = {
  session: ['session', 'cyan'],
  refused: ['refused', 'red'],
  accepted: ['accepted', 'green'],
  delivered: ['delivered', 'green'],
  attempt: ['attempt to deliver', 'yellow'],
  bounced: ['returned to its sender', 'red'],
  expired: ['given up', 'red'],
  notice: ['notice sent', 'yellow'],
  admin: ['command of the administrator', 'cyan'],
};

const DEPTH = 8;
const LINES_PER_ENTRY = 400;

/** The whole story; everything from outside is escaped, so that no terminal obeys it. */
export function storyText(entries: readonly LedgerEntry[], io: Pick<Io, 'colour'>): string {
  return inOrder(entries)
    .map((entry) => {
      const [words, style] = HEADS[entry.kind];
      const ids = [
        entry.queueId === undefined ? '' : `  message ${harmless(entry.queueId)}`,
        entry.session === undefined ? '' : `  session ${harmless(entry.session)}`,
      ].join('');
      const head = `${time(entry.atMs)}  ${styled(io, style, words)}${styled(io, 'dim', ids)}\n`;
      return (
        head +
        factLines(entry.facts)
          .map((line) => `    ${line}\n`)
          .join('')
      );
    })
    .join('');
}

/** One JSON object a line. */
export function storyJson(entries: readonly LedgerEntry[]): string {
  return inOrder(entries)
    .map(({ atMs, kind, session, queueId, keys, facts }) => {
      const at = new Date(atMs).toISOString();
      const ids = { session: session ?? null, queueId: queueId ?? null };
      return `${JSON.stringify({ at, kind, ...ids, keys, facts })}\n`;
    })
    .join('');
}

/** Oldest first; entries of the same millisecond stay as they were recorded. */
function inOrder(entries: readonly LedgerEntry[]): LedgerEntry[] {
  return [...entries].sort((a, b) => a.atMs - b.atMs);
}

interface Pending {
  readonly name: string | undefined;
  readonly value: Json;
  readonly depth: number;
  /** The first line of an object in a list. */
  readonly dash?: boolean;
}

/** Facts as `name: value` lines, lists and objects indented; a walk with its own stack. */
function factLines(facts: JsonObject): string[] {
  const lines: string[] = [];
  const stack: Pending[] = members(facts, 0).toReversed();
  let next: Pending | undefined;
  while ((next = stack.pop()) !== undefined) {
    if (lines.length >= LINES_PER_ENTRY) {
      lines.push('(more: see --json)');
      break;
    }
    const indent = next.dash ? `${'  '.repeat(next.depth - 1)}- ` : '  '.repeat(next.depth);
    const label = next.name === undefined ? '- ' : `${words(next.name)}: `;
    const { value } = next;
    if (typeof value !== 'object' || value === null) {
      lines.push(`${indent}${label}${scalar(value)}`);
      continue;
    }
    const flat = short(value);
    if (flat !== undefined || next.depth >= DEPTH) {
      lines.push(`${indent}${label}${flat ?? '...'}`);
      continue;
    }
    const inner = members(value, next.depth + 1);
    const [first] = inner;
    if (next.name === undefined && first?.name !== undefined) inner[0] = { ...first, dash: true };
    else lines.push(`${indent}${label.trimEnd()}`);
    stack.push(...inner.toReversed());
  }
  return lines;
}

function members(value: readonly Json[] | JsonObject, depth: number): Pending[] {
  if (isList(value)) return value.map((member) => ({ name: undefined, value: member, depth }));
  return Object.entries(value).flatMap(([name, member]) =>
    member === undefined || isNothing(member) ? [] : [{ name, value: member, depth }],
  );
}

/** Not worth a line: null, and lists and objects with nothing in them. */
function isNothing(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return value === null;
  return Object.keys(value).length === 0;
}

/** Small lists and objects of plain values on one line. */
function short(value: readonly Json[] | JsonObject): string | undefined {
  const entries = isList(value)
    ? value.map((member) => [undefined, member] as const)
    : Object.entries(value).filter(([, member]) => member !== undefined && member !== null);
  const parts: string[] = [];
  for (const [name, member] of entries) {
    if (typeof member === 'object' && member !== null) return undefined;
    const shown = scalar(member ?? null);
    // Sentences get a line each.
    if (name === undefined && shown.includes(' ')) return undefined;
    parts.push(name === undefined ? shown : `${words(name)} ${shown}`);
  }
  const text = parts.join(', ');
  return text.length <= 80 ? text : undefined;
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return harmless(String(value), 1_000);
}

/** `reversePath` as `reverse path`. */
function words(name: string): string {
  return harmless(name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase(), 60);
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}

function time(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 23).replace('T', ' ');
}
