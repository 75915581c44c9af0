/** Notices as they are written: exact text, all kinds, what goes back, addresses beyond ASCII. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Domain, QueueId } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import { buildNotice } from './notice.ts';
import { ARRIVED_MS, BODY, HEAD, facts, noticeOf, recipient, valueIn } from './testing.ts';

const BOUNDARY = `=_${'07'.repeat(18)}`;

test('a failure notice, word for word', () => {
  const { mail } = noticeOf(facts({ envelope: { envelopeId: 'QQ314159' } }));
  const body = mail.content.body as Uint8Array;
  assert.equal(
    latin1(mail.content.head) + latin1(body),
    `Date: Sun, 22 Nov 2026 05:00:03 +0000
From: Mail Delivery System <MAILER-DAEMON@mail.demo.test>
To: <alice@demo.test>
Subject: Not delivered: your message to bob@far.test
Message-ID: <N1@mail.demo.test>
Auto-Submitted: auto-replied
In-Reply-To: <one@demo.test>
References: <one@demo.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="${BOUNDARY}"
Content-Transfer-Encoding: 7bit

--${BOUNDARY}
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit

This is the mail system at mail.demo.test.

Your message could not be delivered to this recipient:

  bob@far.test
    There is no mailbox with this address.
    Check the address for typing errors, or ask the recipient for it.
    The words of mx.far.test:
      550-5.1.1 No mailbox here by that name.
      550 5.1.1 See https://far.test/help

It will not be tried again for the recipients named above.

The message:
  Subject: Lunch on Friday?
  Received here: Sun, 22 Nov 2026 05:00:00 +0000
  Our name for it: Q1

--${BOUNDARY}
Content-Type: message/delivery-status
Content-Transfer-Encoding: 7bit

Original-Envelope-Id: QQ314159
Reporting-MTA: dns; mail.demo.test
X-Postern-Queue-Id: Q1
Arrival-Date: Sun, 22 Nov 2026 05:00:00 +0000

Final-Recipient: rfc822; bob@far.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.far.test
Diagnostic-Code: smtp; 550-5.1.1 No mailbox here by that name.
 550 5.1.1 See https://far.test/help
Last-Attempt-Date: Sun, 22 Nov 2026 05:00:02 +0000

--${BOUNDARY}
Content-Type: message/rfc822
Content-Transfer-Encoding: 7bit

Received: from mail.example.org by demo.test; Sun, 22 Nov 2026 05:00:00 +0000
From: Alice <alice@demo.test>
To: bob@far.test
Subject: Lunch on Friday?
Message-ID: <one@demo.test>

How about one o'clock?

--${BOUNDARY}--
`.replaceAll('\n', '\r\n'),
  );
});

test('the envelope: from <>, to the sender, who wants no notice of it', () => {
  const { mail } = noticeOf(facts());
  assert.equal(mail.reversePath, null);
  assert.equal(mail.origin, 'notice');
  assert.deepEqual(
    mail.recipients.map(({ address, notify, permit }) => [
      address.localPart,
      notify,
      permit.reason,
    ]),
    [['alice', [], 'own-notice']],
  );
  assert.deepEqual(mail.envelope, {
    ret: undefined,
    envelopeId: undefined,
    smtpUtf8: false,
    body: '7bit',
  });
  assert.equal(mail.messageId, 'N1@mail.demo.test');
});

test('nobody is told about mail from <>', () => {
  const writer = {
    id: 'N1' as QueueId,
    myhostname: 'mail.demo.test' as Domain,
    random: new Uint8Array(18),
  };
  assert.equal(buildNotice(facts({ envelope: { reversePath: '' } }), writer), undefined);
  assert.equal(buildNotice(facts({ recipients: [] }), writer), undefined);
});

test('a delay says until when, tells to wait, and returns the head only', () => {
  const read = noticeOf(
    facts({
      kind: 'delayed',
      recipients: [
        recipient({
          status: '4.4.1',
          reply: undefined,
          host: undefined,
          reason: 'no host of far.test answered',
          retryUntilMs: ARRIVED_MS + 432_000_000,
        }),
      ],
      original: { head: utf8(HEAD), cut: false, body: undefined },
    }),
  );
  const [, block] = read.blocks;
  assert.equal(valueIn(block, 'Action'), 'delayed');
  assert.equal(valueIn(block, 'Status'), '4.4.1');
  assert.equal(valueIn(block, 'Will-Retry-Until'), 'Fri, 27 Nov 2026 05:00:00 +0000');
  assert.equal(valueIn(block, 'Remote-MTA'), undefined);
  assert.equal(valueIn(block, 'Diagnostic-Code'), 'x-postern; no host of far.test answered');
  assert.match(read.letter, /has not been delivered yet/);
  assert.match(read.letter, /No host of far\.test answered\./);
  assert.match(read.letter, /You need not do anything/);
  assert.doesNotMatch(read.letter, /Check the address/);
  assert.equal(read.root.children[2]?.subtype, 'rfc822-headers');
  assert.doesNotMatch(read.returned ?? '', /o'clock/);
});

test('what was given up: status 4.4.7, for how long it was tried, and the last answer', () => {
  const read = noticeOf(
    facts({
      recipients: [
        recipient({
          status: '4.4.7',
          expired: true,
          reply: { code: 452, enhanced: '4.2.2', lines: ['over quota'] },
        }),
      ],
      nowMs: ARRIVED_MS + 432_000_000,
    }),
  );
  const [, block] = read.blocks;
  assert.equal(valueIn(block, 'Action'), 'failed');
  assert.equal(valueIn(block, 'Status'), '4.4.7');
  assert.equal(valueIn(block, 'Diagnostic-Code'), 'smtp; 452 4.2.2 over quota');
  assert.match(read.letter, /tried for 5 days, in vain/);
  assert.match(read.letter, /The mailbox is full\./);
});

test('relayed: no blame, no code, the next host, the head only', () => {
  const reply = { code: 250, enhanced: '2.0.0', lines: ['queued'] };
  const read = noticeOf(
    facts({
      kind: 'relayed',
      recipients: [recipient({ status: '2.0.0', reply, reason: '' })],
      original: { head: utf8(HEAD), cut: false, body: undefined },
    }),
  );
  const [, block] = read.blocks;
  assert.equal(valueIn(block, 'Action'), 'relayed');
  assert.equal(valueIn(block, 'Status'), '2.0.0');
  assert.match(read.letter, /by mx\.far\.test/);
  assert.match(read.head.get('subject') ?? '', /^Handed over/);
});

test('several recipients stand in one notice, a block each', () => {
  const read = noticeOf(
    facts({
      recipients: [1, 2, 3].map((n) => recipient({ address: `user${n}@far.test` })),
    }),
  );
  assert.equal(read.blocks.length, 4);
  assert.equal(read.head.get('subject'), 'Not delivered: your message to 3 recipients');
  assert.deepEqual(
    read.blocks.slice(1).map((block) => valueIn(block, 'Final-Recipient')),
    ['rfc822; user1@far.test', 'rfc822; user2@far.test', 'rfc822; user3@far.test'],
  );
});

test('blind recipients do not go back, in whole messages and in heads', () => {
  for (const body of [utf8(BODY), undefined]) {
    const read = noticeOf(facts({ original: { head: utf8(HEAD), cut: false, body } }));
    assert.doesNotMatch(read.text, /hidden|bcc/i);
    const again = utf8(HEAD.replace('Bcc:', 'Resent-Bcc:'));
    const resent = noticeOf(facts({ original: { head: again, cut: false, body } }));
    assert.doesNotMatch(resent.text, /hidden|bcc/i);
    assert.match(read.returned ?? '', /Message-ID: <one@demo\.test>/);
  }
});

test('hosts of our own network are not named', () => {
  const read = noticeOf(
    facts({
      recipients: [
        recipient({ host: 'smarthost.internal [10.0.0.7]:25' }),
        recipient({ host: '[192.168.1.9]:25' }),
        recipient({
          reply: undefined,
          host: undefined,
          reason: 'connecting to 172.16.3.4 and fd00::17 failed, 192.0.2.9 too',
        }),
      ],
    }),
  );
  assert.doesNotMatch(read.text, /smarthost|10\.0\.0\.7|192\.168|172\.16|fd00/);
  assert.match(read.text, /192\.0\.2\.9/);
  assert.match(read.letter, /The words of the other server:/);
});

const RETURNED = [
  { what: 'plain', head: HEAD, body: BODY, type: 'message/rfc822', encoding: '7bit' },
  { what: '8-bit body', head: HEAD, body: 'Grüße\r\n', type: 'message/rfc822', encoding: '8bit' },
  {
    what: 'UTF-8 head',
    head: 'Subject: Grüße\r\n\r\n',
    body: BODY,
    type: 'message/global',
    encoding: 'quoted-printable',
  },
  {
    what: 'UTF-8 head alone',
    head: 'Subject: Grüße\r\n\r\n',
    body: undefined,
    type: 'message/global-headers',
    encoding: 'quoted-printable',
  },
  { what: 'NUL', head: HEAD, body: 'a\0b\r\n', type: 'text/rfc822-headers', encoding: '7bit' },
  { what: 'bare LF', head: HEAD, body: 'a\n.\nb', type: 'text/rfc822-headers', encoding: '7bit' },
  { what: 'bare CR', head: HEAD, body: 'a\r.\rb', type: 'text/rfc822-headers', encoding: '7bit' },
  {
    what: 'endless line',
    head: HEAD,
    body: 'x'.repeat(5_000),
    type: 'text/rfc822-headers',
    encoding: '7bit',
  },
  {
    what: 'long line in the head',
    head: `Subject: ${'x'.repeat(2_000)}\r\n\r\n`,
    body: BODY,
    type: 'text/rfc822-headers',
    encoding: 'quoted-printable',
  },
] as const;

for (const { what, head, body, type, encoding } of RETURNED) {
  test(`what goes back of a message with ${what}: ${type}, ${encoding}`, () => {
    const octets = body === undefined ? undefined : utf8(body);
    const original = { head: utf8(head), cut: false, body: octets };
    const read = noticeOf(facts({ original }));
    const part = read.root.children[2];
    // As written: what may not be encoded and is, the reader rightly calls an octet-stream.
    const head3 = Buffer.from(read.text, 'latin1').subarray(part?.headStart, part?.bodyStart);
    assert.match(head3.toString(), new RegExp(`^Content-Type: ${type}\r$`, 'm'));
    assert.equal(part?.encoding, encoding);
    assert.equal(read.mail.envelope.body, encoding === '8bit' ? '8bitmime' : '7bit');
    const lines = read.text.split('\r\n');
    assert.ok(lines.every((line) => line.length <= 998 && !/[\r\n\0]/.test(line)));
  });
}

test('a head that was latin1 goes back encoded, octet for octet', () => {
  const head = Buffer.from('Subject: Gr\xfc\xdfe\r\n\r\n', 'latin1');
  const read = noticeOf(facts({ original: { head, cut: false, body: utf8(BODY) } }));
  assert.equal(read.root.children[2]?.subtype, 'rfc822-headers');
  assert.match(read.returned ?? '', /Gr\xfc\xdfe/);
});

test('BINARYMIME content is never returned', () => {
  const read = noticeOf(facts({ envelope: { body: 'binarymime' } }));
  assert.equal(read.root.children[2]?.subtype, 'rfc822-headers');
});

test('a head that was cut loses the piece of a field at its end', () => {
  const head = utf8('Subject: whole\r\nX-Long: a piece of it');
  const read = noticeOf(facts({ original: { head, cut: true, body: undefined } }));
  assert.equal(read.returned?.trim(), 'Subject: whole');
});

test('a message that cannot be read any more has a notice of two parts', () => {
  const read = noticeOf(facts({ original: undefined }));
  assert.equal(read.root.children.length, 2);
  assert.equal(read.head.has('in-reply-to'), false);
});

test('a Message-ID that cannot be repeated is not', () => {
  for (const id of [`${'x'.repeat(300)}@demo.test`, 'gr\xfc\xdfe@demo.test']) {
    const head = utf8(`Message-ID: <${id}>\r\n\r\n`);
    const read = noticeOf(facts({ original: { head, cut: false, body: undefined } }));
    assert.equal(read.head.has('in-reply-to'), false);
  }
});

test('doubled brackets around the Message-ID are not repeated', () => {
  const head = utf8('Message-ID: <<two@demo.test>>\r\n\r\n');
  const read = noticeOf(facts({ original: { head, cut: false, body: undefined } }));
  assert.equal(read.head.get('in-reply-to'), '<two@demo.test>');
});

test('addresses beyond ASCII, ASCII sender: all in 7 bits, nothing lost', () => {
  const read = noticeOf(
    facts({
      envelope: { smtpUtf8: true },
      recipients: [
        recipient({ address: '用户@far.test', originalRecipient: 'utf-8;用户+x@far.test' }),
      ],
    }),
  );
  const [, block] = read.blocks;
  assert.equal(read.root.children[1]?.subtype, 'delivery-status');
  assert.equal(valueIn(block, 'Final-Recipient'), 'utf-8; \\x{7528}\\x{6237}@far.test');
  assert.equal(valueIn(block, 'Original-Recipient'), 'utf-8; \\x{7528}\\x{6237}\\x{2B}x@far.test');
  assert.doesNotMatch(read.text, /[\x80-\xff]/);
  assert.equal(read.mail.envelope.smtpUtf8, false);
  assert.match(read.letter, /用户@far\.test/);
});

test('a sender beyond ASCII gets message/global-delivery-status in UTF-8', () => {
  const read = noticeOf(
    facts({
      envelope: { reversePath: 'élise@demo.test', smtpUtf8: true },
      recipients: [
        recipient({
          address: '用户@far.test',
          originalRecipient: 'utf-8;\\x{7528}\\x{6237}@far.test',
        }),
      ],
    }),
  );
  const [, block] = read.blocks;
  assert.equal(read.root.children[1]?.subtype, 'global-delivery-status');
  assert.equal(valueIn(block, 'Final-Recipient'), 'utf-8; 用户@far.test');
  assert.equal(valueIn(block, 'Original-Recipient'), 'utf-8; 用户@far.test');
  assert.equal(read.mail.envelope.smtpUtf8, true);
  assert.equal(read.mail.envelope.body, '8bitmime');
  assert.match(Buffer.from(read.text, 'latin1').toString(), /To: <élise@demo\.test>/);
});
