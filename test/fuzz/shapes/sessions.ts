/** Shapes for the machines: floods, long lines, nested and repeated things, octet by octet. */

import type { AccountId, Domain, QueueId } from '#base/brand.ts';
import { fromLatin1, utf8 } from '#base/bytes.ts';
import type { Action, Machine } from '#protocol/machine.ts';
import { MemoryAccess } from '#protocol/imap/fixture-access.test.ts';
import { MemoryMail } from '#protocol/imap/fixture-mail.test.ts';
import { createImapMachine } from '#protocol/imap/machine.ts';
import { IMAP_DEFAULTS } from '#protocol/imap/options.ts';
import type { ImapAnswer, ImapFact, ImapQuestion } from '#protocol/imap/questions.ts';
import { pop3Server } from '#protocol/pop3/machine.ts';
import type { Pop3Answer, Pop3Fact, Pop3Question } from '#protocol/pop3/questions.ts';
import { smtpServer } from '#protocol/smtp/server/machine.ts';
import { SMTP_LIMITS } from '#protocol/smtp/server/options.ts';
import type { SmtpAnswer, SmtpFact, SmtpQuestion } from '#protocol/smtp/server/questions.ts';
import { Durable } from '#store/durable.ts';
import { type Shape, shape } from '../linear.ts';
import { TLS } from '../machine.ts';

const MANY = 2 ** 31;
const IDENTITY = { account: 7 as AccountId, address: 'user@demo.test' };

/** Feeds a machine as plainly as can be; the octets that came out. */
async function feed<Question, Answer, Fact>(
  machine: Machine<Question, Answer, Fact>,
  answer: (question: Question) => Answer | Promise<Answer>,
  octets: Uint8Array,
  piece: number,
): Promise<number> {
  let out = 0;
  const perform = async (first: Action<Question, Fact>[]): Promise<boolean> => {
    for (let list: Action<Question, Fact>[] | undefined = first; list !== undefined;) {
      let next: Action<Question, Fact>[] | undefined;
      for (const action of list) {
        if (action.kind === 'send') out += action.bytes.length;
        else if (action.kind === 'body' || action.kind === 'flush') next = machine.continue();
        else if (action.kind === 'start-tls') next = machine.secured(TLS);
        else if (action.kind === 'close') return false;
        else if (action.kind === 'ask') {
          const owed = answer(action.question);
          next = machine.answer(owed instanceof Promise ? await owed : owed);
        }
      }
      list = next;
    }
    return true;
  };
  let open = await perform(machine.start());
  for (let at = 0; at < octets.length && open; at += piece) {
    const actions = machine.receive(octets.subarray(at, at + piece));
    if (actions.length > 0) open = await perform(actions);
  }
  return out;
}

const SMTP = {
  hostname: 'mx.test' as Domain,
  nonce: () => utf8('0123456789abcdefgh'),
  auth: true,
  limits: {
    ...SMTP_LIMITS,
    lineBytes: MANY,
    authLineBytes: MANY,
    recipients: MANY,
    commands: MANY,
    errors: MANY,
    unknownCommands: MANY,
  },
};

function smtpAnswer(question: SmtpQuestion): SmtpAnswer {
  if (question.kind === 'content-end') {
    return { kind: 'accepted', durable: Durable.committed(1), id: 'Q1' as QueueId };
  }
  if (question.kind !== 'sasl') return { kind: 'proceed' };
  return { kind: 'sasl', answer: { kind: 'password', identity: undefined } };
}

const OPEN = 'EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n';
const DATA = `${OPEN}DATA\r\n`;

/** Lines as short as by default: what is longer is passed over. */
const SHORT = { ...SMTP, limits: { ...SMTP_LIMITS, skippedBytes: MANY, errors: MANY } };

function smtp(
  name: string,
  n: number,
  text: (n: number) => string,
  piece = 65_536,
  options: typeof SMTP = SMTP,
): Shape {
  const read = (octets: Uint8Array) =>
    feed<SmtpQuestion, SmtpAnswer, SmtpFact>(smtpServer(options, TLS), smtpAnswer, octets, piece);
  return shape('smtp-server', name, n, (size) => fromLatin1(text(size)), read);
}

const times =
  (unit: string, before = '', after = '') =>
  (n: number) =>
    before + unit.repeat(n) + after;

