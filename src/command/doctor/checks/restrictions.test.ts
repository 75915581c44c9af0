/** What the doctor says of lists that leave out a cure for forged senders. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfiguration } from '../../configuration/read.ts';
import type { DoctorGround } from '../check.ts';
import { restrictions } from './restrictions.ts';

async function told(toml: string) {
  const facts = { hostname: 'mx.a.test', stateDirectory: '/nowhere', gateways: [] };
  const read = readConfiguration(toml, facts);
  assert.ok(read.kind !== 'bad', JSON.stringify(read));
  const { settings } = read;
  return restrictions.run({ settings } as DoctorGround);
}

test('the lists as they come are good', async () => {
  assert.deepEqual(
    (await told('')).map(({ about, health }) => [about, health]),
    [['restrictions', 'good']],
  );
});

test('each cure that is left out is named, with what it means', async () => {
  const bare = await told(
    'smtpd_data_restrictions = ["reject_unauth_pipelining"]\nverify_senders = false\n' +
      'smtpd_sender_restrictions = []\n',
  );
  assert.deepEqual(
    bare.map(({ about }) => about),
    [
      'restrictions reject_sender_login_mismatch',
      'restrictions reject_dmarc',
      'restrictions quarantine_dmarc',
      'restrictions verify_senders',
    ],
  );
  assert.ok(bare.every(({ health, cure }) => health === 'could-be-better' && cure !== undefined));
});

test('where no stranger comes there is nothing to add', async () => {
  const [only, ...more] = await told('smtp_listen = []\nsmtpd_sender_restrictions = []\n');
  assert.deepEqual([only?.health, more.length], ['good', 0]);
});
