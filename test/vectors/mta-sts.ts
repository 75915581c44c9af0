/** The examples and rules of RFC 8461: records (3.1), policies (3.2) and MX names (4.1), as a suite. */

import { utf8 } from '#base/bytes.ts';
import { allowsMx, readStsPolicy } from '#trust/mta-sts/policy.ts';
import { readStsRecords } from '#trust/mta-sts/record.ts';
import type { Suite } from './suite.ts';

type Row = readonly [what: string, got: unknown, wanted: unknown];

export const stsSuite: Suite = {
  name: 'mta-sts',
  origin: 'the examples of RFC 8461 and the rules around them',
  run: () => {
    const rows = [...recordRows(), ...policyRows(), ...mxRows()];
    const failures = rows
      .filter(([, got, wanted]) => JSON.stringify(got) !== JSON.stringify(wanted))
      .map(
        ([what, got, wanted]) => `${what}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`,
      );
    return Promise.resolve({ passed: rows.length - failures.length, failures });
  },
};

function recordRows(): Row[] {
  const rows: readonly (readonly [readonly string[], string])[] = [
    // RFC 8461 3.1, the example.
    [['v=STSv1; id=20160831085700Z;'], '20160831085700Z'],
    [['v=STSv1; id=20160831085700Z'], '20160831085700Z'],
    [['v=STSv1;id=1;'], '1'],
    [['v=STSv1 ;\tid=1 ; '], '1'],
    [['v=STSv1; id=1; new-field=some:value'], '1'],
    [['v=STSv1; ext=1; id=2'], '2'],
    [['v=spf1 -all', 'v=STSv1; id=1'], '1'],
    [['v=STSv1; id=1', 'v=STSv1; id=1'], 'invalid'],
    [['v=STSv1; id=1', 'v=STSv1; id=2'], 'invalid'],
    [['v=stsv1; id=1'], 'none'],
    [['V=STSv1; id=1'], 'none'],
    [[' v=STSv1; id=1'], 'none'],
    [['v=STSv10; id=1'], 'none'],
    [['id=1; v=STSv1'], 'none'],
    [[], 'none'],
    [['v=STSv1'], 'invalid'],
    [['v=STSv1;'], 'invalid'],
    [['v=STSv1; id='], 'invalid'],
    [['v=STSv1; id=a-b'], 'invalid'],
    [['v=STSv1; id=a b'], 'invalid'],
    [['v=STSv1; ID=1'], 'invalid'],
    [['v=STSv1; id=1; id=2'], 'invalid'],
    [['v=STSv1;; id=1'], 'invalid'],
    [['v=STSv1; id=1; x'], 'invalid'],
    [[`v=STSv1; id=${'a'.repeat(32)}`], 'a'.repeat(32)],
    [[`v=STSv1; id=${'a'.repeat(33)}`], 'invalid'],
  ];
  return rows.map(([texts, wanted]) => {
    const read = readStsRecords(texts);
    return [`record ${texts.join(' | ')}`, read.kind === 'record' ? read.id : read.kind, wanted];
  });
}

/** RFC 8461 3.2, the example. */
const EXAMPLE =
  'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n' +
  'mx: backupmx.example.com\r\nmax_age: 604800\r\n';

function policyRows(): Row[] {
  const rows: readonly (readonly [string, unknown])[] = [
    [EXAMPLE, ['enforce', 604_800, 3]],
    [EXAMPLE.replaceAll('\r\n', '\n'), ['enforce', 604_800, 3]],
    [EXAMPLE.replace('enforce', 'testing'), ['testing', 604_800, 3]],
    [EXAMPLE.replace('mode: enforce', 'mode:enforce'), ['enforce', 604_800, 3]],
    [EXAMPLE.replace('max_age: 604800\r\n', 'max_age: 604800'), ['enforce', 604_800, 3]],
    [`${EXAMPLE}mode: none\r\nmax_age: 1\r\n`, ['enforce', 604_800, 3]],
    [`${EXAMPLE}future: thing\r\n`, ['enforce', 604_800, 3]],
    ['version: STSv1\nmode: none\nmax_age: 86400\n', ['none', 86_400, 0]],
    ['version: STSv1\nmode: enforce\nmax_age: 86400\n', 'invalid'],
    [EXAMPLE.replace('STSv1', 'STSv2'), 'invalid'],
    [EXAMPLE.replace('version: STSv1\r\n', ''), 'invalid'],
    [EXAMPLE.replace('enforce', 'Enforce'), 'invalid'],
    [EXAMPLE.replace('enforce', 'report'), 'invalid'],
    [EXAMPLE.replace('604800', '-1'), 'invalid'],
    [EXAMPLE.replace('604800', '31557600'), ['enforce', 31_557_600, 3]],
    [EXAMPLE.replace('604800', '31557601'), 'invalid'],
    [EXAMPLE.replace('604800', '99999999999'), 'invalid'],
    [EXAMPLE.replace('604800', 'week'), 'invalid'],
    [EXAMPLE.replace('max_age: 604800\r\n', ''), 'invalid'],
    [EXAMPLE.replace('*.example.net', '*.*.example.net'), 'invalid'],
    [EXAMPLE.replace('*.example.net', 'mail*.example.net'), 'invalid'],
    [EXAMPLE.replace('*.example.net', '192.0.2.1'), 'invalid'],
    ['<html>no such page</html>', 'invalid'],
    ['', 'invalid'],
  ];
  return rows.map(([text, wanted]) => {
    const read = readStsPolicy(utf8(text));
    const { mode, maxAgeSeconds, mx } = read.kind === 'policy' ? read.policy : NOTHING;
    const got = read.kind === 'policy' ? [mode, maxAgeSeconds, mx.length] : read.kind;
    return [`policy ${JSON.stringify(text.slice(0, 60))}`, got, wanted];
  });
}

const NOTHING = { mode: 'none', maxAgeSeconds: 0, mx: [] } as const;

/** RFC 8461 4.1: the wildcard is one whole label, the first. */
function mxRows(): Row[] {
  const policy = {
    mode: 'enforce',
    maxAgeSeconds: 1,
    mx: ['mail.example.com', '*.example.net', 'xn--mx-wia.example.org'],
  } as const;
  const rows: readonly (readonly [string, boolean])[] = [
    ['mail.example.com', true],
    ['MAIL.example.com.', true],
    ['example.com', false],
    ['mail1.example.com', false],
    ['mail.example.com.evil.test', false],
    ['mx.example.net', true],
    ['example.net', false],
    ['a.mx.example.net', false],
    ['*.example.net', false],
    ['mxä.example.org', true],
    ['', false],
  ];
  return rows.map(([host, wanted]) => [`MX ${host}`, allowsMx(policy, host), wanted]);
}
