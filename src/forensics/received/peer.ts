/** The client in a Received line: what it called itself, its name by the DNS, its address. */

import { isIpv4, normalIpv6 } from '#base/domain.ts';
import type { Confidence, Read } from './line.ts';

export interface Peer {
  readonly helo: Read | undefined;
  readonly rdns: Read | undefined;
  readonly ip: Read | undefined;
  readonly ident: Read | undefined;
  readonly login: Read | undefined;
  readonly mayBeForged: boolean;
  /** In an address' brackets stands none: `[999.1.2.3]`. */
  readonly noAddress: boolean;
}

/** What one comment says of the client. */
interface Comment {
  helo?: string;
  rdns?: string;
  ip?: string;
  ident?: string;
  login?: string;
  mayBeForged?: boolean;
  noAddress?: boolean;
}

const TOKENS = 40;
const HOST = /^[A-Za-z0-9_\x80-\xff](?:[A-Za-z0-9_.\x80-\xff-]{0,253}[A-Za-z0-9_.\x80-\xff])?$/;
/** Words for "no name" in the place of one. */
const NO_NAME = new Set([
  'unknown',
  'unknown_domain',
  'unverified',
  'nxdomain',
  'unavailable',
  'null',
]);

/**
 * Reads the words and comments after `from`. RFC 5321 4.4 has the name of EHLO first and the
 * client's address, with its name by the DNS, in a comment; qmail, Exim and some others have the
 * name by the DNS first and EHLO's in the comment.
 */
export function readPeer(
  words: readonly string[],
  comments: readonly string[],
  product: string | undefined,
): Peer {
  const said: Comment = {};
  for (const text of comments) takeComment(text, said, words.length > 0);
  const [first] = words;
  const second = words[1] === undefined ? undefined : addressOf(words[1]);
  const firstIp = first === undefined ? undefined : addressOf(first);
  const ip = pick(
    [said.ip, 'high'],
    [second, 'high'],
    [firstIp, said.helo === undefined ? (product === 'SquirrelMail' ? 'medium' : 'low') : 'high'],
  );
  // `from mail pickup service by`: words, no name.
  const named = words.length < 3 || second !== undefined ? first : undefined;
  const rest = namesOf(named, firstIp, said, product);
  return {
    ...rest,
    ip,
    ident: said.ident === undefined ? undefined : { text: said.ident, confidence: 'high' },
    login: said.login === undefined ? undefined : { text: said.login, confidence: 'high' },
    mayBeForged: said.mayBeForged === true,
    noAddress: said.noAddress === true,
  };
}

/** Most words are names: one look tells. */
const ADDRESS_START = /^[[(]{0,4}(?:\d{1,3}\.|ipv6:|[0-9a-f]{0,4}:)/i;

/** `192.0.2.1`, `[192.0.2.1]:25`, `IPv6:2001:db8::1`, `::ffff:192.0.2.1`; else undefined. */
export function addressOf(word: string): string | undefined {
  if (word.length > 80 || !ADDRESS_START.test(word)) return undefined;
  let text = word.replace(/^[[(]+/, '');
  const close = text.search(/[\])]/);
  if (close !== -1) {
    // After the bracket a port may stand, nothing else.
    if (!/^[\])]+(?::\d{1,5})?[,.]?$/.test(text.slice(close))) return undefined;
    text = text.slice(0, close);
  }
  text = text.replace(/^ipv6:/i, '').replace(/%[\w.]{1,20}$/, '');
  if (isIpv4(text)) return text;
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(text)?.[1];
  if (mapped !== undefined) return isIpv4(mapped) ? mapped : undefined;
  return normalIpv6(text);
}

function namesOf(
  first: string | undefined,
  firstIp: string | undefined,
  said: Comment,
  product: string | undefined,
): Pick<Peer, 'helo' | 'rdns'> {
  const name = first === undefined || firstIp !== undefined ? undefined : hostName(first);
  const saidRdns = read(said.rdns, said.mayBeForged === true ? 'low' : 'high');
  if (said.helo !== undefined) {
    // The comment has EHLO's name, so what stands first is the DNS's.
    const same = name !== undefined && product === undefined && said.helo === first;
    return {
      helo: read(said.helo, 'high'),
      rdns: saidRdns ?? read(name, same ? 'medium' : 'high'),
    };
  }
  if (product === 'Exim' || product === 'qmail') {
    // Both write the name once where EHLO's and the DNS's are the same.
    if (said.ip === undefined) return { helo: read(name, 'medium'), rdns: saidRdns };
    return { helo: read(name, 'high'), rdns: saidRdns ?? read(name, 'medium') };
  }
  const literal = firstIp !== undefined && said.ip !== undefined ? first : undefined;
  const odd = first === undefined || firstIp !== undefined || isNoName(first) ? undefined : first;
  const helo = name ?? literal ?? odd;
  const known = said.rdns !== undefined || product !== undefined;
  return {
    helo: read(helo, said.ip === undefined ? 'medium' : known ? 'high' : 'medium'),
    rdns: saidRdns,
  };
}

