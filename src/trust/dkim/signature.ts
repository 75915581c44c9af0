/** Reads a DKIM-Signature field (RFC 6376 3.5, 6.1.1), strictly; ARC shares its parts. */

import type { Domain } from '#base/brand.ts';
import { fromLatin1, parseUtf8 } from '#base/bytes.ts';
import { parseDomain } from '#base/domain.ts';
import { isWithin } from '#trust/names.ts';
import type { BodyWant } from './body.ts';
import type { Canon } from './header.ts';
import type { Claims, Verdict } from './result.ts';
import { type Tag, type TagLimits, decodeBase64, parseTagList } from './tags.ts';
import { trimFolds, withoutFolds } from './tags.ts';

export type Tags = ReadonlyMap<string, Tag>;
export type Algorithm = NonNullable<Claims['algorithm']>;

/** Who signed, with what: in DKIM-Signature, ARC-Message-Signature and ARC-Seal alike. */
export interface Origin {
  readonly domain: Domain;
  readonly selector: string;
  readonly algorithm: Algorithm;
  readonly signature: Uint8Array;
  /** Where the value of `b=` lies in the field's raw text. */
  readonly b: Tag;
  /** What to ask the DNS for. */
  readonly keyName: string;
  readonly signedAtSeconds: number | undefined;
}

/** What is signed: in DKIM-Signature and ARC-Message-Signature. */
export interface Coverage {
  readonly headCanon: Canon;
  readonly body: BodyWant;
  readonly bodyHash: Uint8Array;
  readonly fields: readonly string[];
  readonly expiresAtSeconds: number | undefined;
}

export interface Signature extends Origin, Coverage {
  readonly identity: Claims['identity'];
}

/** A value, or why there is none. */
export type Reading<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'refused'; readonly verdict: Verdict };

export interface SignatureLimits extends TagLimits {
  /** Names in `h=`. */
  readonly fields?: number;
  /** Octets of a signature: RSA of 16,384 bits. */
  readonly signatureBytes?: number;
}

const FIELDS = 1_000;
const SIGNATURE_BYTES = 2_048;
const SHA256_BYTES = 32;
const NAME_OCTETS = 253;
const MARK = 16;
const FIELD_NAME = /^[!-9;-~]*$/;

/**
 * Reads the value of a DKIM-Signature field, folds and all. `claims` is what could be made out
 * even where the signature is refused. Never fails.
 */
export function readSignature(
  raw: string,
  limits: SignatureLimits = {},
): { readonly claims: Claims; readonly reading: Reading<Signature> } {
  const list = parseTagList(raw, limits);
  if (list.kind === 'bad') return { claims: NO_CLAIMS, reading: refused('permerror', list.why) };
  const { tags } = list;
  return { claims: claimsOf(tags), reading: readTags(tags, limits) };
}

function readTags(tags: Tags, limits: SignatureLimits): Reading<Signature> {
  const version = tags.get('v')?.value;
  if (version === undefined) return refused('permerror', 'v= is missing');
  if (version !== '1') return refused('neutral', 'v= is a version nobody knows');
  const origin = readOrigin(tags, limits);
  if (origin.kind === 'refused') return origin;
  const coverage = readCoverage(tags, 'simple', limits);
  if (coverage.kind === 'refused') return coverage;
  const { fields, expiresAtSeconds } = coverage.value;
  if (!fields.includes('from')) return refused('permerror', 'From is not signed');
  const { domain, signedAtSeconds } = origin.value;
  if (expiresAtSeconds !== undefined && expiresAtSeconds <= (signedAtSeconds ?? -1)) {
    return refused('permerror', 'x= is not later than t=');
  }
  const identity = readIdentity(tags.get('i')?.value, domain);
  if (identity.kind === 'refused') return identity;
  return read({ ...origin.value, ...coverage.value, identity: identity.value });
}

/** `a=`, `b=`, `d=`, `s=`, `t=`. */
export function readOrigin(tags: Tags, limits: SignatureLimits = {}): Reading<Origin> {
  const missing = ['a', 'b', 'd', 's'].find((name) => !tags.has(name));
  const b = tags.get('b');
  if (missing !== undefined || b === undefined) {
    return refused('permerror', `${missing}= is missing`);
  }
  const { domain, selector, algorithm } = claimsOf(tags);
  if (domain === undefined) return refused('permerror', 'd= is no domain name');
  const keyName = `${selector}._domainkey.${domain}`;
  if (selector === undefined || keyName.length > NAME_OCTETS) {
    return refused('permerror', 's= is no selector');
  }
  if (algorithm === undefined) {
    // RFC 8301 3.1: signatures with SHA-1 must not be taken for valid.
    return tags.get('a')?.value === 'rsa-sha1'
      ? refused('fail', 'rsa-sha1 proves nothing any more')
      : refused('neutral', 'a= is an algorithm nobody knows');
  }
  if (b.value.length > (limits.signatureBytes ?? SIGNATURE_BYTES) * 2) {
    return refused('permerror', 'b= is too long');
  }
  const signature = decodeBase64(b.value);
  if (signature === undefined || signature.length === 0) {
    return refused('permerror', 'b= is no base64');
  }
  const signedAt = readSeconds(tags.get('t'));
  if (signedAt === 'bad') return refused('permerror', 't= is no time');
  const signedAtSeconds = signedAt;
  return read({ domain, selector, algorithm, signature, b, keyName, signedAtSeconds });
}

