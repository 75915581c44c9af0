/** How many recipients, and how many errors, one session bears. */

import { findEnvelope, patientSession } from '../../content/envelope.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { ask, replyText } from '../../wire/smtp.ts';
import { isLost, lossText, type Wire } from '../../wire/wire.ts';
import { FEW_RECIPIENTS, NO_ERROR_LIMIT } from './checks.ts';

const RECIPIENTS = 100;
const ERRORS = 100;
/** An answer held back that long is a tarpit. */
const TARPIT_MS = 400;

export const recipientCount: ServiceProbe = {
  name: 'recipient-count',
  scope: 'service',
  level: 'active',
  checks: [FEW_RECIPIENTS],
  fits: ({ protocol }) => protocol === 'smtp',
  run: countRecipients,
};

export const errorLimit: ServiceProbe = {
  name: 'error-limit',
  scope: 'service',
  level: 'active',
  checks: [NO_ERROR_LIMIT],
  fits: ({ protocol, role }) => protocol === 'smtp' && role !== 'access',
  // Some servers remember who made errors.
  alone: true,
  run: countErrors,
};

async function countRecipients(context: ServiceContext): Promise<void> {
  const search = await findEnvelope(context);
  if (search.kind === 'none') {
    const tell = search.how === 'refused' ? inapplicable : unclear;
    context.tell(tell(FEW_RECIPIENTS, `no mail of strangers is taken: ${search.why}`));
    return;
  }
  const { sender, recipient, ways } = search.envelope;
  const [way = 'clear'] = ways;
  const session = await patientSession(context, way);
  // The null sender is for notices, which go to one; some servers insist.
  const from = sender === '' ? `audit@${context.token()}.invalid` : sender;
  const named = await session.ask(`MAIL FROM:<${from}>`);
  // Where only domains that exist may send.
  const mail = named.code === 250 ? named : await session.ask(`MAIL FROM:<${sender}>`);
  if (mail.code !== 250) {
    context.tell(unclear(FEW_RECIPIENTS, `MAIL is answered with "${replyText(mail)}"`));
    return;
  }
  let { taken, said } = await recipientsTaken(context, session.wire, recipient.text);
  if (taken === 0 && from !== sender) {
    // Where the sender is looked at with the first recipient (sendmail's delay_checks).
    await session.ask('RSET');
    await session.ask(`MAIL FROM:<${sender}>`);
    ({ taken, said } = await recipientsTaken(context, session.wire, recipient.text));
  }
  await ask(session.wire, 'RSET', 500);
  session.wire.close();
  const seen = `${taken} recipients are taken, then "${said}"`;
  const more = { evidence: [session.wire.exchange], details: { taken } };
  // Who takes none refuses the message, not its length.
  const tell = taken === 0 ? unclear : taken < RECIPIENTS ? found : absent;
  context.tell(tell(FEW_RECIPIENTS, seen, more));
}

async function recipientsTaken(
  context: ServiceContext,
  wire: Wire,
  recipient: string,
): Promise<{ readonly taken: number; readonly said: string }> {
  let taken = 0;
  let said = '';
  while (taken < RECIPIENTS) {
    const reply = await ask(wire, `RCPT TO:<${recipient}>`, context.options.replyMs);
    said = isLost(reply) ? lossText(reply) : replyText(reply);
    if (isLost(reply) || reply.code !== 250) break;
    taken += 1;
  }
  return { taken, said };
}

async function countErrors(context: ServiceContext): Promise<void> {
  const { wire, ask: say } = await patientSession(context, 'clear');
  const plain = await say('NOOP');
  let count = 0;
  let slowAt: number | undefined;
  let end: string | undefined;
  while (count < ERRORS && end === undefined && context.leftMs() > 3_000) {
    const reply = await ask(
      wire,
      `X${context.token(6)}`,
      Math.max(context.options.replyMs, 12_000),
    );
    count += 1;
    if (isLost(reply)) end = lossText(reply);
    else if (reply.code === 421) end = replyText(reply);
    else if (reply.ms > plain.ms + TARPIT_MS) slowAt ??= count;
    // A tarpit that goes on tells no more.
    if (slowAt !== undefined && count >= slowAt + 5) break;
  }
  wire.close();
  const slow = slowAt === undefined ? '' : `answers are held back from error ${slowAt} on; `;
  const over = end === undefined ? `${count} errors were answered` : `at error ${count}: "${end}"`;
  const details = {
    errors: count,
    slowAt: slowAt ?? null,
    endsAt: end === undefined ? null : count,
  };
  const more = { evidence: [wire.exchange], details, controls: { sanity: { passed: 1, of: 1 } } };
  const isFree = slowAt === undefined && end === undefined;
  if (isFree && count < ERRORS) context.tell(unclear(NO_ERROR_LIMIT, `only ${over}`, more));
  else context.tell((isFree ? found : absent)(NO_ERROR_LIMIT, `${slow}${over}`, more));
}
