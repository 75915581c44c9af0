/** A client that speaks before it is greeted: spam programs do, and servers can tell them by it. */

import type { Check } from '../../check.ts';
import { absent, found, type Outcome, unclear } from '../../finding.ts';
import type { ServiceContext, ServiceProbe } from '../../probe.ts';
import { opened } from '../../session.ts';
import { readReply, replyText } from '../../wire/smtp.ts';
import { isLost, lossText } from '../../wire/wire.ts';
import { letter } from '../../content/letter.ts';
import { postmasterHere } from './transaction.ts';

const EARLY: Check = {
  id: 'hygiene.early-talker',
  title: 'Clients that speak before the greeting are served',
  severity: 'info',
  means: 'The cheapest mark of spam programs is not used: they do not wait for the greeting.',
  doesNotMean:
    'It is an omission, no hole; where a greeting comes at once there is nothing to wait for.',
  rfc: ['RFC 5321 3.1', 'RFC 5321 4.3.1'],
  cures: [
    {
      product: 'postfix',
      lines: [
        'smtpd_forbid_unauth_pipelining = yes',
        'Or postscreen before smtpd in master.cf, with postscreen_greet_action = enforce.',
      ],
    },
    {
      product: 'exim',
      lines: [
        'smtp_enforce_sync = true',
        'pipelining_connect_advertise_hosts =',
        'acl_smtp_connect = acl_check_connect',
        '# begin acl:',
        'acl_check_connect:',
        '  accept delay = 2s',
      ],
    },
    { product: 'sendmail', lines: ["FEATURE(`greet_pause', `2000')dnl"] },
    {
      product: 'postern',
      lines: ['smtpd_greet_wait = "2s"', 'smtpd_data_restrictions = ["reject_unauth_pipelining"]'],
    },
  ],
};

const NO_GREETING: Check = {
  id: 'hygiene.slow-greeting',
  title: 'The greeting takes more than five seconds',
  severity: 'info',
  means: 'Clients wait or give up; each connection is held open longer than needed.',
  doesNotMean: 'It may be on purpose, to catch clients that speak too early.',
  rfc: ['RFC 5321 4.5.3.2.1'],
  cures: [],
};

export const earlyTalker: ServiceProbe = {
  name: 'early-talker',
  scope: 'service',
  level: 'active',
  checks: [EARLY, NO_GREETING],
  fits: ({ protocol, role, tls }) =>
    protocol === 'smtp' && role === 'reception' && tls !== 'implicit',
  limitMs: 45_000,
  // Whoever is caught may be kept out for a while.
  alone: true,
  run,
};

async function run(context: ServiceContext): Promise<void> {
  // Bare: what looks at a greeting first takes some of its time.
  const patient = await opened(context, { bare: true });
  const slow = await readReply(patient, GREETING_MS);
  patient.close();
  if (isLost(slow)) {
    const words = lossText(slow);
    context.tell(found(NO_GREETING, `no greeting: ${words}`));
    context.tell(unclear(EARLY, `who waits is not greeted either: ${words}`));
    return;
  }
  const seen = `it came after ${Math.round(slow.ms)} ms`;
  context.tell((slow.ms > 5_000 ? found : absent)(NO_GREETING, seen));
  context.tell(await judgeEarly(context));
}

const GREETING_MS = 8_000;

/**
 * Many servers look for early octets once, as they greet, and a quick one often does so before ours
 * are there: about every third session comes first even where both sides share one busy machine. So
 * many sessions are tried one after the other (in a crowd we would be the slower side), and what
 * nobody noticed in all of them nobody looks for. A patient client says how far one gets by waiting.
 */