/** One comment of the `from` clause; what it does not say stays as it was. */
function takeComment(text: string, said: Comment, named: boolean): void {
  const tokens = text.split(/[\s,;]+/, TOKENS).filter((token) => token !== '');
  takeLogin(text, said);
  if (/may be forged|misconfigured/i.test(text)) said.mayBeForged = true;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    if (/^(?:helo|ehlo|lhlo)$/i.test(token)) {
      said.helo ??= tokens[at + 1] ?? '';
      at++;
    } else if (/^helo=/i.test(token)) said.helo ??= token.slice(5);
    else if (/^ident=/i.test(token)) said.ident ??= token.slice(6);
    else takeToken(tokens, at, said, named);
  }
}

function takeToken(tokens: readonly string[], at: number, said: Comment, named: boolean): void {
  const token = tokens[at] ?? '';
  const bracketed = token.startsWith('[');
  const sign = token.lastIndexOf('@');
  const ip = addressOf(sign === -1 ? token : token.slice(sign + 1));
  // Four numbers beside other words may be a version: bare, they need a host's name before them.
  const before = tokens[at - 1] ?? '';
  const bare = tokens.length === 1 || (tokens.length === 2 && at === 1 && before.includes('.'));
  if (ip !== undefined && (bracketed || sign > 0 || bare)) {
    if (said.ip !== undefined) return;
    said.ip = ip;
    if (sign > 0) said.ident ??= identOf(token.slice(0, sign));
    if (before !== '' && at === 1) takeName(before, said);
    return;
  }
  if (bracketed && /^\[\d{1,5}(?:\.\d{1,5}){3}\]$/.test(token)) said.noAddress = true;
  // A comment of one word beside a name: `(localhost)`, a name without an address.
  if (tokens.length === 1 && named && /^[\w-]+(?:\.[\w-]+)+\.?$|^localhost$/.test(token)) {
    said.rdns ??= withoutDot(token);
  }
}

/** What stands before the address: `host`, `user@host`, `unknown`. */
function takeName(word: string, said: Comment): void {
  const sign = word.lastIndexOf('@');
  if (sign > 0) said.ident ??= identOf(word.slice(0, sign));
  const name = hostName(sign === -1 ? word : word.slice(sign + 1));
  if (name !== undefined) said.rdns ??= name;
}

const LOGINS: readonly RegExp[] = [
  /^authenticated sender: (\S{1,320})/i,
  /^account (\S{1,320})/i,
  /\bauthenticated (?:user|as) (\S{1,320})/i,
  /^auth: \w+ ([^\s,]{1,320})/i,
  /\bauthid=([^\s)]{1,320})/i,
  /\bauthenticated (?:bits|submission)/i,
];

function takeLogin(text: string, said: Comment): void {
  if (said.login !== undefined || !/auth|account/i.test(text)) return;
  for (const pattern of LOGINS) {
    const found = pattern.exec(text);
    if (found === null) continue;
    said.login = found[1] ?? '';
    return;
  }
}

function identOf(text: string): string {
  return text.replace(/^ident:/i, '');
}

/** A host's name without its dot; undefined for what stands there for "none". */
function hostName(word: string): string | undefined {
  const name = withoutDot(word);
  return HOST.test(name) && !isNoName(name) && !/^[\d.]+$/.test(name) ? name : undefined;
}

function isNoName(word: string): boolean {
  return NO_NAME.has(word.toLowerCase());
}

function withoutDot(word: string): string {
  return word.endsWith('.') ? word.slice(0, -1) : word;
}

function read(text: string | undefined, confidence: Confidence): Read | undefined {
  return text === undefined || text === '' ? undefined : { text, confidence };
}

function pick(
  ...choices: readonly (readonly [text: string | undefined, confidence: Confidence])[]
): Read | undefined {
  for (const [text, confidence] of choices) if (text !== undefined) return { text, confidence };
  return undefined;
}
