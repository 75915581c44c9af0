/** What a message says of TLS: the parameter, the field, and which of them wins. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '#base/bytes.ts';
import { readHead } from '#message/fields.ts';
import { tlsWish } from './tls-wish.ts';

function of(head: string) {
  return tlsWish({}, readHead(utf8(`${head}\r\n\r\n`)));
}

test('TLS-Required: No makes TLS optional, anything else says nothing (RFC 8689 3)', () => {
  assert.equal(of('TLS-Required: No'), 'optional');
  assert.equal(of('From: a@b\r\nTLS-REQUIRED:\r\n no\r\nTo: c@d'), 'optional');
  for (const head of ['TLS-Required: Yes', 'TLS-Required: No, No', 'X-TLS-Required: No', 'A: b']) {
    assert.equal(of(head), undefined, head);
  }
  assert.equal(of('Subject: x\r\n tls-required: No'), undefined, 'a folded line is no field');
});

test('REQUIRETLS wins over the field (RFC 8689 4.1)', () => {
  assert.equal(
    tlsWish({ requireTls: true }, readHead(utf8('TLS-Required: No\r\n\r\n'))),
    'required',
  );
});
