/** Name servers from options and from resolv.conf. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Failure } from '#base/failure.ts';
import { reverseName } from './names.ts';
import { parseServer, systemServers } from './servers.ts';

test('servers as options write them', () => {
  const table: readonly [string, string, number][] = [
    ['127.0.0.1', '127.0.0.1', 53],
    ['127.0.0.1:5353', '127.0.0.1', 5353],
    ['2001:DB8::1', '2001:db8::1', 53],
    ['[2001:db8::1]:5353', '2001:db8::1', 5353],
    ['[2001:db8::1]', '2001:db8::1', 53],
  ];
  for (const [text, address, port] of table) assert.deepEqual(parseServer(text), { address, port });
  for (const text of [
    '',
    'localhost',
    '127.0.0.1:0',
    '127.0.0.1:99999',
    '1.2.3',
    '[::1]x',
    ':53',
  ]) {
    assert.throws(() => parseServer(text), Failure, text);
  }
});

test('servers of the system', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-dns-'));
  const file = path.join(folder, 'resolv.conf');
  writeFileSync(file, '# x\nnameserver 192.0.2.1\n nameserver\tfe80::1%eth0\nnameserver junk\n');
  assert.deepEqual(systemServers(file), [
    { address: '192.0.2.1', port: 53 },
    { address: 'fe80::1', port: 53 },
  ]);
  assert.deepEqual(systemServers(path.join(folder, 'none')), [{ address: '127.0.0.1', port: 53 }]);
  rmSync(folder, { recursive: true });
});

test('names of addresses backwards', () => {
  assert.equal(reverseName('192.0.2.1'), '1.2.0.192.in-addr.arpa');
  const tail = '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa';
  assert.equal(reverseName('2001:db8::1'), `1.${tail}`);
  assert.equal(reverseName('::')?.length, 72);
  assert.equal(reverseName('1:2:3:4:5:6:7:8')?.length, 72);
  assert.equal(reverseName('mx.test'), undefined);
});
