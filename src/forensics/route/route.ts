/** The way of a message: which Received lines are to be believed, and where that ends. */

import { type Head, firstField } from '#message/fields.ts';
import {
  type Network,
  isLoopback,
  matchesHost,
  networkOf,
  sameOrganization,
} from '../names/domains.ts';
import type { ReceivedLine } from '../received/line.ts';
import { type Trace, tracesOf } from '../specimen.ts';
import type { Answer } from '../authentication/dns.ts';
import { believableId } from '../authentication/results.ts';

/** What the operator says is to be trusted; without any of it everything is a claim. */
export interface Anchors {
  /** Hosts that write true lines: `mx.example.org`, or `.example.org` for all below. */
  readonly trustedMx: readonly string[];
  /** Networks whose machines hand true messages over. */
  readonly trustedNets: readonly Network[];
  /** Ids whose Authentication-Results are true where they stand above the boundary. */
  readonly authservIds: readonly string[];
  /** What our own record says about a line, by its id and the host that wrote it. */
  readonly ledger?: ((id: string, by: string) => LedgerFact | undefined) | undefined;
}

/** Our own record of a reception: not a claim of the line, but what we wrote down ourselves. */
export interface LedgerFact {
  readonly clientAddress: string | undefined;
  readonly helo: string | undefined;
  /** MAIL FROM without brackets, empty for the null reverse-path; undefined: not recorded. */
  readonly mailFrom?: string | undefined;
  /** Message-ID without brackets; undefined: not recorded. */
  readonly messageId?: string | undefined;
  readonly atMs: number;
  /** What the DNS said then, by question: keys and policies of the day. */
  readonly answers?: ReadonlyMap<string, Answer> | undefined;
}

/**
 * `own`: our record has it. `trusted`: a host that we trust wrote it. `boundary`: the last such
 * line, whose client was a stranger: its address is a fact, its HELO a claim. `claimed`: below.
 */
export type Zone = 'own' | 'trusted' | 'boundary' | 'claimed';

export interface Hop extends Trace {
  /** 1 is the newest. */
  readonly number: number;
  readonly zone: Zone;
  /** Why it is in that zone, in our words and the line's names. */
  readonly why: string;
  readonly recorded: LedgerFact | undefined;
}

export interface Route {
  /** Newest first. */
  readonly hops: readonly Hop[];
  /** Received lines that were not read, because there are too many. */
  readonly more: number;
  readonly anchored: boolean;
  /** The hop at which trust ends, if there is an anchor. */
  readonly boundary: Hop | undefined;
  /** Why trust ends there, or why there is none. */
  readonly why: string;
}

/** Between a line and its entry in the record lies the time that the content took. */
const TAKEN_MS = 3_600_000;

export const NO_ANCHOR = 'no trust anchor given: everything is a claim';

/** Walks from the newest line down as far as the anchors reach. Never fails. */
export function readRoute(head: Head, anchors: Anchors): Route {
  const { traces, more } = tracesOf(head);
  const walk = new Walk(head, traces, anchors);
  const { trusted, why } = walk.run();
  const hops = traces.map((trace, at): Hop => {
    const word = trusted[at];
    const last = at === trusted.length - 1;
    const zone = word === undefined ? 'claimed' : last ? 'boundary' : word.zone;
    return {
      ...trace,
      number: at + 1,
      zone,
      why: word?.why ?? 'below the boundary: anybody may have written it',
      recorded: word?.recorded,
    };
  });
  const boundary = trusted.length === 0 ? undefined : hops[trusted.length - 1];
  return { hops, more, anchored: boundary !== undefined, boundary, why };
}

interface Trusted {
  readonly zone: 'own' | 'trusted';
  readonly why: string;
  readonly recorded?: LedgerFact | undefined;
}

class Walk {
  readonly #head: Head;
  readonly #traces: readonly Trace[];
  readonly #anchors: Anchors;

  constructor(head: Head, traces: readonly Trace[], anchors: Anchors) {
    this.#head = head;
    this.#traces = traces;
    this.#anchors = anchors;
  }

  run(): { readonly trusted: readonly Trusted[]; readonly why: string } {
    const { trustedMx, trustedNets, authservIds, ledger } = this.#anchors;
    const given = trustedMx.length + trustedNets.length + authservIds.length > 0;
    if (!given && ledger === undefined) return { trusted: [], why: NO_ANCHOR };
    const begin = this.#insideGoogle();
    const top = this.#traces[begin];
    if (top === undefined) return { trusted: [], why: 'there is no Received line to begin with' };
    let word = this.#named(top) ?? this.#byNetwork(top) ?? this.#byResults(top);
    if (word === undefined) {
      const host = top.line.by?.text ?? 'nobody';
      const what = given ? 'the newest line is by a host that was not named' : NO_ANCHOR;
      return { trusted: [], why: given ? `${what}: ${host}` : what };
    }
    const inside: Trusted = { zone: 'trusted', why: 'a step inside of Google, without a client' };
    const trusted = Array.from({ length: begin }, () => inside);
    let why = 'the oldest line was reached';
    for (let at = begin; word !== undefined; at++) {
      trusted.push(word);
      const [here, next] = [this.#traces[at], this.#traces[at + 1]];
      if (here === undefined || next === undefined) break;
      const onward = this.#passesOn(here, next, word.recorded);
      word = typeof onward === 'string' ? undefined : onward;
      if (typeof onward === 'string') why = onward;
    }
    return { trusted, why };
  }

  /**
   * How many lines on top are Gmail's last steps: they name no client, and nobody as the writer but
   * an address of Google's own network. What stands below them is to be asked for, if it is Google's.
   */
  #insideGoogle(): number {
    const first = this.#traces.findIndex(({ line }) => !isStepOfGoogle(line));
    const next = this.#traces[first]?.line.product?.name;
    return next === 'Google' ? first : 0;
  }

