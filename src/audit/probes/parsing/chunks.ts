/** BDAT that lies: chunks of refused transactions, sizes that are none, too few octets, DATA behind. */

import { findEnvelope, type Envelope, withEnvelope } from '../../content/envelope.ts';
import { letter, LOOP_HOPS } from '../../content/letter.ts';
import type { Check } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { smtpSession, type SmtpSession } from '../../session.ts';
import { ask, readReply, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { isLost, lossText, type Lost } from '../../wire/wire.ts';
import * as checks from './checks.ts';

const SIZES = ['-1 LAST', '0x10 LAST', '99999999999999999999 LAST', '1e3 LAST', '5x LAST', 'LAST'];

export const refusedChunks: ServiceProbe = {
  name: 'refused-chunks',
  scope: 'service',
  level: 'safe',
  checks: [checks.CHUNK_RUN],
  fits: ({ protocol }) => protocol === 'smtp',
  run: refused,
};

export const lyingChunks: ServiceProbe = {
  name: 'lying-chunks',
  scope: 'service',
  level: 'active',
  checks: [checks.CHUNK_SIZE, checks.CHUNK_SHORT, checks.CHUNK_MIXED],
  fits: ({ protocol }) => protocol === 'smtp',
  run: lying,
};

/** RFC 3030 2: a chunk is read whole, also where it is answered with an error. */
async function refused(context: ServiceContext): Promise<void> {
  const session = await smtpSession(context, { startTls: context.service.tls === 'starttls' });
  const { wire } = session;
  if (!session.keywords.has('CHUNKING')) {
    wire.close();
    context.tell(inapplicable(checks.CHUNK_RUN, 'CHUNKING is not offered'));
    return;
  }
  const octets = 'NOOP\r\nRSET\r\nNOOP\r\n';
  wire.send(`BDAT ${octets.length} LAST\r\n${octets}`);
  const first = await readReply(wire, context.options.replyMs);
  const second = isLost(first) ? first : await readReply(wire, 300);
  wire.close();
  const seen = `a chunk without a transaction: ${said(first)} | ${said(second)}`;
  const isRun = !isLost(second) && second.code === 250;
  const tell = isRun ? found : isLost(first) && first.kind === 'timeout' ? unclear : absent;
  context.tell(tell(checks.CHUNK_RUN, seen, { evidence: [wire.exchange] }));
}

async function lying(context: ServiceContext): Promise<void> {
  const all = [checks.CHUNK_SIZE, checks.CHUNK_SHORT, checks.CHUNK_MIXED];
  const tellAll = (tell: typeof unclear | typeof inapplicable, why: string): void => {
    for (const check of all) context.tell(tell(check, why));
  };
  const search = await findEnvelope(context);
  if (search.kind === 'none') {
    const tell = search.how === 'refused' ? inapplicable : unclear;
    tellAll(tell, `no mail of strangers is taken: ${search.why}`);
    return;
  }
  const { envelope } = search;
  const first = await openChunks(context, envelope);
  first.wire.close();
  if (!first.keywords.has('CHUNKING')) {
    tellAll(inapplicable, 'CHUNKING is not offered');
    return;
  }
  await sizes(context, envelope);
  await short(context, envelope);
  await mixed(context, envelope);
}

function openChunks(context: ServiceContext, envelope: Envelope): Promise<SmtpSession> {
  const [way = 'clear'] = envelope.ways;
  return withEnvelope(context, envelope, way);
}

async function sizes(context: ServiceContext, envelope: Envelope): Promise<void> {
  for (const size of SIZES) {
    const { wire } = await openChunks(context, envelope);
    const reply = await ask(wire, `BDAT ${size}`, 400);
    wire.close();
    tell(context, checks.CHUNK_SIZE, `BDAT ${size}: ${said(reply)}`, {
      isFound: !isLost(reply) && reply.code >= 200 && reply.code < 400,
      wire,
    });
  }
}

/** Half a chunk must be answered by nothing. */
async function short(context: ServiceContext, envelope: Envelope): Promise<void> {
  const { wire } = await openChunks(context, envelope);
  const octets = letter({ token: context.token(), hops: LOOP_HOPS });
  wire.send(`BDAT ${octets.length + 100} LAST\r\n${octets}`);
  const early = await readReply(wire, 400);
  wire.close();
  // A refusal may come early; an answer that takes the message may not.
  const isFound =
    !isLost(early) && (early.code < 400 || /hop|loop|received/i.test(replyText(early)));
  tell(context, checks.CHUNK_SHORT, `100 octets are missing: ${said(early)}`, { isFound, wire });
}

async function mixed(context: ServiceContext, envelope: Envelope): Promise<void> {
  const session = await openChunks(context, envelope);
  const { wire } = session;
  const head = letter({ token: context.token(), hops: LOOP_HOPS });
  wire.send(`BDAT ${head.length}\r\n${head}`);
  const chunk = await readReply(wire, context.options.replyMs);
  const data = isLost(chunk) || chunk.code !== 250 ? chunk : await ask(wire, 'DATA', 1_000);
  wire.close();
  const isFound = !isLost(data) && data.code === 354;
  const seen = `BDAT: ${said(chunk)}; then DATA: ${said(data)}`;
  tell(context, checks.CHUNK_MIXED, seen, { isFound, wire });
}

function tell(
  context: ServiceContext,
  check: Check,
  seen: string,
  { isFound, wire }: { readonly isFound: boolean; readonly wire: SmtpSession['wire'] },
): void {
  context.tell((isFound ? found : absent)(check, seen, { evidence: [wire.exchange] }));
}

function said(reply: SmtpReply | Lost): string {
  return isLost(reply) ? lossText(reply) : `"${replyText(reply).slice(0, 100)}"`;
}
