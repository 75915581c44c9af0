/** Certificates of all services of a host side by side, and against the host's TLSA records. */

import { matchDane } from '#trust/dane/match.ts';
import { tlsaName, usableRecords } from '#trust/dane/records.ts';
import { parseIp } from '#base/ip.ts';
import { Failure } from '#base/failure.ts';
import { absent, found, inapplicable, type Outcome, unclear } from '../../finding.ts';
import type { HostContext, HostProbe } from '../../probe.ts';
import type { Service } from '../../service.ts';
import { type Shown, showCertificates } from '../../tls/certificates.ts';
import { NEW_CERTIFICATE } from './cures.ts';
import { hasTls, tlsCheck } from './place.ts';

const DIFFER = tlsCheck(
  'certificates-differ',
  'info',
  'Services of one host show different certificates',
  {
    means: 'One of them is often forgotten when the others are renewed.',
    doesNotMean: 'Separate keys for separate services are good practice where somebody keeps them.',
    rfc: ['RFC 9325 3.9'],
  },
  NEW_CERTIFICATE,
);
const SAME_KEY = tlsCheck(
  'key-reused',
  'info',
  'Different certificates have the same key',
  {
    means: 'A key that leaks from one service opens the others, and renewing has not changed it.',
    doesNotMean: 'With DANE (3 1 1) a key that stays is wanted.',
    rfc: ['RFC 9325 3.9', 'RFC 7671 5.1'],
  },
  NEW_CERTIFICATE,
);
const DANE = tlsCheck(
  'dane-mismatch',
  'high',
  "The certificate on port 25 does not match the host's TLSA records",
  {
    means: 'Senders that check DANE do not deliver: mail waits and goes back.',
    doesNotMean: 'Without DNSSEC nobody believes the records, and mail comes in as before.',
    rfc: ['RFC 7672 3.1', 'RFC 7671 5.1', 'RFC 7671 8.1'],
  },
  [
    { product: 'dns', lines: ['_25._tcp.mx.example.org. TLSA 3 1 1 <of the certificate in use>'] },
    { product: 'postern', lines: ['Publish the record that postern doctor tells.'] },
  ],
);

export const tlsHost: HostProbe = {
  name: 'tls-host',
  scope: 'host',
  level: 'safe',
  checks: [DIFFER, SAME_KEY, DANE],
  run,
};

interface Look {
  readonly service: Service;
  readonly shown: Shown;
}

async function run(context: HostContext): Promise<void> {
  const services = context.services.filter(hasTls);
  const looks: Look[] = [];
  const missed: Service[] = [];
  for (const service of services) {
    const shown = await shownBy(context, service);
    if (shown === undefined || shown.chain.length === 0) missed.push(service);
    else looks.push({ service, shown });
  }
  for (const outcome of sideBySide(looks)) context.tell(outcome);
  context.tell(await dane(context, looks, missed));
}

/** undefined: this one does not come as far as TLS, which says nothing of the others. */
async function shownBy(context: HostContext, service: Service): Promise<Shown | undefined> {
  const { options, random, leftMs, world } = context;
  try {
    return await showCertificates({
      service,
      options,
      random,
      leftMs,
      world,
      dial: (dialOptions) => context.dial(service, dialOptions),
    });
  } catch (thrown) {
    const failure = Failure.from(thrown);
    if (failure.code === 'no-session') return undefined;
    throw failure;
  }
}

function sideBySide(looks: readonly Look[]): readonly Outcome[] {
  if (looks.length < 2) {
    return [DIFFER, SAME_KEY].map((check) =>
      inapplicable(check, 'fewer than two services have TLS'),
    );
  }
  const byCertificate = grouped(looks, ({ shown }) => shown.chain[0]?.fingerprint256 ?? '');
  const byKey = grouped(looks, keyOf);
  const details = { certificates: byCertificate.size, keys: byKey.size };
  const seen = `${byCertificate.size} certificates, ${byKey.size} keys on ${looks.length} services`;
  const ports = [...byCertificate.values()].map((group) => group.join(' ')).join(' | ');
  return [
    byCertificate.size > 1
      ? found(DIFFER, `${seen}: ports ${ports}`, { details })
      : absent(DIFFER, seen, { details }),
    byKey.size < byCertificate.size
      ? found(SAME_KEY, seen, { details })
      : absent(SAME_KEY, seen, { details }),
  ];
}

function grouped(looks: readonly Look[], key: (look: Look) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const look of looks) {
    const group = groups.get(key(look)) ?? [];
    groups.set(key(look), [...group, look.service.endpoint.port]);
  }
  return groups;
}

function keyOf({ shown }: Look): string {
  const [leaf] = shown.chain;
  try {
    const der = leaf?.publicKey.export({ type: 'spki', format: 'der' });
    return der === undefined ? '' : Buffer.from(der).toString('base64');
  } catch {
    return leaf?.fingerprint256 ?? '';
  }
}

/** The records of port 25, held against what is shown there. */
async function dane(
  context: HostContext,
  looks: readonly Look[],
  missed: readonly Service[],
): Promise<Outcome> {
  const { host, resolver, world } = context;
  if (parseIp(host) !== undefined) return inapplicable(DANE, 'the target is an address');
  const receiving = looks.filter(({ service }) => receives(service));
  if (receiving.length === 0 && !missed.some(receives)) {
    return inapplicable(DANE, 'nothing receives mail over TLS here');
  }
  const answer = await resolver.tlsa(tlsaName(host, 25));
  if (answer.kind === 'failed') return unclear(DANE, `the DNS was not read: ${answer.reason}`);
  const records = answer.kind === 'found' ? usableRecords(answer.records) : [];
  if (answer.kind !== 'found' || records.length === 0) {
    return inapplicable(DANE, 'there are no TLSA records for SMTP');
  }
  if (missed.some(receives)) return unclear(DANE, 'the certificate on port 25 was not to be seen');
  for (const { service, shown } of receiving) {
    const certificates = shown.chain.map(({ raw }) => raw);
    const verdict = matchDane(records, { certificates, names: [host], nowMs: world.clock.now() });
    if (verdict.kind === 'matched') continue;
    const seen = `port ${service.endpoint.port}: ${verdict.why}`;
    if (answer.authentic) return found(DANE, seen);
    return found(DANE, `${seen} (the records are not signed)`, { severity: 'low' });
  }
  return absent(DANE, `${records.length} records, and one of them matches`);
}

function receives({ protocol, role }: Service): boolean {
  return protocol === 'smtp' && role === 'reception';
}