  /** Whether the line below was written on this side of the boundary too, or why not. */
  #passesOn(here: Trace, next: Trace, recorded: LedgerFact | undefined): Trusted | string {
    const ip = recorded?.clientAddress ?? here.line.ip?.text;
    if (ip !== undefined) {
      const network = networkOf(ip, this.#anchors.trustedNets);
      if (network !== undefined) {
        const why = `handed over by ${ip}, which is in ${network.text}`;
        return this.#named(next) ?? { zone: 'trusted', why };
      }
      if (!isLoopback(ip)) return `the client ${ip} is in none of the trusted networks`;
      const named = this.#named(next) ?? this.#sameMachine(next);
      return named ?? 'the client was on the same machine, the line below names another one';
    }
    // Nobody connected: a pick-up, a local delivery, a step inside of one program.
    if (!isInside(here)) return 'the line does not tell the address of its client';
    return this.#named(next) ?? 'the line below is by a host that was not named';
  }

  #named({ line }: Trace): Trusted | undefined {
    const by = line.by?.text;
    if (by === undefined) return undefined;
    const id = line.id?.text;
    const recorded = id === undefined ? undefined : this.#anchors.ledger?.(id, by);
    if (recorded !== undefined && this.#isThat(line, recorded))
      return { zone: 'own', why: 'our own record has it', recorded };
    const pattern = this.#anchors.trustedMx.find((one) => matchesHost(by, one));
    return pattern === undefined
      ? undefined
      : { zone: 'trusted', why: `by ${by}, which was named` };
  }

  /** Whether a line is the one of our record, and not a copy of it on another message. */
  #isThat(line: ReceivedLine, { clientAddress, messageId, atMs }: LedgerFact): boolean {
    const ip = line.ip?.text;
    if (ip !== undefined && clientAddress !== undefined && ip !== clientAddress) return false;
    if (line.date !== undefined && Math.abs(line.date.ms - atMs) > TAKEN_MS) return false;
    const own = firstField(this.#head, 'message-id')?.value.replace(/^<|>$/g, '');
    return messageId === undefined || own === messageId;
  }

  #sameMachine({ line }: Trace): Trusted | undefined {
    if (line.by?.text !== 'localhost') return undefined;
    return { zone: 'trusted', why: 'on the same machine as the line above' };
  }

  #byNetwork({ line }: Trace): Trusted | undefined {
    for (const ip of [line.byIp?.text, line.ip?.text]) {
      const network = ip === undefined ? undefined : networkOf(ip, this.#anchors.trustedNets);
      if (network !== undefined) return { zone: 'trusted', why: `${ip} is in ${network.text}` };
    }
    return undefined;
  }

  /** With an authserv-id alone: the host has that name, or its field stands on top of all. */
  #byResults({ line, field }: Trace): Trusted | undefined {
    const ids = this.#anchors.authservIds;
    const by = line.by?.text;
    const id = by === undefined ? undefined : ids.find((one) => matchesHost(by, one));
    if (id !== undefined) return { zone: 'trusted', why: `by ${by}, which is the authserv-id` };
    for (const one of this.#head.fields) {
      if (one === field) return undefined;
      if (one.key !== 'authentication-results') continue;
      const own = believableId(one.value, ids);
      if (own !== undefined) {
        return { zone: 'trusted', why: `the results of ${own} stand above it` };
      }
    }
    return undefined;
  }
}

/** `by 2002:a05:…` or `by 10.…` with SMTP: 6to4 of a private network, or that itself. */
function isStepOfGoogle({ by, helo, rdns, ip, with: protocol }: ReceivedLine): boolean {
  if (helo !== undefined || rdns !== undefined || ip !== undefined) return false;
  return /^(?:2002:a[0-9a-f]{2}:|10\.)/.test(by?.text ?? '') && protocol?.text === 'SMTP';
}

/**
 * Whether the line above a claimed one says that it took the message from the host of that one: it
 * left there and came back, or is still inside. What the DNS said of a client whose line is true
 * outweighs what the client said.
 */
export function isTakenFrom({ hops }: Route, { number, line }: Hop): boolean {
  const newer = hops[number - 2];
  const by = line.by?.text;
  if (newer === undefined || by === undefined) return false;
  const { helo, rdns, oddities } = newer.line;
  const forged = oddities.includes('rdns may be forged');
  const named = newer.zone === 'claimed' || !writesNames(newer.line);
  const client = forged ? undefined : (rdns ?? (named ? helo : undefined));
  return client !== undefined && sameOrganization(client.text, by);
}

/** Whether a line is of a program that writes the client's name by the DNS, when there is one. */
export function writesNames({ product }: ReceivedLine): boolean {
  return NAME_WRITERS.has(product?.name ?? '');
}

const NAME_WRITERS = new Set(['Postfix', 'sendmail', 'Google', 'OpenSMTPD', 'Courier', 'Haraka']);

/** Whether a line tells of no connection from elsewhere. */
function isInside({ line }: Trace): boolean {
  if (line.helo === undefined && line.rdns === undefined) return true;
  return /^(?:local|lmtp|lmtps|lmtpa|lmtpsa|mapi|pipe)/i.test(line.with?.text ?? '');
}
