/** What domains of the test internet publish, and the letters that come in their names. */

import { createHash, generateKeyPairSync } from 'node:crypto';
import { fromLatin1 } from '#base/bytes.ts';
import { splitMessage } from '#message/edit.ts';
import { sealMessage } from '#trust/arc/seal.ts';
import { hashBody } from '#trust/dkim/body.ts';
import { SignedHead } from '#trust/dkim/header.ts';
import { keyRecord } from '#trust/dkim/keys.ts';
import { SIGNING_WANT, type SigningKey, signTags } from '#trust/dkim/sign.ts';
import { signed, testKey } from '#trust/dkim/testing.ts';
import type { ZoneEntry } from '../dns-server.ts';

/** A domain's mail: what its DNS says, and one letter. */
export interface InboundScene {
  readonly zone: Readonly<Record<string, ZoneEntry>>;
  /** The client; the address that the domain's SPF names is the default. */
  readonly ip?: string;
  /** Default: `joe@` the domain. */
  readonly sender?: string;
  readonly recipient?: string;
  readonly message: string;
}

export const GOOD = '192.0.2.10';
export const BAD = '198.51.100.66';
const KEY = testKey('rsa-sha256', 'any.test', 'k', 1_024);
export const WEAK = keyRecord(generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey);
export const SPF = `v=spf1 ip4:${GOOD} -all`;

type Zone = InboundScene['zone'];

/** SPF, DMARC and a DKIM key; what is left out is not published. */
export function zone(domain: string, dmarc: string, spf: string = SPF, key = KEY.record): Zone {
  return {
    [domain]: { txt: [spf] },
    [`_dmarc.${domain}`]: { txt: [`v=DMARC1; ${dmarc}`] },
    [`k._domainkey.${domain}`]: { txt: [key] },
  };
}

function keyOf(domain: string): SigningKey {
  return { ...KEY, domain: domain as SigningKey['domain'] };
}

/** From joe of the domain, with an id that tells it from all others. */
export function letter(domain: string, author = `joe@${domain}`): string {
  return `From: ${author}\r\nSubject: news\r\nMessage-ID: <1@${domain}>\r\n\r\nhello\r\n`;
}

export function signedLetter(domain: string, lifeSeconds?: number, agoMs = 0): string {
  return signed(letter(domain), keyOf(domain), { atMs: Date.now() - agoMs, lifeSeconds });
}

/** Signed with l=, and something more behind what is covered. */
export function openEnded(domain: string, added: string): string {
  const whole = letter(domain);
  const bodyHash = createHash('sha256').update('hello\r\n').digest('base64');
  const tags = Object.entries({
    v: '1',
    a: 'rsa-sha256',
    c: 'relaxed/relaxed',
    d: domain,
    s: 'k',
    ...(added === '' ? {} : { l: '7' }),
    h: 'from:subject',
    bh: bodyHash,
    b: '',
  });
  const before = `from:joe@${domain}\r\nsubject:news\r\n`;
  return signTags('DKIM-Signature', tags, before, keyOf(domain)) + whole + added;
}

/** Sealed by a forwarder, as it is. */
export function sealed(message: string, forwarder: string, results: string): string {
  const { head, body } = splitMessage(fromLatin1(message));
  const report = {
    status: 'none',
    reason: '',
    temporary: false,
    chain: { highest: 0, sealedFail: false },
    oldestPass: undefined,
    sets: [],
    partial: false,
    lookups: [],
  } as const;
  const digests = hashBody(body, [SIGNING_WANT]);
  const sealing = { atMs: Date.now() };
  const set = sealMessage(
    new SignedHead(head),
    digests,
    report,
    results,
    keyOf(forwarder),
    sealing,
  );
  return `${set?.join('')}${message}`;
}

/** A letter that only its signature could save. */
export function bySignature(domain: string, message: string, key = KEY.record): InboundScene {
  return { zone: zone(domain, 'p=reject', SPF, key), ip: BAD, message };
}

export function plain(domain: string, dmarc: string, ip = GOOD): InboundScene {
  return { zone: zone(domain, dmarc), ip, message: letter(domain) };
}

/** Of a policy that is none: what SPF found is told and nothing happens. */
export function spfAlone(domain: string, spf: string, more: Zone = {}): InboundScene {
  // A string of the DNS has at most 255 octets.
  const strings = [spf.slice(0, 200), spf.slice(200)];
  return { zone: { [domain]: { txt: [strings] }, ...more }, message: letter(domain) };
}

function includes(domain: string, count: number, record = 'v=spf1 ?all'): Zone {
  const rows = Array.from(
    { length: count },
    (_, n) => [`s${n}.${domain}`, { txt: [record] }] as const,
  );
  return Object.fromEntries(rows);
}

export const many = (domain: string, count: number): InboundScene => {
  const terms = Array.from({ length: count }, (_, n) => `include:s${n}.${domain}`).join(' ');
  return spfAlone(domain, `v=spf1 ${terms} ip4:${GOOD} -all`, includes(domain, count));
};

export const voids = (domain: string, count: number): InboundScene => {
  const terms = Array.from({ length: count }, (_, n) => `a:void${n}.${domain}`).join(' ');
  return spfAlone(domain, `v=spf1 ${terms} ip4:${GOOD} -all`);
};

/** A domain whose policy can be read, but not its SPF record. */
export const halfDead = (domain: string, dmarc: string): InboundScene => {
  const records = { ...zone(domain, dmarc), [domain]: { fault: 'servfail' } } as const;
  return { ...plain(domain, dmarc, BAD), zone: records };
};

/** From a name below the domain that nobody answers about. */
export const deadBelow = (domain: string, above: Zone = {}): InboundScene => ({
  zone: { ...above, [`_dmarc.dead.${domain}`]: { fault: 'servfail' } },
  ip: BAD,
  message: letter(domain, `joe@dead.${domain}`),
});

export const broken = (domain: string, fault: ZoneEntry): InboundScene => {
  const names = [domain, `_dmarc.${domain}`, `k._domainkey.${domain}`];
  return {
    zone: Object.fromEntries(names.map((name) => [name, fault])),
    message: signedLetter(domain),
  };
};
