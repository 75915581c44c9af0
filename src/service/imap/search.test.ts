/** SEARCH with the index against SEARCH without it: on the real store both must say the same. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { latin1, utf8 } from '#base/bytes.ts';
import { Secure } from '#base/secure.ts';
import { messageFacts } from '#message/facts.ts';
import { readStructure } from '#message/scanner.ts';
import { systemClock } from '#network/clock.ts';
import type { Access } from '#protocol/imap/access.ts';
import { createImapMachine } from '#protocol/imap/machine.ts';
import type { ImapAction } from '#protocol/imap/machine.ts';
import type { ImapAnswer, ImapQuestion } from '#protocol/imap/questions.ts';
import type { AppendedMessage } from '#store/operations.ts';
import { addAccount, factsOf, mailboxOf, messageOf, openTestStore } from '#test/engine/fixture.ts';
import { AccountAccess } from './access.ts';

const WORDS = 'alpha Beta gr\u00fcn delta straße zulu \u{1f600} \u039f\u0394\u039f\u03a3 x-y'.split(
  ' ',
);
const NEEDLES = [
  'alpha',
  'ALPHA BETA',
  'gr\u00dcn',
  'stra\u00dfe',
  'zulu17',
  'n\u00f6',
  '\u{1f600}',
];
NEEDLES.push(
  'al',
  'x-mark: m4',
  'm4',
  'tail',
  'q=3D',
  '\u03bf\u03b4\u03bf\u03c2',
  'Beta gr',
  'no such',
);

/** A letter whose words, encodings and parts depend on its number. */
function letter(number: number): AppendedMessage {
  const words = WORDS.filter((_word, at) => (number * 7 + at * at) % 3 === 0).join(' ');
  const text = `${words} zulu${number}\r\nn\u00f6ch  q=${number} tail`;
  const encoded = Buffer.from(text).toString('base64');
  const quoted = text.replace(/[=\u0080-\u{1ffff}]/gu, (one) =>
    [...Buffer.from(one)].map((octet) => `=${octet.toString(16).toUpperCase()}`).join(''),
  );
  const type = 'Content-Type: text/plain; charset=utf-8\r\n';
  const bodies = [
    `${type}\r\n${text}\r\n`,
    `${type}Content-Transfer-Encoding: base64\r\n\r\n${encoded}\r\n`,
    `${type}Content-Transfer-Encoding: quoted-printable\r\n\r\n${quoted}\r\n`,
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${type}\r\n${text}\r\n--b\r\n` +
      `Content-Type: message/rfc822\r\n\r\nX-Mark: inner m${number}\r\n\r\n${words}\r\n--b--\r\n`,
  ];
  const subject = `=?utf-8?b?${Buffer.from(words).toString('base64')}?=`;
  const head = `From: "Beta \\"${words.length}\\"" <alpha@a.test>\r\nSubject: ${subject}\r\nX-Mark: m${number}`;
  const octets = `${head}\r\n${bodies[number % bodies.length]}`;
  const cut = octets.indexOf('\r\n\r\n') + 4;
  const content = { head: utf8(octets.slice(0, cut)), body: utf8(octets.slice(cut)) };
  const { root } = readStructure([content.head, content.body]);
  const flags = number % 3 === 0 ? ['\\Seen'] : [];
  return messageOf({
    content,
    flags,
    facts: { ...factsOf(), ...messageFacts(content.head, root) },
  });
}

/** Runs commands on a machine over `access`; returns what it says. */
async function session(
  access: Access,
  login: { readonly account: number; readonly address: string },
): Promise<(line: string) => Promise<string>> {
  const facts = { protocol: 'TLSv1.3', cipher: 'x', serverName: undefined } as const;
  const tls = { ...facts, peer: { kind: 'not-asked' }, channelBinding: {} } as const;
  const machine = createImapMachine(
    Secure.established(tls as unknown as Parameters<typeof Secure.established>[0]),
  );
  const answer = async (question: ImapQuestion): Promise<ImapAnswer> => {
    if (question.kind === 'nonce') return { kind: 'nonce', bytes: new Uint8Array(24) };
    if (question.kind === 'store') return { kind: 'stored', value: await question.run(access) };
    const identity = login as { account: never; address: string };
    return { kind: 'sasl', answer: { kind: 'password', identity } };
  };
  const perform = async (first: ImapAction[]): Promise<string> => {
    let said = '';
    let actions = first;
    for (let at = 0; at < actions.length; at += 1) {
      const action = actions[at]!;
      if (action.kind === 'send') said += latin1(action.bytes);
      if (action.kind !== 'ask' && action.kind !== 'flush') continue;
      actions =
        action.kind === 'ask' ? machine.answer(await answer(action.question)) : machine.continue();
      at = -1;
    }
    return said;
  };
  await perform(machine.start());
  return async (line) => perform(machine.receive(utf8(`${line}\r\n`)));
}

test('the index changes no answer of SEARCH', async (t) => {
  const it = await openTestStore(t);
  const account = await addAccount(it);
  const { id } = await mailboxOf(it, account);
  const messages = Array.from({ length: 210 }, (_, at) => letter(at + 1));
  await it.do('append', { mailbox: id, messages });
  for (let turn = 0; turn < 5; turn += 1) await it.do('ledger', { entries: [] });
  assert.deepEqual(it.row('SELECT count(*) FROM search_blocks'), [3]);
  const { nowMs } = it.clock;
  await it.do('expunge', { mailbox: id, uids: [[5, 20]], onlyDeleted: false, nowMs });
  const open = (): AccountAccess =>
    new AccountAccess({ store: it.store, clock: systemClock }, account, () => undefined);
  const scanned = open();
  scanned.mayHold = () => [[1, 0xffff_ffff]];
  const login = { account, address: 'alice@demo.test' };
  const indexed = await session(open(), login);
  const scanning = await session(scanned, login);
  for (const run of [indexed, scanning]) {
    assert.match(await run('a LOGIN alice@demo.test x'), /a OK/);
    assert.match(await run('b SELECT INBOX'), /b OK/);
  }
  let found = 0;
  for (const needle of NEEDLES) {
    const text = `{${utf8(needle).length}+}\r\n${needle}`;
    const other = `{${utf8('zulu1').length}+}\r\nzulu1`;
    for (const keys of [
      `TEXT ${text}`,
      `BODY ${text}`,
      `SUBJECT ${text}`,
      `FROM ${text}`,
      `HEADER X-Mark ${text}`,
      `NOT TEXT ${text}`,
      `OR BODY ${text} (SEEN SUBJECT ${text})`,
      `UNSEEN NOT SUBJECT ${text} TEXT ${other}`,
      `30:190 OR NOT BODY ${text} TEXT ${other}`,
    ]) {
      const line = `c UID SEARCH ${keys}`;
      const answer = await indexed(line);
      assert.match(answer, /\r\nc OK/, line);
      assert.equal(answer, await scanning(line), line);
      found += answer.split(' ').length;
    }
  }
  assert.ok(found > 3_000, `${found}: the needles are in the mail`);
});
