/** MX records of a domain (RFC 5321 5.1, RFC 7505): do they lead to hosts that can be reached? */

import { isIpv4 } from '#base/domain.ts';
import { scopeOf } from '#base/ip.ts';
import type { Resolver } from '#base/world.ts';
import type { Check } from '../../check.ts';
import { inapplicable } from '../../finding.ts';
import type { DomainContext, DomainProbe } from '../../probe.ts';
import { recordsOf, shown, tellAll, tellUnanswered, zoneCheck } from './zone.ts';

const GOOD = ['example.org. MX 10 mx.example.org.', 'mx.example.org. A 192.0.2.1'];

const MISSING = zoneCheck('mx-missing', 'low', 'The domain has no MX record', {
  means: 'Senders fall back to the address of the domain itself, if there is one.',
  doesNotMean: 'A domain that takes no mail should say so by a null MX.',
  rfc: ['RFC 5321 5.1'],
  records: GOOD,
});
const NULL_MIXED = zoneCheck('mx-null-mixed', 'high', 'A null MX stands beside others', {
  means: 'Some senders see a domain that takes no mail, others do not.',
  doesNotMean: 'A null MX alone is right.',
  rfc: ['RFC 7505 3'],
  records: ['example.org. MX 0 .'],
});
const ALIAS = zoneCheck('mx-alias', 'medium', 'An MX record names an alias', {
  means: 'It is forbidden: some senders refuse or loop, and DANE loses its names.',
  doesNotMean: 'Most senders follow it all the same.',
  rfc: ['RFC 5321 5.1', 'RFC 2181 10.3'],
  records: GOOD,
});
const NO_ADDRESS = zoneCheck('mx-no-address', 'high', 'An MX host has no address', {
  means: 'Mail waits or bounces whenever senders choose this host.',
  doesNotMean: 'Other MX hosts may take the mail.',
  rfc: ['RFC 5321 5.1'],
  records: GOOD,
});
const LITERAL = zoneCheck('mx-literal', 'medium', 'An MX record holds an IP address', {
  means: 'It must be a name: senders ask for a host that is called like an address.',
  doesNotMean: 'A few senders connect all the same.',
  rfc: ['RFC 5321 5.1'],
  records: GOOD,
});
const PRIVATE = zoneCheck('mx-private', 'medium', 'An MX host has a private address', {
  means: 'Nobody outside reaches it, and the inside is shown.',
  doesNotMean: 'Other addresses of the host may be fine.',
  rfc: ['RFC 1918 3'],
  records: GOOD,
});
const NO_IPV6 = zoneCheck('mx-no-ipv6', 'info', 'No MX host has an IPv6 address', {
  means: 'Senders without IPv4 cannot deliver.',
  doesNotMean: 'Nearly all senders have IPv4 today.',
  rfc: ['RFC 5321 5.2'],
  records: ['mx.example.org. AAAA 2001:db8::1'],
});

const CHECKS = [MISSING, NULL_MIXED, ALIAS, NO_ADDRESS, LITERAL, PRIVATE, NO_IPV6];

export const mx: DomainProbe = {
  name: 'mx',
  scope: 'domain',
  level: 'passive',
  checks: CHECKS,
  run,
};

const HOSTS = 20;

async function run({ domain, resolver, tell }: DomainContext): Promise<void> {
  const answer = await resolver.mx(domain);
  if (answer.kind === 'failed') return tellUnanswered(tell, CHECKS, domain, answer.reason);
  const hosts = recordsOf(answer).map(({ exchange }) => exchange);
  const seen = new Map<Check, string>();
  if (hosts.length === 0) seen.set(MISSING, `${domain} has no MX record`);
  if (hosts.length > 1 && hosts.includes('.')) seen.set(NULL_MIXED, `${hosts.length} records`);
  tellAll(tell, [MISSING, NULL_MIXED], seen, hosts.map((host) => shown(host)).join(', '));
  const named = hosts.filter((host) => host !== '.').slice(0, HOSTS);
  const rest = CHECKS.slice(2);
  if (named.length === 0) {
    for (const check of rest) tell(inapplicable(check, 'no MX host is named'));
    return;
  }
  let anyIpv6 = false;
  for (const host of named) {
    const ipv6 = await judgeHost(host, resolver, seen);
    if (ipv6 === 'failed') return tellUnanswered(tell, rest, host, 'no answer');
    anyIpv6 ||= ipv6;
  }
  if (!anyIpv6) seen.set(NO_IPV6, 'none of them has an AAAA record');
  tellAll(tell, rest, seen, `${named.length} hosts, each with an address of its own`);
}

/** Whether the host has an IPv6 address. */
async function judgeHost(
  host: string,
  resolver: Resolver,
  seen: Map<Check, string>,
): Promise<boolean | 'failed'> {
  if (isIpv4(host)) {
    seen.set(LITERAL, `${shown(host)} is no name`);
    return false;
  }
  const [a, aaaa] = await Promise.all([resolver.a(host), resolver.aaaa(host)]);
  if (a.kind === 'failed' || aaaa.kind === 'failed') return 'failed';
  const four = recordsOf(a);
  const six = recordsOf(aaaa);
  if (four.length + six.length === 0) seen.set(NO_ADDRESS, `${shown(host)} has no address`);
  const alias = [a, aaaa].find((one) => one.kind === 'found' && one.canonical !== undefined);
  if (alias !== undefined) seen.set(ALIAS, `${shown(host)} is an alias`);
  // Loopback is for tests on one machine: whoever audits there knows it.
  const inside = [...four, ...six].find((address) => scopeOf(address) === 'site');
  if (inside !== undefined) seen.set(PRIVATE, `${shown(host)} has the address ${inside}`);
  return six.length > 0;
}
