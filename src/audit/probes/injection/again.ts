/** STARTTLS where it must not be: under TLS once more, and within a mail transaction. */

import { absent, found, inapplicable, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { injectionCheck } from './cures.ts';
import { dialectOf } from './dialect.ts';
import { introduced } from './session.ts';

const TWICE = injectionCheck('starttls-twice', 'low', 'A second STARTTLS is taken under TLS', {
  means:
    'The server begins TLS within TLS, or worse, forgets the first one: states that nobody tested.',
  doesNotMean: 'Nothing is readable because of it.',
  rfc: ['RFC 3207 4.2', 'RFC 2595 3.1', 'RFC 2595 4'],
});
const IN_MAIL = injectionCheck(
  'starttls-in-transaction',
  'info',
  'STARTTLS is taken within a mail transaction',
  {
    means: 'What was said in clear stands beside what TLS protects, unless all of it is forgotten.',
    doesNotMean: 'Whether it is remembered is another check (plaintext.starttls-state-kept).',
    rfc: ['RFC 3207 4.2'],
  },
);

export const startTlsAgain: ServiceProbe = {
  name: 'starttls-again',
  scope: 'service',
  level: 'safe',
  checks: [TWICE, IN_MAIL],
  fits: ({ tls }) => tls === 'starttls',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  context.tell(await twice(context));
  context.tell(await inTransaction(context));
}

async function twice(context: ServiceContext): Promise<Outcome> {
  const { replyMs, heloName } = context.options;
  const dialect = dialectOf(context.service.protocol, heloName);
  const wire = await introduced(context, dialect);
  wire.line(dialect.startTls);
  const agreed = await dialect.answer(wire, replyMs);
  if (agreed === undefined || !dialect.agrees(agreed)) {
    return unclear(TWICE, `STARTTLS is answered with ${agreed ?? 'nothing'}`);
  }
  const secured = await wire.startTls(context.service.host, replyMs);
  if (secured.kind !== 'secure') return unclear(TWICE, `no TLS: ${secured.why}`);
  if (dialect.greetsAgain) await dialect.answer(wire, replyMs);
  // SMTP wants an introduction first: without one the refusal could be about that.
  if (dialect.introduction !== undefined) {
    wire.line(dialect.introduction);
    await dialect.answer(wire, replyMs);
  }
  wire.line(dialect.startTls);
  const second = await dialect.answer(wire, replyMs);
  wire.close();
  const seen = `the second one is answered with ${second ?? 'the end of the connection'}`;
  return second !== undefined && dialect.agrees(second) ? found(TWICE, seen) : absent(TWICE, seen);
}

/** In clear, and nobody is named: no mail could come of it. */
async function inTransaction(context: ServiceContext): Promise<Outcome> {
  const { protocol } = context.service;
  if (protocol !== 'smtp' && protocol !== 'lmtp') {
    return inapplicable(IN_MAIL, 'only SMTP has a transaction before the login');
  }
  const { replyMs, heloName } = context.options;
  const dialect = dialectOf(protocol, heloName);
  const wire = await introduced(context, dialect);
  wire.line('MAIL FROM:<>');
  const begun = await dialect.answer(wire, replyMs);
  if (begun === undefined) return unclear(IN_MAIL, 'no answer to MAIL');
  if (!begun.startsWith('250')) {
    wire.close();
    return inapplicable(IN_MAIL, `no transaction in clear: MAIL is answered with ${begun}`);
  }
  wire.line(dialect.startTls);
  const answer = await dialect.answer(wire, replyMs);
  wire.close();
  const seen = `after MAIL it is answered with ${answer ?? 'the end of the connection'}`;
  return answer !== undefined && dialect.agrees(answer)
    ? found(IN_MAIL, seen)
    : absent(IN_MAIL, seen);
}
