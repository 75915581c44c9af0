/** Where aggregate reports about a domain may be sent: its rua addresses that want them. */

import { type Address, addressKey, formatAddress, parseAddress } from '#base/address.ts';
import type { Clock } from '#base/world.ts';
import { isDmarcRecord } from '../dmarc/record.ts';
import { organizationalDomain, recordOf, walkTree } from '../dmarc/walk.ts';
import { plainName } from '../names.ts';
import { type Asked, Questions } from '../questions.ts';

export type Destinations =
  | {
      readonly kind: 'known';
      readonly addresses: readonly Address[];
      /** What the record names, but whose host does not want it. */
      readonly refused: readonly string[];
    }
  /** The DNS did not answer: later. */
  | { readonly kind: 'failed'; readonly reason: string };

const ADDRESSES = 5;
/** A walk of eight for the domain and for each host, and the question whether it may be. */
const QUESTIONS = 8 + ADDRESSES * 9;

/**
 * Asks for the domain's record as it is now, and of each address at a foreign organization
 * whether reports about `domain` are wanted there (RFC 7489 7.1, RFC 9990 4): without that,
 * anybody could have us mail a victim every day. Never fails.
 */
export async function reportDestinations(
  domain: string,
  resolver: Asked,
  clock?: Clock,
): Promise<Destinations> {
  const questions = new Questions({ resolver, clock, maxQuestions: QUESTIONS });
  const own = await recordOf(questions, domain);
  if (own?.kind === 'failed') return own;
  const addresses: Address[] = [];
  const refused: string[] = [];
  for (const address of different(own?.record.aggregateReports ?? []).slice(0, ADDRESSES)) {
    const wanted = await isWanted(questions, domain, plainName(address.domain));
    if (wanted.kind === 'failed') return wanted;
    if (wanted.wanted) addresses.push(address);
    else refused.push(formatAddress(address));
  }
  return { kind: 'known', addresses, refused };
}

/** Each address once, however often the record names it: it gets one report. */
function different(texts: readonly string[]): readonly Address[] {
  const found = new Map<string, Address>();
  for (const text of texts) {
    const address = parseAddress(text);
    const key = address === undefined ? undefined : addressKey(address);
    if (address !== undefined && key !== undefined && !found.has(key)) found.set(key, address);
  }
  return [...found.values()];
}

type Wanted =
  | { readonly kind: 'said'; readonly wanted: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

async function isWanted(questions: Questions, domain: string, host: string): Promise<Wanted> {
  if (host === domain) return { kind: 'said', wanted: true };
  const [ours, theirs] = [await walkTree(questions, domain), await walkTree(questions, host)];
  if (ours.kind === 'failed') return ours;
  if (theirs.kind === 'failed') return theirs;
  const organization = organizationalDomain(host, theirs.found);
  // Without any record the walk ends where it began: then nobody is of the same house.
  const known = theirs.found.length > 0 && ours.found.length > 0;
  if (known && organization === organizationalDomain(domain, ours.found)) {
    return { kind: 'said', wanted: true };
  }
  const answer = await questions.txt(`${domain}._report._dmarc.${host}`);
  if (answer.kind === 'failed') return answer;
  return { kind: 'said', wanted: answer.kind === 'found' && answer.records.some(isDmarcRecord) };
}
