/** Domains of the test internet that we send mail to, as a table. */

import { SINK_CAPABILITIES } from '../smtp-sink.ts';
import {
  type OutboundScene,
  type Place,
  EXPIRED,
  STARTTLS_BROKEN,
  STRANGER,
  UNTOLD,
  answering,
  certificate,
  dane,
  secure,
  sts,
  wrongKey,
} from './servers.ts';

export interface OutboundEnd {
  readonly about: string;
  readonly scene: (domain: string, place: Place) => OutboundScene;
  /** `under way`: nothing is known yet. */
  readonly ends: 'delivered' | 'waits' | 'bounced' | 'under way';
  /** In the JSON of the trace. */
  readonly why: RegExp;
}

export interface OutboundRow extends OutboundEnd {
  readonly name: string;
  readonly control: OutboundEnd;
}

const fine = (about: string): OutboundEnd => ({
  about,
  scene: (d) => ({ server: secure(d) }),
  ends: 'delivered',
  why: /TLSv1\.3/,
});

const refusing =
  (verb: string, text: string, times?: number): OutboundEnd['scene'] =>
  (d) => ({
    server: secure(d, answering(verb, `${text}\r\n`, times)),
  });

export const OUTBOUND: readonly OutboundRow[] = [
  {
    name: 'fine',
    ...fine('takes mail over TLS'),
    control: {
      about: 'no such user',
      scene: refusing('RCPT', '550 5.1.1 nobody'),
      ends: 'bounced',
      why: /550 5\.1\.1 nobody/,
    },
  },
  {
    name: 'unknown-user',
    about: 'takes nobody but joe, by another code',
    scene: refusing('RCPT', '553 5.1.3 who?'),
    ends: 'bounced',
    why: /553 5\.1\.3 who/,
    control: fine('takes everybody'),
  },
  {
    name: 'null-mx',
    about: 'says that it takes no mail (RFC 7505)',
    scene: (d) => ({ zone: { [d]: { mx: [[0, '.']] } } }),
    ends: 'bounced',
    why: /null MX/,
    control: fine('has an MX'),
  },
  {
    name: 'no-mx',
    about: 'has an address and no MX',
    scene: (d, { address }) => ({ zone: { [d]: { a: [address] } }, server: secure(d) }),
    ends: 'delivered',
    why: /no-mx[a-z-]*\.test \[127/,
    control: {
      about: 'has neither',
      scene: (d) => ({ zone: { [d]: { txt: ['x'] } } }),
      ends: 'bounced',
      why: /5\.4\.4/,
    },
  },
  {
    name: 'nowhere',
    about: 'does not exist',
    scene: (d) => ({ zone: { [d]: {}, [`x.${d}`]: {} } }),
    ends: 'bounced',
    why: /5\.[14]\.[24]/,
    control: {
      about: 'its DNS is broken',
      scene: (d) => ({ zone: { [d]: { fault: 'servfail' } } }),
      ends: 'waits',
      why: /SERVFAIL/,
    },
  },
  {
    name: 'loopback',
    about: 'its MX is our own machine, says a stranger',
    scene: (d) => ({ server: secure(d), from: 'strict' }),
    ends: 'bounced',
    why: /only loopback addresses/,
    control: fine('where the operator allows that'),
  },
  {
    name: 'ourselves',
    about: 'its MX is our name',
    ends: 'bounced',
    why: /5\.4\.6/,
    scene: (d) => ({
      zone: { [d]: { mx: [[10, 'mx.home.test']] }, 'mx.home.test': { a: ['127.0.0.1'] } },
    }),
    control: fine('its MX is its own'),
  },
  {
    name: 'broken-tls',
    about: 'its handshake breaks, nobody asked for TLS',
    scene: (d) => ({ server: secure(d, { hook: STARTTLS_BROKEN }) }),
    ends: 'delivered',
    why: /"tls":null|"tls":false|in clear|without TLS/,
    control: {
      about: 'its policy wants TLS',
      ends: 'waits',
      why: /MTA-STS enforce/,
      scene: (d) => sts(d, 'enforce', secure(d, { hook: STARTTLS_BROKEN })),
    },
  },
  {
    name: 'untrusted',
    about: 'a certificate that nobody vouches for, nobody asked',
    scene: (d) => ({ server: { tls: certificate(d, { issuer: STRANGER }) } }),
    ends: 'delivered',
    why: /TLSv1\.3/,
    control: {
      about: 'its policy asks',
      ends: 'waits',
      why: /not good|MTA-STS enforce/,
      scene: (d) => sts(d, 'enforce', { tls: certificate(d, { issuer: STRANGER }) }),
    },
  },
  {
    name: 'sts-enforce',
    about: 'MTA-STS enforce, all as it should be',
    ends: 'delivered',
    scene: (d) => sts(d, 'enforce', secure(d)),
    why: /"certificate":"verified".*MTA-STS enforce/,
    control: {
      about: 'its MX is not in its policy',
      ends: 'waits',
      why: /not among the MX hosts/,
      scene: (d) => sts(d, 'enforce', secure(d), `mx1.${d}`),
    },
  },
  {
    name: 'sts-wrong-name',
    about: 'MTA-STS enforce, a certificate for another host',
    ends: 'waits',
    scene: (d) => sts(d, 'enforce', { tls: certificate(d, { names: ['mx.else.test'] }) }),
    why: /certificate is not for/,
    control: {
      about: 'testing',
      ends: 'delivered',
      why: /MTA-STS testing/,
      scene: (d) => sts(d, 'testing', { tls: certificate(d, { names: ['mx.else.test'] }) }),
    },
  },
  {
    name: 'sts-expired',
    about: 'MTA-STS enforce, an old certificate',
    ends: 'waits',
    scene: (d) => sts(d, 'enforce', { tls: certificate(d, EXPIRED) }),
    why: /CERT_HAS_EXPIRED/,
    control: {
      about: 'a sender without protection',
      ends: 'delivered',
      why: /TLSv1\.3/,
      scene: (d) => ({ ...sts(d, 'enforce', { tls: certificate(d, EXPIRED) }), from: 'lax' }),
    },
  },
  {
    name: 'stripped',
    about: 'MTA-STS enforce, somebody took STARTTLS out',
    ends: 'waits',
    scene: (d) => sts(d, 'enforce', secure(d, { hook: UNTOLD })),
    why: /4\.7\.10/,
    control: {
      about: 'without a policy nobody can tell',
      ends: 'delivered',
      why: /"250 /,
      scene: (d) => ({ server: secure(d, { hook: UNTOLD }) }),
    },
  },
  {
    name: 'dane-right',
    about: 'TLSA names its key',
    ends: 'delivered',
    why: /TLSA|DANE/,
    scene: (d, place) => dane(d, place, 'right'),
    control: {
      about: 'TLSA names another key',
      ends: 'waits',
      why: /no TLSA record matches/,
      scene: (d, place) => dane(d, place, wrongKey(d)),
    },
  },
  {
    name: 'dane-wrong',
    about: 'TLSA names another key',
    ends: 'waits',
    scene: (d, place) => dane(d, place, wrongKey(d)),
    why: /no TLSA record matches/,
    control: {
      about: 'a sender without protection',
      ends: 'delivered',
      why: /TLSv1\.3/,
      scene: (d, place) => ({ ...dane(d, place, wrongKey(d)), from: 'lax' }),
    },
  },
  {
    name: 'dane-bogus',
    about: 'its TLSA does not validate',
    ends: 'waits',
    scene: (d, place) => dane(d, place, { fault: 'servfail' }),
    why: /are not known.*SERVFAIL/,
    control: {
      about: 'its TLSA is not signed, so it says nothing',
      ends: 'delivered',
      why: /TLSv1\.3/,
      scene: (d, place) => dane(d, place, { ...wrongKey(d), authentic: false }),
    },
  },
  {
    name: 'require-tls',
    about: 'REQUIRETLS, which its server does not know',
    ends: 'bounced',
    scene: (d) => ({ ...sts(d, 'enforce', secure(d)), parameters: ' REQUIRETLS' }),
    why: /5\.7\.30/,
    control: {
      about: 'its server does',
      ends: 'delivered',
      why: /REQUIRETLS; MTA-STS enforce/,
      scene: (d) => {
        const capabilities = [...SINK_CAPABILITIES, 'REQUIRETLS'];
        return { ...sts(d, 'enforce', secure(d, { capabilities })), parameters: ' REQUIRETLS' };
      },
    },
  },
  {
    name: 'greylisting',
    about: 'says 450 the first time',
    ends: 'delivered',
    scene: refusing('RCPT', '450 4.7.1 come again', 1),
    why: /450 4\.7\.1 come again[^]*"250 /,
    control: {
      about: 'says 450 each time',
      ends: 'waits',
      why: /450 4\.7\.1 come again/,
      scene: refusing('RCPT', '450 4.7.1 come again'),
    },
  },
  {
    name: 'slow',
    about: 'a tarpit: each answer takes a while',
    ends: 'delivered',
    why: /250 2\.0\.0 kept/,
    scene: () => ({ server: { delayMs: 400 } }),
    control: {
      about: 'says nothing at all, and holds up nobody else',
      ends: 'under way',
      why: /"accepted"/,
      scene: (d) => ({ server: secure(d, answering('CONNECT', { end: 'silence' })) }),
    },
  },
  {
    name: 'liar',
    about: 'says 250 and hangs up',
    ends: 'delivered',
    why: /250 2\.0\.0 kept/,
    scene: (d) => ({
      server: secure(d, answering('EOD', { raw: '250 2.0.0 kept\r\n', end: 'close' })),
    }),
    control: {
      about: 'hangs up and says nothing',
      ends: 'waits',
      why: /4\.4\.2/,
      scene: (d) => ({ server: secure(d, answering('EOD', { end: 'close' })) }),
    },
  },
  {
    name: 'late',
    about: 'says 451 after the content, then thinks better of it',
    ends: 'delivered',
    scene: refusing('EOD', '451 4.3.0 not now', 1),
    why: /451 4\.3\.0 not now[^]*"250 /,
    control: {
      about: 'says 554',
      scene: refusing('EOD', '554 5.6.0 never'),
      ends: 'bounced',
      why: /554 5\.6\.0 never/,
    },
  },
  {
    name: 'junk',
    about: 'answers with lines that are no reply',
    ends: 'waits',
    why: /"deferred"/,
    scene: refusing('MAIL', '250-one\r\n\0\xff nonsense\r\n99 ?'),
    control: {
      about: 'answers with many lines',
      ends: 'delivered',
      why: /TLSv1\.3/,
      scene: refusing('MAIL', `${'250-yes\r\n'.repeat(30)}250 2.1.0 yes`),
    },
  },
  {
    name: 'refuses-all',
    about: 'refuses everybody at the greeting',
    ends: 'bounced',
    why: /554 5\.7\.1 go/,
    scene: refusing('CONNECT', '554 5.7.1 go away'),
    control: {
      about: 'is only busy',
      ends: 'waits',
      why: /421 4\.3\.2/,
      scene: (d) => ({
        server: secure(d, answering('CONNECT', { raw: '421 4.3.2 busy\r\n', end: 'close' })),
      }),
    },
  },
  {
    name: 'second-mx',
    about: 'its first MX is down',
    ends: 'delivered',
    why: /refused the connection/,
    scene: (d, { address }) => ({
      zone: {
        [d]: {
          mx: [
            [5, `down.${d}`],
            [10, `mx.${d}`],
          ],
        },
        [`down.${d}`]: { a: ['127.0.3.254'] },
        [`mx.${d}`]: { a: [address] },
      },
      server: secure(d),
    }),
    control: {
      about: 'so is the second',
      scene: () => ({}),
      ends: 'waits',
      why: /refused the connection/,
    },
  },
];
