/** The end of content: the agent's verdict, the one commit, and the answer to the client. */

import { addressKey, formatAddress, formatPath } from '#base/address.ts';
import type { JsonObject } from '#base/json.ts';
import { nextTurn } from '#base/turns.ts';
import type { Arrival, Arrived } from '#agents/arrival.ts';
import type { NewMail, NewMailRecipient } from '#agents/mail.ts';
import { submit } from '#agents/msa.ts';
import type { Evaluation } from '#agents/reports/dmarc/counts.ts';
import { tlsWish } from '#agents/tls-wish.ts';
import { type Judged, type MailFacts, receive } from '#agents/mta.ts';
import type { Verified } from '#agents/verify/transaction.ts';
import type { ClientFacts, ContentVerdict, Diversion } from '#policy/gate.ts';
import type { Inquiry } from '#policy/inquiry.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { SmtpAnswer } from '#protocol/smtp/server/questions.ts';
import type { SmtpTransaction } from '#protocol/smtp/server/session.ts';
import type { Attendance, Complete } from './attendance.ts';
import type { SmtpContext } from './context.ts';

export interface Incoming {
  readonly arrival: Arrival;
  readonly recipients: readonly NewMailRecipient[];
  readonly transaction: SmtpTransaction;
  readonly client: ClientFacts;
  /** What policy asked and noticed since MAIL; verifying fills its `authentication`. */
  readonly inquiry: Inquiry;
  readonly attendance: Attendance;
}

const LARGE_HEAD = 32_768;
const HEAD_TOO_LARGE = reply(552, '5.3.4', 'The header is larger than this server keeps');

/** Decides about the message and commits it: only then is there a 250. */
export async function takeIn(incoming: Incoming, session: SmtpContext): Promise<SmtpAnswer> {
  const { site } = session;
  if (incoming.arrival.headTooLarge) return { kind: 'refuse', reply: HEAD_TOO_LARGE };
  const arrived = await incoming.arrival.finish();
  // To read a large head was a turn's work already.
  if (arrived.content.head.length > LARGE_HEAD) await nextTurn(site.clock);
  const facts = factsOf(incoming, session);
  const { attendance } = incoming;
  const verified = attendance.verifies ? await attendance.finish(facts.atMs) : undefined;
  countVerified(attendance, session);
  const judged = judge(arrived, facts, verified, session);
  if (judged.kind === 'refuse') return refuse(judged, incoming, session);
  const said = await session.listener.gate.content(
    incoming.client,
    facts.reversePath,
    incoming.recipients.map(({ address }) => address),
    incoming.inquiry,
  );
  const verdict =
    said?.kind === 'quarantine' && attendance.leaves ? notForwarded(said, verified) : said;
  if (verdict?.kind === 'refuse') {
    countEvaluated(verdict, verified, arrived, incoming, session);
    return refuse(verdict, incoming, session);
  }
  const complete = await attendance.complete(judged, arrived, verified, facts.atMs);
  const mail = newMail(complete, facts, verdict, incoming, session);
  const { durable } = await site.intake.accept(mail);
  countEvaluated(verdict, verified, arrived, incoming, session);
  site.metrics.count('messages_accepted_total', { listener: session.listener.name });
  site.log.event('info', 'accepted', {
    queueId: mail.id,
    session: session.story.session,
    ...session.facts(),
    sender: formatPath(mail.reversePath),
    recipients: mail.recipients.length,
    bytes: arrived.sizeBytes,
  });
  if (verdict !== undefined) tellDiverted(verdict, mail, session);
  const perRecipient = incoming.recipients.map(({ address }) =>
    reply(250, '2.1.5', `<${formatAddress(address)}> delivered as ${mail.id}`),
  );
  return session.listener.mode === 'lmtp'
    ? { kind: 'accepted', durable, id: mail.id, perRecipient }
    : { kind: 'accepted', durable, id: mail.id };
}

/** How DMARC ends for strangers' mail: an operator sees a wave of spoofing, or a broken resolver. */
function countVerified({ authentication }: Attendance, { site }: SmtpContext): void {
  const dmarc = authentication.message?.dmarc.result;
  if (dmarc !== undefined) site.metrics.count('messages_verified_total', { dmarc });
}

/** For the reports to the author's domain (RFC 9990): a message that was judged for good. */
function countEvaluated(
  verdict: ContentVerdict | undefined,
  verified: Verified | undefined,
  arrived: Arrived,
  { client, transaction }: Incoming,
  { site }: SmtpContext,
): void {
  if (verified === undefined || site.evaluated === undefined) return;
  // Who is told to come again is counted when it comes again.
  if (verdict?.kind === 'refuse' && verdict.reply.code < 500) return;
  site.evaluated({
    address: client.address,
    reversePath: transaction.reversePath,
    head: arrived.structure.head,
    findings: verified.findings,
    done: DONE[verdict?.kind ?? 'hold'],
    rule: verdict?.rule,
  });
}

