/** What the DNS says of a host: its name by address, and its TLSA records (RFC 7672). */

import { recordsOf, shown, tellAll, tellUnanswered, zoneCheck } from './zone.ts';
import { checkIprev } from '#trust/iprev.ts';
import { tlsaName, usableRecords } from '#trust/dane/records.ts';
import { parseIp, scopeOf } from '#base/ip.ts';
import type { Check } from '../../check.ts';
import { inapplicable } from '../../finding.ts';
import type { HostContext, HostProbe } from '../../probe.ts';

const NO_PTR = zoneCheck('ptr-missing', 'medium', 'The address has no name', {
  means: 'Many receivers refuse mail from addresses without a name.',
  doesNotMean: 'It matters for hosts that send mail.',
  rfc: ['RFC 8601 3'],
  records: ['1.2.0.192.in-addr.arpa. PTR mx.example.org. (set by your provider)'],
});
const UNCONFIRMED = zoneCheck('ptr-unconfirmed', 'medium', "The address's name is not confirmed", {
  means: 'The name does not lead back to the address: receivers trust it no more than none.',
  doesNotMean: 'It matters for hosts that send mail.',
  rfc: ['RFC 8601 3'],
  records: ['mx.example.org. A 192.0.2.1'],
});

export const reverseName: HostProbe = {
  name: 'reverse-name',
  scope: 'host',
  level: 'passive',
  checks: [NO_PTR, UNCONFIRMED],
  run: runReverse,
};

async function runReverse({ address, resolver, world, tell }: HostContext): Promise<void> {
  const checks = [NO_PTR, UNCONFIRMED];
  if (scopeOf(address) !== 'world') {
    for (const check of checks) tell(inapplicable(check, 'the address is no public one'));
    return;
  }
  const ip = parseIp(address);
  const answer = await resolver.ptr(address);
  if (answer.kind === 'failed' || ip === undefined) {
    const reason = answer.kind === 'failed' ? answer.reason : 'no address';
    return tellUnanswered(tell, checks, `the name of ${address}`, reason);
  }
  const seen = new Map<Check, string>();
  const names = recordsOf(answer);
  if (names.length === 0) {
    tellAll(tell, [NO_PTR], new Map([[NO_PTR, `${address} has no PTR record`]]), '');
    return tell(inapplicable(UNCONFIRMED, 'there is no name'));
  }
  const outcome = await checkIprev({ ip: address, resolver, clock: world.clock });
  if (outcome.result === 'temperror') {
    return tellUnanswered(tell, checks, names[0] ?? '', 'no answer');
  }
  if (outcome.result !== 'pass') {
    seen.set(UNCONFIRMED, `${shown(names[0] ?? '')} does not lead to ${address}`);
  }
  tellAll(tell, checks, seen, shown(names[0] ?? ''));
}

const PKIX = zoneCheck('dane-usage', 'low', 'TLSA records are of a kind that SMTP does not use', {
  means: 'Usages 0 and 1 are unusable for SMTP: senders encrypt without authentication.',
  doesNotMean: 'Other protocols may use them.',
  rfc: ['RFC 7672 3.1.3'],
  records: ['_25._tcp.mx.example.org. TLSA 3 1 1 ...'],
});
const UNSIGNED = zoneCheck('dane-unsigned', 'medium', 'TLSA records are published without DNSSEC', {
  means: 'No sender believes them.',
  doesNotMean: 'It says so only where the resolver that was asked validates.',
  rfc: ['RFC 7672 2.2'],
  records: ['Sign the zone, or drop the records.'],
});

export const daneRecords: HostProbe = {
  name: 'dane-records',
  scope: 'host',
  level: 'passive',
  checks: [PKIX, UNSIGNED],
  run: runDane,
};

async function runDane({ host, resolver, tell }: HostContext): Promise<void> {
  const checks = [PKIX, UNSIGNED];
  if (parseIp(host) !== undefined) {
    for (const check of checks) tell(inapplicable(check, 'the target is an address'));
    return;
  }
  const answer = await resolver.tlsa(tlsaName(host, 25));
  if (answer.kind === 'failed') return tellUnanswered(tell, checks, host, answer.reason);
  const records = recordsOf(answer);
  if (records.length === 0) {
    for (const check of checks) tell(inapplicable(check, 'there are no TLSA records'));
    return;
  }
  const seen = new Map<Check, string>();
  const unusable = records.length - usableRecords(records).length;
  if (unusable > 0) seen.set(PKIX, `${unusable} of ${records.length} records are unusable`);
  if (!(answer.kind === 'found' && answer.authentic)) {
    seen.set(UNSIGNED, `${records.length} records without a signature that holds`);
  }
  tellAll(tell, checks, seen, `${records.length} records`);
}
