/** What a server says to a ClientHello: its records read and taken apart, whatever they hold. */

import { concat } from '#base/bytes.ts';
import { isLost, lossText, type Wire } from '../wire/wire.ts';
import { alertName, EXTENSION, VERSIONS } from './codes.ts';

/** ServerHello with what followed it in clear. */
export interface ServerFlight {
  readonly kind: 'hello';
  /** The version that was chosen, also where an extension says it. */
  readonly version: number;
  readonly random: Uint8Array;
  readonly suite: number;
  readonly compression: number;
  /** By number, with their content. */
  readonly extensions: ReadonlyMap<number, Uint8Array>;
  /** DER, in the order sent; none under TLS 1.3, where they are encrypted. */
  readonly certificates: readonly Uint8Array[];
  readonly keyExchange: Uint8Array | undefined;
  /** Whether ServerHelloDone was reached (never under TLS 1.3). */
  readonly whole: boolean;
}

/**
 * `refused`: an alert, or the end of the connection, which old servers prefer; `unclear`: silence
 * or octets that are no TLS, from which nothing follows.
 */
export type HelloAnswer =
  | ServerFlight
  | { readonly kind: 'refused'; readonly alert: number | undefined; readonly why: string }
  | { readonly kind: 'unclear'; readonly why: string; readonly silent?: boolean };

/** Octets and records of one answer. */
const FLIGHT_BYTES = 131_072;
const RECORD_BYTES = 18_432;
const RECORDS = 128;
const CERTIFICATES = 10;
const ALERT = 21;
const HANDSHAKE = 22;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const KEY_EXCHANGE = 12;
const DONE = 14;

/** Reads until the server is done, refuses, or `timeoutMs` are over in all. */
export async function readFlight(wire: Wire, timeoutMs: number): Promise<HelloAnswer> {
  const untilMs = wire.clock.elapsed() + timeoutMs;
  const flight = new Flight();
  let octets = 0;
  for (let count = 0; count < RECORDS; count += 1) {
    const leftMs = Math.max(0, untilMs - wire.clock.elapsed());
    const record = await readRecord(wire, leftMs);
    if (!('type' in record)) return flight.hello ?? record;
    octets += record.content.length;
    if (octets > FLIGHT_BYTES) break;
    if (record.type === ALERT) {
      const [level = 0, description = 0] = record.content;
      // A warning (unrecognised name) does not end the handshake.
      if (level === 1 && description !== 0) continue;
      return flight.hello ?? refusal(description);
    }
    if (record.type !== HANDSHAKE) {
      return flight.hello ?? { kind: 'unclear', why: `a record of type ${record.type}` };
    }
    const state = flight.add(record.content);
    if (state === 'broken') return { kind: 'unclear', why: 'a ServerHello that is none' };
    if (state === 'done' && flight.hello !== undefined) return flight.hello;
  }
  return flight.hello ?? { kind: 'unclear', why: 'more than a ServerHello can be' };
}

/** SSLv2's answer: SERVER-HELLO, or anything else. */
export async function readSslv2(wire: Wire, timeoutMs: number): Promise<'spoken' | HelloAnswer> {
  const untilMs = wire.clock.elapsed() + timeoutMs;
  const head = await wire.readOctets(5, timeoutMs);
  if (isLost(head)) return lost(head.kind, lossText(head));
  const [high = 0, , type = 0] = head;
  if (high === ALERT) {
    const rest = await wire.readOctets(2, Math.max(0, untilMs - wire.clock.elapsed()));
    return isLost(rest) ? lost(rest.kind, lossText(rest)) : refusal(rest[1] ?? 0);
  }
  if ((high & 0x80) === 0) return { kind: 'unclear', why: 'no record of SSLv2 or TLS' };
  if (type === 4) return 'spoken';
  return type === 0
    ? { kind: 'refused', alert: undefined, why: 'an SSLv2 error' }
    : { kind: 'unclear', why: `a message of type ${type}` };
}

async function readRecord(
  wire: Wire,
  timeoutMs: number,
): Promise<{ readonly type: number; readonly content: Uint8Array } | HelloAnswer> {
  const untilMs = wire.clock.elapsed() + timeoutMs;
  const head = await wire.readOctets(5, timeoutMs);
  if (isLost(head)) return lost(head.kind, lossText(head));
  const [type = 0, major = 0, , high = 0, low = 0] = head;
  const length = high * 256 + low;
  if (type < 20 || type > 24 || major !== 3 || length === 0 || length > RECORD_BYTES) {
    return { kind: 'unclear', why: 'octets that are no TLS record' };
  }
  const content = await wire.readOctets(length, Math.max(0, untilMs - wire.clock.elapsed()));
  return isLost(content) ? lost(content.kind, lossText(content)) : { type, content };
}

/** Handshake messages, however they are cut into records. */
class Flight {
  hello: ServerFlight | undefined;
  #rest: Uint8Array = new Uint8Array(0);

