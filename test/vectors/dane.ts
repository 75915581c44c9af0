/** The rules of RFC 7671 and RFC 7672 for every usage, selector and matching type, as a suite. */

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import type { TlsaRecord } from '#base/world.ts';
import { matchDane } from '#trust/dane/match.ts';
import { tlsaName, usableRecords } from '#trust/dane/records.ts';
import { type TestCertificate, testAuthority, testCertificate } from '../world/certificates.ts';
import type { Suite } from './suite.ts';

type Pem = Pick<TestCertificate, 'certificate'>;
interface Case {
  readonly what: string;
  readonly records: readonly TlsaRecord[];
  readonly chain: readonly Pem[];
  readonly names?: readonly string[];
  /** `unusable`: no record is left to compare with. */
  readonly wanted: 'matched' | 'failed' | 'unusable';
}

const NOW_MS = Date.now();
const DAY_MS = 86_400_000;
const from = new Date(NOW_MS - 30 * DAY_MS);
const to = new Date(NOW_MS + 30 * DAY_MS);
const NAMES = ['mx.example.com', 'example.com'];

export const daneSuite: Suite = {
  name: 'dane',
  origin: 'the rules of RFC 7671 and RFC 7672, over certificates made for each run',
  run: () => {
    const failures: string[] = [];
    const cases = makeCases();
    for (const { what, records, chain, names = NAMES, wanted } of cases) {
      const usable = usableRecords(records);
      const certificates = chain.map(({ certificate }) => new X509Certificate(certificate).raw);
      const verdict = matchDane(usable, { certificates, names, nowMs: NOW_MS });
      const got = usable.length === 0 ? 'unusable' : verdict.kind;
      if (got !== wanted) failures.push(`${what}: ${JSON.stringify(verdict)}, not ${wanted}`);
    }
    if (tlsaName('mx.example.com', 25) !== '_25._tcp.mx.example.com') failures.push('the name');
    return Promise.resolve({ passed: cases.length + 1 - failures.length, failures });
  },
};

/** A TLSA record about a certificate. */
export function tlsaOf(usage: number, selector: number, matching: number, pem: Pem): TlsaRecord {
  const x509 = new X509Certificate(pem.certificate);
  const whole = selector === 0 ? x509.raw : x509.publicKey.export({ type: 'spki', format: 'der' });
  const hash = matching === 1 ? 'sha256' : 'sha512';
  const data = matching === 0 ? whole : createHash(hash).update(whole).digest();
  return { usage, selector, matching, data };
}

function makeCases(): readonly Case[] {
  const authority = testAuthority('Trust Anchor');
  const other = testAuthority('Other');
  const wide = { notBefore: from, notAfter: to };
  const leaf = testCertificate({ names: ['mx.example.com'], issuer: authority, ...wide });
  const parties = { authority, other, leaf, wide };
  return [
    ...formCases(parties),
    ...entityCases(parties),
    ...anchorCases(parties),
    ...oddCases(parties),
  ];
}

interface Parties {
  readonly authority: ReturnType<typeof testAuthority>;
  readonly other: ReturnType<typeof testAuthority>;
  readonly leaf: TestCertificate;
  readonly wide: { readonly notBefore: Date; readonly notAfter: Date };
}

/** Each form, once right and once for another certificate. */
function formCases({ authority, other, leaf }: Parties): Case[] {
  const cases: Case[] = [];
  for (const usage of [2, 3]) {
    for (const selector of [0, 1]) {
      for (const matching of [0, 1, 2]) {
        const form = `${usage} ${selector} ${matching}`;
        const chain = [leaf, authority];
        const right = tlsaOf(usage, selector, matching, usage === 2 ? authority : leaf);
        const wrong = tlsaOf(usage, selector, matching, other);
        cases.push({ what: `${form} right`, records: [right], chain, wanted: 'matched' });
        cases.push({ what: `${form} wrong`, records: [wrong], chain, wanted: 'failed' });
        cases.push({
          what: `${form} one of two`,
          records: [wrong, right],
          chain,
          wanted: 'matched',
        });
      }
    }
  }
  return cases;
}

