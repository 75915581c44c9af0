/** DMARC of a domain (RFC 9989): a policy that is found, that holds, and whose reports arrive. */

import { type DmarcRecord, isDmarcRecord } from '#trust/dmarc/record.ts';
import { organizationalDomain, walkTree } from '#trust/dmarc/walk.ts';
import { Questions } from '#trust/questions.ts';
import { isWithin } from '#trust/names.ts';
import type { Resolver } from '#base/world.ts';
import type { Check } from '../../check.ts';
import { inapplicable } from '../../finding.ts';
import type { DomainContext, DomainProbe } from '../../probe.ts';
import { recordsOf, shown, tellAll, tellUnanswered, zoneCheck } from './zone.ts';

const GOOD = ['_dmarc.example.org. TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"'];

const MISSING = zoneCheck('dmarc-missing', 'medium', 'The domain has no DMARC policy', {
  means: 'Anybody may write with this domain in From, and receivers have no word to refuse it.',
  doesNotMean: 'SPF and DKIM still say something about other identities.',
  rfc: ['RFC 9989 4'],
  records: GOOD,
});
const SEVERAL = zoneCheck('dmarc-several', 'high', 'There is more than one DMARC record', {
  means: 'Receivers take none of them.',
  doesNotMean: 'The order does not matter.',
  rfc: ['RFC 9989 4.10'],
  records: GOOD,
});
const UNUSABLE = zoneCheck('dmarc-unusable', 'high', 'The DMARC record says no policy', {
  means: 'A wrong p, sp or np leaves the domain without protection.',
  doesNotMean: 'Unknown tags do no harm.',
  rfc: ['RFC 9989 4.7'],
  records: GOOD,
});
const NONE = zoneCheck('dmarc-none', 'medium', 'DMARC asks for nothing (p=none)', {
  means: 'Mail that fails is delivered as if it were good.',
  doesNotMean: 'It is the right first step when the reports are read.',
  rfc: ['RFC 9989 4.7'],
  records: GOOD,
});
const SUBDOMAINS = zoneCheck('dmarc-subdomains', 'medium', 'DMARC leaves subdomains open', {
  means: 'Anybody may write as pay.example.org although example.org itself is closed.',
  doesNotMean: 'Subdomains with records of their own are not concerned.',
  rfc: ['RFC 9989 4.7'],
  records: ['Drop sp=none and np=none.'],
});
const TESTING = zoneCheck('dmarc-testing', 'low', 'DMARC is only tested (t=y)', {
  means: 'Receivers apply one step less than the policy says.',
  doesNotMean: 'Reports come all the same.',
  rfc: ['RFC 9989 4.7'],
  records: ['Drop t=y.'],
});
const REMOVED = zoneCheck('dmarc-removed-tags', 'info', 'DMARC uses tags that were removed', {
  means: 'pct, rf and ri are ignored today: the policy holds for all mail.',
  doesNotMean: 'Nothing is broken.',
  rfc: ['RFC 9989 4.7'],
  records: ['Drop pct, rf and ri; t=y is what pct=0 was for.'],
});
const NO_REPORTS = zoneCheck('dmarc-no-reports', 'low', 'Nobody gets DMARC reports', {
  means: 'Nobody learns who writes in this name, or that good mail fails.',
  doesNotMean: 'The policy holds without reports.',
  rfc: ['RFC 9990 2'],
  records: GOOD,
});
const REPORTS_LOST = zoneCheck('dmarc-reports-lost', 'medium', 'DMARC reports go to nobody', {
  means: 'The domain that should get them does not say that it wants them, or takes no mail.',
  doesNotMean: 'The policy holds.',
  rfc: ['RFC 9990 4'],
  records: ['example.org._report._dmarc.reports.example. TXT "v=DMARC1"'],
});
const MISPLACED = zoneCheck('dmarc-misplaced', 'medium', 'A DMARC record stands at the domain', {
  means: 'It must stand at _dmarc: where it is nobody looks for it.',
  doesNotMean: 'There may be a second one in the right place.',
  rfc: ['RFC 9989 4.5'],
  records: GOOD,
});

const CHECKS = [
  MISSING,
  SEVERAL,
  UNUSABLE,
  NONE,
  SUBDOMAINS,
  TESTING,
  REMOVED,
  NO_REPORTS,
  REPORTS_LOST,
  MISPLACED,
];

