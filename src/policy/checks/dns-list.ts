/** DNS lists of addresses, good or bad (RFC 5782): how one is asked, what its answers mean. */

import { isLoopback, parseIp, reversedIp } from '#base/ip.ts';
import { isQueryName } from '#trust/names.ts';
import type { CheckFacts, CheckMaker, Verdict } from './check.ts';
import { DUNNO } from './check.ts';

/** `zone`, or `zone=127.0.0.[2..4;9]`: the answers that count; without them all do. */
export interface DnsList {
  readonly zone: string;
  readonly filter: readonly (readonly Span[])[] | undefined;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

export type Listing =
  | { readonly kind: 'listed'; readonly answer: string; readonly name: string }
  | { readonly kind: 'unlisted' }
  /** The list did not answer, or said that it would not. */
  | { readonly kind: 'trouble'; readonly why: string };

const SPANS = 32;

/** Text to a list, or what is wrong with it. */
export function parseDnsList(text: string): DnsList | string {
  const [zone = '', filter, ...more] = text.split('=');
  if (!isQueryName(zone) || !zone.includes('.')) return `has the zone "${zone}", no domain name`;
  if (filter === undefined) return { zone: zone.toLowerCase(), filter: undefined };
  const parts = more.length > 0 ? undefined : parseFilter(filter);
  if (parts !== undefined) return { zone: zone.toLowerCase(), filter: parts };
  return `has the answers "${filter}"; write =127.0.0.2 or =127.0.0.[2..4;9]`;
}

/**
 * A restriction that asks a list about the client; `listed` decides once it is on it. A list that
 * does not answer decides nothing: mail must not stop because a list has stopped.
 */
export function listCheck(
  name: string,
  listed: (
    listing: Listing & { readonly kind: 'listed' },
    zone: string,
    facts: CheckFacts,
  ) => Verdict | Promise<Verdict>,
): CheckMaker {
  return {
    name,
    needs: 'sender',
    takes: 'a zone',
    make: (argument) => {
      const list = parseDnsList(argument);
      if (typeof list === 'string') return list;
      return {
        name,
        needs: 'sender',
        judge: (facts) => {
          if (isLoopback(facts.client.address)) return DUNNO;
          return askList(list, facts).then((listing) => {
            if (listing.kind === 'listed') return listed(listing, list.zone, facts);
            if (listing.kind === 'trouble') {
              facts.inquiry.note({ kind: 'warning', rule: name, why: listing.why });
            }
            return DUNNO;
          });
        },
      };
    },
  };
}

/** Asks a list about the client. */
async function askList(list: DnsList, facts: CheckFacts): Promise<Listing> {
  const ip = parseIp(facts.client.address);
  if (ip === undefined) return { kind: 'unlisted' };
  const name = `${reversedIp(ip)}.${list.zone}`;
  const answer = await facts.questions.a(name);
  if (answer.kind === 'failed') return { kind: 'trouble', why: `${name}: ${answer.reason}` };
  if (answer.kind === 'none') return { kind: 'unlisted' };
  // RFC 5782 2.1: entries lie in 127/8. Another answer comes from a zone that was given up and
  // sold: believed, it would list the world. 127.255.255.x is how a list says that it refuses.
  const entries = answer.records.filter((record) => record.startsWith('127.'));
  const errors = entries.filter((record) => record.startsWith('127.255.255.'));
  if (entries.length === 0) return { kind: 'trouble', why: `${name}: answers outside 127/8` };
  if (errors.length > 0) return { kind: 'trouble', why: `${name}: the list says ${errors[0]}` };
  const hit = entries.find((record) => list.filter === undefined || fits(record, list.filter));
  return hit === undefined ? { kind: 'unlisted' } : { kind: 'listed', answer: hit, name };
}

function fits(record: string, filter: readonly (readonly Span[])[]): boolean {
  const numbers = record.split('.').map(Number);
  return filter.every((spans, at) =>
    spans.some(({ from, to }) => {
      const number = numbers[at] ?? -1;
      return number >= from && number <= to;
    }),
  );
}

/** Four parts with dots between them, each a number or numbers and ranges in brackets. */
function parseFilter(text: string): (readonly Span[])[] | undefined {
  const parts: (readonly Span[])[] = [];
  const next = /(\d{1,3}|\[[\d.;]{1,200}\])(\.|$)/y;
  while (next.lastIndex < text.length && parts.length < 4) {
    const match = next.exec(text);
    const part = match?.[1];
    const spans = part === undefined ? undefined : parseSpans(part.replace(/[[\]]/g, ''));
    if (spans === undefined) return undefined;
    parts.push(spans);
    if (match?.[2] === '') break;
  }
  return parts.length === 4 && next.lastIndex === text.length && !text.endsWith('.')
    ? parts
    : undefined;
}

function parseSpans(text: string): readonly Span[] | undefined {
  const pieces = text.split(';');
  if (pieces.length > SPANS) return undefined;
  const spans = pieces.map((piece) => {
    const match = /^(\d{1,3})(?:\.\.(\d{1,3}))?$/.exec(piece);
    const from = Number(match?.[1] ?? -1);
    const to = Number(match?.[2] ?? match?.[1] ?? -1);
    return from >= 0 && from <= to && to <= 255 ? { from, to } : undefined;
  });
  return spans.some((span) => span === undefined) ? undefined : (spans as Span[]);
}
