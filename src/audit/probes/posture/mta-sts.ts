/** MTA-STS of a domain (RFC 8461): record, policy, and whether the MX hosts are in it. */

import { isLost } from '../../wire/wire.ts';
import { dial } from '../../wire/dial.ts';
import { concat, latin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { allowsMx, readStsPolicy, type StsPolicy } from '#trust/mta-sts/policy.ts';
import { readStsRecords, stsRecordName } from '#trust/mta-sts/record.ts';
import type { Check } from '../../check.ts';
import { inapplicable, unclear } from '../../finding.ts';
import type { DomainContext, DomainProbe } from '../../probe.ts';
import { recordsOf, shown, tellAll, tellUnanswered, zoneCheck } from './zone.ts';

const GOOD = [
  '_mta-sts.example.org. TXT "v=STSv1; id=20260101"',
  'https://mta-sts.example.org/.well-known/mta-sts.txt: version: STSv1, mode: enforce, mx, max_age',
];

const MISSING = zoneCheck('mta-sts-missing', 'low', 'The domain has no MTA-STS policy', {
  means: 'Senders that can encrypt may be made not to, by somebody in between.',
  doesNotMean: 'DANE does the same, and better, where the zone is signed.',
  rfc: ['RFC 8461 3.1'],
  records: GOOD,
});
const RECORD = zoneCheck('mta-sts-record', 'medium', 'The MTA-STS record cannot be read', {
  means: 'It counts as none: senders go on as if nothing were published.',
  doesNotMean: 'Senders that know the policy keep to it until it is too old.',
  rfc: ['RFC 8461 3.1'],
  records: GOOD,
});
const UNREACHABLE = zoneCheck('mta-sts-unreachable', 'high', 'The MTA-STS policy cannot be had', {
  means: 'There is a record but no policy: senders go on without, and keep asking.',
  doesNotMean: 'Mail is not lost.',
  rfc: ['RFC 8461 3.3'],
  records: GOOD,
});
const POLICY = zoneCheck('mta-sts-policy', 'high', 'The MTA-STS policy cannot be read', {
  means: 'It counts as none: senders go on as if nothing were published.',
  doesNotMean: 'Mail is not lost.',
  rfc: ['RFC 8461 3.2'],
  records: GOOD,
});
const MISMATCH = zoneCheck('mta-sts-mx', 'high', 'The MTA-STS policy leaves out an MX host', {
  means: 'Senders that enforce it never deliver there.',
  doesNotMean: 'Other MX hosts may take the mail.',
  rfc: ['RFC 8461 4.1'],
  records: ['mx: every.mx.example.org'],
});
const TESTING = zoneCheck('mta-sts-testing', 'info', 'MTA-STS is only tested', {
  means: 'Senders report trouble and deliver all the same, in clear if need be.',
  doesNotMean: 'It is the right first step.',
  rfc: ['RFC 8461 5'],
  records: ['mode: enforce'],
});
const SHORT = zoneCheck('mta-sts-short', 'low', 'The MTA-STS policy is soon forgotten', {
  means: 'Who keeps senders from the policy for a few hours is rid of it.',
  doesNotMean: 'It is checked anew with each new id.',
  rfc: ['RFC 8461 3.2'],
  records: ['max_age: 2592000'],
});

const CHECKS = [MISSING, RECORD, UNREACHABLE, POLICY, MISMATCH, TESTING, SHORT];

export const mtaSts: DomainProbe = {
  name: 'mta-sts',
  scope: 'domain',
  level: 'passive',
  checks: CHECKS,
  run,
};

const DAY_SECONDS = 86_400;

async function run(context: DomainContext): Promise<void> {
  const { domain, resolver, tell } = context;
  const name = stsRecordName(domain);
  const answer = await resolver.txt(name);
  if (answer.kind === 'failed') return tellUnanswered(tell, CHECKS, name, answer.reason);
  const record = readStsRecords(recordsOf(answer));
  const seen = new Map<Check, string>();
  if (record.kind === 'none') seen.set(MISSING, `no record at ${name}`);
  if (record.kind === 'invalid') seen.set(RECORD, record.why);
  tellAll(tell, [MISSING, RECORD], seen, 'the record is there');
  const rest = CHECKS.slice(2);
  if (record.kind !== 'record') {
    for (const check of rest) tell(inapplicable(check, 'there is no record'));
    return;
  }
  const fetched = await fetchPolicy(`mta-sts.${domain}`, context);
  if (fetched.kind === 'untried') {
    for (const check of rest) tell(unclear(check, fetched.why));
    return;
  }
  if (fetched.kind === 'octets') {
    const read = readStsPolicy(fetched.octets);
    if (read.kind === 'invalid') seen.set(POLICY, read.why);
    else await judge(read.policy, context, seen);
  } else seen.set(UNREACHABLE, fetched.why);
  for (const check of rest) {
    const missing = fetched.kind === 'failed' || seen.has(POLICY);
    if (missing && !seen.has(check)) tell(inapplicable(check, 'there is no policy'));
    else tellAll(tell, [check], seen, 'the policy was read');
  }
}

async function judge(
  policy: StsPolicy,
  { domain, resolver, tell }: DomainContext,
  seen: Map<Check, string>,
): Promise<void> {
  if (policy.mode !== 'enforce') seen.set(TESTING, `mode is ${policy.mode}`);
  if (policy.maxAgeSeconds < DAY_SECONDS) seen.set(SHORT, `max_age is ${policy.maxAgeSeconds}`);
  const answer = await resolver.mx(domain);
  if (answer.kind === 'failed') return tell(unclear(MISMATCH, answer.reason));
  const hosts = recordsOf(answer).map(({ exchange }) => exchange);
  const left = policy.mode === 'none' ? [] : hosts.filter((host) => !allowsMx(policy, host));
  if (left.length > 0) seen.set(MISMATCH, `${shown(left[0] ?? '')} is not in the policy`);
}

type Fetched =
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'failed' | 'untried'; readonly why: string };

