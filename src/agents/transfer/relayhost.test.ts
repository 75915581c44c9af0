/** Relay hosts as Postfix writes them, routes by domain, and addresses that are ourselves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Domain } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import { parseRelayhost, routeFor, type Smarthost } from './relayhost.ts';

test('relay hosts', () => {
  const table: readonly [string, string, number, boolean][] = [
    ['example.com', 'example.com', 25, true],
    ['Example.com:587', 'example.com', 587, true],
    ['[mail.example.com]', 'mail.example.com', 25, false],
    ['[mail.example.com]:587', 'mail.example.com', 587, false],
    ['[192.0.2.1]:2525', '192.0.2.1', 2525, false],
    ['[IPv6:2001:DB8::1]:25', '2001:db8::1', 25, false],
    ['[2001:db8::1]', '2001:db8::1', 25, false],
  ];
  for (const [text, host, port, mx] of table)
    assert.deepEqual(parseRelayhost(text), { host, port, mx });
  const bad = [
    '',
    '192.0.2.1',
    'a b',
    '[a]:0',
    '[a]:70000',
    '[a',
    'a]',
    '[]',
    'x:y',
    '2001:db8::1',
    ':25',
  ];
  for (const text of bad) assert.throws(() => parseRelayhost(text), Failure, text);
});

test('the nearest route wins, direct ends the search', () => {
  const routes = new Map<string, Smarthost | 'direct'>([
    ['a.test', hop('exact')],
    ['.a.test', hop('below')],
    ['.test', hop('top')],
    ['direct.test', 'direct'],
  ]);
  const table: readonly [string, string | undefined][] = [
    ['a.test', 'exact'],
    ['x.a.test', 'below'],
    ['y.x.a.test', 'below'],
    ['b.test', 'top'],
    ['test', 'relay'],
    ['direct.test', undefined],
    ['else.example', 'relay'],
    ['[192.0.2.1]', 'relay'],
    ['__proto__', 'relay'],
  ];
  for (const [domain, host] of table) {
    const found = routeFor(domain as Domain, { relayhost: hop('relay'), routes });
    assert.equal(found?.host, host, domain);
  }
  assert.equal(routeFor('a.test' as Domain, {}), undefined);
});

const hop = (host: string): Smarthost => ({ host, port: 25, mx: false });
