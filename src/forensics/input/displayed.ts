/** Who a message seems to be from: what different mail programs show of its From field. */

import { formatAddress } from '#base/address.ts';
import { skipQuoted, scanMailboxes } from '#message/mailbox-scan.ts';
import { unicodeOf, withoutControls } from '#message/charset.ts';
import { type Head, allFields } from '#message/fields.ts';
import { readSenders } from '#message/addresses.ts';
import { decodeWords } from '#message/words.ts';
import { domainOf } from '../names/domains.ts';

/** What one way of reading gives; it always gives something. */
export interface Reading {
  /** Which way: by the grammar, or as some program goes about it. */
  readonly rule:
    | 'grammar'
    | 'last brackets'
    | 'first brackets'
    | 'decoded first'
    | 'last field'
    | 'bare CR';
  /** The name beside the address, empty where there is none. */
  readonly name: string;
  /** `local@domain`, or undefined: the reader sees the name alone. */
  readonly address: string | undefined;
}

export interface Displayed {
  /** As most programs show it. */
  readonly main: Reading;
  readonly readings: readonly Reading[];
  /** Different addresses among the readings, in lower case. */
  readonly addresses: readonly string[];
  readonly fields: number;
}

const CHARACTERS = 4_096;
const BARE = 10;
const LISTED = 20;

/** Reads From (or another field of addresses) in every way we know of. Never fails; linear time. */
export function displayed(head: Head, name = 'from'): Displayed {
  const fields = allFields(head, name);
  const [first, ...others] = fields.map(({ value }) => value.slice(0, CHARACTERS));
  const readings = first === undefined ? [] : readValue(first);
  const last = others.at(-1);
  if (last !== undefined) readings.push({ ...byBrackets(last, 'last'), rule: 'last field' });
  for (const value of behindBareCr(head, name)) {
    readings.push({ ...byBrackets(value.slice(0, CHARACTERS), 'last'), rule: 'bare CR' });
  }
  const main = readings.find(({ rule }) => rule === 'last brackets') ?? NOTHING;
  const addresses = new Set<string>();
  for (const { address } of readings)
    if (address !== undefined) addresses.add(address.toLowerCase());
  return { main, readings, addresses: [...addresses], fields: fields.length };
}

/** Every address of all fields of a name, as each way of reading has it; at most some twenty. */
export function everyAddress(
  head: Head,
  name: string,
  { addresses, fields }: Displayed = displayed(head, name),
): readonly string[] {
  if (fields === 0) return [];
  return [...new Set([...addresses.map(comparable), ...listed(head, name)])];
}

/** Those that stand in the lists of a name by the grammar, at most twenty, to be compared. */
export function listed(head: Head, name: string): readonly string[] {
  const { addresses } = readSenders(head, name);
  return addresses.slice(0, LISTED).map((one) => formatAddress(one).toLowerCase());
}

/** An address in lower case, its domain in the form of the DNS. */
export function comparable(address: string): string {
  const domain = domainOf(address);
  const local = address.slice(0, address.lastIndexOf('@') + 1);
  return domain === undefined ? address : `${local}${domain}`.toLowerCase();
}

/** Values of such fields behind a CR alone, which ends a line for some programs (RFC 5322 2.3). */
function behindBareCr(head: Head, name: string): readonly string[] {
  const found: string[] = [];
  if (!head.defects.some(({ kind }) => kind === 'bare-cr')) return found;
  for (const { raw } of head.fields) {
    for (const line of raw.split(/\r(?!\n)/).slice(1)) {
      const colon = line.indexOf(':');
      if (colon === -1 || line.slice(0, colon).trim().toLowerCase() !== name) continue;
      if (found.length < BARE) found.push(line.slice(colon + 1));
    }
  }
  return found;
}

/** All readings of one field's value, octets as latin1, unfolded. */
export function readValue(value: string): Reading[] {
  const decoded = decodeWords(value);
  const readings = [byGrammar(value), byBrackets(value, 'last'), byBrackets(value, 'first')];
  if (value.includes('=?')) {
    readings.push({ ...byBrackets(decoded, 'last', true), rule: 'decoded first' });
  }
  return readings;
}

function byGrammar(value: string): Reading {
  const entry = scanMailboxes(value, 1).entries.find(({ kind }) => kind === 'mailbox');
  if (entry?.kind !== 'mailbox') return { rule: 'grammar', name: text(value), address: undefined };
  const name = entry.phrase ?? entry.comment ?? '';
  const address = entry.domain === '' ? undefined : text(`${entry.written}@${entry.domain}`);
  return { rule: 'grammar', name: shown(name), address };
}

/** What stands between brackets is the address, what stands before them the name. */
function byBrackets(value: string, which: 'first' | 'last', decoded = false): Reading {
  const rule = which === 'last' ? 'last brackets' : 'first brackets';
  const show = decoded ? withoutControls : shown;
  const clean = decoded ? withoutControls : text;
  const open = bracketOf(value, which);
  if (open === -1) {
    const bare = addressIn(value);
    const rest = bare === undefined ? value : '';
    return { rule, name: show(unquoted(rest)), address: bare && clean(bare) };
  }
  const close = value.indexOf('>', open);
  const inner = value.slice(open + 1, close === -1 ? value.length : close).trim();
  const name = unquoted(value.slice(0, open).trim());
  // A source route: the address is what stands behind its colon.
  const bare = inner.startsWith('@') ? inner.slice(inner.indexOf(':') + 1) : inner;
  return { rule, name: show(name), address: bare.includes('@') ? clean(bare) : undefined };
}

/** Where the first or last `<` outside of quotes stands that has an `@` behind it, or any, or -1. */
function bracketOf(value: string, which: 'first' | 'last'): number {
  let found = -1;
  let at = 0;
  let quotes = true;
  while (at < value.length) {
    const character = value[at];
    if (character === '"' && quotes) {
      const end = skipQuoted(value, at);
      if (end === -1) quotes = false;
      at = end === -1 ? at + 1 : end;
      continue;
    }
    if (character === '<') {
      if (which === 'first') return at;
      found = at;
    }
    at++;
  }
  return found;
}

/** The first word with an `@` in it. */
function addressIn(value: string): string | undefined {
  const word = /[^\s<>(),;:"]{1,256}@[^\s<>(),;:"]{1,256}/.exec(value)?.[0];
  return word;
}

function unquoted(name: string): string {
  const bare = name.trim();
  const quoted = bare.length > 1 && bare.startsWith('"') && bare.endsWith('"');
  return (quoted ? bare.slice(1, -1) : bare).replace(/\\(.)/g, '$1');
}

function shown(raw: string): string {
  return decodeWords(raw).trim();
}

function text(raw: string): string {
  return withoutControls(unicodeOf(raw));
}

const NOTHING: Reading = { rule: 'last brackets', name: '', address: undefined };