const HTTPS = 443;
const ANSWER_BYTES = 131_072;

/** One GET (RFC 8461 3.3): a good certificate, 200, no redirect. */
async function fetchPolicy(host: string, context: DomainContext): Promise<Fetched> {
  const { resolver, world, options } = context;
  const answer = await resolver.a(host);
  const [address] = recordsOf(answer);
  if (address === undefined) return { kind: 'failed', why: `${host} has no address` };
  try {
    const target = { address, port: HTTPS };
    const dialled = await dial(world, target, { tls: { name: host }, timeoutMs: options.replyMs });
    if (dialled.kind !== 'open') return { kind: 'failed', why: `${host}: ${dialled.why}` };
    const { wire } = dialled;
    const peer = wire.secure?.facts.peer;
    if (peer?.kind !== 'verified') {
      wire.destroy();
      const why = peer?.kind === 'unverified' ? peer.reason : 'was not asked for';
      return { kind: 'failed', why: `the certificate is not good: ${shown(why)}` };
    }
    wire.send(
      utf8(`GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    const octets: Uint8Array[] = [];
    let total = 0;
    while (!wire.over && total < ANSWER_BYTES) {
      const piece = await wire.readOctets(1, options.replyMs);
      if (isLost(piece)) break;
      const more = await wire.listen(0);
      octets.push(piece, more);
      total += piece.length + more.length;
    }
    wire.close();
    return body(concat(octets));
  } catch (thrown) {
    const failure = Failure.from(thrown);
    if (failure.kind === 'permanent') {
      return { kind: 'untried', why: `${host} is not among what may be audited` };
    }
    return { kind: 'failed', why: failure.message };
  }
}

function body(answer: Uint8Array): Fetched {
  const text = latin1(answer);
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  const end = text.indexOf('\r\n\r\n');
  if (status === undefined || end === -1) return { kind: 'failed', why: 'no answer of HTTP' };
  if (status !== '200') return { kind: 'failed', why: `the answer is ${status}` };
  return { kind: 'octets', octets: answer.subarray(end + 4) };
}
