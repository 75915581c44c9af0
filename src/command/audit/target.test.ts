/** What the operator names as target, as places: hosts, domains with their policy host, mistakes. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Lookup, Resolver } from '#base/world.ts';
import { mockResolver } from '#test/world/audit.ts';
import { CommandError, EXIT } from '../exit.ts';
import { targeted } from './target.ts';

const ADDRESSES: Readonly<Record<string, string>> = {
  'mx.d.test': '127.0.0.2',
  'mta-sts.d.test': '127.0.0.3',
  'mx.e.test': '127.0.0.4',
  'mta-sts.e.test': '127.0.0.4',
  'host.test': '127.0.0.5',
};

const resolver: Resolver = mockResolver({
  a: async (name) => found(ADDRESSES[name]),
  mx: async (name) => {
    const exchange = name === 'd.test' || name === 'e.test' ? `mx.${name}` : undefined;
    return found(exchange === undefined ? undefined : { preference: 1, exchange });
  },
});

describe('the target of an audit', () => {
  const cases: readonly (readonly [text: string, places: readonly string[], domains: number])[] = [
    ['127.0.0.1:25', ['127.0.0.1 127.0.0.1 1'], 0],
    ['[::1]:25', ['::1 ::1 1'], 0],
    ['host.test:25', ['host.test 127.0.0.5 1'], 0],
    ['d.test', ['mx.d.test 127.0.0.2 2', 'mta-sts.d.test 127.0.0.3 0'], 1],
    // The policy host is the MX: named once.
    ['e.test', ['mx.e.test 127.0.0.4 2'], 1],
  ];
  for (const [text, places, domains] of cases) {
    test(text, async () => {
      const result = await targeted(text, text.includes(':') ? undefined : [25, 587], resolver);
      assert.deepEqual(
        result.places.map(({ host, address, ports }) => `${host} ${address} ${ports.length}`),
        places,
      );
      assert.equal(result.domains.length, domains);
    });
  }
  for (const text of ['', 'a b', 'host.test:0', 'host.test:70000', 'nothing.test']) {
    test(`"${text}" is refused in words`, () =>
      assert.rejects(targeted(text, undefined, resolver), (thrown) => {
        assert.ok(thrown instanceof CommandError, String(thrown));
        assert.equal(thrown.exit, EXIT.usage);
        assert.match(thrown.message, /is no target$|has no address$/);
        return true;
      }));
  }
});

function found<T>(record: T | undefined): Lookup<T> {
  if (record === undefined) return { kind: 'none', why: 'nxdomain', authentic: false };
  return { kind: 'found', records: [record], ttlSeconds: 60, authentic: false };
}