async function judgeEarly(context: ServiceContext): Promise<Outcome> {
  const { stage: usual, words: waited, quickestMs } = await session(context, 'patient');
  if (usual === 0) return unclear(EARLY, `who waits is not served either: ${waited}`);
  let tried = 0;
  let sure = 0;
  let crowded = 0;
  while (tried < TURNS && sure < SURE_TURNS && crowded < TURNS && context.leftMs() > TURN_MS) {
    const { stage, greetingMs, busy, words } = await session(context, 'early');
    if (busy) crowded += 1;
    else if (stage < usual) return noticed(context, usual, words);
    else tried += 1;
    if (greetingMs > quickestMs + SURE_MS && !busy) sure += 1;
  }
  const controls = { positive: { passed: 1, of: 1 }, repeated: { passed: tried, of: tried } };
  if (tried < TURNS && sure < SURE_TURNS) {
    const why = `only ${tried} of ${TURNS} sessions could be had in time, and all were served`;
    return unclear(EARLY, why, { controls });
  }
  const refused = usual === DATA ? await refusedMail(context) : undefined;
  if (refused !== undefined) return absent(EARLY, refused);
  const seen = `${tried} sessions began with EHLO before the greeting, and each was served: ${waited}`;
  return found(EARLY, seen, { controls });
}

const TURNS = 40;
/** Where the greeting takes so much longer than other answers, EHLO was there before it. */
const SURE_MS = 100;
const SURE_TURNS = 3;
/** What a turn may take that is begun: answers may be held back. */
const TURN_MS = 4_000;

/** A refusal counts when whoever waits is still served: else it is a limit, or the punishment. */
async function noticed(context: ServiceContext, usual: number, words: string): Promise<Outcome> {
  const after = await session(context, 'patient');
  const seen = `after EHLO before the greeting: ${words}`;
  if (after.stage >= usual) return absent(EARLY, seen);
  return unclear(EARLY, `${seen}; since then who waits is refused too: ${after.words}`);
}

/** Early sessions whose mail is sent, beside one that waits: some servers judge a message whole. */
const LETTERS = 6;

/** How mail of early talkers is refused where that of the patient is taken. */
async function refusedMail(context: ServiceContext): Promise<string | undefined> {
  const calm = await session(context, 'patient', true);
  if (calm.stage !== TAKEN) return undefined;
  for (let turn = 0; turn < LETTERS; turn += 1) {
    const { stage, busy, words } = await session(context, 'early', true);
    if (stage < TAKEN && !busy) return `mail of who spoke before the greeting is refused: ${words}`;
  }
  return undefined;
}

const DATA = 4;
const TAKEN = 5;

/** How far one session came: 0 not greeted, for EHLO, MAIL, RCPT, DATA and the mail one more each. */
interface Reached {
  readonly stage: number;
  /** From the moment we could speak to the greeting. */
  readonly greetingMs: number;
  /** Of all answers behind the greeting: at least the way there and back. */
  readonly quickestMs: number;
  /** Too many at once, which says nothing about who speaks first. */
  readonly busy: boolean;
  readonly words: string;
}

/** Without mail it goes as far as DATA, where the connection ends: nothing is delivered. */
async function session(
  context: ServiceContext,
  manner: 'patient' | 'early',
  withMail = false,
): Promise<Reached> {
  const { replyMs, heloName } = context.options;
  const dialled = await context.dial({ bare: true });
  if (dialled.kind !== 'open') {
    const words = `no connection: ${dialled.why}`;
    return { stage: 0, greetingMs: 0, quickestMs: replyMs, busy: true, words };
  }
  const { wire } = dialled;
  const hello = `EHLO ${heloName}`;
  if (manner === 'early') wire.line(hello);
  let reply = await readReply(wire, GREETING_MS);
  const greetingMs = isLost(reply) ? GREETING_MS : reply.ms;
  let asked = 'the greeting';
  let quickestMs = replyMs;
  let stage = 0;
  const lines = [hello, 'MAIL FROM:<>', `RCPT TO:<${postmasterHere(context).text}>`, 'DATA'];
  if (withMail) lines.push(`${letter({ token: context.token() })}.`);
  for (const line of lines) {
    if (isLost(reply) || reply.code >= 400) break;
    asked = line.includes('\r') ? 'the mail' : (line.split(' ', 1)[0] ?? '');
    if (line !== hello || manner === 'patient') wire.line(line);
    reply = await readReply(wire, replyMs);
    if (isLost(reply)) break;
    quickestMs = Math.min(quickestMs, reply.ms);
    if (reply.code < 400) stage += 1;
  }
  wire.destroy();
  const text = isLost(reply) ? lossText(reply) : `"${replyText(reply).slice(0, 120)}"`;
  const busy = !isLost(reply) && reply.code === 421;
  return { stage, greetingMs, quickestMs, busy, words: `${asked} is answered with ${text}` };
}
