/** Asks the questions of a fingerprint: harmless commands, and at most three mistakes a session. */

import { Failure } from '#base/failure.ts';
import type { ServiceContext } from '../../probe.ts';
import { greeted, imapSession, pop3Session, sieveSession, smtpSession } from '../../session.ts';
import { askSieve } from '../../wire/sieve.ts';
import { ask, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { isLost } from '../../wire/wire.ts';
import type { Question } from './signatures.ts';

/** Answers by question; a server that stops answering leaves the rest out. */
export async function collectAnswers(context: ServiceContext): Promise<Map<Question, string>> {
  switch (context.service.protocol) {
    case 'smtp':
    case 'lmtp':
      return smtpAnswers(context);
    case 'imap':
      return imapAnswers(context);
    case 'pop3':
      return pop3Answers(context);
    case 'sieve':
      return sieveAnswers(context);
  }
}

/** Exim drops whoever makes more than three mistakes; so two sessions with two each. */
async function smtpAnswers(context: ServiceContext): Promise<Map<Question, string>> {
  const { replyMs } = context.options;
  const answers = new Map<Question, string>();
  const first = await smtpSession(context).catch(Failure.from);
  if (first instanceof Failure) {
    if (first.kind === 'permanent') throw first;
    return withoutHello(context, first);
  }
  answers.set('greeting', replyText(first.greeting).replace(/^220 /, ''));
  answers.set('hello', first.ehlo.lines[0] ?? '');
  answers.set('capabilities', [...first.keywords.keys()].join(' '));
  const questions: readonly [Question, string][] = [
    ['help', 'HELP'],
    ['noop', 'NOOP'],
    ['reset', 'RSET'],
    ['unknown', 'XYZZY'],
    ['goodbye', 'QUIT'],
  ];
  await put(answers, questions, (line) => ask(first.wire, line, replyMs));
  const second = await smtpSession(context);
  const mistakes: readonly [Question, string][] = [
    ['sequence', `RCPT TO:<${context.recipients.foreign('nobody', context.token()).text}>`],
    ['data', 'DATA'],
    ['vrfy', 'VRFY postmaster'],
  ];
  await put(answers, mistakes, (line) => ask(second.wire, line, replyMs));
  second.wire.line('QUIT');
  return answers;
}

/** Where EHLO is refused, greeting and mistakes tell something all the same; else the failure. */
async function withoutHello(
  context: ServiceContext,
  failure: Failure,
): Promise<Map<Question, string>> {
  const { replyMs } = context.options;
  const { wire, greeting } = await greeted(context);
  if (greeting.code !== 220) throw failure;
  const answers = new Map<Question, string>([
    ['greeting', replyText(greeting).replace(/^220 /, '')],
  ]);
  const questions: readonly [Question, string][] = [
    ['noop', 'NOOP'],
    ['reset', 'RSET'],
    ['unknown', 'XYZZY'],
    ['goodbye', 'QUIT'],
  ];
  await put(answers, questions, (line) => ask(wire, line, replyMs));
  wire.close();
  return answers;
}

async function put(
  answers: Map<Question, string>,
  questions: readonly (readonly [Question, string])[],
  asking: (line: string) => Promise<SmtpReply | { readonly partial: Uint8Array }>,
): Promise<void> {
  for (const [question, line] of questions) {
    const reply = await asking(line);
    if ('partial' in reply) return;
    answers.set(question, replyText(reply));
  }
}

async function imapAnswers(context: ServiceContext): Promise<Map<Question, string>> {
  const session = await imapSession(context);
  const answers = new Map<Question, string>([
    ['greeting', session.greeting.text],
    ['capabilities', session.capabilities.join(' ')],
  ]);
  const unknown = await session.ask('XYZZY');
  answers.set('unknown', `${unknown.status.toUpperCase()} ${unknown.text}`);
  if (session.capabilities.includes('ID')) {
    const identity = await session.ask('ID NIL');
    answers.set('identity', identity.untagged.filter((line) => /^ID /i.test(line)).join(' '));
  }
  const goodbye = await session.ask('LOGOUT');
  const bye = goodbye.untagged.find((line) => /^BYE/i.test(line)) ?? '';
  const closing = goodbye.status === 'bye' ? `* BYE ${goodbye.text}` : `OK ${goodbye.text}`;
  answers.set('goodbye', bye === '' ? closing : `* ${bye} / ${closing}`);
  return answers;
}

async function pop3Answers(context: ServiceContext): Promise<Map<Question, string>> {
  const session = await pop3Session(context);
  const unknown = await session.ask('XYZZY');
  const answers = new Map<Question, string>([
    ['greeting', `+OK ${session.greeting.text}`],
    ['capabilities', session.capabilities.join(' ')],
    ['unknown', `${unknown.status === 'ok' ? '+OK' : '-ERR'} ${unknown.text}`],
  ]);
  const goodbye = await session.ask('QUIT');
  answers.set('goodbye', `${goodbye.status === 'ok' ? '+OK' : '-ERR'} ${goodbye.text}`);
  return answers;
}

async function sieveAnswers(context: ServiceContext): Promise<Map<Question, string>> {
  const { wire, capabilities } = await sieveSession(context);
  const answers = new Map<Question, string>([['capabilities', capabilities.join(' ')]]);
  const unknown = await askSieve(wire, 'XYZZY', context.options.replyMs);
  if (!isLost(unknown)) {
    answers.set('unknown', `${unknown.status.toUpperCase()} ${unknown.text}`);
  }
  return answers;
}
