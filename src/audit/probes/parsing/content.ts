/** Content that no honest client sends, to a mailbox of the target: whether it is accepted whole. */

import type { Check } from '../../check.ts';
import { type Envelope, findEnvelope, withEnvelope } from '../../content/envelope.ts';
import { letter } from '../../content/letter.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { readReply, replyText } from '../../wire/smtp.ts';
import { isLost, lossText } from '../../wire/wire.ts';
import * as checks from './checks.ts';

interface Fault {
  readonly check: Check;
  /** Header fields and text beside those of the letter. */
  readonly fields?: string;
  readonly text?: string;
}

const FAULTS: readonly Fault[] = [
  { check: checks.TWO_FROM, fields: 'From: <somebody@else.invalid>\r\n' },
  { check: checks.NUL_CONTENT, text: 'a\0b\r\n' },
  { check: checks.LF_CONTENT, text: 'a\nb\r\n' },
  { check: checks.CR_CONTENT, text: 'a\rb\r\n' },
  { check: checks.LONG_TEXT, text: `${'x'.repeat(70_000)}\r\n` },
];

/** sendmail says 421 to what it will never take. */
const ABOUT = /\b(?:bare|null?|control)\b/i;

export const content: ServiceProbe = {
  name: 'odd-content',
  scope: 'service',
  // Up to six messages are delivered to the target's own postmaster.
  level: 'active',
  checks: FAULTS.map(({ check }) => check),
  fits: ({ protocol }) => protocol === 'smtp',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const search = await findEnvelope(context);
  if (search.kind === 'none') {
    const tell = search.how === 'refused' ? inapplicable : unclear;
    const why = `no mail of strangers is taken: ${search.why}`;
    for (const { check } of FAULTS) context.tell(tell(check, why));
    return;
  }
  const plain = await sent(context, search.envelope, {});
  if (plain.code !== 250) {
    for (const { check } of FAULTS) {
      context.tell(unclear(check, `a message without fault is answered with "${plain.text}"`));
    }
    return;
  }
  for (const fault of FAULTS) {
    const { code, text, exchange } = await sent(context, search.envelope, fault);
    const more = { evidence: [exchange], controls: { sanity: { passed: 1, of: 1 } } };
    const seen = `it is answered with "${text}"`;
    // Not now, and nothing at all, say nothing about this fault.
    const isOpen = code >= 400 && code < 500 && !ABOUT.test(text);
    const tell = code === 250 ? found : isOpen ? unclear : absent;
    context.tell(tell(fault.check, seen, more));
  }
}

async function sent(context: ServiceContext, envelope: Envelope, fault: Partial<Fault>) {
  const [way = 'clear'] = envelope.ways;
  const { wire, ask: say } = await withEnvelope(context, envelope, way);
  const { fields = '', text = '' } = fault;
  const data = await say('DATA');
  if (data.code === 354) wire.send(`${letter({ token: context.token(), fields })}${text}.\r\n`);
  const reply = data.code === 354 ? await readReply(wire, 8_000) : data;
  wire.close();
  const { exchange } = wire;
  if (isLost(reply))
    return { code: reply.kind === 'timeout' ? 450 : 0, text: lossText(reply), exchange };
  return { code: reply.code, text: replyText(reply).slice(0, 160), exchange };
}
