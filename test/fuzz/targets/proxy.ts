/** The PROXY protocol header, versions 1 and 2. */

import { isIP } from 'node:net';
import { concat, latin1 } from '#base/bytes.ts';
import { ProxyHeader, PROXY_LIMITS, type ProxyProgress } from '#protocol/proxy.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { expand } from '../grammar.ts';
import { type Cutting, must, pieces, same, type Target } from '../target.ts';

const RULES = {
  start: ['PROXY {line}\r\n{rest}', '{signature}{binary}{rest}', 'EHLO x\r\n', 'PROXY'],
  line: [
    'TCP4 {four} {four} {port} {port}',
    'TCP6 {six} {six} {port} {port}',
    'UNKNOWN {four}',
    'UNKNOWN',
    'TCP4 {six} {six} 1 2',
    'UDP4 1 2 3 4',
  ],
  four: ['192.0.2.1', '127.0.0.1', '1.2.3', '256.1.1.1', '01.2.3.4', '0x7f.1'],
  six: ['2001:db8::1', '::1', '::ffff:192.0.2.1', '1:2:3:4:5:6:7:8', ':::', 'fe80::1%eth0'],
  port: ['25', '0', '65535', '65536', '-1', '025', ''],
  signature: ['\r\n\r\n\0\r\nQUIT\n'],
  binary: [
    '\x21\x11\0\x0c\x7f\0\0\x01\xc0\0\x02\x01\0\x19\x04\0',
    '\x20\0\0\0',
    '\x21\x21\0\x24{sixteen}{sixteen}\0\x19\0\x19',
    '\x21\x11\xff\xff',
    '\x21\x11\0\x02ab',
    '\x31\x11\0\0',
    '\x21\x31\0\0',
  ],
  sixteen: [
    '0123456789abcdef',
    '\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01',
    '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0',
  ],
  rest: ['', 'EHLO x\r\n', '\r\n'],
};

export const proxy: Target = {
  name: 'proxy',
  seeds: corpus('src/protocol/').filter((text) => /PROXY|QUIT\n/.test(text)),
  generate: (chance) => expand(RULES, 'start', chance),
  maxOctets: 1_000,
  run({ octets, setup }) {
    const whole = read(octets, 'whole');
    same(whole, read(octets, 'octets'), 'any chunking gives the same header');
    same(whole, read(octets, new Chance(setup)), 'any chunking gives the same header');
  },
};

function read(octets: Uint8Array, how: Cutting): string {
  const header = new ProxyHeader();
  const list = pieces(octets, how);
  for (const [at, piece] of list.entries()) {
    const progress: ProxyProgress = header.push(piece.slice());
    if (progress.kind === 'more') continue;
    if (progress.kind === 'refused') return JSON.stringify(progress);
    const { source, destination, rest } = progress;
    for (const end of [source, destination]) {
      if (end === undefined) continue;
      must(isIP(end.address) > 0, 'an address is one', end);
      must(!/^::ffff:[\da-f]+:[\da-f]+$/.test(end.address), 'no mapped address', end);
      must(Number.isInteger(end.port) && end.port >= 0 && end.port < 65_536, 'a port is one', end);
    }
    const behind = concat([rest, ...list.slice(at + 1)]);
    must(latin1(octets).endsWith(latin1(behind)), 'what is behind the header is given back');
    return JSON.stringify([source, destination, latin1(behind)]);
  }
  const most = Math.max(PROXY_LIMITS.headerBytes, PROXY_LIMITS.lineBytes);
  must(octets.length < most, 'a header that goes on and on is refused');
  return 'more';
}
