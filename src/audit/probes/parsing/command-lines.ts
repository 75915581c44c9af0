/** Command lines of SMTP as they should not be: their ends, lengths, octets and spaces. */

import type { Check } from '../../check.ts';
import { absent, found, inapplicable, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { smtpSession, type SmtpSession } from '../../session.ts';
import { readReply, replyText, type SmtpReply } from '../../wire/smtp.ts';
import { isLost, lossText } from '../../wire/wire.ts';
import { letter, LOOP_HOPS } from '../../content/letter.ts';
import * as checks from './checks.ts';

/** Octets to send, and when the answers show the weakness. */
interface Trial {
  readonly check: Check;
  readonly octets: (domain: string) => string;
  /** Replies to these octets; fewer than asked for when the server is silent or gone. */
  readonly isFound: (replies: readonly SmtpReply[]) => boolean;
  /** The plain case. Default RSET, or MAIL with a plain address. */
  readonly control?: string;
  /** Replies to wait for. Default 2. */
  readonly most?: number;
  /** Sent when the first was answered: some servers refuse who does not wait. */
  readonly second?: string;
}

const yes = (reply: SmtpReply | undefined): boolean => reply?.code === 250;

const TRIALS: readonly Trial[] = [
  {
    check: checks.LF_COMMAND,
    // Alone: what stands behind it may be refused for not having waited.
    octets: () => 'NOOP\n',
    control: 'NOOP',
    isFound: ([first]) => yes(first),
    most: 1,
  },
  {
    check: checks.CR_COMMAND,
    octets: () => 'RSET\rRSET\r\n',
    isFound: ([first, second]) => yes(first) && yes(second),
  },
  {
    check: checks.NUL_COMMAND,
    octets: () => 'RS\0ET\r\n',
    second: 'RSET\0x\r\n',
    isFound: (replies) => replies.some(yes),
    most: 1,
  },
  {
    check: checks.EIGHT_BIT,
    octets: (domain) => `MAIL FROM:<\xe9\xff@${domain}>\r\n`,
    isFound: ([first]) => yes(first),
    most: 1,
  },
  {
    check: checks.SHORT_COMMAND,
    octets: () => `NOOP ${'x'.repeat(505)}\r\n`,
    control: 'NOOP x',
    isFound: ([first]) => first !== undefined && !yes(first),
    most: 1,
  },
  {
    check: checks.LONG_COMMAND,
    octets: () => `NOOP ${'x'.repeat(70_000)}\r\n`,
    isFound: ([first]) => yes(first),
    most: 1,
  },
  {
    check: checks.TRAILING_SPACE,
    octets: () => 'RSET \r\n',
    isFound: ([first]) => first !== undefined && !yes(first),
    most: 1,
  },
  {
    check: checks.NO_BRACKETS,
    octets: (domain) => `MAIL FROM:audit@${domain}\r\n`,
    isFound: ([first]) => yes(first),
    most: 1,
  },
  {
    check: checks.SPACE_AFTER_COLON,
    octets: (domain) => `MAIL FROM: <audit@${domain}>\r\n`,
    isFound: ([first]) => yes(first),
    most: 1,
  },
];

export const commandLines: ServiceProbe = {
  name: 'command-lines',
  scope: 'service',
  level: 'safe',
  checks: [...TRIALS.map(({ check }) => check), checks.UNPIPELINED],
  fits: ({ protocol, role }) => protocol === 'smtp' && role !== 'access',
  run,
};

async function run(context: ServiceContext): Promise<void> {
  const domain = await senderDomain(context);
  await Promise.all([...TRIALS.map((trial) => tryOne(context, trial, domain)), pipelined(context)]);
}

/** A domain that senders may have: nobody's, or where only such are taken as exist the target's own. */
export async function senderDomain(context: ServiceContext): Promise<string> {
  const none = `${context.token()}.invalid`;
  const [own] = context.options.domains;
  if (own === undefined) return none;
  const session = await smtpSession(context, userTls(context));
  const first = await session.ask(`MAIL FROM:<audit@${none}>`);
  const second = yes(first) ? first : await session.ask(`MAIL FROM:<audit@${own}>`);
  session.wire.close();
  return !yes(first) && yes(second) ? own : none;
}

/** Servers of users take nothing in clear, and would refuse it for that. */
export function userTls({ service }: ServiceContext): { readonly startTls: boolean } {
  return { startTls: service.role === 'submission' && service.tls === 'starttls' };
}

/** RSET and, for addresses, MAIL as it should be are the control: they must be taken. */
async function tryOne(context: ServiceContext, trial: Trial, domain: string): Promise<void> {
  const { check } = trial;
  const session = await smtpSession(context, userTls(context));
  const { wire } = session;
  const octets = trial.octets(domain);
  const control = octets.startsWith('MAIL')
    ? await session.ask(`MAIL FROM:<audit@${domain}>`)
    : await session.ask(trial.control ?? 'RSET');
  if (!yes(control)) {
    wire.close();
    const why = `the plain case is answered with "${replyText(control)}"`;
    // Who takes no sender at all takes no odd one either.
    const tell = control.code >= 500 ? inapplicable : unclear;
    context.tell({ ...tell(check, why), evidence: [wire.exchange] });
    return;
  }
  if (octets.startsWith('MAIL')) await session.ask('RSET');
  wire.send(octets);
  const { replyMs } = context.options;
  const begun = await repliesOf(session, trial.most ?? 2, replyMs);
  const more = trial.second !== undefined && begun.end === '';
  if (more) wire.send(trial.second ?? '');
  const last = more ? await repliesOf(session, 1, replyMs) : { replies: [], end: begun.end };
  wire.close();
  const replies = [...begun.replies, ...last.replies];
  const { end } = last;
  const said = [...replies.map((reply) => `"${replyText(reply).slice(0, 100)}"`), end];
  const what = `${shown(octets)}${more ? `, then ${shown(trial.second ?? '')}` : ''}`;
  const seen = `${what} is answered with ${said.filter(Boolean).join(', ')}`;
  const controls = { sanity: { passed: 1, of: 1 } };
  const proof = { evidence: [wire.exchange], controls };
  context.tell((trial.isFound(replies) ? found : absent)(check, seen, proof));
}

/** Sessions in which the commands must be run. */
const TURNS = 3;

/** EHLO must be the last of a group (RFC 2920 3.1): who sends more behind it does not wait. */
async function pipelined(context: ServiceContext): Promise<void> {
  const { heloName } = context.options;
  if (context.service.role !== 'reception') {
    context.tell(inapplicable(checks.UNPIPELINED, 'programs that only send do not log in'));
    return;
  }
  const postmaster = context.recipients.form('postmaster').text;
  const lines = [`EHLO ${heloName}`, 'MAIL FROM:<>', `RCPT TO:<${postmaster}>`, 'DATA'];
  const packet = lines.map((line) => `${line}\r\n`).join('');
  let session: SmtpSession;
  let turn = 0;
  let heard: Awaited<ReturnType<typeof repliesOf>>;
  // A server that looks once sees nothing of what is late on the way: one refusal is enough.
  do {
    turn += 1;
    session = await smtpSession(context);
    session.wire.send(packet);
    heard = await repliesOf(session, 4, context.options.replyMs);
    if (heard.replies[3]?.code === 354 && turn < TURNS) session.wire.destroy();
  } while (heard.replies[3]?.code === 354 && turn < TURNS);
  const { replies, end } = heard;
  const [, , rcpt, data] = replies;
  const isRun = data?.code === 354;
  // It must not be delivered: it is in a loop, and refused for that.
  if (isRun) {
    session.wire.send(`${letter({ token: context.token(), hops: LOOP_HOPS })}.\r\n`);
    await readReply(session.wire, context.options.replyMs);
  }
  session.wire.close();
  const said = [...replies.slice(1).map((reply) => `"${replyText(reply)}"`), end];
  const seen = `behind EHLO in one packet: ${said.filter(Boolean).join(', ')}`;
  const repeated = { passed: isRun ? turn : 0, of: turn };
  const controls = { sanity: { passed: 1, of: 1 }, repeated };
  const more = { evidence: [session.wire.exchange], controls };
  const isOpen = !isRun && rcpt !== undefined && rcpt.code !== 250 && !isSpoken(rcpt);
  if (isOpen) context.tell(inapplicable(checks.UNPIPELINED, `postmaster is not taken: ${seen}`));
  else context.tell((isRun ? found : absent)(checks.UNPIPELINED, seen, more));
}

/** Some notice it, and say so to the recipient. */
function isSpoken(rcpt: SmtpReply | undefined): boolean {
  return rcpt !== undefined && /pipelin|synchroni|improper/i.test(replyText(rcpt));
}

/** Up to `most` replies; the first gets the whole time, those behind it come at once or never. */
export async function repliesOf(
  { wire }: SmtpSession,
  most: number,
  replyMs: number,
): Promise<{ readonly replies: readonly SmtpReply[]; readonly end: string }> {
  const replies: SmtpReply[] = [];
  while (replies.length < most) {
    const waitMs = replies.length === 0 ? Math.min(replyMs, 1_500) : 400;
    const reply = await readReply(wire, waitMs);
    if (isLost(reply)) return { replies, end: lossText(reply) };
    replies.push(reply);
  }
  return { replies, end: '' };
}

/** Octets for a sentence. */
export function shown(octets: string): string {
  return JSON.stringify(octets.length > 60 ? `${octets.slice(0, 40)}… (${octets.length})` : octets);
}
