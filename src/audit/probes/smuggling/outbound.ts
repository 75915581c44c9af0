/** Smuggling outwards: what an account submits, seen as it leaves, raw, at our canary. */

import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import {
  NO_LOGINS,
  type Submitted,
  submit,
  submittedHead,
  type Submitter,
  submitterOf,
} from '../../content/submit.ts';
import { absent, type Exchange, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { offers } from '../../service.ts';
import { OUTBOUND, OUTBOUND_BARE, OUTBOUND_DOT } from './checks.ts';
import { type Ending, ENDINGS } from './sequences.ts';

const CHECKS = [OUTBOUND, OUTBOUND_BARE, OUTBOUND_DOT];
const AT_ONCE = 8;
const ARRIVAL_MS = 12_000;
/** Lines as they are sent, dots doubled; the same must leave. */
const DOTS = '..\r\n...\r\n..dot\r\nno dot\r\n';

export const outbound: ServiceProbe = {
  name: 'outbound',
  scope: 'service',
  level: 'active',
  checks: CHECKS,
  limitMs: 50_000,
  fits: ({ protocol, role }) => protocol === 'smtp' && role !== 'access',
  run,
};

interface Sent {
  /** undefined: the message without any odd octet. */
  readonly ending: Ending | undefined;
  readonly token: string;
  readonly submitted: Submitted;
}

async function run(context: ServiceContext): Promise<void> {
  const submitter = submitterOf(context);
  if (typeof submitter === 'string') return tellAll(context, submitter);
  const { service } = context;
  if (service.tls === 'none' && !offers(service, 'AUTH')) return tellAll(context, 'no logins here');
  const plain = await send(context, submitter, undefined).catch(withoutLogins);
  if (typeof plain === 'string') return tellAll(context, plain);
  if (!plain.submitted.accepted) {
    const why = `a message without fault is answered with "${plain.submitted.answer}"`;
    for (const check of CHECKS) context.tell(unclear(check, why));
    return;
  }
  const arrived = await submitter.canary.arrived(plain.token, ARRIVAL_MS);
  if (arrived === undefined) {
    const why = 'a message without fault was accepted and did not reach the canary in time';
    for (const check of CHECKS) context.tell(unclear(check, why));
    return;
  }
  tellDots(context, plain, latin1(arrived.octets));
  const sent: Sent[] = [];
  const lost: string[] = [];
  const waiting = ENDINGS.filter(({ eof, family }) => !eof && family !== 'control');
  const worker = async (): Promise<void> => {
    for (let ending = waiting.shift(); ending !== undefined; ending = waiting.shift()) {
      try {
        sent.push(await send(context, submitter, ending));
      } catch (thrown) {
        lost.push(`${ending.name}: ${Failure.from(thrown).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await tellOutbound(context, submitter, sent, lost);
}

function tellAll(context: ServiceContext, why: string): void {
  for (const check of CHECKS) context.tell(inapplicable(check, why));
}

/** Why nobody can log in; other failures go on. */
function withoutLogins(thrown: unknown): string {
  const failure = Failure.from(thrown);
  if (failure.code !== NO_LOGINS) throw thrown;
  return failure.message;
}

async function send(
  context: ServiceContext,
  submitter: Submitter,
  ending: Ending | undefined,
): Promise<Sent> {
  const token = context.token(14);
  const head = submittedHead(submitter, submitter.canary, token);
  // Behind CRLF a client doubles the dot, as all do; elsewhere it is text for it.
  const dot = ending?.prefix.endsWith('\r\n') === true ? '..' : '.';
  const odd = ending === undefined ? '' : `${ending.prefix}${dot}${ending.suffix}`;
  const content = `${head}begin-${token}${odd}after-${token}\r\n${DOTS}`;
  return { ending, token, submitted: await submit(context, submitter, token, content) };
}

function tellDots(context: ServiceContext, { submitted }: Sent, octets: string): void {
  const evidence = [submitted.wire.exchange];
  if (octets.includes(DOTS)) {
    context.tell(
      absent(OUTBOUND_DOT, 'lines that begin with dots left as they came', { evidence }),
    );
  } else {
    const seen = `of ${JSON.stringify(DOTS)} there left ${JSON.stringify(octets.slice(-60))}`;
    context.tell(found(OUTBOUND_DOT, seen, { evidence }));
  }
}

async function tellOutbound(
  context: ServiceContext,
  { canary }: Submitter,
  sent: readonly Sent[],
  lost: readonly string[],
): Promise<void> {
  const accepted = sent.filter(({ submitted }) => submitted.accepted);
  const ends: string[] = [];
  const bare: string[] = [];
  const evidence: Exchange[] = [];
  let missing = 0;
  const untilMs = context.world.clock.elapsed() + Math.min(ARRIVAL_MS, context.leftMs() - 2_000);
  for (const { ending, token, submitted } of accepted) {
    const leftMs = Math.max(0, untilMs - context.world.clock.elapsed());
    const message = await canary.arrived(token, leftMs);
    const name = ending?.name ?? '';
    if (message === undefined) missing += 1;
    else {
      const octets = latin1(message.octets);
      const region = between(octets, `begin-${token}`, `after-${token}`);
      // Where the end is gone the submission itself ended there: nothing hidden has left.
      if (region !== undefined && isLookalike(region)) ends.push(name);
      if (region !== undefined && /\0|\r(?!\n)|(?<!\r)\n/.test(region)) bare.push(name);
      if (ends.at(-1) === name) evidence.push(submitted.wire.exchange);
    }
  }
  const counts = { accepted: accepted.length, refused: sent.length - accepted.length, missing };
  const shown = evidence.length > 0 ? { evidence } : {};
  const more = { details: { ...counts, ends, bare }, ...shown };
  const summary =
    `${sent.length} sequences: ${counts.refused} refused, ${counts.accepted} accepted, ` +
    `${missing} of them not seen`;
  for (const [check, names, what] of [
    [OUTBOUND, ends, 'with an end of data in them'],
    [OUTBOUND_BARE, bare, 'with bare CR, LF or NUL'],
  ] as const) {
    if (names.length > 0) {
      const list = names.join(', ').slice(0, 300);
      context.tell(found(check, `${summary}; ${names.length} left ${what}: ${list}`, more));
    } else if (lost.length > 0) {
      context.tell(unclear(check, `${lost.length} could not be submitted: ${lost[0]}`, more));
    } else if (missing > 0) context.tell(unclear(check, summary, more));
    else context.tell(absent(check, summary, more));
  }
}

function between(text: string, from: string, to: string): string | undefined {
  const start = text.indexOf(from);
  const end = text.indexOf(to, start);
  return start < 0 || end < 0 ? undefined : text.slice(start + from.length, end);
}

/** A single dot between what some server takes for line ends, where no CRLF begins the line. */
function isLookalike(region: string): boolean {
  return /(?:(?<!\r)\n|\r|\0)\.(?:[\r\n\0]|$)/.test(region) || /\r\n\.[\r\n\0 ]/.test(region);
}
