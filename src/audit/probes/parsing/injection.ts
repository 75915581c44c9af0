/** Injection through addresses, parameters, names and logins: what lands in logs, headers, replies. */

import { Failure } from '#base/failure.ts';
import type { Check } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { smtpSession, type SmtpSession } from '../../session.ts';
import { ask, readReply, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { isLost, lossText } from '../../wire/wire.ts';
import * as checks from './checks.ts';
import { postmasterHere } from '../hygiene/transaction.ts';
import { senderDomain, userTls } from './command-lines.ts';

const REFLECTED = ['VRFY {t}\x0b\x1b[31m', 'X{t}\x1b[2J', 'EHLO {t}\x07', 'RCPT TO:<{t}\x08@x>'];
const HELO_NAMES = ['a\tb', 'a\x1b[31mb.invalid', 'a\rb.invalid'];
const LOCAL_PARTS = ['"a\rb"', '"a\0b"', '"a\x1b[31m"', 'a\tb'];

export const injection: ServiceProbe = {
  name: 'parameter-injection',
  scope: 'service',
  level: 'safe',
  checks: [
    checks.ADDRESS_CONTROL,
    checks.HELO_CONTROL,
    checks.PARAMETER_UNKNOWN,
    checks.PARAMETER_TWICE,
    checks.PARAMETER_CONTROL,
    checks.REPLY_BROKEN,
  ],
  fits: ({ protocol, role }) => protocol === 'smtp' && role !== 'access',
  run,
};

export const loginInjection: ServiceProbe = {
  name: 'login-injection',
  scope: 'service',
  // A failed login is counted against us.
  level: 'active',
  checks: [checks.LOGIN_CONTROL],
  fits: ({ protocol, role }) => protocol === 'smtp' && role !== 'access',
  run: logins,
};

async function run(context: ServiceContext): Promise<void> {
  await Promise.all([
    addresses(context),
    helloNames(context),
    tryEach(context, checks.PARAMETER_UNKNOWN, ['XAUDIT=1'], (text) => `MAIL FROM:<> ${text}`),
    twice(context),
    encoded(context),
    reflected(context),
  ]);
}

async function addresses(context: ServiceContext): Promise<void> {
  const domain = await senderDomain(context);
  const texts = LOCAL_PARTS.map((local) => `${local}@${domain}`);
  await tryEach(context, checks.ADDRESS_CONTROL, texts, (text) => `MAIL FROM:<${text}>`);
}

/** A name is believed when mail behind it comes as far as behind a good one. */
async function helloNames(context: ServiceContext): Promise<void> {
  const plain = await hello(context, undefined);
  for (const name of HELO_NAMES) {
    const odd = await hello(context, name);
    const seen = `EHLO ${JSON.stringify(name)}: ${odd.step} is answered with "${odd.said}"`;
    const isTaken = odd.step !== 'EHLO' && odd.step === plain.step && odd.code === plain.code;
    const more = { evidence: [odd.exchange], controls: { sanity: { passed: 1, of: 1 } } };
    context.tell((isTaken ? found : absent)(checks.HELO_CONTROL, seen, more));
  }
}

/** How far a session comes, with its own name or another: Postfix refuses names at RCPT. */
async function hello(context: ServiceContext, name: string | undefined) {
  const { wire } = await smtpSession(context, userTls(context));
  const waitMs = Math.min(context.options.replyMs, 1_500);
  const mail = ['MAIL FROM:<>', `RCPT TO:<${postmasterHere(context).text}>`];
  const lines = name === undefined ? mail : [`EHLO ${name}`, ...mail];
  let step = lines[0]?.split(' ', 1)[0] ?? '';
  let code = 0;
  let said = '';
  for (const [at, line] of lines.entries()) {
    const reply = await ask(wire, line, waitMs);
    said = isLost(reply) ? lossText(reply) : replyText(reply).slice(0, 120);
    code = isLost(reply) ? 0 : reply.code;
    // Where a bare CR ends a line, what is behind it is a command of its own.
    const isSplit = line.includes('\r') && code !== 0 && !isLost(await readReply(wire, 300));
    if (code !== 250 || isSplit) break;
    step = lines[at + 1]?.split(' ', 1)[0] ?? step;
  }
  wire.close();
  return { step, code, said, exchange: wire.exchange };
}

/** 250 to any of the texts; a session for each, with what is plain as the control. */
async function tryEach(
  context: ServiceContext,
  check: Check,
  texts: readonly string[],
  lineOf: (text: string) => string,
  tls = userTls(context),
): Promise<void> {
  for (const text of texts) {
    const session = await smtpSession(context, tls);
    const line = lineOf(text);
    if (line.startsWith('MAIL') && !(await plainMail(session, check, context))) return;
    const reply = await ask(session.wire, line, Math.min(context.options.replyMs, 1_500));
    // Where a bare CR ends a line, what is behind it is a command of its own.
    const next = text.includes('\r') && !isLost(reply) ? await readReply(session.wire, 300) : reply;
    const isSplit = next !== reply && !isLost(next);
    session.wire.close();
    const evidence = [session.wire.exchange];
    const controls = { sanity: { passed: 1, of: 1 } };
    const said = isLost(reply) ? lossText(reply) : replyText(reply);
    const seen = `${JSON.stringify(line)} is answered with "${said.slice(0, 120)}"`;
    const isTaken = !isLost(reply) && reply.code === 250 && !isSplit;
    context.tell((isTaken ? found : absent)(check, seen, { evidence, controls }));
  }
}

/** Who takes no sender at all shows nothing by refusing an odd one. */
async function plainMail(
  session: SmtpSession,
  check: Check,
  context: ServiceContext,
): Promise<boolean> {
  const plain = await session.ask('MAIL FROM:<>');
  if (plain.code === 250) {
    await session.ask('RSET');
    return true;
  }
  session.wire.close();
  const why = `MAIL FROM:<> is answered with "${replyText(plain)}"`;
  context.tell((plain.code >= 500 ? inapplicable : unclear)(check, why));
  return false;
}

async function twice(context: ServiceContext): Promise<void> {
  const { PARAMETER_TWICE } = checks;
  const session = await smtpSession(context, userTls(context));
  const size = session.keywords.has('SIZE');
  if (!size) {
    session.wire.close();
    context.tell(inapplicable(PARAMETER_TWICE, 'SIZE is not offered'));
    return;
  }
  session.wire.close();
  await tryEach(context, PARAMETER_TWICE, ['SIZE=10 SIZE=20'], (text) => `MAIL FROM:<> ${text}`);
}

async function encoded(context: ServiceContext): Promise<void> {
  const { PARAMETER_CONTROL } = checks;
  const { tls, session } = await sessionWithLogins(context);
  const { keywords, wire } = session;
  wire.close();
  const parameters = [
    ...(keywords.has('DSN') ? ['ENVID=a+0D+0AX-Audit:+20b'] : []),
    ...(keywords.has('AUTH') ? ['AUTH=a+0D+0Ab@x.invalid'] : []),
  ];
  if (parameters.length === 0) {
    context.tell(inapplicable(PARAMETER_CONTROL, 'neither DSN nor AUTH is offered'));
    return;
  }
  await tryEach(context, PARAMETER_CONTROL, parameters, (text) => `MAIL FROM:<> ${text}`, tls);
}

/** Logins are often offered under TLS alone; where it cannot be had, in clear. */
async function sessionWithLogins(context: ServiceContext) {
  const tls = { startTls: context.service.tls === 'starttls' };
  try {
    return { tls, session: await smtpSession(context, tls) };
  } catch (thrown) {
    const clear = userTls(context);
    if (clear.startTls || !tls.startTls || Failure.from(thrown).kind === 'permanent') throw thrown;
    return { tls: clear, session: await smtpSession(context, clear) };
  }
}

/** Replies must keep their form whatever they quote (RFC 5321 4.2.1): printable, under one code. */
async function reflected(context: ServiceContext): Promise<void> {
  const { REPLY_BROKEN } = checks;
  const said: string[] = [];
  for (const pattern of REFLECTED) {
    const token = context.token(8);
    const line = pattern.replace('{t}', token);
    const session = await smtpSession(context, userTls(context));
    session.wire.line(line);
    const reply = await readReply(session.wire, Math.min(context.options.replyMs, 1_500));
    session.wire.close();
    if (isLost(reply)) said.push(lossText(reply));
    else {
      const broken = brokenBy(reply, token);
      said.push(`"${replyText(reply).slice(0, 60)}"`);
      if (broken !== undefined) {
        const seen = `${JSON.stringify(line)} comes back as ${JSON.stringify(replyText(reply))}: ${broken}`;
        const evidence = [session.wire.exchange];
        // Control characters steer terminals; what breaks the form deceives programs.
        const severity = broken === 'control' ? 'low' : 'medium';
        context.tell(found(REPLY_BROKEN, seen, { evidence, severity }));
      }
    }
  }
  context.tell(absent(REPLY_BROKEN, `replies keep their form: ${said.join(', ').slice(0, 200)}`));
}

function brokenBy(reply: SmtpReply, token: string): string | undefined {
  const text = reply.lines.join('\n');
  // Only what we sent can have come back.
  if (!text.includes(token) && !reply.odd.includes('no-code')) return undefined;
  return reply.odd.length > 0 ? reply.odd.join(', ') : undefined;
}

const LOGIN_NAMES = ['{t}\r\nNOOP\r\n', '{t}\0\x1b[31m'];

async function logins(context: ServiceContext): Promise<void> {
  const { LOGIN_CONTROL } = checks;
  const { service, options } = context;
  for (const pattern of LOGIN_NAMES) {
    const session = await smtpSession(context, { startTls: service.tls === 'starttls' });
    const mechanisms = (session.keywords.get('AUTH') ?? '').toUpperCase().split(' ');
    if (!mechanisms.includes('PLAIN')) {
      session.wire.close();
      context.tell(inapplicable(LOGIN_CONTROL, 'AUTH PLAIN is not offered'));
      return;
    }
    const token = context.token(8);
    const name = pattern.replace('{t}', token);
    const octets = Buffer.from(`\0${name}\0not-a-password`, 'latin1').toString('base64');
    // Held back on purpose by many servers, so the answer has its time.
    const first = await ask(session.wire, `AUTH PLAIN ${octets}`, Math.max(options.replyMs, 6_000));
    const second = isLost(first) ? first : await readReply(session.wire, 300);
    session.wire.close();
    const words = [first, second].map((one) => (isLost(one) ? lossText(one) : replyText(one)));
    const seen = `a login as ${JSON.stringify(name)} is answered with ${JSON.stringify(words.join(' | '))}`;
    const evidence = [session.wire.exchange];
    if (isLost(first) && first.kind === 'timeout') {
      context.tell(unclear(LOGIN_CONTROL, seen, { evidence }));
      return;
    }
    const raw = !isLost(first) && (first.code === 235 || brokenBy(first, token) !== undefined);
    // One answer is due: a second one is to what stands in the name, or is part of it.
    const run = !isLost(second) && second.code !== 421;
    context.tell((raw || run ? found : absent)(LOGIN_CONTROL, seen, { evidence }));
  }
}
