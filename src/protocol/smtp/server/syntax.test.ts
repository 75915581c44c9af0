/** Paths, parameters and names: the inputs of the attack list (S5-S9, S14, S16, S18, S19). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as assertProperty, property, string } from 'fast-check';
import { decodeXtext, encodeXtext } from '../xtext.ts';
import { openHost, Session } from './transcript.test.ts';

/** The reply to one command after EHLO, and what the host was asked. */
function after(prefix: string, command: string): { session: Session; reply: string } {
  const session = new Session();
  session.receive(`EHLO client.test\r\n${prefix}`);
  const from = session.sent.length;
  session.receive(Buffer.from(`${command}\r\n`, 'latin1'));
  return { session, reply: session.sent.slice(from).replace(/\r\n[\s\S]*/, '') };
}

const utf8Text = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

const long = (count: number): string => 'l'.repeat(count);

describe('paths of MAIL and RCPT', () => {
  const rows: [path: string, mail: string, rcpt: string, address?: string][] = [
    ['<a@b.test>', '250', '250', 'a@b.test'],
    ['<>', '250', '501 5.1.3'],
    ['a@b.test', '501 5.5.2', '501 5.5.2'],
    ['<a@b.test', '501 5.5.2', '501 5.5.2'],
    ['<a@b.test>x', '501 5.5.2', '501 5.5.2'],
    ['<"a>b"@c.test>', '250', '250', '"a>b"@c.test'],
    [' <a@b.test>', '250', '250', 'a@b.test'],
    ['<@x.test,@y.test:a@d.test>', '250', '250', 'a@d.test'],
    ['<@x.test,y.test:a@d.test>', '501 5.1.7', '501 5.1.3'],
    ['<@x.test>', '501 5.1.7', '501 5.1.3'],
    ['<@x.test:>', '501 5.1.7', '501 5.1.3'],
    ['<a>', '501 5.1.7', '501 5.1.3'],
    ['<postmaster>', '501 5.1.7', '250', 'postmaster@mx.test'],
    ['<POSTMASTER>', '501 5.1.7', '250', 'POSTMASTER@mx.test'],
    ['<A.Upper@B.TEST>', '250', '250', 'A.Upper@b.test'],
    ['<""@d.test>', '501 5.1.7', '501 5.1.3'],
    ['<"a b"@d.test>', '250', '250', '"a b"@d.test'],
    ['<"x@g.test x"@internal.test>', '250', '250', '"x@g.test x"@internal.test'],
    ['<a@b@c.test>', '501 5.1.7', '501 5.1.3'],
    ['<a%b@d.test>', '250', '250', 'a%b@d.test'],
    ['<b!a@d.test>', '250', '250', 'b!a@d.test'],
    ['<a@[127.0.0.1]>', '250', '250', 'a@[127.0.0.1]'],
    ['<a@[IPv6:::1]>', '250', '250', 'a@[IPv6:::1]'],
    ['<a@1.2.3.4>', '501 5.1.7', '501 5.1.3'],
    ['<a@d.test.>', '250', '250', 'a@d.test'],
    ['<a@-d.test>', '501 5.1.7', '501 5.1.3'],
    ['<a@xn--a>', '501 5.1.7', '501 5.1.3'],
    ['<a@\xc3>', '553 5.6.7', '553 5.6.7'],
    ['<\xc0\xaf@b.test>', '553 5.6.7', '553 5.6.7'],
    [utf8Text('<jos\u00e9@b.test>'), '553 5.6.7', '553 5.6.7'],
    [utf8Text('<a@m\u00fcller.test>'), '553 5.6.7', '553 5.6.7'],
    [`<${long(64)}@b.test>`, '250', '250', `${long(64)}@b.test`],
    [`<${long(65)}@b.test>`, '501 5.1.7', '501 5.1.3'],
    [`<a@${'d.'.repeat(124)}test>`, '250', '250'],
    [`<a@${'d.'.repeat(125)}test>`, '501 5.1.7', '501 5.1.3'],
    [`<@${'d.'.repeat(120)}test:a@d.test>`, '250', '250', 'a@d.test'],
    [`<@${'d.'.repeat(121)}test:a@d.test>`, '501 5.1.7', '501 5.1.3'],
    ['<;sleep 66;>', '501 5.1.7', '501 5.1.3'],
    ['<|/bin/sh@x.test>', '250', '250', '|/bin/sh@x.test'],
    ['<:include:/etc/passwd@x.test>', '501 5.1.7', '501 5.1.3'],
    ['<`id`@x.test>', '250', '250', '`id`@x.test'],
    ['<$(id)@x.test>', '501 5.1.7', '501 5.1.3'],
    ['<%s%n@x.test>', '250', '250', '%s%n@x.test'],
    ['<__proto__@x.test>', '250', '250', '__proto__@x.test'],
    ['<a\tb@x.test>', '501 5.1.7', '501 5.1.3'],
    ['<"a\x01b"@x.test>', '501 5.1.7', '501 5.1.3'],
    ['<a@b.test> ', '250', '250', 'a@b.test'],
  ];
  for (const [path, mail, rcpt, address] of rows) {
    it(JSON.stringify(path.slice(0, 60)), () => {
      assert.ok(after('', `MAIL FROM:${path}`).reply.startsWith(mail));
      const received = after('MAIL FROM:<s@s.test>\r\n', `RCPT TO:${path}`);
      assert.ok(received.reply.startsWith(rcpt), received.reply);
      if (address === undefined) return;
      const [recipient] = received.session.server.session.transaction?.recipients ?? [];
      assert.equal(`${recipient?.address.localPart}@${recipient?.address.domain}`, address);
    });
  }

  for (const [path, reply] of [
    ['<jos\u00e9@m\u00fcller.test>', '250'],
    ['<\u202ejos@b.test>', '501'],
    ['<jo\u200bs@b.test>', '501'],
    ['<jo\u0085s@b.test>', '501'],
    ['<a\u00a0b@b.test>', '501'],
    ['<\ufeffa@b.test>', '501'],
  ] as const) {
    it(`SMTPUTF8 ${JSON.stringify(path)}`, () => {
      assert.ok(after('', `MAIL FROM:${utf8Text(path)} SMTPUTF8`).reply.startsWith(reply));
      const received = after('MAIL FROM:<a@b.test> SMTPUTF8\r\n', `RCPT TO:${utf8Text(path)}`);
      assert.ok(received.reply.startsWith(reply), received.reply);
      if (reply !== '250') return;
      const [recipient] = received.session.server.session.transaction?.recipients ?? [];
      assert.equal(recipient?.address.domain, 'xn--mller-kva.test');
    });
  }
});

