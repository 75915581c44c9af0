/** Tests of IP addresses: read, compared, cut. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isIpv4, normalIpv6 } from './domain.ts';
import { cutTo, dottedIp, inNetwork, parseIp, scopeOf } from './ip.ts';

test('addresses are read as the rest of the house reads them', () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const text = groups.join(':');
      const ip = parseIp(text);
      assert.ok(ip !== undefined);
      const joined = Buffer.from(ip.octets).toString('hex');
      const whole = groups.map((one) => one.padStart(4, '0')).join('');
      assert.ok(whole.endsWith(joined));
      assert.equal(ip.text, ip.family === 6 ? normalIpv6(text) : [...ip.octets].join('.'));
      assert.equal(
        dottedIp(ip).replaceAll('.', '').toLowerCase(),
        ip.family === 6 ? whole : ip.text.replaceAll('.', ''),
      );
    }),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), (text) => {
      assert.equal(parseIp(text) !== undefined, isIpv4(text) || normalIpv6(text) !== undefined);
    }),
  );
});

function number(parts: readonly number[]): number {
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

test('networks agree with arithmetic', () => {
  const octets = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(octets, octets, fc.integer({ min: 0, max: 32 }), (one, other, bits) => {
      const size = 2 ** (32 - bits);
      const same = Math.floor(number(one) / size) === Math.floor(number(other) / size);
      assert.equal(inNetwork(parseIp(one.join('.'))!, parseIp(other.join('.'))!, bits), same);
    }),
  );
});

test('a cut address is the first of its network, and has a text like any other', () => {
  for (const text of ['192.0.2.1', '::', '::1', '2001:db8::', '1:2:3:4:5:6:7:8', 'fe80::1:0:0:1']) {
    assert.equal(cutTo(parseIp(text)!, 128).text, text);
  }
  for (const [text, bits, network] of [
    ['192.0.2.255', 25, '192.0.2.128'],
    ['192.0.2.255', 0, '0.0.0.0'],
    ['2001:db8:1:2:3::9', 64, '2001:db8:1:2::'],
    ['2001:db8:ffff::', 33, '2001:db8:8000::'],
    ['::ffff:192.0.2.9', 24, '192.0.2.0'],
  ] as const) {
    assert.equal(cutTo(parseIp(text)!, bits).text, network, text);
  }
});

test('how far an address means the same', () => {
  const scopes = {
    machine: '127.0.0.1 127.255.0.1 0.0.0.0 ::1 :: ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::127.0.0.1',
    site:
      '10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 100.64.0.1 100.127.255.255 ' +
      'fc00::1 fdff::1 fe80::1 febf::1 ::ffff:10.0.0.1 ::10.0.0.1 64:ff9b::c0a8:1 2002:a00:1::',
    world:
      '9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 100.63.0.1 ' +
      '100.128.0.0 128.0.0.1 192.0.2.1 2001:db8::1 ::ffff:192.0.2.1 64:ff9b::192.0.2.1 ' +
      '64:ff9b:1::10.0.0.1 2002:c000:201:: fbff::1 fe00::1 ff02::1',
  } as const;
  for (const [scope, addresses] of Object.entries(scopes)) {
    for (const address of addresses.split(' ')) assert.equal(scopeOf(address), scope, address);
  }
  for (const none of ['', 'localhost', '127.1', '10.0.0', '010.0.0.1', '::g']) {
    assert.equal(scopeOf(none), undefined, none);
  }
});
