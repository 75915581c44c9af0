/** One attempt at a relay, step by step up the ladder: refused, accepted, queued, arrived. */

import { concat, fromLatin1, utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Clock } from '#base/world.ts';
import type { Canary } from '../probe.ts';
import type { Dialled } from '../wire/dial.ts';
import type { Exchange } from '../wire/exchange.ts';
import { sayHello } from '../wire/hello.ts';
import { ask, readReply, replyText, type SmtpReply } from '../wire/smtp.ts';
import { isLost, lossText, type Lost, type Wire } from '../wire/wire.ts';
import type { Attempt, Form } from './forms.ts';
import type { Place } from './place.ts';

/** How far an attempt got. `unclear`: it could not be told. */
export type Rung = 'refused' | 'accepted' | 'queued' | 'arrived' | 'unclear' | 'not-applicable';

export interface Trial {
  readonly form: string;
  readonly title: string;
  readonly variant: string;
  readonly mail: string;
  readonly rcpt: string;
  readonly rung: Rung;
  /** What decided it, in the server's words. */
  readonly answer: string;
  /** Trust was given before MAIL: XCLIENT, PROXY or a login was taken, whatever came of it. */
  readonly trusted: boolean;
  readonly mayBeLocal: boolean;
  /** From the open connection to what decided it. */
  readonly ms: number;
  readonly exchange: Exchange | undefined;
}

export interface TrialOptions {
  readonly clock: Clock;
  readonly place: Place;
  readonly serverName: string;
  /** For each answer on the way into the session. */
  readonly helloMs: number;
  /** For each answer behind it. */
  readonly replyMs: number;
  /** Whether a message may be sent where RCPT was accepted. */
  readonly send: boolean;
  readonly canary: Canary | undefined;
  /** How long to wait for the canary. */
  readonly arrivalMs: number;
  /** `bare`: its greeting is not looked at, for we speak first. */
  dial(how?: { readonly bare: boolean }): Promise<Dialled>;
}

type Ended = Pick<Trial, 'rung' | 'answer' | 'trusted'>;

/** Makes one attempt on a connection of its own. Never throws for what the server does. */
export async function tryForm(form: Form, attempt: Attempt, options: TrialOptions): Promise<Trial> {
  const { clock, place, serverName, helloMs } = options;
  const base = {
    form: form.id,
    title: form.title,
    variant: attempt.variant,
    mail: attempt.mail,
    rcpt: attempt.rcpt.at(-1) ?? '',
    mayBeLocal: attempt.mayBeLocal,
  };
  let wire: Wire | undefined;
  let startMs = clock.elapsed();
  const told = (ended: Ended, exchange: Exchange | undefined): Trial => {
    return { ...base, ...ended, ms: clock.elapsed() - startMs, exchange };
  };
  try {
    const dialled = await options.dial({ bare: attempt.prologue !== undefined });
    startMs = clock.elapsed();
    const hello = await sayHello(dialled, {
      name: attempt.helo ?? place.helo,
      serverName,
      replyMs: helloMs,
      tls: attempt.startTls === true ? 'offered' : 'none',
      ...(attempt.prologue === undefined ? {} : { prologue: attempt.prologue }),
    });
    if (hello.kind !== 'ready') return told(atHello(hello, attempt), hello.exchange);
    ({ wire } = hello);
    const { needs, conceal } = attempt;
    if (conceal !== undefined) wire.conceal('credentials', conceal);
    if (conceal !== undefined && wire.secure === undefined) {
      const answer = 'a password is not sent without TLS';
      return told({ rung: 'not-applicable', answer, trusted: false }, wire.exchange);
    }
    const ended: Ended =
      needs !== undefined && !hello.keywords.has(needs) && !(needs === 'STARTTLS' && wire.secure)
        ? { rung: 'not-applicable', answer: `${needs} is not offered`, trusted: false }
        : await climb(wire, attempt, options);
    return told(ended, wire.exchange);
  } catch (thrown) {
    const failure = Failure.from(thrown);
    if (failure.code !== 'third-party' && failure.code !== 'budget-spent') throw thrown;
    const rung = failure.code === 'third-party' ? 'not-applicable' : 'unclear';
    return told({ rung, answer: failure.message, trusted: false }, wire?.exchange);
  } finally {
    wire?.line('QUIT');
    wire?.close();
  }
}

/** Of a 421: others are served, or too many were; `you talk too soon` is meant for the header. */
const CROWDED = /too many|limit|exceed|\bbusy\b|\bload\b|connections/i;

type FailedHello = Extract<Awaited<ReturnType<typeof sayHello>>, { kind: 'failed' }>;

/** A PROXY header or a HELO name that is refused is an answer; no greeting at all is none. */
function atHello(hello: FailedHello, attempt: Attempt): Ended {
  const said = hello.step === 'ehlo' && hello.reply !== undefined && hello.reply.code >= 400;
  // Who is crowded out hears so whatever stands before EHLO.
  const crowded = hello.reply?.code === 421 && CROWDED.test(hello.why);
  const closes = attempt.prologue !== undefined && hello.step !== 'connect' && !crowded;
  const rung = said || closes ? 'refused' : 'unclear';
  const answer = `${hello.step}: ${hello.why}`;
  return { rung, answer, trusted: false };
}

