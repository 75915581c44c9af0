/** Cases of DMARC as a table: alignment as in RFC 7489's examples, and records good and bad. */

import type { ZoneName } from './zone.ts';

export interface DmarcCase {
  readonly name: string;
  readonly zone: Readonly<Record<string, ZoneName>>;
  readonly from: string;
  /** `result domain`. */
  readonly spf?: string;
  readonly dkim?: readonly string[];
  /** `result`, or `result disposition tag` for a fail. */
  readonly expect: string;
  /** `domain place` of the record that was applied. */
  readonly policy?: string;
  /** Names asked for, in order, where that matters. */
  readonly asked?: readonly string[];
}

/** A name with TXT records. */
export function txt(...records: string[]): ZoneName {
  return { txt: records };
}

export const EXAMPLE = { '_dmarc.example.com': txt('v=DMARC1; p=reject') };
const STRICT = { '_dmarc.example.com': txt('v=DMARC1; p=reject; aspf=s; adkim=s') };
export const dmarcCases: readonly DmarcCase[] = [
  // RFC 7489 B.1: alignment.
  {
    name: 'SPF, same domain',
    zone: EXAMPLE,
    from: 'example.com',
    spf: 'pass example.com',
    expect: 'pass',
    policy: 'example.com author',
    asked: ['_dmarc.example.com'],
  },
  {
    name: 'SPF, parent domain, relaxed',
    zone: EXAMPLE,
    from: 'child.example.com',
    spf: 'pass example.com',
    expect: 'pass',
    policy: 'example.com organizational',
  },
  {
    name: 'SPF, another domain',
    zone: EXAMPLE,
    from: 'example.com',
    spf: 'pass example.net',
    expect: 'fail reject p',
  },
  {
    name: 'DKIM, same domain',
    zone: EXAMPLE,
    from: 'example.com',
    dkim: ['pass example.com'],
    expect: 'pass',
  },
  {
    name: 'DKIM, child, relaxed',
    zone: EXAMPLE,
    from: 'example.com',
    dkim: ['pass news.example.com'],
    expect: 'pass',
  },
  {
    name: 'DKIM, another domain',
    zone: EXAMPLE,
    from: 'example.com',
    dkim: ['pass sample.net'],
    expect: 'fail reject p',
  },
  {
    name: 'SPF, child, strict',
    zone: STRICT,
    from: 'example.com',
    spf: 'pass a.example.com',
    expect: 'fail reject p',
  },
  {
    name: 'DKIM, child, strict',
    zone: STRICT,
    from: 'example.com',
    dkim: ['pass a.example.com'],
    expect: 'fail reject p',
  },
  {
    name: 'strict, same domain in another case',
    zone: STRICT,
    from: 'example.com',
    dkim: ['pass EXAMPLE.com.'],
    expect: 'pass',
  },
  {
    name: 'siblings, relaxed',
    zone: EXAMPLE,
    from: 'a.example.com',
    dkim: ['pass b.example.com'],
    expect: 'pass',
  },
  {
    name: 'a name that only ends alike',
    zone: EXAMPLE,
    from: 'example.com',
    dkim: ['pass badexample.com'],
    expect: 'fail reject p',
  },
  {
    name: 'one of three signatures',
    zone: EXAMPLE,
    from: 'example.com',
    dkim: ['fail example.com', 'pass list.test', 'pass example.com'],
    expect: 'pass',
  },
  {
    name: 'a signature that failed',
    zone: EXAMPLE,
    from: 'example.com',
    dkim: ['fail example.com'],
    expect: 'fail reject p',
  },
  {
    name: 'SPF without a result still leaves DKIM',
    zone: EXAMPLE,
    from: 'example.com',
    spf: 'none example.com',
    dkim: ['pass example.com'],
    expect: 'pass',
  },
  {
    name: 'softfail and neutral are no pass',
    zone: EXAMPLE,
    from: 'example.com',
    spf: 'softfail example.com',
    dkim: ['neutral example.com'],
    expect: 'fail reject p',
  },
  {
    name: 'U-labels are compared as A-labels',
    zone: { '_dmarc.xn--mnchen-3ya.test': txt('v=DMARC1; p=reject') },
    from: 'xn--mnchen-3ya.test',
    dkim: ['pass münchen.test'],
    expect: 'pass',
  },

  // Records.
  {
    name: 'no record anywhere',
    zone: {},
    from: 'a.example.com',
    dkim: ['pass a.example.com'],
    expect: 'none',
    asked: ['_dmarc.a.example.com', '_dmarc.example.com', '_dmarc.com'],
  },
  {
    name: 'two records count as none',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=reject', 'v=DMARC1; p=none') },
    from: 'example.com',
    expect: 'none',
  },
  {
    name: 'unrelated TXT beside the record',
    zone: { '_dmarc.example.com': txt('v=spf1 -all', 'v=DMARC1; p=reject') },
    from: 'example.com',
    expect: 'fail reject p',
  },
  {
    name: 'the version comes late',
    zone: { '_dmarc.example.com': txt('p=reject; v=DMARC1') },
    from: 'example.com',
    expect: 'none',
  },
  {
    name: 'the version in small letters',
    zone: { '_dmarc.example.com': txt('v=dmarc1; p=reject') },
    from: 'example.com',
    expect: 'none',
  },
  {
    name: 'another version',
    zone: { '_dmarc.example.com': txt('v=DMARC12; p=reject') },
    from: 'example.com',
    expect: 'none',
  },
  {
    name: 'blanks, case and unknown tags',
    zone: {
      '_dmarc.example.com': txt('v = DMARC1 ;P = Reject ; x-y=z;;rubbish; pct=0; ri=1; rf=afrf'),
    },
    from: 'example.com',
    expect: 'fail reject p',
  },
  {
    name: 'pct of RFC 7489 is ignored',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=quarantine; pct=0') },
    from: 'example.com',
    expect: 'fail quarantine p',
  },
  {
    name: 'no p is none',
    zone: { '_dmarc.example.com': txt('v=DMARC1; rua=mailto:d@example.com') },
    from: 'example.com',
    expect: 'fail none p',
  },
  {
    name: 'no p is none, without rua too',
    zone: { '_dmarc.example.com': txt('v=DMARC1') },
    from: 'example.com',
    expect: 'fail none p',
  },
  {
    name: 'a broken p with rua is none',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=rejct; rua=mailto:d@example.com!10m') },
    from: 'example.com',
    expect: 'fail none p',
  },
  {
    name: 'a broken p without rua is no policy',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=rejct') },
    from: 'example.com',
    dkim: ['pass example.com'],
    expect: 'none',
  },
  {
    name: 'a broken p whose rua is broken too',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=rejct; rua=mailto:a@b?cc=c@d, https://x.test') },
    from: 'example.com',
    expect: 'none',
  },
  {
    name: 'a broken sp spoils p, with rua',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=reject; sp=no; rua=mailto:d@example.com') },
    from: 'example.com',
    expect: 'fail none p',
  },
  {
    name: 'the first of two p counts',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=none; p=reject') },
    from: 'example.com',
    expect: 'fail none p',
  },
  {
    name: 'a broken adkim is relaxed',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=reject; adkim=x') },
    from: 'example.com',
    dkim: ['pass a.example.com'],
    expect: 'pass',
  },
  {
    name: 't=y is a step less: reject',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=reject; t=y') },
    from: 'example.com',
    expect: 'fail quarantine p',
  },
  {
    name: 't=y is a step less: quarantine',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=quarantine; t=y') },
    from: 'example.com',
    expect: 'fail none p',
  },
  {
    name: 't=n changes nothing',
    zone: { '_dmarc.example.com': txt('v=DMARC1; p=reject; t=n') },
    from: 'example.com',
    expect: 'fail reject p',
  },
];
