/** SPF of a domain (RFC 7208): is there a record, does it work, and whom does it let in? */

import { scopeOf } from '#base/ip.ts';
import { isSpfRecord, parseSpfRecord, type SpfRecord } from '#trust/spf/record.ts';
import { inapplicable, unclear } from '../../finding.ts';
import type { DomainContext, DomainProbe } from '../../probe.ts';
import type { Check } from '../../check.ts';
import { type SpfTree, walkSpf } from './spf-walk.ts';
import { recordsOf, shown, tellAll, tellUnanswered, zoneCheck } from './zone.ts';

const GOOD = ['example.org. TXT "v=spf1 mx -all"'];
const BROKEN = {
  means: 'Receivers get permerror: the record protects nobody, and good mail may be refused.',
  rfc: ['RFC 7208 4.6'],
};

const MISSING = zoneCheck('spf-missing', 'medium', 'The domain has no SPF record', {
  means: 'Anybody may use the domain in the envelope, and receivers cannot tell.',
  doesNotMean: 'DKIM with DMARC may protect the shown sender all the same.',
  rfc: ['RFC 7208 3'],
  records: GOOD,
});
const SEVERAL = zoneCheck('spf-several', 'high', 'The domain has more than one SPF record', {
  ...BROKEN,
  doesNotMean: 'The order of the records does not matter: none of them counts.',
  rfc: ['RFC 7208 4.5'],
  records: GOOD,
});
const SYNTAX = zoneCheck('spf-syntax', 'high', 'The SPF record cannot be read', {
  ...BROKEN,
  doesNotMean: 'One wrong term spoils all others, also those before it.',
  records: GOOD,
});
const LOOKUPS = zoneCheck('spf-lookups', 'high', 'SPF needs more than ten questions to the DNS', {
  ...BROKEN,
  doesNotMean: 'Clients that match an early term may still pass.',
  rfc: ['RFC 7208 4.6.4'],
  records: ['Replace include: by the networks that it stands for, or drop senders.'],
});
const VOIDS = zoneCheck('spf-voids', 'medium', 'SPF asks for names that hold nothing', {
  ...BROKEN,
  doesNotMean: 'Two such names are allowed.',
  rfc: ['RFC 7208 4.6.4'],
  records: ['Drop the terms whose names do not exist.'],
});
const LOOP = zoneCheck('spf-loop', 'high', 'SPF records include each other in a circle', {
  ...BROKEN,
  doesNotMean: 'Nothing is asked without end: the limit of ten ends it.',
  rfc: ['RFC 7208 4.6.4'],
  records: ['Drop the include: that leads back.'],
});
const INCLUDE = zoneCheck('spf-include', 'high', 'SPF includes a domain without a good record', {
  ...BROKEN,
  doesNotMean: 'Clients that match an earlier term pass.',
  rfc: ['RFC 7208 5.2'],
  records: ['Drop the include:, or mend the record that it names.'],
});
const PASS_ALL = zoneCheck('spf-pass-all', 'high', 'SPF permits every address', {
  means: 'Everybody passes SPF for this domain, and with it may pass DMARC.',
  doesNotMean: 'It is no better than no record; it is worse.',
  rfc: ['RFC 7208 5.1'],
  records: GOOD,
});
const OPEN_END = zoneCheck('spf-open-end', 'low', 'SPF refuses nobody', {
  means: 'Addresses that the record does not name get neutral: the same as no record.',
  doesNotMean: 'With ~all and DMARC at reject the shown sender is protected.',
  rfc: ['RFC 7208 2.6.2', 'RFC 7208 4.7'],
  records: GOOD,
});
const PTR = zoneCheck('spf-ptr', 'low', 'SPF uses ptr', {
  means: 'It is slow, unreliable, and must not be used any more.',
  doesNotMean: 'Most receivers evaluate it all the same.',
  rfc: ['RFC 7208 5.5'],
  records: ['Replace ptr by the networks of your servers.'],
});
const WIDE = zoneCheck('spf-wide', 'medium', 'SPF permits very large networks', {
  means: 'Many strangers share the permission, as customers of the same provider.',
  doesNotMean: 'Large providers do have such networks.',
  rfc: ['RFC 7208 11.4'],
  records: ['Name the addresses that send your mail.'],
});
const PRIVATE = zoneCheck('spf-private', 'low', 'SPF names private addresses', {
  means: 'The term never matches on the Internet, and shows how the inside is built.',
  doesNotMean: 'Nobody passes by it from outside.',
  rfc: ['RFC 7208 5.6'],
  records: ['Drop the term.'],
});
const BOTH_ENDS = zoneCheck('spf-redirect-ignored', 'info', 'SPF has all and redirect=', {
  means: 'The redirect is never followed.',
  doesNotMean: 'The record works, but not as its author thought.',
  rfc: ['RFC 7208 6.1'],
  records: ['Keep one of the two.'],
});

