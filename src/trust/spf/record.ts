/** SPF records (RFC 7208 4.5, 4.6.1, 5, 6): the text to terms, or what is wrong with it. */

import { parseIp, type IpAddress } from '#base/ip.ts';
import { parseMacros, type Piece } from './macro.ts';

export type Qualifier = '+' | '-' | '~' | '?';

/** A domain-spec: to be expanded, then asked for. */
export type DomainSpec = readonly Piece[];

export type Mechanism =
  | { readonly kind: 'all' }
  | { readonly kind: 'include' | 'exists'; readonly domain: DomainSpec }
  | { readonly kind: 'ptr'; readonly domain: DomainSpec | undefined }
  | {
      readonly kind: 'a' | 'mx';
      readonly domain: DomainSpec | undefined;
      readonly bits4: number;
      readonly bits6: number;
    }
  | { readonly kind: 'ip'; readonly network: IpAddress; readonly bits: number };

export interface Directive {
  readonly qualifier: Qualifier;
  readonly mechanism: Mechanism;
  /** As it stands in the record. */
  readonly text: string;
}

export interface SpfRecord {
  readonly kind: 'record';
  readonly directives: readonly Directive[];
  readonly redirect: DomainSpec | undefined;
  readonly explanation: DomainSpec | undefined;
}

/** `what` is fit to be shown, once it is escaped. */
export interface SpfSyntaxError {
  readonly kind: 'error';
  readonly what: string;
}

