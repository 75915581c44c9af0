/** MSA and MTA: what they refuse, what they add, and that nothing else changes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '#base/address.ts';
import type { AccountId, QueueId } from '#base/brand.ts';
import { latin1, utf8 } from '#base/bytes.ts';
import { atOnce } from '#base/turns.ts';
import { parseDomain } from '#base/domain.ts';
import { Authenticated } from '#protocol/sasl/authenticated.ts';
import type { Spool } from '#store/content.ts';
import type { AddressBook } from '#policy/addresses/resolve.ts';
import { Arrival } from './arrival.ts';
import { describe, factsOf } from './mda.ts';
import { submit } from './msa.ts';
import { type MailFacts, receive } from './mta.ts';

const account = { id: 1 as AccountId, address: 'ann@a.test', enabled: true, createdMs: 0 };
const home = { name: parseDomain('a.test')!, catchAll: undefined };
const book: AddressBook = {
  domains: () => [home],
  domain: (name) => (name === home.name ? home : undefined),
  accounts: () => [account],
  account: (key) => (key === account.address ? account : undefined),
  alias: (key) => (key === 'sales@a.test' ? { address: key, targets: ['ann@a.test'] } : undefined),
};

const origin = parseDomain('a.test');

const facts: MailFacts = {
  id: 'QUEUE1' as QueueId,
  atMs: Date.UTC(2026, 10, 22, 5, 0, 0),
  hostname: parseDomain('mx.a.test')!,
  client: {
    address: '192.0.2.9',
    helo: 'desk.ann.example',
    extended: true,
    secure: undefined,
    login: Authenticated.verified({ account: account.id, address: account.address }, 'PLAIN'),
  },
  protocol: 'esmtp',
  reversePath: parseAddress('ann@a.test')!,
  smtpUtf8: false,
  onlyRecipient: parseAddress('bob@b.test')!,
};

/** In memory, as the store's is for small bodies. */
function spool(): Spool {
  const pieces: Uint8Array[] = [];
  return {
    sizeBytes: 0,
    write: (bytes) => void pieces.push(bytes),
    finish: () => Buffer.concat(pieces),
    discard: () => undefined,
  };
}

function arrived(text: string, cut = text.length) {
  const arrival = new Arrival(spool());
  const bytes = utf8(text);
  for (let at = 0; at < bytes.length; at += cut) void arrival.write(bytes.subarray(at, at + cut));
  const done = arrival.finish();
  assert.ok(!(done instanceof Promise));
  return done;
}

function submitted(text: string): string {
  const judged = submit(arrived(text), facts, book, origin);
  assert.equal(judged.kind, 'ready', text);
  assert.ok(judged.kind === 'ready' && judged.content.body instanceof Uint8Array);
  return latin1(judged.content.head) + latin1(judged.content.body);
}

test('who reads along gets the head once and then the body, at any cut', () => {
  const head = 'Subject: x\r\n\r\n';
  for (const text of [`${head}body\r\n\r\nmore\r\n`, head, 'no: end', '']) {
    for (let cut = 1; cut <= text.length + 1; cut += 1) {
      const heads: string[] = [];
      let body = '';
      const arrival = new Arrival(spool(), {
        head: (octets) => void heads.push(latin1(octets)),
        body: (octets) => {
          assert.equal(heads.length, 1);
          body += latin1(octets);
        },
      });
      for (let at = 0; at < text.length; at += cut) {
        void arrival.write(utf8(text.slice(at, at + cut)));
      }
      void arrival.finish();
      assert.equal(heads.length, 1);
      assert.equal(`${heads[0]}${body}`, text);
    }
  }
});

test('the head is found at any cut, and an empty one too', () => {
  const text = 'Subject: x\r\nA: b\r\n\r\nbody\r\n\r\nmore\r\n';
  for (let cut = 1; cut <= text.length; cut += 1) {
    const { content } = arrived(text, cut);
    assert.equal(latin1(content.head), 'Subject: x\r\nA: b\r\n\r\n');
  }
  assert.equal(latin1(arrived('\r\nbody\r\n').content.head), '\r\n');
  assert.equal(arrived('no head\r\n').content.body.constructor.name, 'Buffer');
});

