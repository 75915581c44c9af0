/** Smuggling in chunks: a dot line inside BDAT is text, whatever stands behind it. */

import { findEnvelope, withEnvelope } from '../../content/envelope.ts';
import { letter, LOOP_HOPS } from '../../content/letter.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { readReply, replyText } from '../../wire/smtp.ts';
import { isLost, lossText } from '../../wire/wire.ts';
import { BDAT_DOT } from './checks.ts';

const DOTS = ['\r\n.\r\n', '\n.\n', '\n.\r\n', '\r.\r'];

export const bdatDot: ServiceProbe = {
  name: 'bdat-dot',
  scope: 'service',
  level: 'active',
  checks: [BDAT_DOT],
  fits: ({ protocol }) => protocol === 'smtp',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const search = await findEnvelope(context);
  if (search.kind === 'none') {
    const tell = search.how === 'refused' ? inapplicable : unclear;
    context.tell(tell(BDAT_DOT, `no mail of strangers is taken: ${search.why}`));
    return;
  }
  const { envelope } = search;
  const [way = 'clear'] = envelope.ways;
  for (const dot of DOTS) {
    const session = await withEnvelope(context, envelope, way);
    const { wire } = session;
    if (!session.keywords.has('CHUNKING')) {
      context.tell(inapplicable(BDAT_DOT, 'CHUNKING is not offered'));
      wire.close();
      return;
    }
    const head = letter({ token: context.token(), hops: LOOP_HOPS });
    const chunk = `${head}x${dot}NOOP\r\nNOOP\r\nNOOP\r\n`;
    wire.send(`BDAT ${chunk.length} LAST\r\n${chunk}`);
    const first = await readReply(wire, Math.max(context.options.replyMs, 5_000));
    const second = isLost(first) ? first : await readReply(wire, 150);
    wire.close();
    const said = [first, second].map((one) => (isLost(one) ? lossText(one) : replyText(one)));
    const seen = `a chunk with ${JSON.stringify(dot)} in it: ${said.join(' | ')}`;
    if (isLost(first)) context.tell(unclear(BDAT_DOT, seen));
    else if (isLost(second)) context.tell(absent(BDAT_DOT, seen));
    else if (second.code === 250) context.tell(found(BDAT_DOT, seen));
    else context.tell(unclear(BDAT_DOT, seen));
    // It does not count hops, so this one was delivered: one is enough.
    if (!isLost(first) && first.code === 250) return;
  }
}
