/** A Postfix moves in: its main.cf and tables are imported, and the server behaves as it did. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../interop/tools.ts';
import { ROOT } from '../laws/tree.ts';
import { LineClient } from '../world/line-client.ts';
import { type Running, startPostern } from '../world/postern.ts';
import { POSTERN } from '../world/whole-server.ts';

/** As an administrator's file looks after some years. */
const MAIN_CF = `
# See /usr/share/postfix/main.cf.dist for a commented, more complete version
smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
biff = no
compatibility_level = 3.6
smtpd_tls_security_level = may
smtp_tls_security_level = may
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated
    defer_unauth_destination
smtpd_recipient_restrictions = reject_non_fqdn_recipient, check_recipient_access
    hash:/etc/postfix/recipients
myhostname = mx.old.test
mydomain = old.test
myorigin = /etc/mailname
mydestination = $mydomain, localhost
virtual_alias_maps = hash:/etc/postfix/virtual
alias_maps = hash:/etc/aliases
mynetworks = 127.0.0.1/32 0.0.0.0/0
message_size_limit = 300000
recipient_delimiter = +
`;

const folder = mkdtempSync(path.join(tmpdir(), 'postern-import-'));
let running: Running;
let report = '';

before(async () => {
  const files = {
    'etc/postfix/main.cf': MAIN_CF,
    'etc/postfix/virtual': 'sales@old.test anna@old.test\n',
    'etc/postfix/recipients': 'closed@old.test 550 5.7.1 This mailbox is closed\n',
    'etc/aliases': 'postmaster: root\nroot: anna\nvacation: |/bin/false\n',
    'etc/mailname': 'old.test\n',
    'etc/passwd': 'root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/:/bin/sh\nclosed:x:1001:1001:::\n',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  const imported = await importIt();
  assert.equal(imported.code, 0, imported.output);
  report = imported.output;
  // Tables stay files: here they lie below the folder.
  const config = readFileSync(path.join(folder, 'postern.toml'), 'utf8')
    .replaceAll('hash:/etc', `hash:${folder}/etc`)
    .concat(
      ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s']
        .map((name) => `${name}_listen = ["127.0.0.1:0"]\n`)
        .join(''),
      `data_directory = "${folder}/data"\nmetrics_listen = []\n`,
    );
  running = await startPostern({ folder, config });
  const env = { ...process.env, PATH: `${ROOT}/bin:${process.env['PATH'] ?? ''}` };
  const people = await run('sh', [path.join(folder, 'import-people.sh')], { env });
  assert.equal(people.code, 0, people.output);
});

after(async () => {
  await running?.stop();
  running?.remove();
});

function importIt() {
  const source = path.join(folder, 'etc/postfix/main.cf');
  return run(POSTERN, ['config', 'import', source, '--root', folder, '--output', folder]);
}

/** Replies to RCPT from a stranger's address. */
async function rcpt(to: string, from = '127.0.0.7'): Promise<string> {
  const { host, port } = running.ready.listeners['smtp'] ?? assert.fail();
  const client = await LineClient.connect(port, host, 5_000, from);
  await client.line();
  assert.match(await client.ask('EHLO far.example'), /^250/);
  assert.match(await client.ask('MAIL FROM:<x@far.example> SIZE=300000'), /^250/);
  const reply = await client.ask(`RCPT TO:<${to}>`);
  client.close();
  return reply;
}

const cases: readonly (readonly [to: string, reply: RegExp])[] = [
  ['anna@old.test', /^250/],
  ['anna+list@old.test', /^250/],
  ['sales@old.test', /^250/],
  ['postmaster@old.test', /^250/],
  // RFC 5321 4.5.1: without a domain, also where the host itself is no mail domain.
  ['Postmaster', /^250/],
  ['vacation@old.test', /^550/],
  ['nobody@old.test', /^550/],
  ['closed@old.test', /^550.*closed/],
  ['x@elsewhere.example', /^5\d\d.*Relay/i],
];
for (const [to, reply] of cases) {
  test(`mail for ${to} is answered as there: ${reply.source}`, async () => {
    assert.match(await rcpt(to), reply);
  });
}

test('the client that was trusted there may relay, the rest of the world may not', async () => {
  assert.match(await rcpt('x@elsewhere.example', '127.0.0.1'), /^250/);
});

test('the limit on size came along', async () => {
  const { host, port } = running.ready.listeners['smtp'] ?? assert.fail();
  const client = await LineClient.connect(port, host);
  await client.line();
  await client.ask('EHLO far.example');
  assert.match(await client.ask('MAIL FROM:<x@far.example> SIZE=300001'), /^552/);
  client.close();
});

test('the report names what was unsafe and what could not come', () => {
  assert.match(report, /critical: mynetworks holds 0\.0\.0\.0\/0/);
  assert.match(report, /vacation@old\.test -> \|\/bin\/false/);
});

test('a second import overwrites nothing', async () => {
  const again = await importIt();
  assert.notEqual(again.code, 0);
  assert.match(again.output, /is there already/);
});