test('of a large message only the head keeps its memory, of a small one all does', () => {
  const head = 'Subject: x\r\n\r\n';
  for (const [count, isGivenBack] of [
    [8_000, true],
    [4_000, false],
  ] as const) {
    const text = `${head}${'line 6\r\n'.repeat(count)}`;
    const bytes = new Uint8Array(utf8(text));
    const arrival = new Arrival(spool());
    void arrival.write(bytes);
    void arrival.write(utf8('the end\r\n'));
    const done = arrival.finish();
    assert.ok(!(done instanceof Promise) && done.content.body instanceof Uint8Array);
    assert.equal(latin1(done.content.head), head);
    assert.ok(latin1(done.content.body) === `${text.slice(head.length)}the end\r\n`);
    assert.equal(bytes.buffer.detached, isGivenBack);
  }
});

test('the MSA completes a message: Date, Message-ID, From, Received without the client', () => {
  const text = submitted('Subject: x\r\n\r\nbody\r\n');
  assert.match(text, /^Received: from mx\.a\.test \(authenticated submission\)\r\n/);
  assert.match(text, /\r\nDate: Sun, 22 Nov 2026 05:00:00 \+0000\r\n/);
  assert.match(text, /\r\nMessage-ID: <QUEUE1@mx\.a\.test>\r\n/);
  assert.match(text, /\r\nFrom: ann@a\.test\r\n/);
  assert.ok(text.endsWith('Subject: x\r\n\r\nbody\r\n'));
  assert.doesNotMatch(text, /192\.0\.2\.9|desk\.ann/);
});

test('what is there stays as it was; Bcc goes', () => {
  const own =
    'Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <mine@x>\r\nFrom: ann@a.test\r\n';
  const text = submitted(`${own}Bcc: hidden@c.test,\r\n more@c.test\r\nX:  two\r\n\r\nbody\r\n`);
  assert.ok(text.endsWith(`${own}X:  two\r\n\r\nbody\r\n`));
  assert.equal(text.split('Message-ID').length, 2);
  assert.doesNotMatch(text, /hidden|more@/);
});

test('text without any header becomes the body of a message', () => {
  assert.ok(submitted('just words\r\n').endsWith('\r\n\r\njust words\r\n'));
  assert.ok(submitted('Subject: only a head\r\n').endsWith('Subject: only a head\r\n\r\n'));
});

test('the author must be the login, in each form that readers show', () => {
  const forged = [
    'From: bob@a.test',
    'From: ann@a.test, bob@b.test',
    'From: group: bob@b.test;',
    'From: "ann@a.test" <bob@b.test>',
    'From: (x) bob@b.test (ann@a.test)',
    'Sender: bob@b.test',
    'From: ann@a.test\r\nFrom: ann@a.test',
    'From: bob',
    'From: nothing that is one',
    'From: ',
    'Resent-From: bob@b.test',
  ];
  for (const line of forged) {
    const judged = submit(arrived(`${line}\r\n\r\nx`), facts, book, origin);
    assert.equal(judged.kind, 'refuse', line);
  }
  for (const line of ['From: Ann <ANN@A.test>', 'From: sales@a.test', 'From: ann+x@a.test']) {
    const judged = submit(arrived(`${line}\r\n\r\nx`), facts, book, origin);
    assert.equal(judged.kind, 'ready', line);
  }
});

test('bare names in address fields get our domain, everything else stays', () => {
  const text = submitted('From: Ann <ann>\r\nTo: bob, "C, D" <c@c.test>\r\nCc: e@e.test\r\n\r\nx');
  assert.match(text, /\r\nFrom: Ann <ann@a\.test>\r\n/);
  assert.match(text, /\r\nTo: bob@a\.test, "C, D" <c@c\.test>\r\n/);
  assert.match(text, /\r\nCc: e@e\.test\r\n/);
});

