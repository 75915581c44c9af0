/** Address fields (RFC 5322 3.4) to names and addresses, and the strict view of From. */

import { type Address, parseAddress } from '#base/address.ts';
import { unicodeOf, withoutControls } from './charset.ts';
import { type Field, type Head, allFields } from './fields.ts';
import { type Entry, scanMailboxes } from './mailbox-scan.ts';
import type { FieldAddress } from './part.ts';
import { decodeWords } from './words.ts';

/** Entries of one field that are read; a head can hold more, people cannot. */
export const FIELD_ADDRESSES = 10_000;
/** Octets of one head that are read as addresses: a few milliseconds of work, whatever they are. */
export const ADDRESS_OCTETS = 131_072;

/** Who a message says that it is from, for a check that must not be fooled. */
export interface Senders {
  /** How many fields of the name there are: more than one is an attack. */
  readonly fields: number;
  /** Every mailbox that parses, of all the fields, members of groups included. */
  readonly addresses: readonly Address[];
  /** Something in the fields is no address or breaks the grammar: do not trust the list. */
  readonly malformed: boolean;
  /** A group stands in it: RFC 6854 allows that, MSAs need not. */
  readonly group: boolean;
}

/**
 * The addresses of a field value (unfolded, octets as latin1). Groups become a start and an end
 * mark around their members; a comment serves as name where there is no other. Never fails;
 * linear time; at most `max` entries.
 */
export function parseAddresses(value: string, max: number = FIELD_ADDRESSES): FieldAddress[] {
  return scanMailboxes(value, max).entries.map(fieldAddress);
}

/** All addresses of a From (or other) field of a head, for the sender check. */
export function readSenders(head: Head, name = 'from'): Senders {
  return sendersOf(allFields(head, name));
}

function sendersOf(fields: readonly Field[]): Senders {
  const addresses: Address[] = [];
  let malformed = false;
  let group = false;
  let room = ADDRESS_OCTETS;
  for (const field of fields) {
    const list = scanMailboxes(field.value.slice(0, Math.max(0, room)), FIELD_ADDRESSES);
    room -= field.value.length;
    if (
      room < 0 ||
      list.malformed ||
      list.cut ||
      /[\x00-\x08\x0b-\x1f\x7f]/.test(field.raw.replace(/\r\n/g, ''))
    ) {
      malformed = true;
    }
    for (const entry of list.entries) {
      if (entry.kind === 'group') group = true;
      if (entry.kind !== 'mailbox') continue;
      const text = `${unicodeOf(entry.written)}@${unicodeOf(entry.domain)}`;
      const address = text.includes('\ufffd') ? undefined : parseAddress(text);
      if (address === undefined) malformed = true;
      else addresses.push(address);
    }
  }
  return { fields: fields.length, addresses, malformed, group };
}

function fieldAddress(entry: Entry): FieldAddress {
  if (entry.kind === 'group-end') return { name: undefined, local: '', domain: undefined };
  if (entry.kind === 'group') {
    return { name: undefined, local: displayText(entry.phrase), domain: undefined };
  }
  const name = entry.phrase ?? entry.comment;
  return {
    name: name === undefined || name === '' ? undefined : decodeWords(name),
    local: withoutControls(unicodeOf(entry.local)),
    domain: withoutControls(unicodeOf(entry.domain)),
  };
}

/** A group's name must not be empty, or it would look like a group's end. */
function displayText(phrase: string): string {
  return decodeWords(phrase) || ' ';
}
