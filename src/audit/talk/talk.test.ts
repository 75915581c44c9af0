/** What is typed becomes octets, what is answered gets words, and a reply's end is known. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { latin1 } from '#base/bytes.ts';
import { annotate } from './codes.ts';
import { parseOctets, parseTyped } from './typed.ts';

describe('talk', () => {
  it('reads escapes as octets, orders as orders, and says which escape is none', () => {
    assert.equal(octets('NOOP'), 'NOOP\r\n');
    assert.equal(octets('a\\r\\n\\t\\0\\\\\\xFF'), 'a\r\n\t\0\\\xff\r\n');
    assert.equal(octets('//x'), '/x\r\n');
    assert.equal(octets('/Auth plain '), '{"kind":"order","word":"auth","rest":"plain"}');
    assert.equal(
      octets('\\q'),
      '{"kind":"wrong","why":"\\\\q is no escape: \\\\r \\\\n \\\\t \\\\0 \\\\\\\\ \\\\xNN are"}',
    );
    assert.equal(typeof parseOctets('\\xZZ'), 'string');
    assert.equal(latin1(parseOctets('\u00e9') as Uint8Array), '\xc3\xa9');
  });

  it('explains codes, enhanced codes and what contradicts itself', () => {
    assert.match(annotate('550 5.1.1 no') ?? '', /no such mailbox.*mailbox does not exist/);
    assert.match(annotate('252 2.0.0 x') ?? '', /says nothing about the user.*RFC 5321 3\.5\.3/);
    assert.match(annotate('250 5.1.1 x') ?? '', /contradicts the code \(RFC 2034 4\)/);
    assert.match(annotate('299 x') ?? '', /not a code of any RFC/);
    assert.match(annotate('a1 NO [AUTHENTICATIONFAILED] x') ?? '', /RFC 5530 3/);
    assert.match(annotate('-ERR [IN-USE] x') ?? '', /RFC 2449/);
    assert.equal(annotate('250-more'), undefined);
    assert.equal(annotate('* OK hello'), undefined);
  });
});

function octets(line: string): string {
  const typed = parseTyped(line);
  return typed.kind === 'send' ? latin1(typed.octets) : JSON.stringify(typed);
}
