/** Finding the file, reading it from disk, and what this machine adds. */

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CommandError, EXIT } from '../exit.ts';
import { inFolder } from '../testing.ts';
import { defaultGateways } from './gateways.ts';
import { DEFAULT_FILE, configurationFile, loadConfiguration } from './load.ts';

const there = (): boolean => true;
const nowhere = (): boolean => false;

test('which file: the option, the environment, the usual place, none', () => {
  assert.equal(configurationFile('a.toml', { POSTERN_CONFIG: 'b.toml' }, there), 'a.toml');
  assert.equal(configurationFile(undefined, { POSTERN_CONFIG: 'b.toml' }, there), 'b.toml');
  assert.equal(configurationFile(undefined, { POSTERN_CONFIG: '' }, there), DEFAULT_FILE);
  assert.equal(configurationFile(undefined, {}, nowhere), undefined);
});

test('paths are taken from the directory of the file', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'p.toml');
    writeFileSync(
      file,
      [
        'myhostname = "mail.example.org"',
        'data_directory = "data"',
        'smtpd_tls_cert_file = "../cert.pem"',
        'smtpd_tls_key_file = "/etc/key.pem"',
        'tls_server_sni_maps = { "a.example.org" = ["a.pem", "a.key"] }',
      ].join('\n'),
    );
    const { settings, given } = loadConfiguration(file, {});
    assert.equal(settings.data_directory, join(folder, 'data'));
    assert.equal(settings.smtpd_tls_cert_file, join(folder, '..', 'cert.pem'));
    assert.equal(settings.smtpd_tls_key_file, '/etc/key.pem');
    assert.deepEqual(settings.tls_server_sni_maps.get('a.example.org'), [
      join(folder, 'a.pem'),
      join(folder, 'a.key'),
    ]);
    assert.equal(given.has('myhostname'), true);
    assert.equal(given.has('myorigin'), false);
  });
});

test('files that cannot be read', async () => {
  await inFolder(async (folder) => {
    const binary = join(folder, 'binary.toml');
    writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00]));
    const directory = join(folder, 'directory.toml');
    mkdirSync(directory);
    const table: readonly (readonly [file: string, message: RegExp])[] = [
      [binary, /binary\.toml: is not UTF-8 text/],
      [directory, /directory\.toml: is a directory/],
      [join(folder, 'missing.toml'), /missing\.toml: no such file or directory/],
    ];
    for (const [file, message] of table) {
      assert.throws(
        () => loadConfiguration(file, {}),
        (error) => {
          assert.ok(error instanceof CommandError);
          assert.equal(error.exit, EXIT.configuration);
          assert.match(error.message, message);
          return true;
        },
      );
    }
  });
});

describe('gateways', () => {
  const IPV4 = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    'bad\t00000000\tXYZ\t0003',
    '',
  ].join('\n');
  const zeros = '0'.repeat(32);
  const IPV6 = [
    `${zeros} 00 ${zeros} 00 20010db8000000000000000000000001 00000400 00000001 00000000 00000003     eth0`,
    `20010db8000000000000000000000000 40 ${zeros} 00 ${zeros} 00000100 00000001 00000000 00000001     eth0`,
    '',
  ].join('\n');

  test('of both families, from the tables of Linux', () => {
    const tables: Readonly<Record<string, string>> = {
      '/proc/net/route': IPV4,
      '/proc/net/ipv6_route': IPV6,
    };
    assert.deepEqual(
      defaultGateways((file) => tables[file] ?? ''),
      ['192.168.0.1', '2001:db8::1'],
    );
  });

  test('none where there are no such tables', () => {
    assert.deepEqual(
      defaultGateways(() => ''),
      [],
    );
  });
});
