/** An envelope that the target takes, for tests of content: nobody's sender, a mailbox of its own. */

import { Failure } from '#base/failure.ts';
import type { ServiceContext } from '../probe.ts';
import type { SafeRecipient } from '../safety/recipients.ts';
import { smtpSession, type SmtpSession } from '../session.ts';
import { replyText } from '../wire/smtp.ts';

/** In clear, or behind STARTTLS; a service with implicit TLS knows one way only. */
export type Way = 'clear' | 'tls';

export interface Envelope {
  /** Without angle brackets; empty is the null sender. */
  readonly sender: string;
  readonly recipient: SafeRecipient;
  /** Ways on which it is taken, the plainer first. */
  readonly ways: readonly Way[];
}

export type EnvelopeSearch =
  | { readonly kind: 'envelope'; readonly envelope: Envelope }
  | {
      readonly kind: 'none';
      /** `deferred`: not now (greylisting, limits); `refused`: who we are, or whom we ask for. */
      readonly how: 'deferred' | 'refused';
      readonly why: string;
    };

/** Asks for at most four mailboxes from at most two senders; nothing is sent. */
export async function findEnvelope(context: ServiceContext): Promise<EnvelopeSearch> {
  const ways: Way[] = context.service.tls === 'starttls' ? ['clear', 'tls'] : ['clear'];
  let none: EnvelopeSearch = { kind: 'none', how: 'refused', why: 'no mailbox is known' };
  for (const way of ways) {
    const found = await searchOn(context, way);
    if (found.kind === 'none') none = found;
    else if (way === 'tls')
      return { kind: 'envelope', envelope: { ...found.envelope, ways: [way] } };
    else return { kind: 'envelope', envelope: { ...found.envelope, ways } };
  }
  return none;
}

/** A session up to where the envelope is taken; fails with `no-session` when it is not. */
export async function withEnvelope(
  context: ServiceContext,
  { sender, recipient }: Envelope,
  way: Way,
): Promise<SmtpSession> {
  const session = await patientSession(context, way);
  await begin(session, sender, recipient);
  return session;
}

/** MAIL and RCPT in an open session. */
export async function begin(
  session: SmtpSession,
  sender: string,
  recipient: SafeRecipient,
): Promise<void> {
  const mail = await session.ask(`MAIL FROM:<${sender}>`);
  if (mail.code !== 250) throw refusal('MAIL', replyText(mail));
  const rcpt = await session.ask(`RCPT TO:<${recipient.text}>`);
  if (rcpt.code !== 250 && rcpt.code !== 251) throw refusal('RCPT', replyText(rcpt));
}

/** Servers that are crowded say 421 for a moment: it is no answer to what is tested. */
export async function patientSession(context: ServiceContext, way: Way): Promise<SmtpSession> {
  const { clock } = context.world;
  for (let turn = 1; ; turn += 1) {
    const startMs = clock.elapsed();
    try {
      return await smtpSession(context, { startTls: way === 'tls' });
    } catch (thrown) {
      // Crowded servers say so at once; who is silent stays silent.
      const isSilent = clock.elapsed() - startMs > 1_000;
      if (!isTemporary(thrown) || isSilent || turn > 5 || context.leftMs() < 1_000) throw thrown;
      await new Promise<void>((resolve) => {
        clock.after(100 * turn, resolve);
      });
    }
  }
}

function isTemporary(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.kind === 'temporary';
}

function refusal(verb: string, text: string): Failure {
  return Failure.temporary('no-session', `${verb} is answered with "${text}"`);
}

async function searchOn(context: ServiceContext, way: Way): Promise<EnvelopeSearch> {
  const session = await patientSession(context, way);
  const senders = ['', `audit@${context.token()}.invalid`];
  let how: 'deferred' | 'refused' = 'refused';
  let why = 'no mailbox is known';
  for (const recipient of mailboxesOf(context)) {
    for (const sender of senders) {
      const mail = await session.ask(`MAIL FROM:<${sender}>`);
      if (mail.code === 250) {
        const rcpt = await session.ask(`RCPT TO:<${recipient.text}>`);
        await session.ask('RSET');
        if (rcpt.code === 250 || rcpt.code === 251) {
          session.wire.line('QUIT');
          session.wire.close();
          return { kind: 'envelope', envelope: { sender, recipient, ways: [way] } };
        }
        if (rcpt.code >= 400 && rcpt.code < 500) how = 'deferred';
        why = `RCPT TO:<${recipient.text}> is answered with "${replyText(rcpt)}"`;
      } else why = `MAIL is answered with "${replyText(mail)}"`;
    }
  }
  session.wire.line('QUIT');
  session.wire.close();
  return { kind: 'none', how, why };
}

function mailboxesOf({ options, recipients }: ServiceContext): readonly SafeRecipient[] {
  const [domain] = options.domains;
  const { knownUser } = options;
  const found: SafeRecipient[] = [];
  if (knownUser?.includes('@') === true) found.push(recipients.form(knownUser));
  else if (knownUser !== undefined && domain !== undefined) {
    found.push(recipients.here(knownUser, domain));
  }
  // Every server takes it, without a domain too (RFC 5321 4.5.1).
  found.push(recipients.form('postmaster'));
  for (const name of options.domains.slice(0, 2)) found.push(recipients.here('postmaster', name));
  return found;
}