const DONE: Readonly<Record<ContentVerdict['kind'], Evaluation['done']>> = {
  refuse: 'refused',
  quarantine: 'quarantined',
  hold: 'accepted',
};

/** Held mail waits for the operator: the log and the figures say so, not the queue alone. */
function tellDiverted({ kind, rule, why }: Diversion, mail: NewMail, { site }: SmtpContext): void {
  site.metrics.count('messages_diverted_total', { kind, rule });
  site.log.event(kind === 'hold' ? 'warn' : 'info', 'diverted', {
    queueId: mail.id,
    kind,
    rule,
    why,
    submitter: mail.submitter ?? null,
  });
}

/**
 * Junk that we pass on is our junk: whoever gets it would trust us less, and all our users. What
 * the DNS left open may be none: the client shall come again.
 */
function notForwarded({ rule, why }: Diversion, verified: Verified | undefined): ContentVerdict {
  if (verified?.findings.dmarc.result === 'temperror') {
    const text = 'This message would be forwarded, and the DNS does not tell yet whose it is';
    const open = `${why}; not forwarded before that is known`;
    return { kind: 'refuse', reply: reply(451, '4.4.3', text), rule, why: open };
  }
  const text = 'This message would be forwarded, and nobody vouches for its author';
  return {
    kind: 'refuse',
    reply: reply(550, '5.7.1', text),
    rule,
    why: `${why}; junk is not forwarded`,
  };
}

type Refused = Judged & { kind: 'refuse' };

function judge(
  arrived: Arrived,
  facts: MailFacts,
  verified: Verified | undefined,
  session: SmtpContext,
): Judged {
  const { listener, site } = session;
  if (listener.mode !== 'submission') return receive(arrived, facts, verified);
  return submit(arrived, facts, site.store.directory, listener.machine.origin);
}

function factsOf(incoming: Incoming, session: SmtpContext): MailFacts {
  const { client, transaction, recipients } = incoming;
  const { site } = session;
  const [only, second] = recipients;
  return {
    id: site.intake.newId(),
    atMs: site.clock.now(),
    hostname: site.hostname,
    client,
    protocol: protocolOf(session, client),
    reversePath: transaction.reversePath,
    smtpUtf8: transaction.parameters.smtpUtf8,
    onlyRecipient: second === undefined ? only?.address : undefined,
  };
}

function protocolOf(session: SmtpContext, client: ClientFacts): MailFacts['protocol'] {
  if (session.listener.mode === 'lmtp') return 'lmtp';
  return client.extended ? 'esmtp' : 'smtp';
}

function newMail(
  judged: Complete,
  facts: MailFacts,
  diversion: Diversion | undefined,
  incoming: Incoming,
  session: SmtpContext,
): NewMail {
  const { parameters, reversePath } = incoming.transaction;
  const { story, listener } = session;
  return {
    id: facts.id,
    origin: listener.mode === 'submission' ? 'submission' : 'reception',
    reversePath,
    recipients: incoming.recipients,
    content: judged.content,
    passedOn: judged.passedOn,
    structure: judged.structure,
    messageId: judged.messageId,
    envelope: {
      ret: parameters.ret,
      envelopeId: parameters.envelopeId,
      smtpUtf8: parameters.smtpUtf8,
      body: parameters.body,
      tls: tlsWish(parameters, judged.structure.head),
    },
    session: story.session,
    submitter: incoming.client.login?.address,
    diversion,
    facts: {
      ...session.facts(),
      ...judged.facts,
      ...incoming.inquiry.facts(),
      ...incoming.attendance.facts(),
      dialogue: story.takeDialogue(),
    },
  };
}

function refuse(
  judged: Pick<Refused, 'reply' | 'rule' | 'why'>,
  incoming: Incoming,
  session: SmtpContext,
): SmtpAnswer {
  const { reversePath } = incoming.transaction;
  const about: JsonObject = {
    sender: formatPath(reversePath),
    recipients: incoming.recipients.map(({ address }) => formatAddress(address)),
    rule: judged.rule,
    why: judged.why,
  };
  const evidence = { ...incoming.inquiry.facts(), ...incoming.attendance.facts() };
  const sender = reversePath === null ? [] : [addressKey(reversePath)];
  const keys = incoming.recipients.map(({ address }) => addressKey(address));
  session.refusals.add(about, [...sender, ...keys], evidence);
  session.site.metrics.count('smtp_refusals_total', { rule: judged.rule });
  session.site.log.event('info', 'refused', { ...session.facts(), ...about });
  return { kind: 'refuse', reply: judged.reply };
}
