/** DKIM keys of a domain (RFC 6376 3.6): those of the selectors that the operator names. */

import { readKeyRecord } from '#trust/dkim/key-record.ts';
import { parseTagList } from '#trust/dkim/tags.ts';
import type { Check } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { DomainContext, DomainProbe } from '../../probe.ts';
import { recordsOf, shown, tellAll, zoneCheck } from './zone.ts';

const NEW_KEY = [
  'Make a new key of RSA 2,048 under a new selector, sign with it, drop the old one.',
];

const MISSING = zoneCheck('dkim-missing', 'high', 'A selector has no DKIM key', {
  means: 'What is signed with this selector cannot be verified by anybody.',
  doesNotMean: 'The selector may be one that is not used any more.',
  rfc: ['RFC 6376 3.6.2'],
  records: ['s1._domainkey.example.org. TXT "v=DKIM1; k=rsa; p=..."'],
});
const SYNTAX = zoneCheck('dkim-syntax', 'high', 'A DKIM key record cannot be read', {
  means: 'Every signature with this selector is a permerror.',
  doesNotMean: 'A record that was cut in two by a web form often looks like this.',
  rfc: ['RFC 6376 3.6.1'],
  records: NEW_KEY,
});
const BROKEN_KEY = zoneCheck('dkim-key-broken', 'high', 'A DKIM key can be broken', {
  means: 'RSA below 1,024 bits is factored for little money: then anybody signs as this domain.',
  doesNotMean: 'Careful receivers ignore such keys, which leaves the domain unsigned.',
  rfc: ['RFC 8301 3.2'],
  records: NEW_KEY,
});
const SHORT_KEY = zoneCheck('dkim-key-short', 'low', 'A DKIM key is shorter than 2,048 bits', {
  means: 'It is weaker than what signers should use today.',
  doesNotMean: 'Keys of 1,024 bits are still verified everywhere.',
  rfc: ['RFC 8301 3.2'],
  records: NEW_KEY,
});
const REVOKED = zoneCheck('dkim-revoked', 'info', 'A DKIM key is revoked', {
  means: 'Signatures with this selector fail.',
  doesNotMean: 'It is the right way to retire a key.',
  rfc: ['RFC 6376 3.6.1'],
  records: ['Nothing, if you retired it.'],
});
const TESTING = zoneCheck('dkim-testing', 'low', 'A DKIM key is marked as a test (t=y)', {
  means: 'Receivers may treat signed mail as unsigned.',
  doesNotMean: 'Many receivers do not look at it.',
  rfc: ['RFC 6376 3.6.1'],
  records: ['Drop t=y.'],
});
const SHA1 = zoneCheck('dkim-sha1', 'medium', 'A DKIM key allows SHA-1 only', {
  means: 'Signatures with SHA-1 must not be believed: nothing that is signed verifies.',
  doesNotMean: 'h= may be left out, which allows every hash.',
  rfc: ['RFC 8301 3.1'],
  records: ['Drop h=sha1.'],
});
const WILDCARD = zoneCheck('dkim-wildcard', 'medium', 'Every selector has a DKIM key', {
  means: 'A wildcard answers for names that nobody made: whose key is it?',
  doesNotMean: 'Without the private key nobody signs.',
  rfc: ['RFC 6376 3.6.2'],
  records: ['Drop the wildcard below _domainkey.'],
});

const KEYS = [MISSING, SYNTAX, BROKEN_KEY, SHORT_KEY, REVOKED, TESTING, SHA1];

export const dkim: DomainProbe = {
  name: 'dkim',
  scope: 'domain',
  level: 'passive',
  checks: [...KEYS, WILDCARD],
  run,
};

const SELECTORS = 20;

async function run({ domain, resolver, options, token, tell }: DomainContext): Promise<void> {
  const random = await resolver.txt(`${token(16).toLowerCase()}._domainkey.${domain}`);
  if (random.kind === 'failed') tell(unclear(WILDCARD, random.reason));
  else if (random.kind === 'none') tell(absent(WILDCARD, 'a random selector has no key'));
  else tell(found(WILDCARD, `a random selector answers "${shown(random.records[0] ?? '')}"`));
  if (options.selectors.length === 0) {
    const why = 'no selector is known: the DNS does not list them; name one, or take it from mail';
    for (const check of KEYS) tell(unclear(check, why));
    return;
  }
  const seen = new Map<Check, string>();
  let unanswered: string | undefined;
  for (const selector of options.selectors.slice(0, SELECTORS)) {
    const name = `${selector}._domainkey.${domain}`;
    const answer = await resolver.txt(name);
    if (answer.kind === 'failed') {
      unanswered = `${shown(name)}: ${answer.reason}`;
      continue;
    }
    const [text, second] = recordsOf(answer);
    if (text === undefined) seen.set(MISSING, `nothing at ${shown(name)}`);
    else if (second !== undefined) seen.set(SYNTAX, `more than one record at ${shown(name)}`);
    else judge(selector, text, seen);
  }
  if (seen.has(MISSING) && options.selectors.length === 1) {
    tell(found(MISSING, seen.get(MISSING) ?? ''));
    for (const check of KEYS.slice(1)) tell(inapplicable(check, 'there is no key'));
    return;
  }
  if (unanswered !== undefined) {
    const untold = KEYS.filter((check) => !seen.has(check));
    for (const check of untold) tell(unclear(check, unanswered));
    return tellAll(tell, [...seen.keys()], seen, '');
  }
  tellAll(tell, KEYS, seen, `${options.selectors.length} selectors were looked at`);
}

const SHORT_BITS = 2_048;

function judge(selector: string, text: string, seen: Map<Check, string>): void {
  const tags = parseTagList(text);
  const value = (tag: string): string =>
    tags.kind === 'bad' ? '' : (tags.tags.get(tag)?.value ?? '').toLowerCase();
  if (/\bsha1\b/.test(value('h')) && !/\bsha256\b/.test(value('h'))) {
    seen.set(SHA1, `${selector} has h=sha1`);
    return;
  }
  const algorithm = value('k') === 'ed25519' ? 'ed25519-sha256' : 'rsa-sha256';
  const key = readKeyRecord(text, algorithm, { minRsaBits: 1 });
  if (key.kind !== 'read') {
    const revoked = tags.kind !== 'bad' && tags.tags.has('p') && value('p') === '';
    seen.set(revoked ? REVOKED : SYNTAX, `${selector}: "${shown(text)}"`);
    return;
  }
  const { bits, testing } = key.value;
  if (testing) seen.set(TESTING, `${selector} has t=y`);
  if (algorithm !== 'rsa-sha256') return;
  if (bits < 1_024) seen.set(BROKEN_KEY, `${selector} has ${bits} bits`);
  else if (bits < SHORT_BITS) seen.set(SHORT_KEY, `${selector} has ${bits} bits`);
}
