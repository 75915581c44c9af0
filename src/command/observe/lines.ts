/** One event as one line: escaped, capped, without secrets; as JSON or as text for people. */

import type { JsonObject } from '#base/json.ts';
import type { LogLevel } from '#base/world.ts';
import { Secret } from '#base/secret.ts';
import { harmless } from '../io.ts';

export const LINE_BYTES = 8_192;

const VALUE_CHARACTERS = 1_024;
const MEMBERS = 64;
const NAME_CHARACTERS = 64;
/** The longest number in JSON, a comma, and some more. */
const SIMPLE_BYTES = 26;
const DEPTH = 6;
/** What is left for level, time and event name of the line's 8 KiB. */
const FIELD_BYTES = 7_168;

/** What JSON writes as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

/**
 * Fields fit for a log line: text escaped so that it can neither end the line nor steer a
 * terminal, long values cut, deep ones dropped, and all of it at most 7 KiB as JSON.
 */
export function tamed(fields: JsonObject): { readonly [key: string]: Plain | undefined } {
  if (isTame(fields)) return fields;
  const budget = { bytes: FIELD_BYTES };
  const value = tame(fields, DEPTH, budget);
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  if (budget.bytes <= 0) plain['truncated'] = true;
  return plain;
}

/** One JSON object with `level`, `time`, the fields and `event`, in this order. */
export function jsonLine(
  level: LogLevel,
  name: string,
  fields: { readonly [key: string]: Plain | undefined },
  atMs: number,
): string {
  const members = JSON.stringify(fields).slice(1, -1);
  const time = new Date(atMs).toISOString();
  const head = `{"level":"${level}","time":"${time}",${members}${members === '' ? '' : ','}`;
  return `${head}"event":${JSON.stringify(name.slice(0, 100))}}\n`;
}

/** `05:15:49.012 info  session-end session=a1 remote=192.0.2.1`. */
export function textLine(
  level: LogLevel,
  name: string,
  fields: { readonly [key: string]: Plain | undefined },
  atMs: number,
): string {
  const time = new Date(atMs).toISOString().slice(11, 23);
  const pairs = Object.entries(fields).map(([key, value]) => {
    if (value === undefined) return '';
    const bare = typeof value === 'string' && /^[^\s"=]+$/.test(value);
    return ` ${key}=${bare ? value : JSON.stringify(value)}`;
  });
  return `${time} ${level.padEnd(5)} ${harmless(name, 100)}${pairs.join('')}\n`;
}

/** What nearly every event brings, short values of printable ASCII and no objects: nothing to change or to cut. */
function isTame(fields: JsonObject): fields is { readonly [key: string]: Plain | undefined } {
  const keys = Object.keys(fields);
  let bytes = 0;
  for (const key of keys) {
    const value = fields[key];
    if (typeof value === 'string' ? !isPlain(value, VALUE_CHARACTERS) : !isSimple(value))
      return false;
    if (!isPlain(key, NAME_CHARACTERS)) return false;
    bytes += key.length + 4 + (typeof value === 'string' ? value.length + 3 : SIMPLE_BYTES);
  }
  return keys.length <= MEMBERS && bytes < FIELD_BYTES;
}

function isPlain(text: string, most: number): boolean {
  return text.length <= most && PLAIN.test(text);
}

function isSimple(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || value === undefined || typeof value === 'boolean';
}

/** Bounded in depth by DEPTH, so it may recurse. */
function tame(value: unknown, depth: number, budget: { bytes: number }): Plain {
  if (value instanceof Secret) return '[secret]';
  if (value === null || typeof value === 'boolean') return spend(value, budget);
  if (typeof value === 'number')
    return spend(Number.isFinite(value) ? value : String(value), budget);
  if (typeof value === 'string') {
    return isPlain(value, VALUE_CHARACTERS)
      ? take(value, value.length + 2, budget)
      : spend(harmless(value, VALUE_CHARACTERS), budget);
  }
  if (typeof value !== 'object') return spend(harmless(String(value), 100), budget);
  if (depth === 0) return '...';
  if (Array.isArray(value)) {
    const kept: Plain[] = [];
    for (const member of value.slice(0, MEMBERS)) {
      if (budget.bytes <= 0) break;
      kept.push(tame(member, depth - 1, budget));
    }
    return kept;
  }
  const kept: { [key: string]: Plain } = Object.create(null);
  let members = 0;
  for (const key of Object.keys(value)) {
    if (budget.bytes <= 0 || members === MEMBERS) break;
    members += 1;
    const member: unknown = value[key as keyof typeof value];
    if (member === undefined) continue;
    const name = harmless(key, NAME_CHARACTERS);
    budget.bytes -= name.length + 4;
    kept[name] = tame(member, depth - 1, budget);
  }
  return kept;
}

/** Takes a value's cost as JSON from what is left; what does not fit becomes `...`. */
function spend<T extends string | number | boolean | null>(
  value: T,
  budget: { bytes: number },
): T | string {
  return take(value, Buffer.byteLength(JSON.stringify(value)), budget);
}

function take<T>(value: T, cost: number, budget: { bytes: number }): T | string {
  budget.bytes -= cost + 1;
  return budget.bytes > 0 ? value : '...';
}
