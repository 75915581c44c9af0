/** Tests of IP addresses: read, compared, cut. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isIpv4, normalIpv6 } from './domain.ts';
import { cutTo, dottedIp, inNetwork, parseIp } from './ip.ts';

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
