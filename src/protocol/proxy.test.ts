/** PROXY headers: both versions, every cut, every refusal (S17). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as assertProperty, property, uint8Array } from 'fast-check';
import { fromLatin1, latin1 } from '#base/bytes.ts';
import { ProxyHeader, type ProxyProgress } from './proxy.ts';

const V2 = '\r\n\r\n\0\r\nQUIT\n';

/** A version 2 header with its length filled in. */
function v2(command: string, family: string, body: string): string {
  return V2 + command + family + String.fromCharCode(body.length >> 8, body.length & 255) + body;
}

function read(text: string, size: number): ProxyProgress {
  const header = new ProxyHeader();
  let progress: ProxyProgress = { kind: 'more' };
  for (let at = 0; at < text.length && progress.kind === 'more'; at += size) {
    progress = header.push(fromLatin1(text.slice(at, at + size)));
  }
  return progress;
}

function shown(progress: ProxyProgress): string {
  if (progress.kind !== 'done') return progress.kind;
  const { source, destination } = progress;
  if (source === undefined || destination === undefined) return 'own';
  return `${source.address} ${source.port} ${destination.address} ${destination.port}`;
}

const PORTS = '\x04\xd2\x00\x19';
const rows: [what: string, header: string, shown: string][] = [
  ['TCP4', 'PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\r\n', '192.0.2.1 1234 198.51.100.2 25'],
  ['TCP6', 'PROXY TCP6 2001:DB8::1 ::1 1234 25\r\n', '2001:db8::1 1234 ::1 25'],
  ['mapped', 'PROXY TCP6 ::ffff:192.0.2.1 ::1 1234 25\r\n', '192.0.2.1 1234 ::1 25'],
  ['UNKNOWN', 'PROXY UNKNOWN\r\n', 'own'],
  ['UNKNOWN with more', 'PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n', 'own'],
  ['no CRLF', 'PROXY TCP4 192.0.2.1 198.51.100.2 1234 25\n', 'refused'],
  ['CR in it', 'PROXY TCP4 192.0.2.1\r 198.51.100.2 1234 25\r\n', 'refused'],
  ['NUL in it', 'PROXY UNKNOWN \0\r\n', 'refused'],
  ['port too large', 'PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n', 'refused'],
  ['port with a sign', 'PROXY TCP4 192.0.2.1 198.51.100.2 +1 25\r\n', 'refused'],
  ['port with a zero', 'PROXY TCP4 192.0.2.1 198.51.100.2 01 25\r\n', 'refused'],
  ['address with a zero', 'PROXY TCP4 192.0.2.01 198.51.100.2 1 25\r\n', 'refused'],
  ['other family', 'PROXY TCP4 2001:db8::1 ::1 1 25\r\n', 'refused'],
  ['missing field', 'PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n', 'refused'],
  ['one field more', 'PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n', 'refused'],
  ['two spaces', 'PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n', 'refused'],
  ['UDP', 'PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n', 'refused'],
  ['too long', `PROXY UNKNOWN ${'x'.repeat(200)}\r\n`, 'refused'],
  ['without an end', 'PROXY TCP4 192.0.2.1', 'more'],
  ['SMTP', 'EHLO x\r\n', 'refused'],
  ['lower case', 'proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n', 'refused'],
  [
    'v2 IPv4',
    v2('\x21', '\x11', `\xc0\x00\x02\x01\xc6\x33\x64\x02${PORTS}`),
    '192.0.2.1 1234 198.51.100.2 25',
  ],
  [
    'v2 IPv6',
    v2('\x21', '\x21', `\x20\x01\x0d\xb8${'\0'.repeat(11)}\x01${'\0'.repeat(15)}\x01${PORTS}`),
    '2001:db8::1 1234 ::1 25',
  ],
  [
    'v2 mapped',
    v2('\x21', '\x21', `${'\0'.repeat(10)}\xff\xff\xc0\0\x02\x01${'\0'.repeat(15)}\x01${PORTS}`),
    '192.0.2.1 1234 ::1 25',
  ],
  [
    'v2 with extensions',
    v2('\x21', '\x11', `\x01\x02\x03\x04\x05\x06\x07\x08${PORTS}\x04\x00\x01x`),
    '1.2.3.4 1234 5.6.7.8 25',
  ],
  ['v2 LOCAL', v2('\x20', '\x00', ''), 'own'],
  ['v2 cut short', v2('\x21', '\x11', '\x01\x02\x03\x04\x05\x06\x07\x08\x04'), 'refused'],
  ['v2 UDP', v2('\x21', '\x12', `\x01\x02\x03\x04\x05\x06\x07\x08${PORTS}`), 'refused'],
  ['v2 UNIX', v2('\x21', '\x31', 'x'.repeat(216)), 'refused'],
  ['v2 UNSPEC', v2('\x21', '\x00', ''), 'refused'],
  ['v2 version 1', v2('\x11', '\x11', `\x01\x02\x03\x04\x05\x06\x07\x08${PORTS}`), 'refused'],
  ['v2 536 octets', v2('\x20', '\x00', 'x'.repeat(520)), 'own'],
  ['v2 537 octets', v2('\x20', '\x00', 'x'.repeat(521)), 'refused'],
  ['v2 of 64 KiB', `${V2}\x21\x11\xff\xff`, 'refused'],
];

describe('PROXY protocol', () => {
  for (const [what, header, expected] of rows) {
    it(what, () => {
      for (const size of [1, 2, 3, 7, 16, 1000]) {
        const progress = read(header, size);
        assert.equal(shown(progress), expected, `pieces of ${size}`);
      }
      if (expected === 'more' || expected === 'refused') return;
      const whole = new ProxyHeader().push(fromLatin1(`${header}EHLO x\r\n`));
      assert.equal(whole.kind === 'done' && latin1(whole.rest), 'EHLO x\r\n');
    });
  }

  it('keeps no more than its limit, and never throws', () => {
    assertProperty(
      property(uint8Array({ maxLength: 600 }), (tail) => {
        for (const start of ['PROXY TCP4 ', `${V2}\x21\x11`]) {
          new ProxyHeader().push(Buffer.concat([fromLatin1(start), tail]));
        }
      }),
    );
    const endless = ['PROXY TCP4 ', 'PROXY UNKNOWN ', ...rows.map(([, header]) => header)];
    for (const start of endless) {
      const progress = read(`${start}${'1'.repeat(537)}`, 1);
      assert.notEqual(progress.kind, 'more', start);
    }
    // Each length that a header may give itself, as far as octets come.
    for (let length = 0; length <= 521; length++) {
      const given = String.fromCharCode(length >> 8, length & 0xff);
      const progress = read(`${V2}\x20\x00${given}${'1'.repeat(length)}`, 64);
      assert.equal(shown(progress), length > 520 ? 'refused' : 'own', String(length));
    }
  });
});