describe('parameters', () => {
  const rows: [parameters: string, reply: string][] = [
    ['SIZE=10', '250'],
    ['size=10', '250'],
    ['SIZE=52428800', '250'],
    ['SIZE=52428801', '552 5.3.4'],
    ['SIZE=18446744073709551616', '552 5.3.4'],
    ['SIZE=999999999999999999999', '501 5.5.4'],
    ['SIZE=-1', '501 5.5.4'],
    ['SIZE=', '501 5.5.4'],
    ['SIZE', '501 5.5.4'],
    ['SIZE=1 SIZE=1', '501 5.5.4'],
    ['BODY=7bit', '250'],
    ['BODY=8BITMIME', '250'],
    ['BODY=9BIT', '501 5.5.4'],
    ['SMTPUTF8', '250'],
    ['SMTPUTF8=1', '501 5.5.4'],
    ['RET=FULL', '250'],
    ['RET=HDRS', '250'],
    ['RET=BOTH', '501 5.5.4'],
    ['ENVID=QQ314159', '250'],
    [`ENVID=${'x'.repeat(100)}`, '250'],
    [`ENVID=${'x'.repeat(101)}`, '501 5.5.4'],
    ['ENVID=a+0D+0ABcc:x', '501 5.5.4'],
    ['ENVID=a+2', '501 5.5.4'],
    ['ENVID=a=b', '501 5.5.4'],
    ['BY=-1', '555 5.5.4'],
    ['HOLDFOR=99999999999', '555 5.5.4'],
    ['AUTH=<>', '555 5.5.4'],
    ['NOTIFY=NEVER', '555 5.5.4'],
    ['__proto__=1', '501 5.5.4'],
    ['constructor=1', '555 5.5.4'],
    ['X\x01=1', '501 5.5.4'],
    [utf8Text('\u017fize=1'), '501 5.5.4'],
    [utf8Text('RET=HDR\u017f'), '501 5.5.4'],
    ['SIZE=1\x0b', '501 5.5.4'],
    ['SIZE=1\x01', '501 5.5.4'],
    [`${'A=1 '.repeat(400)}`, '501 5.5.4'],
  ];
  for (const [parameters, reply] of rows) {
    it(`MAIL ${JSON.stringify(parameters.slice(0, 40))}`, () => {
      const said = after('', `MAIL FROM:<a@b.test> ${parameters}`).reply;
      assert.ok(said.startsWith(reply), said);
    });
  }

  const rcpt: [parameters: string, reply: string][] = [
    ['NOTIFY=NEVER', '250'],
    ['NOTIFY=success,FAILURE,delay', '250'],
    ['NOTIFY=NEVER,SUCCESS', '501 5.5.4'],
    ['NOTIFY=SUCCESS,SUCCESS', '501 5.5.4'],
    ['NOTIFY=', '501 5.5.4'],
    ['NOTIFY', '501 5.5.4'],
    ['ORCPT=rfc822;a+2Bb@c.test', '250'],
    ['ORCPT=rfc822;a+0D+0ABcc:x', '501 5.5.4'],
    ['ORCPT=rfc822;', '501 5.5.4'],
    ['ORCPT=rfc822', '501 5.5.4'],
    [`ORCPT=rfc822;${'x'.repeat(500)}`, '501 5.5.4'],
    ['ORCPT=utf-8;a\\x{e9}@c.test', '250'],
    ['ORCPT=utf-8;a\\x{D}\\x{A}Bcc:x', '501 5.5.4'],
    ['ORCPT=utf-8;\\x{d800}', '501 5.5.4'],
    ['SIZE=1', '555 5.5.4'],
  ];
  for (const [parameters, reply] of rcpt) {
    it(`RCPT ${JSON.stringify(parameters.slice(0, 40))}`, () => {
      const said = after('MAIL FROM:<a@b.test>\r\n', `RCPT TO:<c@d.test> ${parameters}`).reply;
      assert.ok(said.startsWith(reply), said);
    });
  }

  it('come decoded to the host', () => {
    const session = new Session({}, openHost);
    session.receive('EHLO x\r\nMAIL FROM:<a@b.test> RET=HDRS ENVID=a+2Bb SMTPUTF8\r\n');
    session.receive('RCPT TO:<c@d.test> NOTIFY=DELAY,SUCCESS ORCPT=rfc822;x+2By@z.test\r\n');
    session.receive('RCPT TO:<c@d.test> ORCPT=UTF-8;\\x{e9}@z.test\r\n');
    const { transaction } = session.server.session;
    assert.equal(transaction?.parameters.envelopeId, 'a+b');
    assert.equal(transaction?.parameters.ret, 'headers');
    assert.deepEqual(transaction?.recipients[0]?.parameters, {
      notify: ['success', 'delay'],
      originalRecipient: 'rfc822;x+y@z.test',
    });
    assert.equal(transaction?.recipients[1]?.parameters.originalRecipient, 'UTF-8;\u00e9@z.test');
  });

  it('are gone with an extension that is withheld', () => {
    const session = new Session({ withheld: ['DSN', 'CHUNKING', 'SIZE'] });
    session.receive('EHLO x\r\n');
    assert.doesNotMatch(session.sent, /DSN|CHUNKING|BINARYMIME|SIZE/);
    session.receive('MAIL FROM:<a@b.test> RET=FULL\r\nMAIL FROM:<a@b.test> SIZE=1\r\n');
    session.receive('MAIL FROM:<a@b.test> BODY=BINARYMIME\r\nBDAT 4 LAST\r\nQUITNOOP\r\n');
    assert.equal(session.codes, '220 250 555 555 501 503 250');
  });

  it('xtext goes there and back', () => {
    assertProperty(
      property(string({ unit: 'grapheme' }), (text) => {
        assert.equal(decodeXtext(encodeXtext(text)), text);
      }),
    );
    for (const bad of ['a b', 'a=b', 'a+2b', 'a+', 'a+G0', '\u00e9', '+C0+AF']) {
      assert.equal(decodeXtext(bad), undefined, bad);
    }
  });
});

describe('HELO names (S16)', () => {
  for (const [name, reply] of [
    ['mx.test', '250'],
    ['[127.0.0.1]', '250'],
    ['localhost', '250'],
    ['.', '250'],
    ['../A/', '250'],
    ['under_score.test.', '250'],
    [utf8Text('m\u00fcller.test'), '250'],
    ['', '501 5.5.4'],
    ['\xff', '501 5.5.4'],
    ['a\x1b[2J', '501 5.5.4'],
    [utf8Text('a\u0085b'), '501 5.5.4'],
    ['a b', '501 5.5.4'],
    ['x'.repeat(256), '501 5.5.4'],
    ['x'.repeat(10_000), '500 5.5.2'],
  ] as const) {
    it(JSON.stringify(name.slice(0, 30)), () => {
      assert.ok(after('', `HELO ${name}`).reply.startsWith(reply));
    });
  }
});
