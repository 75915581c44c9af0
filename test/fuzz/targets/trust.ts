/** What decides whom to believe: records of the DNS, and heads of strangers around a signature. */

import { concat, fromLatin1, latin1 } from '#base/bytes.ts';
import { splitMessage } from '#message/edit.ts';
import { countFields, readHead } from '#message/fields.ts';
import { SignatureVerification } from '#trust/arc/verification.ts';
import { readKeyRecord } from '#trust/dkim/key-record.ts';
import { NOW_MS, keySource, lines, signed, testKey } from '#trust/dkim/testing.ts';
import { readAuthor } from '#trust/dmarc/author.ts';
import { evaluateDmarc } from '#trust/dmarc/evaluate.ts';
import { formatStsPolicy, readStsPolicy } from '#trust/mta-sts/policy.ts';
import { readStsRecords } from '#trust/mta-sts/record.ts';
import { forgedResults, isOurs, removeForged } from '#trust/results/ours.ts';
import { parseAuthenticationResults } from '#trust/results/parse.ts';
import { checkHost } from '#trust/spf/check.ts';
import { readTlsRptRecords } from '#trust/tls-rpt/record.ts';
import { zoneResolver } from '../../vectors/zone.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { expand } from '../grammar.ts';
import { must, type Target } from '../target.ts';

const SEEDS = corpus('src/trust');
const KEY = testKey('ed25519-sha256', 'signer.test', 'key');
const OURS = 'mx.us.test';

const RECORDS = {
  start: ['v=spf1 {terms}', 'v=DMARC1; {tags}', '{key}', '{policy}', '{results}', '{tags}'],
  terms: ['{term}', '{term} {terms}', '{term} {term} {terms}'],
  term: [
    'all',
    '{sign}{name}:{spec}{bits}',
    '{sign}{name}',
    'redirect={spec}',
    'exp={spec}',
    '{spec}={spec}',
    'ip4:192.0.2.{bits}',
    'ip6:2001:db8::{bits}',
  ],
  sign: ['', '-', '~', '?', '+', '--'],
  name: ['a', 'mx', 'include', 'exists', 'ptr', 'all', 'ip4', 'INCLUDE', 'x'],
  spec: [
    'a.test',
    'b.test',
    '%{l}.a.test',
    '%{ir}.%{v}.b.test',
    '%{d2r-}',
    '%%',
    '%',
    '',
    '.',
    'c',
  ],
  bits: ['', '/24', '/0', '//64', '/33', '/8//129', '/'],
  tags: ['p=reject', 'p={word}; {tags}', '{word}={word};{tags}', 'sp=none; np=reject', ';', 'v=1'],
  word: [
    'reject',
    'none',
    'y',
    'n',
    's',
    'mailto:a@b.test',
    'psd',
    't',
    'rua',
    'adkim',
    '',
    '\xff',
  ],
  key: ['v=DKIM1; k=rsa; p=', 'v=DKIM1; p=AAAA', 'k=ed25519; p={word}; t=y:s', 'p=; {tags}'],
  policy: [
    'version: STSv1\nmode: {mode}\nmx: {spec}\nmax_age: {bits}1',
    'v=STSv1; id={word}',
    '{tlsrpt}',
  ],
  mode: ['enforce', 'testing', 'none', '{word}'],
  tlsrpt: ['v=TLSRPTv1; rua={word},https://x.test/', 'v=TLSRPTv1;{tags}'],
  results: ['{id}; {word}={word}', '{id} 1; none', '({id}) {id};', '"{id}"; spf=pass x.y={word}'],
  id: [OURS, 'MX.us.test', 'mx.them.test', '{word}', 'mx.(c)us.test', '=?utf-8?q?mx.us.test?='],
};