/** RFC 7671 5.1: neither names nor dates nor authorities matter to DANE-EE. */
function entityCases({ authority, other, leaf, wide }: Parties): Case[] {
  const past = { notBefore: new Date(NOW_MS - 9 * DAY_MS), notAfter: new Date(NOW_MS - DAY_MS) };
  const cases = [
    ['expired', testCertificate({ names: ['mx.example.com'], issuer: authority, ...past })],
    ['of another name', testCertificate({ names: ['other.test'], issuer: authority, ...wide })],
    ['self-signed', testCertificate({ names: ['mx.example.com'], ...wide })],
    ['of an unknown authority', testCertificate({ names: NAMES, issuer: other, ...wide })],
  ] as const;
  return [
    ...cases.map(([what, one]): Case => {
      return {
        what: `EE ${what}`,
        records: [tlsaOf(3, 1, 1, one)],
        chain: [one],
        wanted: 'matched',
      };
    }),
    {
      what: 'EE of the authority is not the server',
      records: [tlsaOf(3, 1, 1, authority)],
      chain: [leaf, authority],
      wanted: 'failed',
    },
  ];
}

/** RFC 7672 3.1.2, 3.2: names, dates and signatures matter to DANE-TA. */
function anchorCases({ authority, other, leaf, wide }: Parties): Case[] {
  const records = [tlsaOf(2, 1, 1, authority)];
  const past = { notBefore: new Date(NOW_MS - 9 * DAY_MS), notAfter: new Date(NOW_MS - DAY_MS) };
  const future = { notBefore: new Date(NOW_MS + DAY_MS), notAfter: to };
  const made = (names: string[], issuer: Parties['authority'], when = wide): Pem =>
    testCertificate({ names, issuer, ...when });
  const mx = ['mx.example.com'];
  const row = (what: string, one: Pem, wanted: Case['wanted'], rest: Pem[] = [authority]): Case => {
    return { what: `TA ${what}`, records, chain: [one, ...rest], wanted };
  };
  return [
    row('name of the domain', made(['example.com'], authority), 'matched'),
    row('wildcard', made(['*.example.com'], authority), 'matched'),
    row('partial wildcard', made(['m*.example.com'], authority), 'failed'),
    row('other name', made(['mx.other.test'], authority), 'failed'),
    row('expired', made(mx, authority, past), 'failed'),
    row('not yet valid', made(mx, authority, future), 'failed'),
    row('signed by another', made(mx, other), 'failed'),
    row('signed by another of the same name', made(mx, testAuthority('Trust Anchor')), 'failed'),
    row('signed by a server’s key', made(mx, issuerOf(leaf)), 'failed', [leaf, authority]),
    row('authority not sent', leaf, 'failed', []),
    row('more sent than needed', leaf, 'matched', [other, authority]),
    {
      what: 'TA of the server itself',
      records: [tlsaOf(2, 1, 1, leaf)],
      chain: [leaf, authority],
      wanted: 'failed',
    },
    // RFC 7671 5.2.3: what stands in the DNS as a whole need not be sent.
    ...[0, 1].map((selector): Case => {
      const whole = [tlsaOf(2, selector, 0, authority)];
      return {
        what: `TA 2 ${selector} 0 not sent`,
        records: whole,
        chain: [leaf],
        wanted: 'matched',
      };
    }),
  ];
}

/** Whoever has a certificate has a key, and with it he could sign: that makes him no authority. */
function issuerOf({ certificate, key }: TestCertificate): Parties['authority'] {
  return { name: 'mx.example.com', certificate, key, privateKey: createPrivateKey(key) };
}

/** RFC 7672 3.1.3, 2.2: what cannot be used is as if it were not there. */
function oddCases({ leaf, authority }: Parties): Case[] {
  const right = tlsaOf(3, 1, 1, leaf);
  const chain = [leaf, authority];
  const odd: readonly (readonly [string, TlsaRecord])[] = [
    ['PKIX-TA', { ...right, usage: 0 }],
    ['PKIX-EE', { ...right, usage: 1 }],
    ['usage 4', { ...right, usage: 4 }],
    ['selector 2', { ...right, selector: 2 }],
    ['matching 3', { ...right, matching: 3 }],
    ['a short digest', { ...right, data: right.data.subarray(0, 31) }],
    ['a digest of another length', { ...right, matching: 2 }],
    ['no data', { ...right, matching: 0, data: new Uint8Array() }],
  ];
  return [
    ...odd.map(([what, record]): Case => ({ what, records: [record], chain, wanted: 'unusable' })),
    ...odd.map(([what, record]): Case => {
      return {
        what: `${what} beside a good one`,
        records: [record, right],
        chain,
        wanted: 'matched',
      };
    }),
    { what: 'no certificate', records: [right], chain: [], wanted: 'failed' },
  ];
}