  add(content: Uint8Array): 'more' | 'done' | 'broken' {
    let rest = this.#rest.length === 0 ? content : concat([this.#rest, content]);
    while (rest.length >= 4) {
      const reader = new Reader(rest);
      const type = reader.number(1);
      const length = reader.number(3);
      if (length > FLIGHT_BYTES) return 'broken';
      if (rest.length < 4 + length) break;
      const message = rest.subarray(4, 4 + length);
      rest = rest.subarray(4 + length);
      const state = this.#message(type, message);
      if (state !== 'more') return state;
    }
    this.#rest = rest;
    return 'more';
  }

  #message(type: number, message: Uint8Array): 'more' | 'done' | 'broken' {
    if (this.hello === undefined) {
      if (type !== SERVER_HELLO) return 'broken';
      this.hello = serverHello(message);
      if (this.hello === undefined) return 'broken';
      return this.hello.version >= VERSIONS['TLSv1.3'] ? 'done' : 'more';
    }
    if (type === CERTIFICATE) this.hello = { ...this.hello, certificates: certificatesOf(message) };
    if (type === KEY_EXCHANGE) this.hello = { ...this.hello, keyExchange: message.slice() };
    if (type !== DONE) return 'more';
    this.hello = { ...this.hello, whole: true };
    return 'done';
  }
}

function serverHello(message: Uint8Array): ServerFlight | undefined {
  const reader = new Reader(message);
  const legacy = reader.number(2);
  const random = reader.take(32);
  reader.take(reader.number(1));
  const suite = reader.number(2);
  const compression = reader.number(1);
  if (reader.broken) return undefined;
  const extensions = new Map<number, Uint8Array>();
  if (reader.left >= 2) {
    const list = new Reader(reader.take(reader.number(2)));
    while (list.left >= 4) extensions.set(list.number(2), list.take(list.number(2)).slice());
    if (list.broken) return undefined;
  }
  const chosen = extensions.get(EXTENSION.supportedVersions);
  const version = chosen?.length === 2 ? new Reader(chosen).number(2) : legacy;
  return {
    kind: 'hello',
    version,
    random: random.slice(),
    suite,
    compression,
    extensions,
    certificates: [],
    keyExchange: undefined,
    whole: false,
  };
}

function certificatesOf(message: Uint8Array): readonly Uint8Array[] {
  const reader = new Reader(message);
  const list = new Reader(reader.take(reader.number(3)));
  const all: Uint8Array[] = [];
  while (list.left >= 3 && all.length < CERTIFICATES) all.push(list.take(list.number(3)).slice());
  return list.broken ? [] : all;
}

/** Bits of the prime in a ServerKeyExchange of DHE (RFC 5246 7.4.3); undefined: there is none. */
export function primeBits(keyExchange: Uint8Array): number | undefined {
  const reader = new Reader(keyExchange);
  const prime = reader.take(reader.number(2));
  if (reader.broken) return undefined;
  const from = prime.findIndex((octet) => octet !== 0);
  if (from < 0) return undefined;
  return (prime.length - from) * 8 - Math.clz32(prime[from] ?? 0) + 24;
}

/** The named curve of a ServerKeyExchange of ECDHE (RFC 8422 5.4). */
export function curveOf(keyExchange: Uint8Array): number | undefined {
  const reader = new Reader(keyExchange);
  const named = reader.number(1) === 3;
  const curve = reader.number(2);
  return named && !reader.broken ? curve : undefined;
}

/** The signature algorithm of an ECDHE ServerKeyExchange of TLS 1.2. */
export function curveSignature(keyExchange: Uint8Array): number | undefined {
  const reader = new Reader(keyExchange);
  reader.take(3);
  reader.take(reader.number(1));
  const algorithm = reader.number(2);
  return reader.broken ? undefined : algorithm;
}

/** Reads numbers and octets; beyond the end it is `broken`, and everything is 0 and empty. */
class Reader {
  readonly #octets: Uint8Array;
  #at = 0;
  broken = false;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get left(): number {
    return this.broken ? 0 : this.#octets.length - this.#at;
  }

  number(octets: number): number {
    return this.take(octets).reduce((sum, octet) => sum * 256 + octet, 0);
  }

  take(count: number): Uint8Array {
    if (count > this.left) {
      this.broken = true;
      return new Uint8Array(0);
    }
    this.#at += count;
    return this.#octets.subarray(this.#at - count, this.#at);
  }
}

function refusal(alert: number): HelloAnswer {
  return { kind: 'refused', alert, why: `the alert "${alertName(alert)}"` };
}

function lost(kind: string, why: string): HelloAnswer {
  const ended = kind === 'closed' || kind === 'reset';
  if (ended) return { kind: 'refused', alert: undefined, why };
  return { kind: 'unclear', why, silent: kind === 'timeout' };
}
