/** Domains of the test internet that send us mail, good and bad, as a table. */

import {
  type InboundScene,
  BAD,
  GOOD,
  SPF,
  WEAK,
  broken,
  bySignature,
  deadBelow,
  halfDead,
  letter,
  many,
  openEnded,
  plain,
  sealed,
  signedLetter,
  spfAlone,
  voids,
  zone,
} from './letters.ts';

/** What must become of it, and what the ledger says. */
export interface InboundEnd {
  /** What is different, for people. */
  readonly about: string;
  readonly scene: (domain: string) => InboundScene;
  readonly ends: 'INBOX' | 'Junk' | 'refused';
  /** In the JSON of the trace. */
  readonly why: RegExp;
}

export interface InboundRow extends InboundEnd {
  readonly name: string;
  /** The same, but for one thing: it ends otherwise, or for another reason. */
  readonly control: InboundEnd;
}

const ALIGNED = /"dmarc":\{"result":"pass"/;
const REFUSED = /"rule":"reject_dmarc"/;

const aligned = (about: string, scene: InboundEnd['scene']): InboundEnd => {
  return { about, scene, ends: 'INBOX', why: ALIGNED };
};

const spfPass: Pick<InboundEnd, 'ends' | 'why'> = {
  ends: 'INBOX',
  why: /"spf":\{"result":"pass"/,
};

export const INBOUND: readonly InboundRow[] = [
  {
    name: 'good',
    ...aligned('SPF, DKIM and DMARC, all aligned', (d) => ({
      zone: zone(d, 'p=reject'),
      message: signedLetter(d),
    })),
    control: {
      about: 'from elsewhere and unsigned',
      scene: (d) => plain(d, 'p=reject', BAD),
      ends: 'refused',
      why: REFUSED,
    },
  },
  {
    name: 'spoofed-envelope',
    about: 'a stranger uses it in MAIL and From',
    scene: (d) => plain(d, 'p=reject', BAD),
    ends: 'refused',
    why: /"spf":\{"result":"fail"/,
    control: aligned('from its own server', (d) => plain(d, 'p=reject')),
  },
  {
    name: 'spoofed-from',
    about: 'a stranger with a good envelope writes its name into From',
    scene: (d) => ({
      zone: { ...zone(d, 'p=reject'), [`evil-${d}`]: { txt: [`v=spf1 ip4:${BAD} -all`] } },
      ip: BAD,
      sender: `joe@evil-${d}`,
      message: letter(d),
    }),
    ends: 'refused',
    why: /"spf":\{"result":"pass".*nothing aligned with|nothing aligned with.*"spf":\{"result":"pass"/,
    control: {
      about: 'a domain without a policy',
      scene: (d) => ({
        zone: { [`evil-${d}`]: { txt: [`v=spf1 ip4:${BAD} -all`] } },
        ip: BAD,
        sender: `joe@evil-${d}`,
        message: letter(d),
      }),
      ends: 'INBOX',
      why: /no policy for/,
    },
  },
  {
    name: 'quarantine',
    about: 'p=quarantine, forged',
    scene: (d) => plain(d, 'p=quarantine', BAD),
    ends: 'Junk',
    why: /quarantine_dmarc/,
    control: aligned('the same, genuine', (d) => plain(d, 'p=quarantine')),
  },
  {
    name: 'reject',
    about: 'p=reject, forged',
    scene: (d) => plain(d, 'p=reject', BAD),
    ends: 'refused',
    why: /p=reject of/,
    control: {
      about: 'p=none, forged as well',
      scene: (d) => plain(d, 'p=none', BAD),
      ends: 'INBOX',
      why: /"dmarc":\{"result":"fail".*p=none of/,
    },
  },
  {
    name: 'testing',
    about: 'p=reject; t=y asks for one step less',
    scene: (d) => plain(d, 'p=reject; t=y', BAD),
    ends: 'Junk',
    why: /p=reject of [a-z.-]+, testing/,
    control: {
      about: 't=n',
      scene: (d) => plain(d, 'p=reject; t=n', BAD),
      ends: 'refused',
      why: REFUSED,
    },
  },
  {
    name: 'np',
    about: 'np=reject: a name below it that is not there',
    scene: (d) => ({
      zone: zone(d, 'p=none; sp=none; np=reject'),
      ip: BAD,
      message: letter(d, `joe@no.${d}`),
    }),
    ends: 'refused',
    why: /np=reject of/,
    control: {
      about: 'a name that is there',
      scene: (d) => ({
        zone: { ...zone(d, 'p=none; sp=none; np=reject'), [`no.${d}`]: { a: [GOOD] } },
        ip: BAD,
        message: letter(d, `joe@no.${d}`),
      }),
      ends: 'INBOX',
      why: /sp=none of/,
    },
  },
  {
    name: 'sp',
    about: 'sp=quarantine: a name below it',
    scene: (d) => ({
      zone: { ...zone(d, 'p=none; sp=quarantine'), [`shop.${d}`]: { a: [GOOD] } },
      ip: BAD,
      message: letter(d, `joe@shop.${d}`),
    }),
    ends: 'Junk',
    why: /sp=quarantine of/,
    control: {
      about: 'the domain itself',
      scene: (d) => plain(d, 'p=none; sp=quarantine', BAD),
      ends: 'INBOX',
      why: /p=none of/,
    },
  },
  {
    name: 'subdomain',
    ...aligned('a relaxed policy, sent by a host name below it', (d) => ({
      zone: { ...zone(d, 'p=reject'), [`out.${d}`]: { txt: [SPF] } },
      sender: `joe@out.${d}`,
      message: letter(d),
    })),
    control: {
      about: 'aspf=s',
      scene: (d) => ({
        zone: { ...zone(d, 'p=reject; aspf=s'), [`out.${d}`]: { txt: [SPF] } },
        sender: `joe@out.${d}`,
        message: letter(d),
      }),
      ends: 'refused',
      why: REFUSED,
    },
  },
  {
    name: 'list',
    about: 'a list puts a footer under it: the signature breaks',
    scene: (d) => bySignature(d, `${signedLetter(d)}-- \r\nthe list\r\n`),
    ends: 'refused',
    why: /body hash|body was changed|"dkim":\[\{"result":"fail"/,
    control: aligned('the list leaves it as it is', (d) => bySignature(d, signedLetter(d))),
  },
  {
    name: 'forwarder',
    about: 'a plain forwarder that seals (ARC): DKIM survives, SPF does not',
    scene: (d) => ({
      ...bySignature(d, sealed(signedLetter(d), `fwd-${d}`, `mx.fwd-${d}; spf=pass`)),
      zone: { ...zone(d, 'p=reject'), ...zone(`fwd-${d}`, 'p=none') },
    }),
    ends: 'INBOX',
    why: /"spf":\{"result":"fail".*"arc":\{"result":"pass"/,
    control: {
      about: 'the forwarder has no key',
      scene: (d) => ({
        ...bySignature(d, sealed(signedLetter(d), `fwd-${d}`, `mx.fwd-${d}; spf=pass`)),
        zone: zone(d, 'p=reject'),
      }),
      ends: 'INBOX',
      why: /"arc":\{"result":"fail"/,
    },
  },
  {
    name: 'expired',
    about: 'a signature whose x= is over',
    scene: (d) => bySignature(d, signedLetter(d, 3_600, 86_400_000)),
    ends: 'refused',
    why: /the signature is expired/,
    control: aligned('x= is tomorrow', (d) => bySignature(d, signedLetter(d, 86_400))),
  },
  {
    name: 'revoked',
    about: 'its key says p= and nothing more',
    scene: (d) => bySignature(d, signedLetter(d), 'v=DKIM1; p='),
    ends: 'refused',
    why: /the key is revoked/,
    control: aligned('the key is there', (d) => bySignature(d, signedLetter(d))),
  },
  {
    name: 'weak-key',
    about: 'its key has 512 bits',
    scene: (d) => bySignature(d, signedLetter(d), WEAK),
    ends: 'refused',
    why: /an RSA key of 512 bits proves nothing/,
    control: aligned('1,024 bits', (d) => bySignature(d, signedLetter(d))),
  },
  {
    name: 'open-ended',
    about: 'l=: somebody put his own text behind what is covered',
    scene: (d) => bySignature(d, openEnded(d, 'Buy now!\r\n')),
    ends: 'refused',
    why: /l= leaves the body open/,
    control: aligned('without l=, without the text', (d) => bySignature(d, openEnded(d, ''))),
  },
  {
    name: 'two-authors',
    about: 'two From fields',
    scene: (d) => ({
      zone: zone(d, 'p=none'),
      message: `From: bank@bank.test\r\n${letter(d)}`,
    }),
    ends: 'refused',
    why: /reject_duplicate_header/,
    control: aligned('one From field', (d) => plain(d, 'p=none')),
  },
  {
    name: 'spf-syntax',
    about: 'an SPF record with a typing error',
    scene: (d) => spfAlone(d, `v=spf1 ipv4:${GOOD} -all`),
    ends: 'INBOX',
    why: /"spf":\{"result":"permerror".*ipv4/,
    control: { about: 'without it', scene: (d) => spfAlone(d, SPF), ...spfPass },
  },
  {
    name: 'spf-eleven',
    about: 'eleven look-ups in SPF',
    scene: (d) => many(d, 11),
    ends: 'INBOX',
    why: /"spf":\{"result":"permerror".*more than 10 terms ask the DNS/,
    control: { about: 'ten', scene: (d) => many(d, 10), ...spfPass },
  },
  {
    name: 'spf-voids',
    about: 'three names in SPF that are not there',
    scene: (d) => voids(d, 3),
    ends: 'INBOX',
    why: /"spf":\{"result":"permerror".*more than 2 void lookups/,
    control: { about: 'two', scene: (d) => voids(d, 2), ...spfPass },
  },
  {
    name: 'servfail',
    about: 'its DNS is broken: nobody is refused for that alone',
    scene: (d) => broken(d, { fault: 'servfail' }),
    ends: 'INBOX',
    why: /"dmarc":\{"result":"temperror".*"spf":\{"result":"temperror"/,
    control: aligned('its DNS works', (d) => ({
      zone: zone(d, 'p=reject'),
      message: signedLetter(d),
    })),
  },
  {
    name: 'half-dead',
    about: 'p=reject, and the DNS does not say whether it is a spoof',
    scene: (d) => halfDead(d, 'p=reject'),
    ends: 'refused',
    why: /is temperror: .*; reject is at stake/,
    control: {
      about: 'p=none: nothing is at stake',
      scene: (d) => halfDead(d, 'p=none'),
      ends: 'INBOX',
      why: /"dmarc":\{"result":"temperror"/,
    },
  },
  {
    name: 'dead-below',
    about: 'a name below p=reject whose own servers are dead',
    scene: (d) => deadBelow(d, zone(d, 'p=reject')),
    ends: 'refused',
    why: /"atStake":"reject"/,
    control: {
      about: 'nobody above it has a policy',
      scene: (d) => deadBelow(d),
      ends: 'INBOX',
      why: /"dmarc":\{"result":"temperror"/,
    },
  },
  {
    name: 'slow-dns',
    about: 'its DNS answers after ten seconds',
    scene: (d) => broken(d, { txt: [SPF], slowMs: 10_000 }),
    ends: 'INBOX',
    why: /"dmarc":\{"result":"temperror"/,
    control: aligned('after a tenth', (d) => ({
      zone: { ...zone(d, 'p=reject'), [d]: { txt: [SPF], slowMs: 100 } },
      message: letter(d),
    })),
  },
  {
    name: 'lying-dns',
    ...aligned('somebody answers first with a false id', (d) => ({
      zone: { ...zone(d, 'p=reject'), [d]: { txt: [SPF], fault: 'spoofed-first' } },
      message: letter(d),
    })),
    control: {
      about: 'the true answer never comes',
      scene: (d) => ({
        zone: { ...zone(d, 'p=none'), [d]: { txt: [SPF], fault: 'wrong-id' } },
        message: letter(d),
      }),
      ends: 'INBOX',
      why: /"spf":\{"result":"temperror"/,
    },
  },
  {
    name: 'two-policies',
    about: 'two DMARC records: none counts',
    scene: (d) => ({
      zone: {
        ...zone(d, ''),
        [`_dmarc.${d}`]: { txt: ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] },
      },
      ip: BAD,
      message: letter(d),
    }),
    ends: 'INBOX',
    why: /no policy for/,
    control: {
      about: 'one',
      scene: (d) => plain(d, 'p=reject', BAD),
      ends: 'refused',
      why: REFUSED,
    },
  },
  {
    name: 'backscatter',
    about: 'a forged sender, to somebody who is not there',
    scene: (d) => ({ ...plain(d, 'p=none', BAD), recipient: 'nobody@home.test' }),
    ends: 'refused',
    why: /reject_unlisted_recipient/,
    control: {
      about: 'to somebody who is there',
      scene: (d) => plain(d, 'p=none', BAD),
      ends: 'INBOX',
      why: /"dmarc":\{"result":"fail"/,
    },
  },
];
