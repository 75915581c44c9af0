/** The IMAP server machine over a store in memory that fails at random. */

import type { AccountId } from '#base/brand.ts';
import { utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Access } from '#protocol/imap/access.ts';
import { MemoryAccess } from '#protocol/imap/fixture-access.test.ts';
import { MemoryMail } from '#protocol/imap/fixture-mail.test.ts';
import { createImapMachine } from '#protocol/imap/machine.ts';
import { IMAP_DEFAULTS, type ImapOptions } from '#protocol/imap/options.ts';
import type { ImapAnswer, ImapFact, ImapQuestion } from '#protocol/imap/questions.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { compareSessions, feed, livedAgain } from '../cuts.ts';
import { expand } from '../grammar.ts';
import { readResponses } from '../imap-syntax.ts';
import { Driven, type Outside, TLS } from '../machine.ts';
import { MAILS } from '../mails.ts';
import { type Case, type Cutting, must, type Target } from '../target.ts';

const RULES = {
  start: [
    '{in}{commands}',
    '{in}{select}{commands}',
    '{in}{select}{commands}',
    '{before}{in}{commands}',
  ],
  in: [
    'a LOGIN user pencil\r\n',
    'a LOGIN {6}\r\nuser{literal}pencil\r\n',
    'a AUTHENTICATE PLAIN AHVzZXIAcGVuY2ls\r\n',
  ],
  literal: [' {6}\r\n', ' {6+}\r\n'],
  before: [
    'a STARTTLS\r\n',
    'a CAPABILITY\r\n',
    'a AUTHENTICATE LOGIN\r\nxx\r\n',
    'a LOGIN x y\r\n',
    'a LOGOUT\r\n',
  ],
  select: [
    'b SELECT INBOX\r\n',
    'b EXAMINE inbox\r\n',
    'b SELECT {name}\r\n',
    'b SELECT INBOX (CONDSTORE)\r\n',
  ],
  commands: ['{command}{command}{command}', '{command}{command}{command}{commands}'],
  command: [
    't {fetch}\r\n',
    't {search}\r\n',
    't {store}\r\n',
    't {box}\r\n',
    't {other}\r\n',
    '{append}',
    '{idle}',
  ],
  fetch: ['{uid}FETCH {set} {items}', '{uid}FETCH {set} ({items} {items})', '{uid}FETCH 1:* ALL'],
  uid: ['', '', 'UID '],
  set: ['1', '1:*', '*', '*:1', '2,1:3', '4294967295:1', '0', '1:4294967296', '1,2,1,2,1,2'],
  items: [
    'FLAGS',
    'ENVELOPE',
    'BODYSTRUCTURE',
    'BODY',
    'UID',
    'INTERNALDATE',
    'RFC822.SIZE',
    'RFC822',
    'MODSEQ',
    'BODY[{section}]{partial}',
    'BODY.PEEK[{section}]{partial}',
    'BINARY[{section}]',
    'FAST',
  ],
  section: [
    '',
    'HEADER',
    'TEXT',
    '1',
    '1.MIME',
    '2.1',
    '1.1.1.1',
    'HEADER.FIELDS (SUBJECT FROM)',
    'HEADER.FIELDS.NOT (TO)',
    '1.HEADER',
    '1.TEXT',
  ],
  partial: ['', '', '<0.10>', '<5.4294967295>', '<4294967295.1>', '<0.0>'],
  search: [
    '{uid}SEARCH {keys}',
    '{uid}SEARCH RETURN (ALL COUNT) {keys}',
    '{uid}SEARCH CHARSET UTF-8 {keys}',
  ],
  keys: ['{key}', '{key} {key}', '({keys} {key})', 'NOT {key}', 'OR {key} {key}', 'NOT NOT {keys}'],
  key: [
    'ALL',
    'SEEN',
    'UNKEYWORD $x',
    'SUBJECT x',
    'FROM "a b"',
    'TEXT {3+}\r\nabc',
    'BODY dot',
    'HEADER Subject ""',
    'HEADER X-None x',
    'SINCE 1-Feb-2020',
    'BEFORE 31-Feb-9999',
    'SENTON 22-Nov-2026',
    'LARGER 10',
    'SMALLER 4294967295',
    'UID {set}',
    '{set}',
    'MODSEQ 1',
    'OLDER 0',
    'YOUNGER 1',
  ],
  store: [
    '{uid}STORE {set} {mode}FLAGS{silent} ({flags})',
    '{uid}STORE 1 (UNCHANGEDSINCE 1) +FLAGS ({flags})',
  ],
  mode: ['', '+', '-'],
  silent: ['', '.SILENT'],
  flags: ['\\Seen', '\\Deleted', '$Label', '\\Seen \\Flagged', '', '\\Recent', '__proto__'],
  box: [
    'CREATE {name}',
    'DELETE {name}',
    'RENAME {name} {name}',
    'SUBSCRIBE {name}',
    'UNSUBSCRIBE {name}',
    'STATUS {name} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE HIGHESTMODSEQ)',
    'LIST "" {pattern}',
    'LIST (SUBSCRIBED) "" ({pattern} {pattern}) RETURN (CHILDREN STATUS (MESSAGES))',
    'LSUB "" {pattern}',
    '{uid}COPY {set} {name}',
    '{uid}MOVE {set} {name}',
  ],
  name: [
    'INBOX',
    'Sent',
    'a/b',
    '"a b"',
    '&AOk-',
    '&Jjo',
    '"\\"\\\\"',
    '../x',
    '{3+}\r\nx/y',
    'a//b',
    '__proto__',
    '%',
    '{n}',
  ],
  n: ['{2+}\r\n\xc3\xa9'],
  pattern: ['*', '%', '""', '%*%*%*', 'a*b%c', 'INBOX', '*&AOk-*'],
  other: [
    'NOOP',
    'CHECK',
    'CLOSE',
    'UNSELECT',
    'EXPUNGE',
    'UID EXPUNGE {set}',
    'CAPABILITY',
    'NAMESPACE',
    'ID NIL',
    'ID ("name" "x")',
    'ENABLE CONDSTORE',
    'LOGOUT',
    'XYZZY',
    'STARTTLS',
  ],
  append: [
    't APPEND INBOX {12}\r\nSubject: x\r\n\r\n',
    't APPEND {name} (\\Seen) "22-Nov-2026 05:00:00 +0000" {5+}\r\na\r\nb\n\r\n',
    't APPEND INBOX {4+}\r\nabcd {4+}\r\nabcd\r\n',
    't APPEND INBOX {0+}\r\n\r\n',
  ],
  idle: ['t IDLE\r\nDONE\r\n', 't IDLE\r\nt NOOP\r\n', 't IDLE\r\nDONE\r\nt NOOP\r\n'],
};

