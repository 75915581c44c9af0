/** Bare names in the address fields of submitted mail get a domain (RFC 6409 8.8). */

import type { Domain } from '#base/brand.ts';
import { parseAddresses } from '#message/addresses.ts';
import { type FieldText, type WrittenMailbox, formatMailboxes } from '#message/field-text.ts';
import { type Head, allFields } from '#message/fields.ts';
import type { FieldAddress } from '#message/part.ts';

const FIELDS = ['From', 'Sender', 'Reply-To', 'To', 'Cc'];
const ADDRESSES = 1_000;
/** A name as people type it; anything odder is left for the checks to refuse. */
const BARE = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;

/** The fields that must be written anew; those without a bare name, or with groups, stay. */
export function qualifiedFields(head: Head, origin: Domain): FieldText[] {
  const fields: FieldText[] = [];
  for (const name of FIELDS) {
    const found = allFields(head, name);
    const [only] = found;
    if (only === undefined || found.length > 1) continue;
    const list = parseAddresses(only.value, ADDRESSES);
    if (!list.some(isBare) || list.some(isGroup) || list.length === ADDRESSES) continue;
    const written = list.map((one) => completedBy(origin, one));
    fields.push(formatMailboxes(only.name, written, { utf8: true }));
  }
  return fields;
}

function isBare({ local, domain }: FieldAddress): boolean {
  return domain === '' && BARE.test(local);
}

function isGroup({ domain }: FieldAddress): boolean {
  return domain === undefined;
}

function completedBy(origin: Domain, one: FieldAddress): WrittenMailbox {
  const domain = isBare(one) ? origin : one.domain;
  return { name: one.name, address: `${one.local}@${domain}` };
}
