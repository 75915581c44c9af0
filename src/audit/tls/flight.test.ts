/** ServerHello taken apart: prime sizes, curves, and octets that are none, cut anywhere. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { assert as always, property, uint8Array } from 'fast-check';
import { systemRandom } from '#network/random.ts';
import { sslv2Hello, clientHello, EVERYTHING } from './client-hello.ts';
import { suiteName, SUITES, versionName } from './codes.ts';
import { curveOf, curveSignature, primeBits } from './flight.ts';

const prime = (...octets: number[]): Uint8Array => Uint8Array.of(0, octets.length, ...octets, 9);

suite('ServerKeyExchange', () => {
  test('the bits of a prime are counted from its first one', () => {
    assert.equal(primeBits(prime(0x80, ...Array.from({ length: 127 }, () => 0))), 1_024);
    assert.equal(primeBits(prime(0, 0xff, 0xff)), 16);
    assert.equal(primeBits(prime(0x01, 0x00)), 9);
    assert.equal(primeBits(prime(0, 0)), undefined);
    assert.equal(primeBits(Uint8Array.of(4, 0, 1)), undefined);
  });

  test('curve and signature stand where they stand, or nowhere', () => {
    const exchange = Uint8Array.of(3, 0, 23, 2, 4, 4, 4, 3, 0, 0);
    assert.equal(curveOf(exchange), 23);
    assert.equal(curveSignature(exchange), 0x0403);
    assert.equal(curveOf(exchange.subarray(0, 2)), undefined);
    assert.equal(curveSignature(exchange.subarray(0, 7)), undefined);
    assert.equal(curveOf(Uint8Array.of(1, 0, 23)), undefined);
  });

  test('no octets make them throw', () => {
    always(
      property(uint8Array({ maxLength: 600 }), (octets) => {
        assert.ok((primeBits(octets) ?? 0) <= 4_800);
        assert.ok((curveOf(octets) ?? 0) <= 0xffff);
        assert.ok((curveSignature(octets) ?? 0) <= 0xffff);
      }),
    );
  });
});

suite('ClientHello', () => {
  test('its lengths are right, addresses stay out of SNI, SSLv3 has no extensions', () => {
    for (const version of ['SSLv3', 'TLSv1.0', 'TLSv1.2', 'TLSv1.3'] as const) {
      const hello = clientHello(
        { version, suites: EVERYTHING, serverName: 'mx.test' },
        systemRandom,
      );
      const bytes = Buffer.from(hello);
      assert.equal(bytes.readUInt16BE(3), bytes.length - 5);
      assert.equal(bytes.readUIntBE(6, 3), bytes.length - 9);
      assert.equal(bytes.includes('mx.test'), version !== 'SSLv3');
    }
    const question = { version: 'TLSv1.2', suites: SUITES.good, serverName: '192.0.2.1' } as const;
    assert.ok(!Buffer.from(clientHello(question, systemRandom)).includes('192.0.2.1'));
    const old = Buffer.from(sslv2Hello(systemRandom));
    assert.equal(old.readUInt16BE(0) & 0x7fff, old.length - 2);
  });

  test('no suite stands under two words, save those that DHE and CBC share', () => {
    const { dhe: _, ...kinds } = SUITES;
    const all = Object.values(kinds).flat();
    assert.equal(new Set(all).size, all.length);
    assert.equal(suiteName(0x0005), '0x0005 (RC4)');
    assert.equal(versionName(0x0300), 'SSLv3');
    assert.equal(versionName(0x7f12), 'version 0x7f12');
  });
});
