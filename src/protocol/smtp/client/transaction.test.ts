/** What arrives at the next hop: octets, parameters, limits, over real loopback. */

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Failure } from '#base/failure.ts';
import { ClientWorld, failureOf, mail, outcomes, TEXT, to } from '#test/world/smtp-client.ts';
import type { OutgoingMail } from './transaction.ts';

const world = new ClientWorld();
after(() => world.close());

describe('what arrives', () => {
  for (const capabilities of [[], ['PIPELINING'], ['CHUNKING'], ['PIPELINING', 'CHUNKING']]) {
    test(`the same octets by ${capabilities.join(' and ') || 'plain SMTP'}`, async () => {
      const sink = await world.sink({ capabilities });
      const session = await world.ready(sink);
      const texts = [TEXT, 'a\nb\rc\r', '', '.', `${'x'.repeat(70_000)}\r\n.`, '\r\n.\r\n'];
      for (const text of texts) {
        assert.deepEqual(await outcomes(session, mail(text)), ['delivered 250']);
        const repaired = text.replace(/\r\n|\r|\n/g, '\r\n');
        const ended = repaired === '' || repaired.endsWith('\r\n') ? repaired : `${repaired}\r\n`;
        assert.equal(sink.messages.at(-1)?.content, ended);
        assert.equal(await session.reset(), true);
      }
      const by = capabilities.includes('CHUNKING') ? 'BDAT' : 'DATA';
      assert.deepEqual(new Set(sink.messages.map((message) => message.by)), new Set([by]));
      await session.quit();
    });
  }

  test('a large message in many pieces', async () => {
    const text = 'line with text\r\n.\r\n'.repeat(40_000);
    for (const capabilities of [[], ['CHUNKING']]) {
      const sink = await world.sink({ capabilities });
      assert.deepEqual(await outcomes(await world.ready(sink), mail(text)), ['delivered 250']);
      assert.equal(sink.messages[0]?.content, text);
    }
  });

  test('binary content only to who offers it, untouched', async () => {
    const binary = mail('a\nb\rc\0\r\n.\r\nd', [to('b@there.test')], { body: 'binarymime' });
    const sink = await world.sink({ capabilities: ['CHUNKING', 'BINARYMIME'] });
    assert.deepEqual(await outcomes(await world.ready(sink), binary), ['delivered 250']);
    assert.equal(sink.messages[0]?.content, 'a\nb\rc\0\r\n.\r\nd');
    assert.equal(sink.messages[0]?.mail, 'MAIL FROM:<a@here.test> BODY=BINARYMIME');
    const plain = await world.sink({ capabilities: ['CHUNKING'] });
    assert.deepEqual(await outcomes(await world.ready(plain), binary), ['failed 5.6.3 message']);
    assert.deepEqual(plain.sessions[0]?.commands, ['EHLO here.test']);
  });

  test('parameters as offered, and only as offered', async () => {
    const recipients = [
      to('b@there.test', {
        notify: ['success', 'delay'],
        originalRecipient: 'rfc822;o+x y@o.test',
      }),
      to('"q b"@there.test', { notify: [], originalRecipient: 'bad type;x' }),
    ];
    const envelope = { ret: 'headers', envelopeId: 'id 1', body: '8bitmime' } as const;
    const all = await world.sink({ capabilities: ['SIZE 1000', 'DSN', '8BITMIME'] });
    const none = await world.sink({ capabilities: [] });
    for (const sink of [all, none]) {
      const sent = mail('x\r\n', recipients, envelope);
      assert.deepEqual(await outcomes(await world.ready(sink), sent), [
        'delivered 250',
        'delivered 250',
      ]);
    }
    assert.deepEqual(all.sessions[0]?.commands.slice(1, 4), [
      'MAIL FROM:<a@here.test> SIZE=3 BODY=8BITMIME RET=HDRS ENVID=id+201',
      'RCPT TO:<b@there.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o+2Bx+20y@o.test',
      'RCPT TO:<"q b"@there.test> NOTIFY=NEVER',
    ]);
    assert.deepEqual(none.sessions[0]?.commands.slice(1, 4), [
      'MAIL FROM:<a@here.test>',
      'RCPT TO:<b@there.test>',
      'RCPT TO:<"q b"@there.test>',
    ]);
  });

  test('limits of the next hop: size, 0 and nonsense mean none; SMTPUTF8 only where needed', async () => {
    const table: readonly [string, OutgoingMail, string][] = [
      ['SIZE 5', mail('x'.repeat(6)), 'failed 5.3.4 message'],
      ['SIZE 6', mail('x'.repeat(6)), 'delivered 250'],
      ['SIZE 0', mail(), 'delivered 250'],
      ['SIZE', mail(), 'delivered 250'],
      ['SIZE 18446744073709551616', mail(), 'delivered 250'],
      ['SIZE -1', mail(), 'delivered 250'],
      ['X', mail(TEXT, [to('b@there.test')], { smtpUtf8: true }), 'failed 5.6.7 message'],
      ['X', mail(TEXT, [to('b\u00e9@there.test')]), 'failed 5.6.7 message'],
      ['SMTPUTF8', mail(TEXT, [to('b\u00e9@there.test')]), 'delivered 250'],
      ['8BITMIME', mail('caf\xe9\r\n', undefined, { body: '8bitmime' }), 'delivered 250'],
      ['X', mail('caf\xe9\r\n', undefined, { body: '8bitmime' }), 'delivered 250'],
    ];
    for (const [capability, sent, expected] of table) {
      const sink = await world.sink({ capabilities: [capability] });
      assert.deepEqual(await outcomes(await world.ready(sink), sent), [expected], capability);
    }
  });

  test('what could be two commands is never sent', async () => {
    const sink = await world.sink({});
    const bad = ['b@there.test>\r\nRSET', 'b\r@x.test', 'b@x.test\0', 'b@x.test> SIZE=1', ''];
    const sent = mail(TEXT, [...bad.map((address) => to(address)), to('good@there.test')]);
    const refused = bad.map(() => 'failed 5.1.3 recipient');
    assert.deepEqual(await outcomes(await world.ready(sink), sent), [...refused, 'delivered 250']);
    const sender = mail(TEXT, undefined, { reversePath: 'a@x.test>\r\nRCPT TO:<c@x.test' });
    assert.deepEqual(await outcomes(await world.ready(sink), sender), ['failed 5.1.7 message']);
    const helo = await failureOf(
      (await world.connect(sink, { heloName: 'x.test\r\nRSET' })).open(),
    );
    assert.equal(helo.code, 'unsafe-command');
    const dialogue = (await world.connect(sink)).dialogue;
    assert.throws(() => dialogue.send('NOOP\r\nRSET'), Failure);
    assert.ok(sink.sessions.every(({ commands }) => !commands.includes('RSET')));
  });
});
