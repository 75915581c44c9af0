/** Messages in circles, and headers without end. */

import type { Check } from '../../check.ts';
import { type Envelope, findEnvelope, withEnvelope } from '../../content/envelope.ts';
import { letter, LOOP_HOPS } from '../../content/letter.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { readReply, replyText } from '../../wire/smtp.ts';
import { isLost, lossText } from '../../wire/wire.ts';
import { HOP_LOOP, MANY_FIELDS } from './checks.ts';

const FIELDS = 10_000;

export const mass: ServiceProbe = {
  name: 'message-mass',
  scope: 'service',
  // What is accepted is delivered to the target's own postmaster.
  level: 'active',
  checks: [HOP_LOOP, MANY_FIELDS],
  fits: ({ protocol }) => protocol === 'smtp',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const search = await findEnvelope(context);
  if (search.kind === 'none') {
    const tell = search.how === 'refused' ? inapplicable : unclear;
    for (const check of [HOP_LOOP, MANY_FIELDS]) {
      context.tell(tell(check, `no mail of strangers is taken: ${search.why}`));
    }
    return;
  }
  const { envelope } = search;
  const token = context.token();
  const fields = `X-${token}: audit\r\n`.repeat(FIELDS);
  await tryLetter(context, envelope, HOP_LOOP, letter({ token, hops: LOOP_HOPS }));
  await tryLetter(context, envelope, MANY_FIELDS, letter({ token, fields }));
}

async function tryLetter(
  context: ServiceContext,
  envelope: Envelope,
  check: Check,
  octets: string,
): Promise<void> {
  const [way = 'clear'] = envelope.ways;
  const { wire, ask: say } = await withEnvelope(context, envelope, way);
  const data = await say('DATA');
  if (data.code === 354) wire.send(`${octets}.\r\n`);
  const reply = data.code === 354 ? await readReply(wire, 8_000) : data;
  wire.close();
  const text = isLost(reply) ? lossText(reply) : replyText(reply);
  const seen = `it is answered with "${text.slice(0, 160)}"`;
  const isOpen = isLost(reply) ? reply.kind === 'timeout' : reply.code >= 400 && reply.code < 500;
  const isTaken = !isLost(reply) && reply.code === 250;
  const tell = isTaken ? found : isOpen ? unclear : absent;
  context.tell(tell(check, seen, { evidence: [wire.exchange] }));
}