export const dmarc: DomainProbe = {
  name: 'dmarc',
  scope: 'domain',
  level: 'passive',
  checks: CHECKS,
  run,
};

async function run({ domain, resolver, world, tell }: DomainContext): Promise<void> {
  const name = `_dmarc.${domain}`;
  const own = await resolver.txt(name);
  if (own.kind === 'failed') return tellUnanswered(tell, CHECKS, name, own.reason);
  const apex = await resolver.txt(domain);
  if (apex.kind === 'failed') return tellUnanswered(tell, CHECKS, domain, apex.reason);
  const questions = new Questions({ resolver, clock: world.clock });
  const walk = await walkTree(questions, domain);
  if (walk.kind === 'failed') return tellUnanswered(tell, CHECKS, walk.domain, walk.reason);
  const seen = new Map<Check, string>();
  const texts = recordsOf(own).filter(isDmarcRecord);
  if (recordsOf(apex).some(isDmarcRecord)) seen.set(MISPLACED, `a record at ${domain} itself`);
  if (texts.length > 1) seen.set(SEVERAL, `${texts.length} records at ${name}`);
  const organization = organizationalDomain(domain, walk.found);
  const applied = walk.found[0]?.record;
  if (applied === undefined && texts.length < 2) {
    seen.set(MISSING, `no record at ${name}, and none above it`);
  }
  const whole = [MISSING, SEVERAL, MISPLACED];
  tellAll(tell, whole, seen, `a record is found, the organization is ${organization}`);
  const rest = CHECKS.filter((check) => !whole.includes(check));
  if (applied === undefined) {
    for (const check of rest) tell(inapplicable(check, 'there is no record'));
    return;
  }
  judge(applied, texts[0] ?? '', walk.found[0]?.domain === domain, seen);
  const lost = await lostReports(domain, applied, resolver);
  if (lost !== undefined) seen.set(REPORTS_LOST, lost);
  tellAll(
    tell,
    rest,
    seen,
    `p is ${applied.policy}, reports to ${applied.aggregateReports.length}`,
  );
}

function judge(record: DmarcRecord, text: string, isOwn: boolean, seen: Map<Check, string>): void {
  if (record.unusable !== undefined) seen.set(UNUSABLE, record.unusable);
  const effective = isOwn ? record.policy : (record.subdomains ?? record.policy);
  if (record.unusable === undefined && effective === 'none') {
    seen.set(NONE, isOwn ? 'p is none' : `the record above it leaves subdomains at none`);
  }
  const { subdomains, nonexistent, policy } = record;
  if (policy !== 'none' && (subdomains === 'none' || nonexistent === 'none')) {
    seen.set(SUBDOMAINS, `p is ${policy}, ${subdomains === 'none' ? 'sp' : 'np'} is none`);
  }
  if (record.testing) seen.set(TESTING, 't is y');
  const removed = [...text.matchAll(/(?:^|;)[ \t]*(pct|rf|ri)[ \t]*=/gi)].map(([, tag]) => tag);
  if (removed.length > 0) seen.set(REMOVED, `the record has ${removed.join(', ')}`);
  if (record.aggregateReports.length === 0) seen.set(NO_REPORTS, 'the record has no rua');
}

/** Whether reports would be sent, and taken (RFC 9990 4); undefined: they would. */
async function lostReports(
  domain: string,
  record: DmarcRecord,
  resolver: Resolver,
): Promise<string | undefined> {
  for (const address of record.aggregateReports.slice(0, 5)) {
    const host = hostOf(address);
    if (host === undefined) continue;
    if (!isWithin(host, domain) && !isWithin(domain, host)) {
      const answer = await resolver.txt(`${domain}._report._dmarc.${host}`);
      if (answer.kind === 'none') return `${shown(host)} does not say that it wants reports`;
      if (answer.kind === 'found' && !answer.records.some((one) => one.startsWith('v=DMARC1'))) {
        return `${shown(host)} does not say that it wants reports`;
      }
    }
    const mx = await resolver.mx(host);
    if (mx.kind === 'found' && mx.records.every(({ exchange }) => exchange === '.')) {
      return `${shown(host)} takes no mail (null MX)`;
    }
    if (mx.kind === 'none' && (await resolver.a(host)).kind === 'none') {
      return `${shown(host)} has neither MX nor address`;
    }
  }
  return undefined;
}

/** The domain of an address in rua. */
function hostOf(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  return at === -1 ? undefined : address.slice(at + 1).toLowerCase();
}