export const imap: Target = {
  name: 'imap-server',
  seeds: corpus('src/protocol/imap'),
  generate: (chance) => expand(RULES, 'start', chance),
  maxOctets: 2_000,
  run: (one) =>
    livedAgain(one, session, (a, b) =>
      // The octets of an upload come in as many pieces as they were cut into.
      compareSessions(a, b, (log) => log.filter((line, at) => line !== log[at - 1]).join('\n')),
    ),
};

type Session = Driven<ImapQuestion, ImapAnswer, ImapFact>;

async function session(one: Case, how: Cutting): Promise<Session> {
  const chance = new Chance(one.setup, 'imap');
  const options = optionsFrom(chance);
  const host = new Host(new Chance(one.setup, 'host'));
  const secure = chance.once(6) ? undefined : TLS;
  const driven: Session = new Driven(createImapMachine(secure, options), host, false);
  await feed(driven, one, how, { chance, rare: 12, upgrade: /STARTTLS\r\n/gi });
  // The one that the end of the connection interrupted is the host's to discard.
  must(host.access.openUploads <= 1, 'every upload was kept or given back');
  readResponses(driven.output, true);
  return driven;
}

function optionsFrom(chance: Chance): Partial<ImapOptions> {
  if (chance.once(2)) return {};
  return {
    // Not below the longest tag: no line that is given up is shorter than that.
    lineBytes: chance.pick([110, 1_000, IMAP_DEFAULTS.lineBytes]),
    lineBytesBeforeLogin: chance.pick([110, 1_000]),
    literalBytes: chance.pick([0, 5, 100]),
    literals: chance.pick([1, 10]),
    messageBytes: chance.pick([5, 1_000]),
    swallowBytes: chance.pick([3, 1_000]),
    swallowBytesBeforeLogin: chance.pick([0, 100]),
    depth: chance.pick([1, 3]),
    setElements: chance.pick([1, 4]),
    listItems: chance.pick([1, 3, 20]),
    mailboxNameBytes: chance.pick([5, 100]),
    mailboxLevels: chance.pick([1, 2]),
    errors: chance.pick([1, 3, 100]),
    commandsBeforeLogin: chance.pick([2, 60]),
    loginFailures: chance.pick([1, 2]),
    sliceBytes: chance.pick([1, 7, 64, 65_536]),
    batchRows: chance.pick([1, 2, 250]),
    startTls: chance.once(2),
  };
}