const MODIFIER = /^[A-Za-z][A-Za-z0-9._-]*=/;
const MECHANISM = /^([+\-?~]?)([A-Za-z][A-Za-z0-9]*)(.*)$/s;
const TOP_LABEL = /^(?=.*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
const SHOWN = 80;

/** Whether a TXT record is an SPF record: the version, then a space or the end. */
export function isSpfRecord(text: string): boolean {
  return text.slice(0, 6).toLowerCase() === 'v=spf1' && (text.length === 6 || text[6] === ' ');
}

/**
 * Parses a whole record. Any error anywhere makes it an error (RFC 7208 4.6). Terms are separated
 * by spaces and nothing else. Linear time.
 */
export function parseSpfRecord(text: string): SpfRecord | SpfSyntaxError {
  const directives: Directive[] = [];
  let redirect: DomainSpec | undefined;
  let explanation: DomainSpec | undefined;
  for (const term of text.slice(6).split(' ')) {
    if (term === '') continue;
    const name = MODIFIER.exec(term)?.[0].slice(0, -1).toLowerCase();
    if (name === undefined) {
      const directive = parseDirective(term);
      if (typeof directive === 'string') return wrong(`${directive}: ${term.slice(0, SHOWN)}`);
      directives.push(directive);
      continue;
    }
    const value = term.slice(name.length + 1);
    if (name !== 'redirect' && name !== 'exp') {
      if (parseMacros(value, 'modifier') === undefined) return wrong(`a bad macro in ${name}=`);
      continue;
    }
    const domain = parseDomainSpec(value);
    if (domain === undefined) return wrong(`${name}= needs a domain`);
    if ((name === 'exp' ? explanation : redirect) !== undefined) return wrong(`two ${name}=`);
    if (name === 'exp') explanation = domain;
    else redirect = domain;
  }
  return { kind: 'record', directives, redirect, explanation };
}

function wrong(what: string): SpfSyntaxError {
  return { kind: 'error', what };
}

/** A directive, or what is wrong with it. */
function parseDirective(text: string): Directive | string {
  const parts = MECHANISM.exec(text);
  if (parts === null) return 'no mechanism';
  const [, sign, name = '', rest = ''] = parts;
  const mechanism = parseMechanism(name.toLowerCase(), rest);
  if (typeof mechanism === 'string') return mechanism;
  const qualifier = sign === '' || sign === undefined ? '+' : (sign as Qualifier);
  return { qualifier, mechanism, text };
}

function parseMechanism(name: string, rest: string): Mechanism | string {
  switch (name) {
    case 'all':
      return rest === '' ? { kind: 'all' } : 'all takes nothing';
    case 'include':
    case 'exists': {
      const domain = rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : undefined;
      return domain === undefined ? `${name} needs a domain` : { kind: name, domain };
    }
    case 'ptr': {
      if (rest === '') return { kind: 'ptr', domain: undefined };
      const domain = rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : undefined;
      return domain === undefined ? 'no domain after ptr' : { kind: 'ptr', domain };
    }
    case 'a':
    case 'mx':
      return parseHosts(name, rest);
    case 'ip4':
      return parseNetwork(rest, 4, 32);
    case 'ip6':
      return parseNetwork(rest, 6, 128);
    default:
      return 'unknown mechanism';
  }
}

/** `[":" domain-spec] [dual-cidr-length]`; the lengths are what ends the text. */
function parseHosts(kind: 'a' | 'mx', rest: string): Mechanism | string {
  const cidr = /(?:\/(\d{1,9}))?(?:\/\/(\d{1,9}))?$/.exec(rest.slice(-24));
  const bits4 = parseBits(cidr?.[1], 32);
  const bits6 = parseBits(cidr?.[2], 128);
  if (bits4 === undefined || bits6 === undefined) return 'a bad prefix length';
  const named = rest.slice(0, rest.length - (cidr?.[0].length ?? 0));
  if (named === '') return { kind, domain: undefined, bits4, bits6 };
  const domain = named.startsWith(':') ? parseDomainSpec(named.slice(1)) : undefined;
  return domain === undefined ? `no domain after ${kind}` : { kind, domain, bits4, bits6 };
}

function parseNetwork(rest: string, family: 4 | 6, most: number): Mechanism | string {
  const [network = '', length, ...more] = rest.slice(1, 100).split('/');
  // An IPv4-mapped network would count as IPv4: ip6 then matches nothing (RFC 7208 5).
  const sound = family === 6 ? network.includes(':') : !network.includes(':');
  const ip = rest.startsWith(':') && sound ? parseIp(network) : undefined;
  const bits = length === '' ? undefined : parseBits(length, most);
  if (ip === undefined || bits === undefined || more.length > 0) return 'a bad network';
  return { kind: 'ip', network: ip.family === family ? ip : nowhere(ip), bits };
}

/** A network no client is in: clients with mapped addresses count as IPv4. */
function nowhere(ip: IpAddress): IpAddress {
  const octets = new Uint8Array(16);
  octets.fill(0xff, 10, 12);
  octets.set(ip.octets, 12);
  return { family: 6, octets, text: `::ffff:${ip.text}` };
}

/** No leading zeros, at most `most`; a length that is not there is `most`. */
function parseBits(digits: string | undefined, most: number): number | undefined {
  if (digits === undefined) return most;
  return /^(?:0|[1-9]\d{0,2})$/.test(digits) && Number(digits) <= most ? Number(digits) : undefined;
}

/** RFC 7208 7.1 `domain-spec`: macros, and at the end a macro or a dot and a top label. */
export function parseDomainSpec(text: string): DomainSpec | undefined {
  const pieces = parseMacros(text, 'domain');
  if (pieces === undefined || pieces.length === 0) return undefined;
  if (endsInMacro(pieces)) return pieces;
  const bare = text.endsWith('.') ? text.slice(0, -1) : text;
  const dot = bare.lastIndexOf('.');
  return dot !== -1 && TOP_LABEL.test(bare.slice(dot + 1)) ? pieces : undefined;
}

/** `%%`, `%_` and `%-` are macros too; no literal text is one of what they become. */
function endsInMacro(pieces: DomainSpec): boolean {
  const last = pieces.at(-1);
  return typeof last !== 'string' || last === '%' || last === ' ' || last === '%20';
}