/** `bh=`, `c=`, `h=`, `l=`, `q=`, `x=`. `canons` is what a missing `c=` means. */
export function readCoverage(
  tags: Tags,
  canons: 'simple' | 'relaxed/relaxed',
  limits: SignatureLimits = {},
): Reading<Coverage> {
  const missing = ['bh', 'h'].find((name) => !tags.has(name));
  if (missing !== undefined) return refused('permerror', `${missing}= is missing`);
  const bodyHash = decodeBase64(tags.get('bh')?.value ?? '');
  if (bodyHash?.length !== SHA256_BYTES) return refused('permerror', 'bh= is no SHA-256 hash');
  const canon = CANONS.get(tags.get('c')?.value ?? canons);
  if (canon === undefined) return refused('neutral', 'c= is a form nobody knows');
  const names = (tags.get('h')?.value ?? '').split(':').map(trimFolds);
  if (names.length > (limits.fields ?? FIELDS)) return refused('permerror', 'h= is too long');
  if (!names.every((name) => FIELD_NAME.test(name))) {
    return refused('permerror', 'h= names something that is no field');
  }
  const query = withoutFolds(tags.get('q')?.value ?? 'dns/txt').split(':');
  if (!query.includes('dns/txt')) return refused('neutral', 'q= is a method nobody knows');
  const lengthBytes = readLength(tags.get('l'));
  if (lengthBytes === 'bad') return refused('permerror', 'l= is no number');
  const expiresAtSeconds = readSeconds(tags.get('x'));
  if (expiresAtSeconds === 'bad') return refused('permerror', 'x= is no time');
  const [headCanon, bodyCanon] = canon;
  const fields = names.map((name) => name.toLowerCase());
  const body = { canon: bodyCanon, lengthBytes };
  return read({ headCanon, body, bodyHash, fields, expiresAtSeconds });
}

/** Who a field claims to be from, however wrong the rest of it is. */
export function claimsOf(tags: Tags): Claims {
  const domain = readDomain(tags.get('d')?.value);
  const algorithm = ALGORITHMS.get(tags.get('a')?.value ?? '');
  const identity = domain && readIdentity(tags.get('i')?.value, domain);
  return {
    domain,
    selector: readSelector(tags.get('s')?.value),
    identity: identity?.kind === 'read' ? identity.value : undefined,
    algorithm,
    mark: readMark(tags.get('b')?.value),
  };
}

export const NO_CLAIMS: Claims = {
  domain: undefined,
  selector: undefined,
  identity: undefined,
  algorithm: undefined,
  mark: '',
};

/** `SDID` and the domain in `i=`: at least two labels (RFC 6376 3.5), U-labels too (RFC 8616). */
function readDomain(value: string | undefined): Domain | undefined {
  const text = value === undefined || value.endsWith('.') ? undefined : asUnicode(value);
  const domain = text === undefined ? undefined : parseDomain(text);
  return domain?.includes('.') === true ? domain : undefined;
}

/** Labels like a domain's, but `s=2048` is a selector and no domain. */
function readSelector(value: string | undefined): string | undefined {
  const text = value === undefined || value.endsWith('.') ? undefined : asUnicode(value);
  return text === undefined ? undefined : parseDomain(`${text}.x`)?.slice(0, -2);
}

/** `i=`, RFC 6376 3.5: its domain is the signer's or one below it; by default there is no name. */
function readIdentity(value: string | undefined, signer: Domain): Reading<Claims['identity']> {
  if (value === undefined) return read(undefined);
  const at = value.lastIndexOf('@');
  const domain = at === -1 ? undefined : readDomain(value.slice(at + 1));
  if (domain === undefined) return refused('permerror', 'i= has no domain');
  if (!isWithin(domain, signer)) return refused('permerror', 'i= lies outside d=');
  return read({ local: value.slice(0, at), domain });
}

/** Only what is base64, so that it can be written down. */
function readMark(value = ''): string {
  const start = withoutFolds(value.slice(0, MARK * 2)).slice(0, MARK);
  return /^[A-Za-z0-9+/]*/.exec(start)?.[0] ?? '';
}

function asUnicode(octets: string): string | undefined {
  return /^[\x21-\x7e]*$/.test(octets) ? octets : parseUtf8(fromLatin1(octets));
}

/** RFC 6376 3.5: at most 12 digits, longer times never come. */
function readSeconds(tag: Tag | undefined): number | undefined | 'bad' {
  if (tag === undefined) return undefined;
  if (!/^\d+$/.test(tag.value)) return 'bad';
  return tag.value.length > 12 ? Infinity : Number(tag.value);
}

function readLength(tag: Tag | undefined): number | undefined | 'bad' {
  if (tag === undefined) return undefined;
  return /^\d{1,76}$/.test(tag.value) ? Number(tag.value) : 'bad';
}

function read<T>(value: T): Reading<T> {
  return { kind: 'read', value };
}

export function refused(status: Verdict['status'], reason: string): Reading<never> {
  return { kind: 'refused', verdict: { status, reason } };
}

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['rsa-sha256', 'rsa-sha256'],
  ['ed25519-sha256', 'ed25519-sha256'],
]);

/** RFC 6376 3.5 `c=`: the body's form is simple where only one is named. */
const CANONS: ReadonlyMap<string, readonly [head: Canon, body: Canon]> = new Map([
  ['simple', ['simple', 'simple']],
  ['relaxed', ['relaxed', 'simple']],
  ['simple/simple', ['simple', 'simple']],
  ['simple/relaxed', ['simple', 'relaxed']],
  ['relaxed/simple', ['relaxed', 'simple']],
  ['relaxed/relaxed', ['relaxed', 'relaxed']],
]);