const CHECKS = [
  MISSING,
  SEVERAL,
  SYNTAX,
  LOOKUPS,
  VOIDS,
  LOOP,
  INCLUDE,
  PASS_ALL,
  OPEN_END,
  PTR,
  WIDE,
  PRIVATE,
  BOTH_ENDS,
];

export const spf: DomainProbe = {
  name: 'spf',
  scope: 'domain',
  level: 'passive',
  checks: CHECKS,
  run,
};

async function run({ domain, resolver, tell }: DomainContext): Promise<void> {
  const answer = await resolver.txt(domain);
  if (answer.kind === 'failed') return tellUnanswered(tell, CHECKS, domain, answer.reason);
  const texts = recordsOf(answer).filter(isSpfRecord);
  const [text = ''] = texts;
  const parsed = parseSpfRecord(text === '' ? 'v=spf1' : text);
  const seen = new Map<Check, string>();
  if (texts.length === 0) seen.set(MISSING, `${domain} has no TXT record that begins with v=spf1`);
  if (texts.length > 1) seen.set(SEVERAL, `${domain} has ${texts.length} SPF records`);
  if (parsed.kind === 'error') seen.set(SYNTAX, `${shown(parsed.what)}, in "${shown(text)}"`);
  const first = [MISSING, SEVERAL, SYNTAX];
  tellAll(tell, first, seen, `the record is "${shown(text)}"`);
  const rest = CHECKS.filter((check) => !first.includes(check));
  if (seen.size > 0 || parsed.kind === 'error') {
    for (const check of rest) tell(inapplicable(check, 'there is no record that could be read'));
    return;
  }
  const tree = await walkSpf(domain, parsed, resolver);
  judge(tree, seen);
  if (tree.unknown.length === 0) {
    return tellAll(tell, rest, seen, `${tree.lookups} look-ups, ${tree.voids} of them void`);
  }
  const why = `not followed: ${tree.unknown
    .slice(0, 3)
    .map((one) => shown(one))
    .join(', ')}`;
  for (const check of rest) {
    if (DEEP.has(check) && !seen.has(check)) tell(unclear(check, why));
    else tellAll(tell, [check], seen, `the record is "${shown(text)}"`);
  }
}

/** What may lie in records that could not be followed. */
const DEEP = new Set([LOOKUPS, VOIDS, LOOP, INCLUDE]);
const MOST_LOOKUPS = 10;
const MOST_VOIDS = 2;

function judge(tree: SpfTree, seen: Map<Check, string>): void {
  const { record, lookups, voids, loop, broken, directives } = tree;
  if (lookups > MOST_LOOKUPS) seen.set(LOOKUPS, `${lookups} look-ups are needed, 10 are allowed`);
  if (voids > MOST_VOIDS) seen.set(VOIDS, `${voids} names hold nothing, 2 are allowed`);
  if (loop !== undefined) seen.set(LOOP, `${shown(loop)} is included by what it includes`);
  if (broken.length > 0)
    seen.set(
      INCLUDE,
      `no good record at ${broken
        .slice(0, 3)
        .map((one) => shown(one))
        .join(', ')}`,
    );
  for (const { mechanism, qualifier, text } of directives) {
    if (mechanism.kind === 'ptr') seen.set(PTR, `the term "${shown(text)}"`);
    if (mechanism.kind !== 'ip' || qualifier !== '+') continue;
    const { network, bits } = mechanism;
    if (bits < (network.family === 4 ? 16 : 32)) seen.set(WIDE, `the term "${shown(text)}"`);
    // 0.0.0.0/0 is everybody, not this machine.
    if (bits > 0 && scopeOf(network.text) !== 'world') {
      seen.set(PRIVATE, `the term "${shown(text)}"`);
    }
  }
  judgeEnd(record, seen);
}

function judgeEnd({ directives, redirect }: SpfRecord, seen: Map<Check, string>): void {
  const all = directives.find(({ mechanism }) => mechanism.kind === 'all');
  const open = directives.find(
    ({ mechanism, qualifier }) =>
      qualifier === '+' &&
      (mechanism.kind === 'all' || (mechanism.kind === 'ip' && mechanism.bits === 0)),
  );
  if (open !== undefined) seen.set(PASS_ALL, `the term "${shown(open.text)}"`);
  else if (all?.qualifier === '?') seen.set(OPEN_END, 'the record ends with ?all');
  else if (all === undefined && redirect === undefined) {
    seen.set(OPEN_END, 'the record has neither all nor redirect=');
  }
  if (all !== undefined && redirect !== undefined) {
    seen.set(BOTH_ENDS, 'all stands before redirect= is reached');
  }
}
