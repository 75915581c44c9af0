/** How servers of the test internet behave, and what their domains publish about them. */

import { createHash, X509Certificate } from 'node:crypto';
import type { TlsaRecord } from '#base/world.ts';
import { type TestCertificate, testAuthority, testCertificate } from '../certificates.ts';
import type { ZoneEntry } from '../dns-server.ts';
import { policyText } from '../policy-host.ts';
import type { SinkOptions } from '../smtp-sink.ts';

/** Where a domain's server may listen. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface OutboundScene {
  /** Beside the MX and its address, or instead of them. */
  readonly zone?: Readonly<Record<string, ZoneEntry>>;
  /** undefined: nobody listens. */
  readonly server?: SinkOptions | undefined;
  /** The text of an MTA-STS policy. */
  readonly sts?: string;
  /** Of MAIL. */
  readonly parameters?: string;
  /** Who sends: as everybody should; that one to loopback never; that one without protection. */
  readonly from?: Sender;
}

export type Sender = 'usual' | 'strict' | 'lax';

/** What the senders trust. */
export const AUTHORITY = testAuthority();
export const STRANGER = testAuthority('Nobody');
const DAY_MS = 86_400_000;
export const EXPIRED = {
  notBefore: new Date(Date.now() - 2 * DAY_MS),
  notAfter: new Date(Date.now() - DAY_MS),
};

export function certificate(
  domain: string,
  more: Partial<Parameters<typeof testCertificate>[0]> = {},
) {
  return testCertificate({ names: [`mx.${domain}`], issuer: AUTHORITY, ...more });
}

/** With a certificate as it should be, unless another one is given. */
export function secure(domain: string, more: Partial<SinkOptions> = {}): SinkOptions {
  return { tls: certificate(domain), ...more };
}

export function sts(
  domain: string,
  mode: string,
  server: SinkOptions,
  mx = `mx.${domain}`,
): OutboundScene {
  return {
    zone: {
      [`_mta-sts.${domain}`]: { txt: ['v=STSv1; id=1'] },
      [`mta-sts.${domain}`]: { a: ['127.0.0.1'] },
    },
    sts: policyText(mode, [mx]),
    server,
  };
}

function tlsa({ certificate: pem }: TestCertificate): TlsaRecord {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return { usage: 3, selector: 1, matching: 1, data: createHash('sha256').update(key).digest() };
}

/** Signed by DNSSEC, all of it; `record` for a key that is there or not. */
export function dane(
  domain: string,
  { address, port }: Place,
  entry: 'right' | ZoneEntry,
): OutboundScene {
  const tls = certificate(domain);
  return {
    zone: {
      [domain]: { mx: [[10, `mx.${domain}`]], authentic: true },
      [`mx.${domain}`]: { a: [address], authentic: true },
      [`_${port}._tcp.mx.${domain}`]:
        entry === 'right' ? { tlsa: [tlsa(tls)], authentic: true } : entry,
    },
    server: { tls },
  };
}

export const wrongKey = (domain: string): ZoneEntry => {
  return { tlsa: [tlsa(certificate(domain))], authentic: true };
};

/** Answers one command otherwise, as often as told. */
export function answering(
  verb: string,
  answer: ReturnType<NonNullable<SinkOptions['hook']>>,
  times = 99,
) {
  let left = times;
  const hook: SinkOptions['hook'] = (command) => {
    if (!command.startsWith(verb) || left <= 0) return undefined;
    left -= 1;
    return answer;
  };
  return { hook };
}

export const STARTTLS_BROKEN: SinkOptions['hook'] = (command) =>
  command === 'STARTTLS' ? { raw: '220 go\r\n', end: 'close' } : undefined;
export const UNTOLD: SinkOptions['hook'] = (command, { tls }) =>
  command.startsWith('EHLO') && !tls ? '250-sink.test\r\n250 8BITMIME\r\n' : undefined;
