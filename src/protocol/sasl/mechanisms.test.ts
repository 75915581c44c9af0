/** PLAIN, LOGIN, preparation and hostile lines. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  array,
  assert as assertProperty,
  boolean,
  constantFrom,
  oneof,
  property,
  string,
  uint8Array,
} from 'fast-check';
import { utf8 } from '#base/bytes.ts';
import { encodeBase64 } from './base64.ts';
import { SaslDialogue, type SaslProgress } from './dialogue.ts';
import { findMechanism, offeredMechanisms } from './offer.ts';
import { authorizes, prepareSasl } from './prepare.ts';
import { b64, b64utf8, dialogue, EXPORTER, secure, settle } from './fixture.test.ts';

function once(name: string, initial: string | undefined, ...lines: string[]): SaslProgress {
  const exchange = dialogue(name);
  let progress = settle(exchange, exchange.begin(initial));
  for (const line of lines) {
    if (progress.kind !== 'challenge') break;
    progress = settle(exchange, exchange.line(utf8(line)));
  }
  return progress;
}

describe('offer', () => {
  it('offers nothing without TLS, and the stronger first with it', () => {
    assert.deepEqual(offeredMechanisms(undefined), []);
    const names = offeredMechanisms(secure({ exporter: EXPORTER })).map((one) => one.name);
    assert.deepEqual(names, ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN']);
    assert.deepEqual(
      offeredMechanisms(secure(), ['LOGIN', 'PLAIN', 'SCRAM-SHA-256-PLUS']).map((one) => one.name),
      ['PLAIN', 'LOGIN'],
    );
    assert.equal(findMechanism('plain', offeredMechanisms(secure()))?.name, 'PLAIN');
    assert.equal(findMechanism('__proto__', offeredMechanisms(secure())), undefined);
  });
});

describe('PLAIN', () => {
  it('takes RFC 4616 section 4', () => {
    const mechanism = findMechanism('PLAIN', offeredMechanisms(secure()))!;
    for (const [message, login, password] of [
      ['\0tim\0tanstaaftanstaaf', 'tim', 'tanstaaftanstaaf'],
      ['tim\0tim\0x', 'tim', 'x'],
    ] as const) {
      const exchange = new SaslDialogue(mechanism, { secure: secure(), nonce: utf8('n') });
      const asked = exchange.begin(b64(message));
      assert.equal(asked.kind, 'ask');
      assert.ok(asked.kind === 'ask' && asked.question.kind === 'password');
      assert.equal(asked.question.login, login);
      assert.equal(asked.question.password.reveal(), password);
    }
    assert.equal(once('PLAIN', b64('Ursel\0Kurt\0xipj3plmq')).kind, 'rejected');
  });

  const rows: [string | undefined, string[], SaslProgress['kind']][] = [
    [b64('\0user\0pencil'), [], 'authenticated'],
    [undefined, [b64('\0user\0pencil')], 'authenticated'],
    ['=', [], 'malformed'],
    [undefined, ['*'], 'cancelled'],
    [undefined, [''], 'malformed'],
    [undefined, ['='], 'malformed'],
    ['!!!!', [], 'malformed'],
    ['*', [], 'malformed'],
    ['YQ', [], 'malformed'],
    ['YR==', [], 'malformed'],
    ['YQ==YQ==', [], 'malformed'],
    [b64('user pencil'), [], 'malformed'],
    [b64('\0user'), [], 'malformed'],
    [b64('\0user\0pencil\0'), [], 'malformed'],
    [b64('\0user\0pen\0cil'), [], 'malformed'],
    [b64('bob\0user\0pencil'), [], 'rejected'],
    [b64('USER\0user\0pencil'), [], 'authenticated'],
    [b64('\0user\0'), [], 'rejected'],
    [b64('\0user\0p'), [], 'rejected'],
    [b64('\0\0pencil'), [], 'malformed'],
    [b64('\0user\0\xc3'), [], 'malformed'],
    [b64('\0us\xc0\xafer\0pencil'), [], 'malformed'],
    [b64('\0us\r\ner\0pencil'), [], 'malformed'],
    [b64("\0' OR '1'='1\0x"), [], 'rejected'],
    [b64('\0*)(uid=*\0x'), [], 'rejected'],
    [b64('\0user\0' + 'p'.repeat(1025)), [], 'rejected'],
    [b64utf8('\0\uff55ser\0pencil'), [], 'authenticated'],
    ['A'.repeat(1_048_576), [], 'malformed'],
  ];
  for (const [initial, lines, kind] of rows) {
    it(`${initial?.slice(0, 40) ?? '-'} ${lines.join(' ')} -> ${kind}`, () => {
      assert.equal(once('PLAIN', initial, ...lines).kind, kind);
    });
  }
});

describe('LOGIN', () => {
  it('asks with the words that clients look for', () => {
    const exchange = dialogue('LOGIN');
    assert.deepEqual(exchange.begin(undefined), { kind: 'challenge', text: 'VXNlcm5hbWU6' });
    assert.deepEqual(exchange.line(b64('user')), { kind: 'challenge', text: 'UGFzc3dvcmQ6' });
    assert.equal(settle(exchange, exchange.line(b64('pencil'))).kind, 'authenticated');
  });
  const rows: [string | undefined, string[], SaslProgress['kind']][] = [
    [b64('user'), [b64('pencil')], 'authenticated'],
    [b64('user'), [b64('wrong')], 'rejected'],
    [b64('user'), ['*'], 'cancelled'],
    ['=', [b64('pencil')], 'malformed'],
    [b64('user'), [''], 'rejected'],
    [undefined, ['dXNl?g=='], 'malformed'],
  ];
  for (const [initial, lines, kind] of rows) {
    it(`${initial ?? '-'} ${lines.join(' ')} -> ${kind}`, () => {
      assert.equal(once('LOGIN', initial, ...lines).kind, kind);
    });
  }
});

describe('preparation', () => {
  const rows: [string, string | undefined][] = [
    // RFC 4013 section 3.
    ['I\u00adX', 'IX'],
    ['user', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
    ['\u0007', undefined],
    ['', undefined],
    ['\u00ad', undefined],
    ['a\u00a0b', 'a b'],
    ['a\r\nb', undefined],
    ['a\u202eb', undefined],
    ['\ud800', undefined],
    ['\ue000', undefined],
    ['e\u0301', '\u00e9'],
    ['x'.repeat(1025), undefined],
    ['\ufdfa'.repeat(300), undefined],
  ];
  for (const [text, prepared] of rows) {
    it(JSON.stringify(text.slice(0, 20)), () => assert.equal(prepareSasl(text), prepared));
  }
  it('authorizes nobody else', () => {
    assert.equal(authorizes('', 'a'), true);
    assert.equal(authorizes('A@D', 'a@d'), true);
    assert.equal(authorizes('b', 'a'), false);
  });
});

describe('hostile lines', () => {
  it('never throws and never authenticates by chance', () => {
    const names = ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'];
    assertProperty(
      property(
        constantFrom(...names),
        array(oneof(uint8Array({ maxLength: 60 }), string({ maxLength: 40 }).map(utf8)), {
          maxLength: 4,
        }),
        boolean(),
        (name, messages, encoded) => {
          const exchange = dialogue(name, secure({ exporter: EXPORTER }));
          let progress = settle(exchange, exchange.begin(undefined));
          for (const message of messages) {
            if (progress.kind !== 'challenge') break;
            const line = encoded ? utf8(encodeBase64(message)) : message;
            progress = settle(exchange, exchange.line(line));
          }
          assert.notEqual(progress.kind, 'authenticated');
        },
      ),
      { numRuns: 300 },
    );
  });
});
