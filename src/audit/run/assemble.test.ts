/** Findings of a product that is known: its own cure first, or that there is none. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cure } from '../check.ts';
import type { Finding } from '../finding.ts';
import { withProducts } from './assemble.ts';

const POSTFIX: Cure = { product: 'postfix', lines: ['a = b'] };
const EXIM: Cure = { product: 'exim', lines: ['c = d'] };
const ZONE: Cure = { product: 'dns', lines: ['a record'] };

function finding(id: string, cures: readonly Cure[], product: string): Finding {
  return {
    id,
    title: id,
    group: 'hygiene',
    level: 'safe',
    severity: 'low',
    confidence: 'confirmed',
    seen: '',
    means: '',
    doesNotMean: '',
    rfc: [],
    target: { host: 'a.test', address: '127.0.0.1', port: 25, protocol: 'smtp', tls: 'none' },
    controls: {},
    details: { product },
    evidence: [],
    product: 'unknown',
    cures,
    at: '',
  };
}

/** What is printed for a server of `product` where a check has these cures. */
function curesFor(product: string, cures: readonly Cure[]): readonly Cure[] {
  const all = [
    finding('fingerprint.product', [], product),
    finding('hygiene.quit', cures, product),
  ];
  return withProducts(all)[1]?.cures ?? [];
}

test('the cure of the product that was told comes first', () => {
  assert.deepEqual(curesFor('exim', [POSTFIX, EXIM]), [EXIM, POSTFIX]);
  assert.deepEqual(curesFor('nobody-knows', [POSTFIX, EXIM]), [POSTFIX, EXIM]);
});

test('where a product has no cure that is said, and no other is shown as its own', () => {
  const [first, ...rest] = curesFor('opensmtpd', [POSTFIX, EXIM]);
  assert.equal(first?.product, 'opensmtpd');
  assert.match(first?.lines.join() ?? '', /^No setting of OpenSMTPD is known/);
  assert.deepEqual(rest, [POSTFIX, EXIM]);
  // What a zone publishes is cured there, and what needs no cure has none.
  assert.deepEqual(curesFor('opensmtpd', [ZONE]), [ZONE]);
  assert.deepEqual(curesFor('opensmtpd', []), []);
});