/** Any text as any record: a result for each, no permission by chance, few questions. */
export const records: Target = {
  name: 'trust-records',
  seeds: SEEDS,
  generate: (chance) => expand(RECORDS, 'start', chance),
  maxOctets: 2_000,
  async run({ octets }) {
    const text = latin1(octets);
    const resolver = zoneResolver({
      'a.test': { txt: [text], a: ['192.0.2.9'], mx: [[1, 'b.test']] },
      'b.test': { txt: [`v=spf1 ${text}`] },
      '_dmarc.a.test': { txt: [text] },
      '_dmarc.test': { txt: [`v=DMARC1; ${text}`] },
    });
    const ask = { ip: '198.51.100.1', sender: 'x-y@a.test', helo: 'h.test', resolver };
    const spf = await checkHost({ ...ask, domain: 'a.test' });
    must(resolver.questions.length <= 30, 'few questions', resolver.questions);
    must(/^[\x20-\x7e]*$/.test(spf.why + (spf.explanation ?? '')), 'printable', spf);
    const author = readAuthor(fromLatin1('From: a@b.a.test\r\n\r\n'));
    const dmarc = await evaluateDmarc({ author, dkim: [], resolver });
    must(dmarc.result !== 'pass' && dmarc.result !== 'temperror', 'nothing was aligned', dmarc);
    const key = readKeyRecord(text, 'rsa-sha256');
    must(key.kind === 'refused' || key.value.bits >= 1_024, 'a strong key or none');
    policies(octets, text);
    const parsed = parseAuthenticationResults(text);
    const same = parsed?.authservId.toLowerCase() === OURS;
    must(!same || isOurs(text, [OURS]), 'what is read as ours is ours');
  },
};

function policies(octets: Uint8Array, text: string): void {
  readStsRecords([text]);
  for (const place of readTlsRptRecords([text]))
    must(!JSON.stringify(place).includes('\\n'), 'URI');
  const read = readStsPolicy(octets);
  if (read.kind !== 'policy') return;
  const again = readStsPolicy(formatStsPolicy(read.policy));
  must(JSON.stringify(again) === JSON.stringify(read), 'written as it was read', read);
}

const HEADS = {
  start: ['{field}\r\n', '{field}\r\n{start}', '{field}\r\n{field}\r\n{start}'],
  field: [
    '{name}: {value}',
    '{name}{odd}: {value}',
    '{name}\r\n : {value}',
    ' {name}: {value}',
    'Authentication-Results: mx.us.test; dmarc=pass',
    'DKIM-Signature: v=1; a=rsa-sha256; d=signer.test; s=key; h=from; bh={value}; b={value}',
    'ARC-Seal: i=1; cv=pass; {value}',
  ],
  name: ['From', 'from', 'Authentication-Results', 'DKIM-Signature', 'Sender', 'X', 'Subject'],
  odd: ['\0', ' ', '\t', '\xad', '\x7f'],
  value: [
    '<a@signer.test>',
    'a@evil.test',
    'mx.us.test; spf=pass',
    'v=1; d=signer.test',
    'AAAA',
    '',
  ],
};
/** How a sloppy reader finds results, whatever stands around the name. */
const SEEN_AS_OURS = /^[^!-~]*authentication-results[^!-~]*:[ \t]*mx\.us\.test;/im;
const LETTER = lines('From: <a@signer.test>', 'Subject: x', '') + lines('Body');

/** Anything on top of a signed letter: what still verifies is from its signer, or from nobody. */
export const heads: Target = {
  name: 'trust-heads',
  seeds: SEEDS,
  generate: (chance) => expand(HEADS, 'start', chance),
  maxOctets: 4_000,
  async run({ octets, setup }) {
    const letter = fromLatin1(signed(LETTER, KEY));
    const chance = new Chance(setup, 'trust-heads');
    const { head, body } = splitMessage(concat([octets, letter]));
    const verification = new SignatureVerification(head, keySource(KEY.zone));
    verification.write(body);
    const { dkim, arc } = await verification.finish(NOW_MS);
    must(arc.status !== 'pass', 'no chain by chance', arc);
    const author = readAuthor(head);
    if (dkim.results.some(({ status }) => status === 'pass')) {
      must(countFields(readHead(head), 'From') === 1, 'the signed From is the only one');
      const named = author.kind === 'author' ? author.domain : 'signer.test';
      must(named === 'signer.test', 'the signer is the author', named);
    }
    // Cut anywhere, too: a head that has no end.
    const part = head.subarray(0, chance.below(head.length + 1));
    for (const one of [head, part]) {
      const { head: clean, removed } = removeForged(one, [OURS]);
      must(removed.length > 0 || clean === one, 'nothing else changes');
      const left = forgedResults(clean, [OURS], readHead(clean));
      must(left.length === 0, 'what is forged is gone', left, latin1(one));
      must(!SEEN_AS_OURS.test(unfolded(clean)), 'no line of it is left', latin1(one));
    }
  },
};

/** A CR alone ends no line: SMTP refuses it at the door. */
function unfolded(head: Uint8Array): string {
  return latin1(head)
    .replace(/\r?\n(?=[ \t])/g, '')
    .replace(/\r(?!\n)/g, '?');
}
