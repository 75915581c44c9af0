/** Submitting with the operator's account to our canary: what goes in, and what comes out there. */

import { asBuffer, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import { isLoopback } from '#base/ip.ts';
import { Secret } from '#base/secret.ts';
import type { Canary, ProbeAccount, ServiceContext } from '../probe.ts';
import { smtpSession, type SmtpSession } from '../session.ts';
import { ask, readReply, replyText } from '../wire/smtp.ts';
import { isLost, lossText, type Wire } from '../wire/wire.ts';

/** The account and the canary, without which nothing can be submitted. */
export interface Submitter {
  readonly account: ProbeAccount;
  readonly canary: Canary;
  /** An address that the account may write as. */
  readonly sender: string;
}

export interface Submitted {
  readonly accepted: boolean;
  readonly answer: string;
  readonly wire: Wire;
}

/** What the operator gave, or what is missing. */
export function submitterOf({ options }: ServiceContext): Submitter | string {
  const { account, canary, domains } = options;
  if (account === undefined) return 'no account was given (--account)';
  if (canary === undefined) return 'no canary runs (--canary)';
  const { login } = account;
  const [domain] = domains;
  if (!login.includes('@') && domain === undefined) return 'no domain is known (--domain)';
  return { account, canary, sender: login.includes('@') ? login : `${login}@${domain}` };
}

/** What is said beside the usual. */
export interface Words {
  /** Another name in EHLO. */
  readonly heloName?: string;
  /** Behind the path of MAIL, with the space before it. */
  readonly mailParameters?: string;
  /** A keyword of EHLO without which it is not tried. */
  readonly needs?: string;
}

/** The code of the failure where nobody can log in. */
export const NO_LOGINS = 'no-logins';

/**
 * Logged in, under TLS where that begins by STARTTLS; in clear on loopback alone. Fails with
 * `no-session` or `no-logins`.
 */
export async function loggedIn(
  context: ServiceContext,
  { account }: Pick<Submitter, 'account'>,
  { heloName, needs }: Words = {},
): Promise<SmtpSession> {
  const session = await smtpSession(context, {
    startTls: context.service.tls === 'starttls',
    ...(heloName === undefined ? {} : { heloName }),
  });
  for (const keyword of ['AUTH', needs]) {
    if (keyword === undefined || session.keywords.has(keyword)) continue;
    session.wire.close();
    throw Failure.temporary(NO_LOGINS, `${keyword} is not offered`);
  }
  if (session.wire.secure === undefined && !isLoopback(session.wire.target.address)) {
    session.wire.close();
    throw Failure.temporary(NO_LOGINS, 'a password is not sent without TLS');
  }
  const plain = utf8(`\0${account.login}\0${account.password.reveal()}`);
  session.wire.conceal('plain-login', new Secret(plain));
  const reply = await session.ask(`AUTH PLAIN ${asBuffer(plain).toString('base64')}`);
  if (reply.code === 235) return session;
  session.wire.close();
  throw Failure.temporary('no-session', `the login is answered with "${replyText(reply)}"`);
}

/** Sends content as it is, with the dot that ends it, to a mailbox of the canary. */
export async function submit(
  context: ServiceContext,
  submitter: Submitter,
  token: string,
  content: string,
  words: Words = {},
): Promise<Submitted> {
  const { replyMs } = context.options;
  const { wire, ask: say } = await loggedIn(context, submitter, words);
  const recipient = context.recipients.canary(token);
  const lines = [
    `MAIL FROM:<${submitter.sender}>${words.mailParameters ?? ''}`,
    `RCPT TO:<${recipient?.text ?? 'postmaster'}>`,
    'DATA',
  ];
  for (const line of lines) {
    const reply = await say(line);
    const due = line === 'DATA' ? 354 : 250;
    if (reply.code === due) continue;
    wire.close();
    throw Failure.temporary('no-session', `${line.slice(0, 4)}: "${replyText(reply)}"`);
  }
  wire.send(content);
  wire.send('\r\n.\r\n');
  const reply = await readReply(wire, Math.max(replyMs, 5_000));
  if (isLost(reply)) return { accepted: false, answer: lossText(reply), wire };
  await ask(wire, 'RSET', 500);
  wire.close();
  return { accepted: reply.code === 250, answer: replyText(reply), wire };
}

/** The header of what an account submits. */
export function submittedHead({ sender }: Submitter, canary: Canary, token: string): string {
  return (
    `From: <${sender}>\r\nTo: <${token}@${canary.domain}>\r\nSubject: mail server test\r\n` +
    `Message-ID: <${token}@audit.invalid>\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n\r\n`
  );
}
