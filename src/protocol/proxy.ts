/** The PROXY protocol, versions 1 and 2: who really connected, told by a proxy that is trusted. */

import { isIpv4, normalIpv6 } from '#base/domain.ts';
import { concat, latin1, LF, NO_BYTES } from '#base/bytes.ts';
import type { Endpoint } from '#base/world.ts';

export interface ProxyLimits {
  /** Octets of a version 1 line with its CRLF: the longest that is possible. */
  readonly lineBytes: number;
  /** Octets of a version 2 header with its extensions. */
  readonly headerBytes: number;
}

export const PROXY_LIMITS: ProxyLimits = { lineBytes: 107, headerBytes: 536 };

export type ProxyProgress =
  | { readonly kind: 'more' }
  /**
   * `source` undefined: UNKNOWN or LOCAL, the proxy speaks for itself: the connection's own ends
   * hold. `rest`: what came behind the header.
   */
  | {
      readonly kind: 'done';
      readonly source: Endpoint | undefined;
      readonly destination: Endpoint | undefined;
      readonly rest: Uint8Array;
    }
  /** No header, or a wrong one: close without a word. */
  | { readonly kind: 'refused'; readonly why: string };

const MORE: ProxyProgress = { kind: 'more' };
const LINE_START = Buffer.from('PROXY ', 'latin1');
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Signature, command, family, length. */
const FIXED = 16;

/**
 * Reads one header from the start of a connection: only for peers that are listed as proxies,
 * since whoever may send one may claim any address. After `done` or `refused` it is used up.
 */
export class ProxyHeader {
  readonly #limits: ProxyLimits;
  #bytes: Uint8Array = NO_BYTES;

  constructor(limits: ProxyLimits = PROXY_LIMITS) {
    this.#limits = limits;
  }

  push(bytes: Uint8Array): ProxyProgress {
    this.#bytes = this.#bytes.length === 0 ? bytes : concat([this.#bytes, bytes]);
    if (this.#bytes.length === 0) return MORE;
    if (begins(this.#bytes, LINE_START)) return this.#line();
    return begins(this.#bytes, SIGNATURE) ? this.#binary() : refused('no PROXY header');
  }

  #line(): ProxyProgress {
    const head = this.#bytes.subarray(0, this.#limits.lineBytes);
    const end = head.indexOf(LF);
    if (end < 0) {
      return head.length < this.#limits.lineBytes ? MORE : refused('the line is too long');
    }
    return parseLine(latin1(head.subarray(0, end + 1)), this.#bytes.subarray(end + 1));
  }

  #binary(): ProxyProgress {
    const bytes = this.#bytes;
    if (bytes.length < FIXED) return MORE;
    const length = FIXED + word(bytes, 14);
    if (length > this.#limits.headerBytes) return refused('the header is too long');
    if (bytes.length < length) return MORE;
    return parseHeader(bytes.subarray(0, length), bytes.subarray(length));
  }
}

/** `PROXY TCP4 source destination port port CRLF`. */
function parseLine(line: string, rest: Uint8Array): ProxyProgress {
  if (!line.endsWith('\r\n')) return refused('the line does not end with CRLF');
  const text = line.slice(0, -2);
  if (!/^[\x20-\x7e]*$/.test(text)) return refused('control characters in the line');
  const [, family, ...fields] = text.split(' ');
  // Version 1, 2.1: whatever follows UNKNOWN is ignored.
  if (family === 'UNKNOWN')
    return { kind: 'done', source: undefined, destination: undefined, rest };
  if (family !== 'TCP4' && family !== 'TCP6') return refused('unknown family');
  const [from = '', to = '', fromPort = '', toPort = ''] = fields;
  const source = endpoint(family, from, fromPort);
  const destination = endpoint(family, to, toPort);
  if (fields.length !== 4 || source === undefined || destination === undefined) {
    return refused('bad address or port');
  }
  return { kind: 'done', source, destination, rest };
}

function parseHeader(header: Uint8Array, rest: Uint8Array): ProxyProgress {
  const command = header[12] ?? 0;
  const family = header[13] ?? 0;
  if (command === 0x20) return { kind: 'done', source: undefined, destination: undefined, rest };
  if (command !== 0x21) return refused('unknown version or command');
  const octets = family === 0x11 ? 4 : 16;
  if (family !== 0x11 && family !== 0x21) return refused('neither TCP over IPv4 nor over IPv6');
  if (header.length < FIXED + 2 * octets + 4) return refused('the addresses are cut short');
  const ports = FIXED + 2 * octets;
  const source = { address: address(header, FIXED, octets), port: word(header, ports) };
  const destination = {
    address: address(header, FIXED + octets, octets),
    port: word(header, ports + 2),
  };
  return { kind: 'done', source, destination, rest };
}

function endpoint(family: 'TCP4' | 'TCP6', text: string, port: string): Endpoint | undefined {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return undefined;
  if (family === 'TCP4') return isIpv4(text) ? { address: text, port: Number(port) } : undefined;
  const normal = normalIpv6(text);
  return normal === undefined ? undefined : { address: unmapped(normal), port: Number(port) };
}

function address(bytes: Uint8Array, at: number, octets: number): string {
  if (octets === 4) return bytes.subarray(at, at + 4).join('.');
  const groups: string[] = [];
  for (let index = 0; index < 16; index += 2) groups.push(word(bytes, at + index).toString(16));
  return unmapped(normalIpv6(groups.join(':')) ?? '::');
}

/** `::ffff:c000:201` is an IPv4 client: rules about 192.0.2.1 must see it as one. */
function unmapped(text: string): string {
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text) ?? [];
  if (high === undefined || low === undefined) return text;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Whether `bytes` begin like `start`, as far as they go. */
function begins(bytes: Uint8Array, start: Uint8Array): boolean {
  const length = Math.min(bytes.length, start.length);
  for (let index = 0; index < length; index++) if (bytes[index] !== start[index]) return false;
  return true;
}

function refused(why: string): ProxyProgress {
  return { kind: 'refused', why };
}