test('a head that begins with white space does not continue our trace', () => {
  const client = { ...facts.client, login: undefined };
  const judged = receive(arrived(' by evil.test\r\nSubject: x\r\n\r\nx'), { ...facts, client });
  assert.ok(judged.kind === 'ready');
  assert.match(latin1(judged.content.head), /\+0000\r\nX-Orphaned-Line:\r\n by evil/);
});

test('the MTA adds Received alone and stops loops', () => {
  const client = { ...facts.client, login: undefined };
  const judged = receive(arrived('Subject: x\r\n\r\nbody\r\n'), { ...facts, client });
  assert.ok(judged.kind === 'ready');
  assert.match(
    latin1(judged.content.head),
    /^Received: from desk\.ann\.example \(\[192\.0\.2\.9\]\)\r\n\tby mx\.a\.test with ESMTP\r\n/,
  );
  assert.ok(latin1(judged.content.head).endsWith('+0000\r\nSubject: x\r\n\r\n'));
  const hop = 'Received: from a by b; Sun, 22 Nov 2026 05:00:00 +0000\r\n';
  const own = 'Received: from a\r\n\tby MX.a.test with SMTP; Sun, 22 Nov 2026 05:00:00 +0000\r\n';
  for (const head of [hop.repeat(101), own.repeat(6)]) {
    const looped = receive(arrived(`${head}\r\nx`), { ...facts, client });
    assert.ok(looped.kind === 'refuse' && looped.reply.code === 554);
  }
  assert.equal(receive(arrived(`${own.repeat(2)}\r\nx`), { ...facts, client }).kind, 'ready');
});

test('facts for IMAP and search come from the head as it is stored', () => {
  const { content } = arrived(
    'From: Ann <ann@a.test>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\nx',
  );
  const found = factsOf(atOnce(describe({ content, structure: undefined })));
  assert.equal(found.subject, 'grüße');
  assert.match(latin1(found.envelope), /^\(NIL "=\?utf-8\?q\?gr=C3=BC=C3=9Fe\?=" /);
  assert.match(latin1(found.bodyStructure), /^\("text" "plain"/i);
});

test('a message that is itself message/rfc822 shows both envelopes', () => {
  const head = 'Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n';
  const { content } = arrived(`${head}Subject: inner\r\n\r\nx`);
  const found = factsOf(atOnce(describe({ content, structure: undefined })));
  assert.match(latin1(found.envelope), /"outer"/);
  assert.match(latin1(found.bodyStructure), /"inner"/);
  assert.doesNotMatch(latin1(found.bodyStructure), /"outer"/);
});

test('what was read while it came gives the facts of what is stored, by either agent', () => {
  const client = { ...facts.client, login: undefined };
  const heads = [
    'From: Ann <ann@a.test>\r\nSubject: x\r\nReferences: <r@x>\r\n\r\n',
    'From: ann@a.test\nTo: b@b.test\n\nseen as body: by LF alone\r\n\r\n',
    'From: ann@a.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n',
    ' orphan\r\nFrom: ann@a.test\r\n\r\n',
    'From: ann@a.test\r\nBcc: c@c.test\r\nDate: 1 Jan 2026 00:00:00 +0000\r\n\r\n',
    'From: ann@a.test\r\nSubject: cut off',
    '\r\n',
    'no header at all',
  ];
  for (const text of heads.flatMap((head) => [`${head}x\r\n--b--\r\n`, head])) {
    for (const judged of [
      receive(arrived(text), { ...facts, client }),
      submit(arrived(text), facts, book, origin),
    ]) {
      assert.ok(judged.kind === 'ready', text);
      const { content, structure } = judged;
      const anew = factsOf(atOnce(describe({ content, structure: undefined })));
      assert.deepEqual(factsOf(atOnce(describe({ content, structure }))), anew, text);
    }
  }
});
