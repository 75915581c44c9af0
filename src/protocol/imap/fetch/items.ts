/** The data items of FETCH (RFC 3501 6.4.5) as a list, macros opened. */

import { latin1 } from '#base/bytes.ts';
import { bad } from '../completion.ts';
import { formatAString } from '../format/string.ts';
import type { ImapOptions } from '../options.ts';
import type { Cursor } from '../syntax/cursor.ts';
import { ATTRIBUTES } from './attributes.ts';

export type Item =
  | { readonly kind: 'attribute'; readonly name: string }
  | {
      readonly kind: 'section';
      readonly section: Section;
      readonly partial: { readonly from: number; readonly length: number } | undefined;
      /** Does not set \Seen. */
      readonly peek: boolean;
      /** As the response names it, `BODY[1.MIME]<0>`. */
      readonly label: string;
    };

export interface Section {
  /** Part numbers from the outside in; empty for the message itself. */
  readonly path: readonly number[];
  readonly what: 'all' | 'header' | 'text' | 'mime' | 'fields' | 'not-fields';
  /** Lower case, for the last two. */
  readonly names: ReadonlySet<string>;
}

const MACROS: ReadonlyMap<string, readonly string[]> = new Map([
  ['ALL', ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE']],
  ['FAST', ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']],
  ['FULL', ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY']],
]);

/** The old names of sections: they answer under their old name. */
const OLD: ReadonlyMap<string, { readonly what: Section['what']; readonly peek: boolean }> =
  new Map([
    ['RFC822', { what: 'all', peek: false }],
    ['RFC822.HEADER', { what: 'header', peek: true }],
    ['RFC822.TEXT', { what: 'text', peek: false }],
  ]);

const NAME = /[A-Za-z0-9.]+/y;
const NO_NAMES: ReadonlySet<string> = new Set();
const PATH_LENGTH = 100;

/** A macro, one item, or a list of items. */
export function readItems(cursor: Cursor, options: ImapOptions): readonly Item[] {
  if (cursor.peek() === '(') {
    return cursor.list(() => readItem(cursor, options), options.listItems, 1);
  }
  const name = itemName(cursor);
  const macro = MACROS.get(name);
  if (macro === undefined) return [itemOf(name, cursor, options)];
  return macro.map((attribute) => ({ kind: 'attribute', name: attribute }));
}

function readItem(cursor: Cursor, options: ImapOptions): Item {
  return itemOf(itemName(cursor), cursor, options);
}

function itemName(cursor: Cursor): string {
  const name = cursor.match(NAME)?.toUpperCase();
  if (name === undefined) throw bad('A data item is expected');
  return name;
}

function itemOf(name: string, cursor: Cursor, options: ImapOptions): Item {
  if ((name === 'BODY' || name === 'BODY.PEEK') && cursor.tryTake('[')) {
    return readSection(cursor, options, name === 'BODY.PEEK');
  }
  const old = OLD.get(name);
  if (old !== undefined) {
    const section = { path: [], what: old.what, names: NO_NAMES };
    return { kind: 'section', section, partial: undefined, peek: old.peek, label: name };
  }
  if (!ATTRIBUTES.has(name)) throw bad('There is no such data item');
  return { kind: 'attribute', name };
}

/** What follows `BODY[`, to the end of the partial. */
function readSection(cursor: Cursor, options: ImapOptions, peek: boolean): Item {
  const path: number[] = [];
  let spec = '';
  while (cursor.peek() !== ']') {
    if (/\d/.test(cursor.peek())) {
      const number = cursor.number();
      if (number === 0 || path.length >= PATH_LENGTH) throw bad('There is no such part');
      path.push(number);
      if (!cursor.tryTake('.')) break;
      // `BODY[1.]` names nothing.
      if (cursor.peek() === ']') throw bad('A section ends after a dot');
      continue;
    }
    spec = cursor.match(NAME)?.toUpperCase() ?? '';
    if (spec === '') throw bad('The section is not understood');
    break;
  }
  const { what, names, text } = readSpec(spec, cursor, options);
  if (what === 'mime' && path.length === 0) throw bad('MIME needs a part number');
  cursor.take(']');
  const partial = readPartial(cursor);
  const inside = [...path, ...(text === '' ? [] : [text])].join('.');
  const label = `BODY[${inside}]${partial === undefined ? '' : `<${partial.from}>`}`;
  return { kind: 'section', section: { path, what, names }, partial, peek, label };
}

function readSpec(
  spec: string,
  cursor: Cursor,
  options: ImapOptions,
): { what: Section['what']; names: ReadonlySet<string>; text: string } {
  switch (spec) {
    case '':
      return { what: 'all', names: NO_NAMES, text: '' };
    case 'HEADER':
      return { what: 'header', names: NO_NAMES, text: spec };
    case 'TEXT':
      return { what: 'text', names: NO_NAMES, text: spec };
    case 'MIME':
      return { what: 'mime', names: NO_NAMES, text: spec };
    case 'HEADER.FIELDS':
    case 'HEADER.FIELDS.NOT': {
      cursor.space();
      const read = (): string => latin1(cursor.astring());
      const list = cursor.list(read, options.listItems, 1);
      const names = new Set(list.map((name) => name.toLowerCase()));
      const what = spec === 'HEADER.FIELDS' ? 'fields' : 'not-fields';
      return { what, names, text: `${spec} (${list.map(echo).join(' ')})` };
    }
    default:
      throw bad('The section is not understood');
  }
}

/** A field name as the client sent it; raw 8-bit octets are not echoed. */
function echo(name: string): string {
  return formatAString(name.replace(/[^\x20-\x7e]/g, '?'));
}

/** `<0.2048>`: the length is not 0 (RFC 3501 9 `nz-number`). */
function readPartial(cursor: Cursor): { from: number; length: number } | undefined {
  if (!cursor.tryTake('<')) return undefined;
  const from = cursor.number();
  cursor.take('.');
  const length = cursor.number();
  cursor.take('>');
  if (length === 0) throw bad('A partial has at least one octet');
  return { from, length };
}