/** Knows one login; its store fails now and then, always at the same call. */
class Host implements Outside<ImapQuestion, ImapAnswer, ImapFact> {
  readonly access: MemoryAccess;
  readonly #store: Access;
  readonly #chance: Chance;

  constructor(chance: Chance) {
    const mail = new MemoryMail();
    for (let left = chance.below(4); left > 0; left--) mail.deliver('INBOX', chance.pick(MAILS));
    mail.create('Sent', chance.once(2) ? '\\Sent' : undefined);
    this.access = new MemoryAccess(mail, () => undefined);
    const often = chance.pick([0, 0, 5, 20]);
    this.#store = failing(this.access, () => often > 0 && chance.once(often));
    this.#chance = chance;
  }

  answer(question: ImapQuestion): Promise<ImapAnswer | Failure> | ImapAnswer | Failure {
    if (question.kind === 'nonce') return { kind: 'nonce', bytes: utf8('nonce-nonce-nonce') };
    if (question.kind === 'store') return this.#stored(question);
    const asked = question.question;
    if (this.#chance.once(30)) return Failure.temporary('login-delayed', 'wait');
    const known = asked.login === 'user';
    const identity = known ? { account: 7 as AccountId, address: 'user@demo.test' } : undefined;
    if (asked.kind === 'scram') {
      const key = new Uint8Array(32);
      const keys = { salt: utf8('salt'), iterations: 4_096, storedKey: key, serverKey: key };
      return { kind: 'sasl', answer: { kind: 'scram', identity, ...keys } };
    }
    const right = asked.password.reveal() === 'pencil';
    return {
      kind: 'sasl',
      answer: { kind: 'password', identity: right ? identity : undefined },
    };
  }

  async #stored(question: ImapQuestion & { kind: 'store' }): Promise<ImapAnswer | Failure> {
    must(question.who.account === 7, 'work for the account that logged in');
    try {
      return { kind: 'stored', value: await question.run(this.#store) };
    } catch (thrown) {
      if (thrown instanceof Failure) return thrown;
      throw thrown;
    }
  }
}

/** The same access, failing when `fails` says so; nobody hears of what others do. */
function failing(access: MemoryAccess, fails: () => boolean): Access {
  return new Proxy<Access>(access, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (name === 'watch') return () => undefined;
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        if (fails()) throw Failure.temporary('disk', 'the disk is gone');
        return Reflect.apply(member, target, given);
      };
    },
  });
}
