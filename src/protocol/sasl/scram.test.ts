/** SCRAM against RFC 7677, both sides against each other, and every refusal. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { latin1, utf8 } from '#base/bytes.ts';
import { Secret } from '#base/secret.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { chooseSaslClient } from './client.ts';
import { offeredMechanisms } from './offer.ts';
import { ScramClient } from './scram-client.ts';
import { scramKeys } from './scram.ts';
import { b64, dialogue, END_POINT, EXPORTER, secure, settle } from './fixture.test.ts';

describe('SCRAM-SHA-256', () => {
  it('is RFC 7677 section 3, both sides', () => {
    const client = new ScramClient(
      'SCRAM-SHA-256',
      {
        credentials: { login: 'user', password: new Secret('pencil') },
        secure: undefined,
        nonce: decodeBase64('rOprNGfwEbeRWgbNEkqO')!,
      },
      'n',
    );
    assert.equal(latin1(client.initial), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    const salt = decodeBase64('W22ZaJ0SNY7soEsUEjb6gQ==')!;
    const first =
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
    const final = client.respond(utf8(first));
    assert.ok(final.kind === 'response');
    assert.equal(
      latin1(final.bytes),
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
        'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    assert.equal(client.proven, false);
    const done = client.respond(utf8('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='));
    assert.equal(done.kind, 'response');
    assert.equal(client.proven, true);
    const keys = scramKeys('pencil', salt, 4096)!;
    assert.equal(encodeBase64(keys.storedKey), 'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=');
    assert.equal(encodeBase64(keys.serverKey), 'wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=');
  });

  const both = [
    [{}, 'SCRAM-SHA-256'],
    [{ exporter: EXPORTER }, 'SCRAM-SHA-256-PLUS'],
    [{ serverEndPoint: END_POINT }, 'SCRAM-SHA-256-PLUS'],
  ] as const;
  for (const [binding, expected] of both) {
    it(`both sides agree: ${JSON.stringify(Object.keys(binding))}`, () => {
      for (const [login, password, kind] of [
        ['user', 'pencil', 'authenticated'],
        ['user', 'pencil2', 'rejected'],
        ['nobody', 'pencil', 'rejected'],
      ] as const) {
        const tls = secure(binding);
        const client = chooseSaslClient(
          offeredMechanisms(tls).map((one) => one.name),
          {
            credentials: { login, password: new Secret(password) },
            secure: tls,
            nonce: utf8('client-nonce-client-nonce'),
          },
        )!;
        assert.equal(client.mechanism, expected);
        const exchange = dialogue(client.mechanism, tls);
        let progress = settle(exchange, exchange.begin(encodeBase64(client.initial!)));
        for (let turn = 0; progress.kind === 'challenge' && turn < 5; turn++) {
          const reaction = client.respond(decodeBase64(progress.text)!);
          const line = reaction.kind === 'abort' ? '*' : encodeBase64(reaction.bytes);
          progress = settle(exchange, exchange.line(line));
        }
        assert.equal(progress.kind, kind);
        assert.equal(client.proven, kind === 'authenticated');
      }
    });
  }

  const refusals: [string, string, string, readonly string[] | undefined][] = [
    ['SCRAM-SHA-256', 'y,,n=user,r=abcdefghij', 'e=server-does-support-channel-binding', undefined],
    [
      'SCRAM-SHA-256',
      'p=tls-exporter,,n=user,r=abcdefghij',
      'e=channel-binding-not-supported',
      undefined,
    ],
    ['SCRAM-SHA-256-PLUS', 'n,,n=user,r=abcdefghij', 'e=channel-bindings-dont-match', undefined],
    ['SCRAM-SHA-256-PLUS', 'y,,n=user,r=abcdefghij', 'e=channel-bindings-dont-match', undefined],
    [
      'SCRAM-SHA-256-PLUS',
      'p=tls-unique,,n=user,r=abcdefghij',
      'e=unsupported-channel-binding-type',
      undefined,
    ],
    ['SCRAM-SHA-256', 'n,,n=us=er,r=abcdefghij', 'e=invalid-username-encoding', undefined],
    ['SCRAM-SHA-256', 'n,a=bob,n=user,r=abcdefghij', 'e=other-error', undefined],
    ['SCRAM-SHA-256', 'n,,m=1,n=user,r=abcdefghij', 'e=extensions-not-supported', undefined],
    ['SCRAM-SHA-256', 'n,,n=us\x01er,r=abcdefghij', 'e=invalid-username-encoding', undefined],
  ];
  for (const [name, first, error, offered] of refusals) {
    it(`${name} ${first} -> ${error}, and * does not undo it`, () => {
      const tls = secure({ exporter: EXPORTER });
      const exchange = dialogue(name, tls, offered);
      const progress = exchange.begin(b64(first));
      assert.ok(progress.kind === 'challenge', progress.kind);
      assert.equal(latin1(decodeBase64(progress.text)!), error);
      assert.ok(progress.failed);
      assert.equal(exchange.line('*').kind, 'rejected');
    });
  }

  it('lets y,, pass when -PLUS was not announced', () => {
    const tls = secure({ exporter: EXPORTER });
    const exchange = dialogue('SCRAM-SHA-256', tls, ['SCRAM-SHA-256', 'PLAIN']);
    assert.equal(exchange.begin(b64('y,,n=user,r=abcdefghij')).kind, 'ask');
  });

  for (const first of [
    '',
    'n',
    'n,,',
    'n,,n=user',
    'n,,r=abcdefghij,n=user',
    'x,,n=u,r=abcdefghij',
    'n,,n=user,r=',
    'n,,n=user,r=a\0bcdefgh',
    'n,,n=\xff,r=abcdefghij',
  ]) {
    it(`first message ${JSON.stringify(first)} is malformed`, () => {
      const exchange = dialogue('SCRAM-SHA-256');
      assert.equal(exchange.begin(first === '' ? '=' : b64(first)).kind, 'malformed');
    });
  }

  const finals: [string, (nonce: string) => string, string][] = [
    ['other nonce', (nonce) => `c=biws,r=${nonce}x,p=${b64('x'.repeat(32))}`, 'e=other-error'],
    ['prefix only', () => `c=biws,r=abcdefghij,p=${b64('x'.repeat(32))}`, 'e=other-error'],
    [
      'wrong c',
      (nonce) => `c=eSws,r=${nonce},p=${b64('x'.repeat(32))}`,
      'e=channel-bindings-dont-match',
    ],
    ['short proof', (nonce) => `c=biws,r=${nonce},p=${b64('x')}`, 'e=invalid-proof'],
    ['no base64', (nonce) => `c=biws,r=${nonce},p=????`, 'e=invalid-proof'],
    ['wrong proof', (nonce) => `c=biws,r=${nonce},p=${b64('x'.repeat(32))}`, 'e=invalid-proof'],
    ['order', (nonce) => `r=${nonce},c=biws,p=${b64('x'.repeat(32))}`, 'e=invalid-encoding'],
    [
      'm',
      (nonce) => `c=biws,r=${nonce},m=x,p=${b64('x'.repeat(32))}`,
      'e=extensions-not-supported',
    ],
  ];
  for (const [what, final, error] of finals) {
    it(`final message, ${what} -> ${error}`, () => {
      for (const login of ['user', 'nobody']) {
        const exchange = dialogue('SCRAM-SHA-256');
        const first = settle(exchange, exchange.begin(b64(`n,,n=${login},r=abcdefghij`)));
        assert.ok(first.kind === 'challenge');
        const nonce = /r=([^,]+)/.exec(latin1(decodeBase64(first.text)!))![1]!;
        const progress = exchange.line(b64(final(nonce)));
        assert.ok(progress.kind === 'challenge');
        assert.equal(latin1(decodeBase64(progress.text)!), error);
        assert.deepEqual(progress.failed, { login });
        assert.deepEqual(exchange.line(''), { kind: 'rejected', login });
      }
    });
  }

  it('demands an empty line after success, and nothing else is success', () => {
    for (const [line, kind] of [
      ['', 'authenticated'],
      ['*', 'cancelled'],
      [b64('x'), 'malformed'],
    ] as const) {
      const exchange = dialogue('SCRAM-SHA-256');
      const credentials = { login: 'user', password: new Secret('pencil') };
      const context = { credentials, secure: secure(), nonce: utf8('client-nonce-client-nonce') };
      const client = new ScramClient('SCRAM-SHA-256', context, 'n');
      const first = settle(exchange, exchange.begin(encodeBase64(client.initial)));
      assert.ok(first.kind === 'challenge');
      const reaction = client.respond(decodeBase64(first.text)!);
      assert.ok(reaction.kind === 'response');
      const last = exchange.line(encodeBase64(reaction.bytes));
      assert.ok(last.kind === 'challenge' && last.failed === undefined);
      assert.equal(exchange.line(line).kind, kind);
    }
  });
});

describe('the client', () => {
  const credentials = { login: 'user', password: new Secret('pencil') };
  const nonce = utf8('client-nonce-client-nonce');

  it('never shows a password without TLS', () => {
    const context = { credentials, secure: undefined, nonce };
    assert.equal(chooseSaslClient(['PLAIN', 'LOGIN'], context), undefined);
    assert.equal(chooseSaslClient(['plain', 'scram-sha-256'], context)?.mechanism, 'SCRAM-SHA-256');
  });

  it('says y when it could have bound and -PLUS was not there', () => {
    const context = { credentials, secure: secure({ exporter: EXPORTER }), nonce };
    const flag = (offered: string[]): string =>
      latin1(chooseSaslClient(offered, context, ['SCRAM-SHA-256'])!.initial!).slice(0, 2);
    assert.equal(flag(['SCRAM-SHA-256']), 'y,');
    assert.equal(flag(['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS']), 'n,');
  });

  for (const first of [
    'r=other,s=QUJD,i=4096',
    'r=$,s=QUJD,i=4096',
    'r=$x,s=QUJD,i=1',
    'r=$x,s=QUJD,i=1000000000',
    'r=$x,s=QUJD,i=4096x',
    'r=$x,s=,i=4096',
    'r=$x,s=?,i=4096',
    'm=1,r=$x,s=QUJD,i=4096',
    'e=other-error',
    'x',
  ]) {
    it(`gives up on ${first}`, () => {
      const client = new ScramClient(
        'SCRAM-SHA-256',
        { credentials, secure: undefined, nonce },
        'n',
      );
      const text = first.replace('$', encodeBase64(nonce));
      assert.equal(client.respond(utf8(text)).kind, 'abort');
      assert.equal(client.respond(utf8('v=AAAA')).kind, 'abort');
      assert.equal(client.proven, false);
    });
  }

  it('is not satisfied by success without the server proof', () => {
    const client = new ScramClient('SCRAM-SHA-256', { credentials, secure: undefined, nonce }, 'n');
    client.respond(utf8(`r=${encodeBase64(nonce)}x,s=QUJD,i=4096`));
    assert.equal(client.proven, false);
    assert.equal(client.respond(utf8(`v=${b64('x'.repeat(32))}`)).kind, 'abort');
  });
});
