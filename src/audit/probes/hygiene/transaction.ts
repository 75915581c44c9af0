/** How far a mail transaction gets before content: MAIL and RCPT, and never DATA. */

import type { ServiceContext } from '../../probe.ts';
import type { SafeRecipient } from '../../safety/recipients.ts';
import { type SessionOptions, smtpSession, type SmtpSession } from '../../session.ts';
import type { SmtpReply } from '../../wire/smtp.ts';

export interface Attempt {
  readonly mail: SmtpReply;
  /** undefined when MAIL was refused. */
  readonly rcpt: SmtpReply | undefined;
}

/** The recipient every server must take, without a domain too (RFC 5321 4.5.1). */
export function postmaster(context: ServiceContext): SafeRecipient {
  return context.recipients.form('postmaster');
}

/**
 * The postmaster of a domain of the target, `<postmaster>` where none is known: restrictions apply to
 * the whole address, while Postfix lets the bare one past every one of them.
 */
export function postmasterHere(context: ServiceContext): SafeRecipient {
  const [domain] = context.options.domains;
  return domain === undefined ? postmaster(context) : context.recipients.here('postmaster', domain);
}

/** Whether to go under TLS first: a server for users may take nothing in clear. */
export function underTls({ service }: ServiceContext): SessionOptions {
  return { startTls: service.tls === 'starttls' };
}

/** MAIL and RCPT in a session of their own. */
export async function attempt(
  context: ServiceContext,
  reversePath: string,
  recipient: SafeRecipient,
  options: SessionOptions = {},
): Promise<Attempt> {
  const session = await smtpSession(context, { ...underTls(context), ...options });
  const made = await attemptIn(session, reversePath, recipient);
  session.wire.line('QUIT');
  session.wire.close();
  return made;
}

/** The same in a session that is open; it ends with RSET. */
export async function attemptIn(
  session: SmtpSession,
  reversePath: string,
  recipient: SafeRecipient,
): Promise<Attempt> {
  const mail = await session.ask(`MAIL FROM:<${reversePath}>`);
  if (mail.code !== 250) return { mail, rcpt: undefined };
  const rcpt = await session.ask(`RCPT TO:<${recipient.text}>`);
  await session.ask('RSET');
  return { mail, rcpt };
}

/** Whether an answer says yes. */
export function accepted(reply: SmtpReply | undefined): boolean {
  return reply !== undefined && reply.code >= 200 && reply.code < 300;
}

/** Whether it says "not now": greylisting, rate limits; then nothing can be told. */
export function deferred(reply: SmtpReply | undefined): boolean {
  return reply !== undefined && reply.code >= 400 && reply.code < 500;
}
