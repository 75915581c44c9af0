/** What `postern talk` says by itself: hello, TLS, login, and a message, up to a stage. */

import { concat, fromLatin1, latin1 } from '#base/bytes.ts';
import type { Random } from '#base/world.ts';
import type { Replied, TalkSession } from '#audit/talk/session.ts';
import { chooseSaslClient } from '#protocol/sasl/client.ts';
import { TALK_EXIT, type ExitStatus } from '../exit.ts';
import type { Stage, TalkPlan } from './plan.ts';

/** `undefined`: everything went well, and the talk goes on; else it is over, with this status. */
type Ended = { readonly status: ExitStatus; readonly why: string | undefined } | undefined;

/** What the stages need. */
export interface Stagehand {
  readonly session: TalkSession;
  readonly plan: TalkPlan;
  readonly random: Random;
}

const NONCE_OCTETS = 24;

/** Greeting, EHLO, TLS, XCLIENT, login: as far as the plan asks for them. */
export async function prelude(hand: Stagehand): Promise<Ended> {
  const { session, plan } = hand;
  const { quitAfter } = plan.script ?? {};
  const greeting = await session.replied(plan.replyMs);
  if (greeting?.good !== true) return failed('banner', greeting);
  if (quitAfter === 'connect' || quitAfter === 'banner') return done;
  if (!plan.prelude) return undefined;
  let keywords = await hello(hand);
  if (keywords === undefined) return failed('ehlo', undefined);
  if (quitAfter === 'ehlo') return done;
  const offered = keywords.some((line) => /(?:^|[ -])(?:STARTTLS|STLS)\b/i.test(line));
  const wanted = plan.tls === 'starttls' || (plan.tls === 'opportunistic' && offered);
  if (wanted) {
    if (!(await session.startTls(plan.host, plan.replyMs))) return failed('tls', undefined);
    keywords = await hello(hand);
    if (keywords === undefined) return failed('ehlo', undefined);
  }
  if (quitAfter === 'tls') return done;
  if (plan.xclient !== undefined) {
    session.command(`XCLIENT ${plan.xclient}`);
    const taken = await session.replied(plan.replyMs);
    if (taken?.good !== true) return failed('ehlo', taken);
    keywords = (await hello(hand)) ?? keywords;
  }
  if (plan.credentials !== undefined && !(await logIn(hand, keywords, plan.mechanism))) {
    return failed('auth', undefined);
  }
  return quitAfter === 'auth' ? done : undefined;
}

/** Asks what the server can do; undefined when it said no. */
export async function hello({ session, plan }: Stagehand): Promise<string[] | undefined> {
  const verbs = { imap: 'CAPABILITY', pop3: 'CAPA', unknown: '', smtp: '' };
  session.forget();
  const helo = plan.lmtp ? 'LHLO' : 'EHLO';
  session.command(verbs[session.protocol] || `${helo} ${plan.heloName}`);
  let reply = await session.replied(plan.replyMs);
  if (reply?.good === false && session.protocol === 'smtp' && !plan.lmtp) {
    session.command(`HELO ${plan.heloName}`);
    reply = await session.replied(plan.replyMs);
  }
  return reply?.good === true ? [...reply.lines] : undefined;
}

/** Logs in with the named mechanism, or the strongest that is offered. */
export async function logIn(
  { session, plan, random }: Stagehand,
  keywords: readonly string[],
  mechanism: string | undefined,
): Promise<boolean> {
  const { credentials } = plan;
  if (credentials === undefined) return false;
  const { secure } = session.wire;
  const nonce = random.bytes(NONCE_OCTETS);
  const offered = mechanismsIn(keywords);
  // A mechanism that was named is tried, offered or not: this is a tester's tool.
  const only = mechanism === undefined ? undefined : [mechanism];
  const all = [...offered, ...(only ?? [])];
  const client = chooseSaslClient(all, { credentials, secure, nonce }, only);
  if (client === undefined) {
    session.note('no usable mechanism: PLAIN and LOGIN would show the password without TLS');
    return false;
  }
  return session.login(client, credentials, plan.replyMs);
}

/** The envelope and the message. */
export async function message({ session, plan }: Stagehand): Promise<Ended> {
  const { script, replyMs } = plan;
  if (script === undefined) return undefined;
  const { from, to, data, quitAfter } = script;
  const mail = await said(session, `MAIL FROM:<${from}>`, replyMs);
  if (mail?.good !== true) return failed('mail', mail);
  if (quitAfter === 'mail') return done;
  let accepted = 0;
  let last: Replied | undefined;
  for (const recipient of to) {
    last = await said(session, `RCPT TO:<${recipient}>`, replyMs);
    if (last?.good === true) accepted += 1;
  }
  if (accepted === 0) return failed('rcpt', last);
  if (quitAfter === 'rcpt' || data === undefined) return done;
  const go = await said(session, 'DATA', replyMs);
  if (go?.code !== 354) return failed('data', go);
  if (quitAfter === 'data') return done;
  session.send(stuffed(data), `(${data.length} octets, and the dot)`);
  for (let count = 0; count < (plan.lmtp ? accepted : 1); count += 1) {
    const taken = await session.replied(replyMs);
    if (taken?.good !== true) return failed('content', taken);
  }
  return done;
}

/** Content with CRLF line ends, dots doubled, and its end (RFC 5321 4.5.2). */
export function stuffed(data: Uint8Array): Uint8Array {
  const lines = latin1(data).replace(/\r\n|\r|\n/g, '\r\n');
  const whole = lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
  return concat([fromLatin1(whole.replace(/^\./gm, '..')), fromLatin1('.\r\n')]);
}

const done = { status: TALK_EXIT.ok, why: undefined } as const;

function failed(stage: Stage, reply: Replied | undefined): Ended {
  const why = reply === undefined ? `it ended at ${stage}` : `refused at ${stage}: ${reply.line}`;
  return { status: TALK_EXIT[stage], why };
}

async function said(
  session: TalkSession,
  line: string,
  replyMs: number,
): Promise<Replied | undefined> {
  session.forget();
  session.command(line);
  return session.replied(replyMs);
}

function mechanismsIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const smtp = /^(?:\d{3}[ -])?(?:AUTH|SASL)[ =](.*)$/i.exec(line)?.[1];
    if (smtp !== undefined) return smtp.split(' ');
    return [...line.matchAll(/\bAUTH=(\S+)/gi)].map(([, name = '']) => name);
  });
}