const SMTP_SHAPES: readonly Shape[] = [
  smtp('NOOP', 2_000, times('NOOP\r\n')),
  smtp('EHLO', 500, times('EHLO x\r\n')),
  smtp('empty lines', 2_000, times('\r\n')),
  smtp('unknown commands', 1_000, times('XYZZY\r\n')),
  smtp('RCPT', 500, times('RCPT TO:<c@d.test>\r\n', OPEN)),
  smtp('MAIL and RSET', 500, times('MAIL FROM:<a@b.test>\r\nRSET\r\n', 'EHLO x\r\n')),
  smtp('an endless line', 500_000, times('x'), 65_536, SHORT),
  smtp('an endless line in pieces', 500_000, times('x'), 100, SHORT),
  smtp('parameters', 2_000, times(' X', 'EHLO x\r\nMAIL FROM:<a@b.test>', '\r\n')),
  smtp(
    'parameters that are known',
    2_000,
    times(' SIZE=1', 'EHLO x\r\nMAIL FROM:<a@b.test>', '\r\n'),
  ),
  smtp('quotes in a path', 20_000, times('"', 'EHLO x\r\nMAIL FROM:<', '>\r\n')),
  smtp('backslashes in a path', 20_000, times('\\', 'EHLO x\r\nMAIL FROM:<"', '">\r\n')),
  smtp('a source route', 5_000, times('@x,', 'EHLO x\r\nMAIL FROM:<', ':a@b>\r\n')),
  smtp('at signs in a path', 20_000, times('@', 'EHLO x\r\nMAIL FROM:<a', 'b>\r\n')),
  smtp('xtext', 5_000, times('+41', `${OPEN}RCPT TO:<a@b.test> ORCPT=rfc822;`, '\r\n')),
  smtp('NOTIFY', 5_000, times('NEVER,', `${OPEN}RCPT TO:<a@b.test> NOTIFY=`, '\r\n')),
  smtp('blanks behind a command', 50_000, times(' ', 'NOOP', '\r\n')),
  smtp('AUTH in base64', 20_000, times('AAAA', 'EHLO x\r\nAUTH PLAIN ', '\r\n')),
  smtp('dotted lines', 10_000, times('..\r\n', DATA)),
  smtp('empty lines of content', 20_000, times('\r\n', DATA)),
  smtp('one line of content', 200_000, times('x', DATA)),
  smtp('content thrown away', 50_000, times('x\n', DATA)),
  smtp('almost ends of data', 10_000, times('\r\n.x', DATA)),
  smtp('content octet by octet', 5_000, times('a\r\n.b', DATA), 1),
  smtp('content thrown away octet by octet', 10_000, times('\n.', DATA), 1),
  smtp('BDAT of one octet', 1_000, times('BDAT 1\r\nx', OPEN)),
  smtp('BDAT of none', 1_000, times('BDAT 0\r\n', OPEN)),
  smtp('BDAT that is refused', 1_000, times('BDAT 1\r\nx')),
];

const IMAP_OPTIONS = {
  ...IMAP_DEFAULTS,
  lineBytes: MANY,
  literals: MANY,
  literalBytes: MANY,
  setElements: MANY,
  listItems: MANY,
  mailboxNameBytes: MANY,
  mailboxLevels: MANY,
  errors: MANY,
};

async function imapFeed(octets: Uint8Array, piece: number): Promise<number> {
  const mail = new MemoryMail();
  mail.deliver('INBOX', 'Subject: x\r\n\r\ntext\r\n');
  const access = new MemoryAccess(mail, () => undefined);
  const answer = async (question: ImapQuestion): Promise<ImapAnswer> => {
    if (question.kind === 'nonce') return { kind: 'nonce', bytes: utf8('nonce-nonce-nonce') };
    if (question.kind === 'store') return { kind: 'stored', value: await question.run(access) };
    return { kind: 'sasl', answer: { kind: 'password', identity: IDENTITY } };
  };
  const machine = createImapMachine(TLS, IMAP_OPTIONS);
  return feed<ImapQuestion, ImapAnswer, ImapFact>(machine, answer, octets, piece);
}

function imap(name: string, n: number, text: (n: number) => string, piece = 65_536): Shape {
  const before = 'a LOGIN user pencil\r\nb SELECT INBOX\r\n';
  const make = (size: number): Uint8Array => fromLatin1(before + text(size));
  return shape('imap-server', name, n, make, (octets) => imapFeed(octets, piece));
}

