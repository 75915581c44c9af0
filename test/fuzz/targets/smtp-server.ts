/** The SMTP and LMTP server machine under any octets, in any pieces, with a host at random. */

import { smtpServer } from '#protocol/smtp/server/machine.ts';
import type { SmtpAnswer, SmtpFact, SmtpQuestion } from '#protocol/smtp/server/questions.ts';
import { Chance } from '../chance.ts';
import { corpus } from '../corpus.ts';
import { feed, livedAgain } from '../cuts.ts';
import { expand } from '../grammar.ts';
import { Driven, mustBeLines, TLS } from '../machine.ts';
import { serverOptions, sinkFails, SmtpModel } from '../smtp-model.ts';
import { type Case, type Cutting, must, same, type Target } from '../target.ts';

const RULES = {
  start: ['{hello}{mail}{end}', '{hello}{mail}{mail}{end}', '{any}{any}{any}{any}{any}'],
  any: ['{hello}', '{mail}', '{line}', '{auth}', '{tls}', '{chunks}', '{message}', '{end}'],
  hello: [
    'EHLO client.test\r\n',
    'HELO x\r\n',
    'LHLO x\r\n',
    'EHLO [192.0.2.1]\r\n',
    '{tls}{hello}',
  ],
  tls: ['STARTTLS\r\n', 'STARTTLS\r\nEHLO x\r\n', 'STARTTLS x\r\n'],
  mail: ['{from}{rcpt}{data}', '{from}{rcpt}{rcpt}{data}', '{from}{rcpt}{chunks}', '{auth}{mail}'],
  from: ['MAIL FROM:<a@b.test>{parameters}\r\n', 'MAIL FROM:<>\r\n', 'mail from:{path}\r\n'],
  rcpt: ['RCPT TO:<c@d.test>{notify}\r\n', 'RCPT TO:{path}\r\n', 'RCPT TO:<postmaster>\r\n'],
  parameters: [
    '',
    '',
    ' SIZE={number}',
    ' BODY=8BITMIME',
    ' BODY=BINARYMIME',
    ' SMTPUTF8',
    ' AUTH=<>',
  ],
  notify: [
    '',
    '',
    ' NOTIFY=NEVER',
    ' NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@c.test',
    ' ORCPT=x',
  ],
  path: [
    '<a@b.test>',
    '<"a b"@c.test>',
    '<@x,@y:a@d.test>',
    '<a@[127.0.0.1]>',
    '<a@[IPv6:::1]>',
    '< a@b >',
    'a@b',
    '<a@b@c>',
    '<"\\"\r\nRCPT TO:<x@y>"@d>',
    '<jos\xc3\xa9@d.test>',
  ],
  data: ['DATA\r\n{message}', 'DATA\r\n{message}', 'DATA\r\n', 'DATA x\r\n'],
  message: ['{text}\r\n.\r\n', '{text}{ending}{hello}', '.\r\n', '\r\n.\r\n', '..\r\n.\r\n'],
  ending: [
    '\n.\n',
    '\r\n.\n',
    '\n.\r\n',
    '\r.\r\n',
    '\r\n.\r',
    '\r\n.\r\r\n',
    '\r\n.\0\r\n',
    '\r\n..\r\n',
  ],
  text: [
    '',
    'Subject: x\r\n\r\nbody',
    '.a\r\n..\r\n.',
    'a\rb',
    'a\nb',
    '\0',
    '{text}\r\n{text}',
    'x',
  ],
  chunks: [
    'BDAT 3 LAST\r\nabc',
    'BDAT 2\r\na\rBDAT 1 LAST\r\n\n',
    'BDAT {number}\r\nxyz',
    'BDAT 0 LAST\r\n',
  ],
  number: ['3', '0', '1', '10', '99999', '-1', '0x10', '18446744073709551616', '99999999999999999'],
  auth: [
    'AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n',
    'AUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n',
    'AUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\n',
    'AUTH SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiYw==\r\nYz1iaXdzLHI9YWJj\r\n',
    'AUTH PLAIN =\r\n',
    'AUTH LOGIN\r\n*\r\n',
    'AUTH\r\n',
  ],
  line: [
    'NOOP\r\n',
    'RSET\r\n',
    'VRFY alice\r\n',
    'EXPN x\r\n',
    'HELP\r\n',
    'XYZZY\r\n',
    '\r\n',
    'GET / HTTP/1.1\r\n',
  ],
  end: ['QUIT\r\n', '', 'QUIT now\r\n'],
};

/** Octets of a reply line with its CRLF (RFC 5321 4.5.3.1.5); a SASL challenge may have more. */
const REPLY_OCTETS = 512;
/** Violations that only the cutting of the input shows (see `smtpServer`). */
const BY_CHUNKING = /tell \{"kind":"violation","what":"(?:starttls-injection|early-content)"\}/;

export const smtp: Target = {
  name: 'smtp-server',
  seeds: corpus('src/protocol/smtp'),
  generate: (chance) => expand(RULES, 'start', chance),
  maxOctets: 2_000,
  async run(one) {
    // How much a sink has taken before it fails depends on the cutting.
    if (sinkFails(one.setup)) await session(one, 'octets');
    else await livedAgain(one, session, compare, ['cuts', 'more cuts']);
  },
};

type Session = Driven<SmtpQuestion, SmtpAnswer, SmtpFact>;

async function session(one: Case, how: Cutting): Promise<Session> {
  const chance = new Chance(one.setup, 'smtp');
  const { options, secure } = serverOptions(chance);
  const model = new SmtpModel(one.setup, options, secure, one.octets);
  const driven: Session = new Driven(smtpServer(options, secure ? TLS : undefined), model, false);
  if (how === 'octets') model.exact = () => driven.fed;
  // Most clients wait after STARTTLS: without a cut there, no case would ever get behind it.
  const upgrade = new Chance(one.setup, 'waits').once(8) ? undefined : /STARTTLS\r\n/gi;
  await feed(driven, one, how, { chance, rare: 10, upgrade });
  for (const line of mustBeLines(driven.output, 20_000)) {
    must(/^[2-5]\d\d[ -][^\x00-\x1f\x7f]*$/.test(line), 'a reply is a code and text', line);
    must(line.length + 2 <= REPLY_OCTETS || line.startsWith('334 '), 'a reply is too long', line);
  }
  return driven;
}

function compare(a: Session, b: Session): void {
  const [one, two] = [a.log.join('\n'), b.log.join('\n')];
  const cut = [one, two].map((text) => BY_CHUNKING.exec(text)?.index ?? Infinity);
  const until = Math.min(...cut);
  const same1 = until === Infinity ? one : one.slice(0, until - 1);
  const same2 = until === Infinity ? two : two.slice(0, until - 1);
  const shorter = until === Infinity ? Infinity : Math.min(same1.length, same2.length);
  same(same1.slice(0, shorter), same2.slice(0, shorter), 'any chunking gives the same actions');
  if (until === Infinity) same(a.output, b.output, 'any chunking gives the same output');
}
