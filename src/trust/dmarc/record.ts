/** DMARC records (RFC 9989, RFC 7489 6.3): the text to a policy, unknown and broken tags left out. */

import { parseAddress } from '#base/address.ts';

export type DmarcPolicy = 'none' | 'quarantine' | 'reject';

export interface DmarcRecord {
  /** `p`: for the domain itself. `none` where the record does not say. */
  readonly policy: DmarcPolicy;
  /** `sp`: for domains below it; undefined: as `p`. */
  readonly subdomains: DmarcPolicy | undefined;
  /** `np`: for domains below it that do not exist; undefined: as `sp`. */
  readonly nonexistent: DmarcPolicy | undefined;
  /** `psd`: whether it is a public suffix; `u` leaves it to the tree walk. */
  readonly publicSuffix: 'y' | 'n' | 'u';
  /** `t=y`: the owner asks for one step less. */
  readonly testing: boolean;
  /** Alignment: relaxed or strict. */
  readonly dkimMode: 'r' | 's';
  readonly spfMode: 'r' | 's';
  /** Addresses that aggregate reports go to; whoever sends them checks that they may. */
  readonly aggregateReports: readonly string[];
  readonly failureReports: readonly string[];
  /** `fo`, as published. */
  readonly failureOptions: string;
  /** Why no policy comes of this record, although it is one: nothing is applied then. */
  readonly unusable: string | undefined;
}

const VERSION = /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/;
const MAILTO = /^mailto:([^?#!,\s]{3,320})(?:!\d{1,18}[kmgt]?)?$/i;
const TAGS = 100;
const ADDRESSES = 10;

/** Whether a TXT record is a DMARC record: the version stands first, in exactly this case. */
export function isDmarcRecord(text: string): boolean {
  return VERSION.test(text);
}

/**
 * Parses a DMARC record. Unknown tags are ignored (so `pct`, `rf` and `ri` of RFC 7489 are), so
 * are values that no tag may have; of a tag that stands twice the first counts. Without `p` it is
 * `none`. A broken `p`, `sp` or `np` leaves `none` if there is somebody to report to, else it
 * makes the record unusable. Linear time; at most 100 tags are read.
 */
export function parseDmarcRecord(text: string): DmarcRecord {
  const tags = readTags(text);
  const rua = readAddresses(tags.get('rua'));
  const [policy, subdomains, nonexistent] = ['p', 'sp', 'np'].map((tag) => readPolicy(tags, tag));
  const broken = [policy, subdomains, nonexistent].includes('broken');
  const policyOf = (value: DmarcPolicy | 'broken' | undefined) =>
    broken || value === 'broken' ? undefined : value;
  return {
    policy: policyOf(policy) ?? 'none',
    subdomains: policyOf(subdomains),
    nonexistent: policyOf(nonexistent),
    publicSuffix: readLetter(tags, 'psd', 'ynu') ?? 'u',
    testing: readLetter(tags, 't', 'yn') === 'y',
    dkimMode: readLetter(tags, 'adkim', 'rs') ?? 'r',
    spfMode: readLetter(tags, 'aspf', 'rs') ?? 'r',
    aggregateReports: rua,
    failureReports: readAddresses(tags.get('ruf')),
    failureOptions: /^[01ds](?::[01ds]){0,3}$/.exec(tags.get('fo') ?? '')?.[0] ?? '0',
    unusable: broken && rua.length === 0 ? 'p, sp or np is none of the policies' : undefined,
  };
}

function readTags(text: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (const tag of text.split(';', TAGS)) {
    const equals = tag.indexOf('=');
    if (equals === -1) continue;
    const name = tag.slice(0, equals).trim().toLowerCase();
    if (!tags.has(name)) tags.set(name, tag.slice(equals + 1).trim());
  }
  return tags;
}

function readPolicy(
  tags: ReadonlyMap<string, string>,
  tag: string,
): DmarcPolicy | 'broken' | undefined {
  const value = tags.get(tag)?.toLowerCase();
  if (value === undefined) return undefined;
  return value === 'none' || value === 'quarantine' || value === 'reject' ? value : 'broken';
}

/** A value of one letter out of those allowed. */
function readLetter<Letters extends 'ynu' | 'yn' | 'rs'>(
  tags: ReadonlyMap<string, string>,
  tag: string,
  letters: Letters,
): LetterOf<Letters> | undefined {
  const value = tags.get(tag)?.toLowerCase();
  const known = value?.length === 1 && letters.includes(value);
  return known ? (value as LetterOf<Letters>) : undefined;
}

type LetterOf<Letters> = Letters extends 'rs'
  ? 'r' | 's'
  : Letters extends 'yn'
    ? 'y' | 'n'
    : 'y' | 'n' | 'u';

/** `mailto:` addresses without further headers; the size that RFC 7489 allowed is ignored. */
function readAddresses(value: string | undefined): string[] {
  if (value === undefined) return [];
  const addresses: string[] = [];
  for (const uri of value.split(',', ADDRESSES)) {
    const escaped = MAILTO.exec(uri.trim())?.[1];
    const address = escaped === undefined ? undefined : unescape(escaped);
    if (address !== undefined && parseAddress(address) !== undefined) addresses.push(address);
  }
  return addresses;
}

/** Percent-encoding taken away, or undefined if it is broken or hides what no address holds. */
function unescape(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return /[\s<>,;]/.test(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}