const IMAP_SHAPES: readonly Shape[] = [
  imap('NOOP', 1_000, times('t NOOP\r\n')),
  imap('BAD commands', 1_000, times('t XYZZY\r\n')),
  imap('literals in one command', 1_000, times('{1+}\r\nx ', 't SEARCH ', '\r\n')),
  imap('literals octet by octet', 500, times('{1+}\r\nx ', 't SEARCH ', '\r\n'), 1),
  imap(
    'one literal octet by octet',
    10_000,
    (n) => `t STATUS {${n}+}\r\n${'x'.repeat(n)} (MESSAGES)\r\n`,
    1,
  ),
  imap('a line octet by octet', 10_000, times('x', 't NOOP '), 1),
  imap('open parentheses', 20_000, times('(', 't SEARCH ', '\r\n')),
  imap('NOT', 10_000, times('NOT ', 't SEARCH ', 'ALL\r\n')),
  imap('OR', 10_000, times('OR ', 't SEARCH ', 'ALL ALL\r\n')),
  imap('search keys', 5_000, times('SEEN ', 't SEARCH ', 'ALL\r\n')),
  imap('search keys of text', 300, times('SUBJECT x ', 't SEARCH ', 'ALL\r\n')),
  imap('search keys of headers', 200, times('HEADER Subject x ', 't SEARCH ', 'ALL\r\n')),
  imap('a sequence set', 5_000, times('1,', 't FETCH ', '1 FLAGS\r\n')),
  imap('a set of ranges', 3_000, times('1:*,', 't FETCH ', '1 FLAGS\r\n')),
  imap(
    'a set that descends',
    3_000,
    (n) => `t UID FETCH ${Array.from({ length: n }, (_, at) => n - at).join()} FLAGS\r\n`,
  ),
  imap('a set in a search', 3_000, times('1,', 't SEARCH ', '1\r\n')),
  imap('FETCH items', 1_000, times('FLAGS ', 't FETCH 1 (', 'UID)\r\n')),
  imap('FETCH sections', 300, times('BODY.PEEK[HEADER] ', 't FETCH 1 (', 'UID)\r\n')),
  imap(
    'names in HEADER.FIELDS',
    3_000,
    times('A ', 't FETCH 1 BODY.PEEK[HEADER.FIELDS (', 'B)]\r\n'),
  ),
  imap('a deep section', 5_000, times('1.', 't FETCH 1 BODY.PEEK[', '1]\r\n')),
  imap('flags', 2_000, times('a ', 't STORE 1 +FLAGS (', 'b)\r\n')),
  imap('wildcards', 2_000, times('%*', 't LIST "" ', '\r\n')),
  imap('wildcards and letters', 2_000, times('*I', 't LIST "" ', '\r\n')),
  imap('patterns', 500, times('x* ', 't LIST "" (', 'y)\r\n')),
  imap('a name of shifts', 3_000, times('&AOk-', 't STATUS ', ' (MESSAGES)\r\n')),
  imap('a name of open shifts', 5_000, times('&', 't STATUS ', ' (MESSAGES)\r\n')),
  imap('a name of levels', 5_000, times('x/', 't STATUS ', 'x (MESSAGES)\r\n')),
  imap('escapes in a string', 10_000, times('\\\\', 't STATUS "', '" (MESSAGES)\r\n')),
  imap('quotes', 10_000, times('"', 't STATUS ', ' (MESSAGES)\r\n')),
  imap('STATUS items', 2_000, times('MESSAGES ', 't STATUS INBOX (', 'UNSEEN)\r\n')),
  imap('ID pairs', 1_000, times('"a" "b" ', 't ID (', '"c" "d")\r\n')),
  imap('IDLE and DONE', 500, times('t IDLE\r\nDONE\r\n')),
  imap(
    'APPEND of line ends',
    10_000,
    (n) => `t APPEND INBOX {${2 * n}+}\r\n${'x\n'.repeat(n)}\r\n`,
  ),
  imap('ENABLE', 2_000, times(' X', 't ENABLE', '\r\n')),
  imap('CREATE and DELETE', 200, times('t CREATE x\r\nt DELETE x\r\n')),
];

const DROP = `Subject: x\r\n\r\n`;

function pop3(
  name: string,
  n: number,
  text: (n: number) => string,
  body: (n: number) => string,
  piece = 65_536,
): Shape {
  const make = (size: number) => ({
    octets: fromLatin1(`USER user\r\nPASS pencil\r\n${text(size)}`),
    message: fromLatin1(DROP + body(size)),
  });
  return shape('pop3-server', name, n, make, ({ octets, message }) => {
    const answer = (question: Pop3Question): Pop3Answer => pop3Answer(question, message);
    const machine = pop3Server({ errors: MANY, lineBytes: MANY }, TLS);
    return feed<Pop3Question, Pop3Answer, Pop3Fact>(machine, answer, octets, piece);
  });
}

function pop3Answer(question: Pop3Question, message: Uint8Array): Pop3Answer {
  switch (question.kind) {
    case 'nonce':
      return { kind: 'nonce', bytes: utf8('nonce-nonce-nonce-nonce') };
    case 'sasl':
      return { kind: 'sasl', answer: { kind: 'password', identity: IDENTITY } };
    case 'open': {
      const one = { sizeBytes: () => message.length, headBytes: () => DROP.length };
      const maildrop = { count: 1, totalBytes: message.length, uniqueId: () => '1.1', ...one };
      return { kind: 'opened', maildrop };
    }
    case 'octets': {
      const { from, lengthBytes } = question;
      return { kind: 'octets', bytes: message.subarray(from, from + lengthBytes) };
    }
    case 'remove':
      return { kind: 'removed', durable: Durable.committed(1) };
  }
}

const nothing = (): string => '';

const POP3_SHAPES: readonly Shape[] = [
  pop3('NOOP', 2_000, times('NOOP\r\n'), nothing),
  pop3('errors', 2_000, times('XYZZY\r\n'), nothing),
  pop3('DELE and RSET', 1_000, times('DELE 1\r\nRSET\r\n'), nothing),
  pop3('a line in pieces', 50_000, times('x'), nothing, 1_000),
  pop3('RETR of dots', 10_000, () => 'RETR 1\r\n', times('.\r\n')),
  pop3('RETR of bare LF', 20_000, () => 'RETR 1\r\n', times('\n')),
  pop3('TOP of many lines', 20_000, () => 'TOP 1 99999999\r\n', times('.\r\n')),
];

export const SESSION_SHAPES: readonly Shape[] = [...SMTP_SHAPES, ...IMAP_SHAPES, ...POP3_SHAPES];
