/** mynetworks: ranges that are read, ranges that are refused, and addresses one bit beside them. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { parseNetworks } from './networks.ts';
import type { Networks } from './networks.ts';

suite('mynetworks', () => {
  const members: readonly (readonly [ranges: string, address: string, inside: boolean])[] = [
    ['192.0.2.0/24', '192.0.2.0', true],
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['192.0.2.0/24', '192.0.1.255', false],
    ['192.0.2.0/24', '::ffff:192.0.2.9', true],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['192.0.2.4/31', '192.0.2.5', true],
    ['192.0.2.4/31', '192.0.2.6', false],
    ['192.0.2.4', '192.0.2.4', true],
    ['192.0.2.4', '192.0.2.5', false],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['[2001:db8::]/33', '2001:db8:8000::', false],
    ['[::1]/128', '::1', true],
    ['::1', '::2', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::ffff:192.0.2.0/120', '192.0.2.77', true],
    ['::ffff:192.0.2.0/120', '192.0.3.77', false],
    ['2001:db8::/32', '192.0.2.1', false],
    ['127.0.0.0/8', '::1', false],
    ['!10.0.0.1,10.0.0.0/8', '10.0.0.1', false],
    ['!10.0.0.1,10.0.0.0/8', '10.0.0.2', true],
    ['10.0.0.0/8,!10.0.0.1', '10.0.0.1', true],
    ['192.0.2.0/24', 'nonsense', false],
    ['192.0.2.0/24', '', false],
    ['192.0.2.0/24', '192.0.2.1 ', false],
    ['192.0.2.0/24', '192.0.2.01', false],
    ['', '127.0.0.1', false],
  ];
  for (const [ranges, address, inside] of members) {
    test(`${address} is ${inside ? '' : 'not '}in ${ranges || 'nothing'}`, () => {
      assert.equal(networks(ranges === '' ? [] : ranges.split(',')).includes(address), inside);
    });
  }

  test('nothing but loopback by default', () => {
    const result = parseNetworks();
    assert.ok(result.kind === 'networks');
    for (const [address, inside] of [
      ['127.0.0.1', true],
      ['127.255.255.255', true],
      ['::1', true],
      ['128.0.0.1', false],
      ['192.168.0.1', false],
      ['10.0.0.1', false],
      ['fe80::1', false],
    ] as const) {
      assert.equal(result.networks.includes(address), inside, address);
    }
  });

  const refused: readonly (readonly [text: string, why: RegExp, gateway?: string])[] = [
    ['0.0.0.0/0', /world/],
    ['128.0.0.0/1', /world/],
    ['2.0.0.0/7', /world/],
    ['::/0', /world/],
    ['2000::/3', /world/],
    ['fc00::/7', /world/],
    ['::ffff:0.0.0.0/96', /world/],
    ['::ffff:128.0.0.0/97', /world/],
    ['64:ff9b::/96', /IPv4 addresses again/],
    ['64:ff9b::/32', /IPv4 addresses again/],
    ['64:ff9b::8000:0/97', /IPv4 addresses again/],
    ['2002::/16', /IPv4 addresses again/],
    ['2000::/8', /IPv4 addresses again/],
    ['192.0.2.1/24', /host bits set; the network is 192\.0\.2\.0\/24/],
    ['2001:db8::1/64', /host bits set; the network is 2001:db8::\/64/],
    ['192.0.2.0/33', /longer than 32/],
    ['::1/129', /longer than 128/],
    ['192.0.2.0/-1', /no network/],
    ['192.0.2/24', /no network/],
    ['192.0.2.256', /no network/],
    ['mail.example.org', /no network/],
    ['', /no network/],
    ['[192.0.2.0/24]', /no network/],
    ['192.0.2.0/24\n', /no network/],
    ['172.17.0.0/16', /172\.17\.0\.1, this host's own gateway/, '172.17.0.1'],
    ['172.17.0.1', /own gateway/, '172.17.0.1'],
    ['192.168.0.0/16', /own gateway/, '192.168.1.254'],
    ['fd00:1::/32', /own gateway/, 'fd00:1::1'],
    ['172.17.0.0/16', /own gateway/, '::ffff:172.17.0.1'],
  ];
  for (const [text, why, gateway] of refused) {
    test(`${JSON.stringify(text)} is refused: ${why.source}`, () => {
      const result = parseNetworks([text], { gateways: gateway === undefined ? [] : [gateway] });
      assert.ok(result.kind === 'errors');
      assert.deepEqual(result.errors[0]?.text, text);
      assert.match(result.errors[0]?.why ?? '', why);
    });
  }

  test('a gateway that is taken out first leaves the rest of its network trusted', () => {
    const trusted = networks(['!172.17.0.1', '172.17.0.0/16'], ['172.17.0.1']);
    assert.equal(trusted.includes('172.17.0.1'), false);
    assert.equal(trusted.includes('172.17.0.2'), true);
    const late = parseNetworks(['172.17.0.0/16', '!172.17.0.1'], { gateways: ['172.17.0.1'] });
    assert.equal(late.kind, 'errors');
  });

  test('every mistake is reported, not only the first', () => {
    const result = parseNetworks(['0.0.0.0/0', '192.0.2.0/24', 'x']);
    assert.ok(result.kind === 'errors');
    assert.deepEqual(
      result.errors.map(({ text }) => text),
      ['0.0.0.0/0', 'x'],
    );
  });

  test('membership agrees with arithmetic, one bit inside and outside of each range', () => {
    const bits = fc.integer({ min: 8, max: 32 });
    const number = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(bits, number, number, fc.nat(31), (length, base, other, flip) => {
        const size = 2 ** (32 - length);
        const first = Math.floor(base / size) * size;
        const trusted = networks([`${dotted(first)}/${length}`]);
        for (const address of [other, first, first + size - 1, (first ^ (1 << flip)) >>> 0]) {
          const inside = address >= first && address < first + size;
          assert.equal(trusted.includes(dotted(address)), inside, dotted(address));
          assert.equal(trusted.includes(`::ffff:${dotted(address)}`), inside);
        }
      }),
    );
  });
});

function networks(texts: readonly string[], gateways: readonly string[] = []): Networks {
  const result = parseNetworks(texts, { gateways });
  assert.ok(result.kind === 'networks', JSON.stringify(result));
  return result.networks;
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