async function climb(wire: Wire, attempt: Attempt, options: TrialOptions): Promise<Ended> {
  const { replyMs } = options;
  let trusted = attempt.prologue !== undefined;
  for (const { line, must } of attempt.before ?? []) {
    const reply = await ask(wire, line, replyMs);
    if (isLost(reply)) return stuck(reply, trusted);
    const taken = must !== undefined && String(reply.code) === must;
    if (must !== undefined && !taken) return { rung: 'refused', answer: replyText(reply), trusted };
    trusted ||= taken;
  }
  if (attempt.prologue !== undefined) {
    // A header that was no header to the server is answered as an unknown command, behind EHLO.
    const sane = await ask(wire, 'NOOP', replyMs);
    if (isLost(sane)) return stuck(sane, false);
    if (sane.code !== 250) return { rung: 'refused', answer: replyText(sane), trusted: false };
  }
  const accepted = await envelope(wire, attempt, replyMs);
  if ('rung' in accepted) return { ...accepted, trusted };
  const answer = replyText(accepted);
  if (!options.send) return { rung: 'accepted', answer, trusted };
  return content(wire, attempt, options, { rung: 'accepted', answer, trusted });
}

async function envelope(
  wire: Wire,
  attempt: Attempt,
  replyMs: number,
): Promise<SmtpReply | Omit<Ended, 'trusted'>> {
  const begin = `MAIL FROM:${attempt.mail}`;
  const mail = await ask(wire, begin, replyMs);
  if (isLost(mail)) return stuck(mail, false);
  if (mail.code !== 250) return { rung: 'refused', answer: replyText(mail) };
  const last = attempt.rcpt.length - 1;
  for (const [index, path] of attempt.rcpt.entries()) {
    // Each refusal may be held back for longer than the one before (Courier: 8 s, 16 s).
    const reply = await ask(wire, `RCPT TO:${path}`, replyMs * (index + 1));
    if (isLost(reply)) return stuck(reply, false);
    if (index === last) return refusalOf(reply) ?? reply;
    if (attempt.reset === true) {
      await ask(wire, 'RSET', replyMs);
      await ask(wire, begin, replyMs);
    }
  }
  return { rung: 'not-applicable', answer: 'no recipient' };
}

/** A refusal because of the DNS is no relay decision: nobody's domains do not resolve. */
function refusalOf(reply: SmtpReply): Omit<Ended, 'trusted'> | undefined {
  if (reply.code === 250 || reply.code === 251) return undefined;
  const answer = replyText(reply);
  const isDns = /domain not found|host not found|unknown domain|no mx|name server|nxdomain/i;
  return { rung: isDns.test(answer) ? 'unclear' : 'refused', answer };
}

function stuck(lost: Lost, trusted: boolean): Ended {
  return { rung: 'unclear', answer: lossText(lost), trusted };
}

/** Sends one small message that says what it is, and looks whether it comes out elsewhere. */
async function content(
  wire: Wire,
  attempt: Attempt,
  options: TrialOptions,
  before: Ended,
): Promise<Ended> {
  const { place, replyMs } = options;
  const octets = letter(place, attempt);
  let reply: SmtpReply | Lost;
  if (attempt.by === 'bdat') {
    wire.send(concat([fromLatin1(`BDAT ${octets.length} LAST\r\n`), octets]));
    reply = await readReply(wire, replyMs);
  } else {
    reply = await ask(wire, 'DATA', replyMs);
    // Some look at the envelope as a whole, and only now.
    if (!isLost(reply) && reply.code >= 550 && /relay|\b5\.[17]\.\d/i.test(replyText(reply))) {
      return { ...before, rung: 'refused', answer: `DATA: ${replyText(reply)}` };
    }
    if (!isLost(reply) && reply.code === 354) {
      wire.send(concat([octets, fromLatin1('.\r\n')]));
      reply = await readReply(wire, replyMs);
    }
  }
  if (isLost(reply)) return { ...before, answer: `${before.answer}; content: ${lossText(reply)}` };
  if (reply.code !== 250) return { ...before, answer: `content refused: ${replyText(reply)}` };
  return { ...before, rung: 'queued', answer: replyText(reply) };
}

/** What was queued, once more when it arrived at the canary in time. */
export async function followed<T extends Trial>(
  trial: T,
  { place, canary, arrivalMs }: Pick<TrialOptions, 'place' | 'canary' | 'arrivalMs'>,
): Promise<T> {
  if (trial.rung !== 'queued' || canary === undefined) return trial;
  if (place.foreign !== canary.domain) return trial;
  const message = await canary.arrived(place.token, arrivalMs);
  if (message === undefined) return trial;
  const { from } = message;
  const answer = `${trial.answer}; arrived at our canary from ${from.address}`;
  return { ...trial, rung: 'arrived', answer };
}

function letter(place: Place, { variant }: Attempt): Uint8Array {
  const lines = [
    `From: <antispam@${place.other}>`,
    `To: <${place.token}@${place.foreign}>`,
    'Subject: relay test',
    `Message-ID: <${place.token}@${place.other}>`,
    `Audit-Id: ${place.token}`,
    '',
    'A test whether this server relays mail for strangers. It can be deleted.',
    `Token ${place.token}, variant ${variant.replace(/[^\x20-\x7e]/g, '?')}.`,
    '',
  ];
  return utf8(lines.join('\r\n'));
}
