/** Whether what is published is our key, in whatever words. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKey } from '#trust/dkim/testing.ts';
import { publishesKey } from './steps.ts';

test('a record may be written in other words, the key may not differ', () => {
  for (const algorithm of ['rsa-sha256', 'ed25519-sha256'] as const) {
    const [own, other] = [1, 2].map(() => testKey(algorithm, 'example.test', 's').record);
    assert.ok(own !== undefined && other !== undefined);
    const p = /p=[^;]*/.exec(own)?.[0] ?? '';
    const k = /k=[^;]*/.exec(own)?.[0] ?? '';
    const same = [own, `${own};`, own.replaceAll('; ', ';'), `v=DKIM1; n=a note; ${p}; ${k}; t=s`];
    same.push(own.replace('p=', 'p= ').replace(/(.{60})$/, ' $1'));
    for (const record of same) assert.ok(publishesKey(record, own), record);
    const wrong = [
      other,
      '',
      'v=spf1 -all',
      `v=DKIM1; ${k}; p=`,
      `${own}; t=y`,
      own.replace(k, 'k=x'),
    ];
    for (const record of wrong) assert.ok(!publishesKey(record, own), record);
  }
});
