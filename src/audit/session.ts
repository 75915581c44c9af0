/** The usual beginnings of a session, for probes: greeted, introduced, under TLS; or a Failure. */

import { latin1 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { ProbeDialOptions, ProbeOptions, ServiceContext } from './probe.ts';
import { askImap, type ImapAnswer, readImap } from './wire/imap.ts';
import { GREETING_MS } from './wire/limits.ts';
import { askPop3, type Pop3Answer, readPop3 } from './wire/pop3.ts';
import { askSieve, readSieve, type SieveAnswer } from './wire/sieve.ts';
import { ask, keywordsOf, readReply, replyText, type SmtpReply } from './wire/smtp.ts';
import { isLost, lossText, type Lost, type Wire } from './wire/wire.ts';

/** What a session is opened with: a service's context has all of it. */
export interface SessionContext {
  readonly service: ServiceContext['service'];
  readonly options: Pick<ProbeOptions, 'replyMs' | 'heloName'>;
  dial: ServiceContext['dial'];
  /** Without it a server that is full is asked once. */
  readonly world?: Pick<ServiceContext['world'], 'clock'>;
}

export interface SessionOptions extends ProbeDialOptions {
  /** Upgrade by STARTTLS (STLS) after the introduction, and introduce ourselves again. */
  readonly startTls?: boolean;
  /** Another name in EHLO. */
  readonly heloName?: string;
}

export interface SmtpSession {
  readonly wire: Wire;
  readonly greeting: SmtpReply;
  /** The last answer to EHLO (LHLO). */
  readonly ehlo: SmtpReply;
  readonly keywords: ReadonlyMap<string, string>;
  /** Sends a line; its reply, or a Failure when none came. */
  ask(line: string): Promise<SmtpReply>;
}

/**
 * SMTP or LMTP: greeted with 220 and our EHLO accepted. Fails (temporary) with `no-session` and
 * the reason otherwise: what a probe does not catch makes its checks inconclusive.
 */
export async function smtpSession(
  context: SessionContext,
  options: SessionOptions = {},
): Promise<SmtpSession> {
  const { replyMs } = context.options;
  const { wire, greeting } = await greeted(context, options);
  if (greeting.code !== 220) throw noSession(`greeted with "${replyText(greeting)}"`);
  const hello = context.service.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  const introduce = async (): Promise<SmtpReply> => {
    const name = options.heloName ?? context.options.heloName;
    const reply = answered(await ask(wire, `${hello} ${name}`, replyMs), hello);
    if (reply.code !== 250) throw noSession(`${hello} answered with "${replyText(reply)}"`);
    return reply;
  };
  let ehlo = await introduce();
  if (options.startTls === true) {
    const agreed = answered(await ask(wire, 'STARTTLS', replyMs), 'STARTTLS');
    if (agreed.code !== 220) throw noSession(`STARTTLS answered with "${replyText(agreed)}"`);
    await secured(context, wire);
    ehlo = await introduce();
  }
  const asked = async (line: string): Promise<SmtpReply> =>
    answered(await ask(wire, line, replyMs), line.split(' ', 1)[0] ?? 'command');
  return { wire, greeting, ehlo, keywords: keywordsOf(ehlo), ask: asked };
}

/** How often a server that is full is asked again, each time a little later. */
const CROWDED = { times: 4, pauseMs: 250, tellsMs: 2_000 };

/**
 * An SMTP connection with its greeting, whatever its code. 421 says that it serves too many just
 * now (Exim: 20 of everybody), often ourselves: asked again a few times.
 */
export async function greeted(
  context: SessionContext,
  options: ProbeDialOptions = {},
): Promise<{ readonly wire: Wire; readonly greeting: SmtpReply }> {
  const waitMs = Math.max(context.options.replyMs, GREETING_MS);
  const read = async (wire: Wire): Promise<SmtpReply> =>
    answered(await readReply(wire, waitMs), 'greeting');
  return patiently(context, options, read, ({ code }) => code === 421);
}

/** A connection with what `read` makes of its greeting; where that is full, a later one. */
export async function patiently<T>(
  context: Pick<SessionContext, 'dial' | 'world'>,
  options: ProbeDialOptions,
  read: (wire: Wire) => Promise<T>,
  isFull: (greeting: T) => boolean,
): Promise<{ readonly wire: Wire; readonly greeting: T }> {
  const { world } = context;
  for (let turn = 1; ; turn += 1) {
    const wire = await opened(context, options);
    const startMs = world?.clock.elapsed() ?? 0;
    const greeting = await read(wire);
    if (!isFull(greeting) || world === undefined || turn > CROWDED.times) return { wire, greeting };
    // Who is full says so at once; behind a silence it is something else, each time as long.
    if (world.clock.elapsed() - startMs > CROWDED.tellsMs) return { wire, greeting };
    wire.close();
    await new Promise<void>((resolve) => void world.clock.after(CROWDED.pauseMs * turn, resolve));
  }
}

export interface ImapSession {
  readonly wire: Wire;
  /** `OK`, `PREAUTH` with its text. */
  readonly greeting: ImapAnswer;
  /** In upper case, in the server's order. */
  readonly capabilities: readonly string[];
  ask(line: string): Promise<ImapAnswer>;
}

/** IMAP: greeted, capabilities asked for. Fails like `smtpSession`. */
export async function imapSession(
  context: SessionContext,
  options: SessionOptions = {},
): Promise<ImapSession> {
  const { replyMs } = context.options;
  const wire = await opened(context, options);
  const greeting = answered(await readImap(wire, '', replyMs), 'greeting');
  let tags = 0;
  const asked = async (line: string): Promise<ImapAnswer> => {
    tags += 1;
    return answered(await askImap(wire, `a${tags}`, line, replyMs), line);
  };
  if (greeting.status === 'bye') throw noSession(`greeted with "BYE ${greeting.text}"`);
  let capabilities = imapCapabilities(await asked('CAPABILITY'));
  if (options.startTls === true) {
    const agreed = await asked('STARTTLS');
    if (agreed.status !== 'ok') throw noSession(`STARTTLS answered with "${agreed.text}"`);
    await secured(context, wire);
    capabilities = imapCapabilities(await asked('CAPABILITY'));
  }
  return { wire, greeting, capabilities, ask: asked };
}

export interface Pop3Session {
  readonly wire: Wire;
  readonly greeting: Pop3Answer;
  /** Lines of CAPA; empty where it is not known. */
  readonly capabilities: readonly string[];
  ask(line: string, listing?: boolean): Promise<Pop3Answer>;
}

/** POP3: greeted, CAPA asked for. Fails like `smtpSession`. */
export async function pop3Session(
  context: SessionContext,
  options: SessionOptions = {},
): Promise<Pop3Session> {
  const { replyMs } = context.options;
  const wire = await opened(context, options);
  const greeting = answered(await readPop3(wire, replyMs), 'greeting');
  if (greeting.status !== 'ok') throw noSession(`greeted with "${greeting.text}"`);
  const asked = async (line: string, listing = false): Promise<Pop3Answer> =>
    answered(await askPop3(wire, line, replyMs, listing), line.split(' ', 1)[0] ?? 'command');
  let { lines } = await asked('CAPA', true);
  if (options.startTls === true) {
    const agreed = await asked('STLS');
    if (agreed.status !== 'ok') throw noSession(`STLS answered with "${agreed.text}"`);
    await secured(context, wire);
    ({ lines } = await asked('CAPA', true));
  }
  return { wire, greeting, capabilities: lines, ask: asked };
}

export interface SieveSession {
  readonly wire: Wire;
  /** Capability lines, quotes undone: `SASL PLAIN`. */
  readonly capabilities: readonly string[];
  ask(line: string): Promise<SieveAnswer>;
}

/** ManageSieve: greeted with its capabilities. Fails like `smtpSession`. */
export async function sieveSession(
  context: SessionContext,
  options: SessionOptions = {},
): Promise<SieveSession> {
  const { replyMs } = context.options;
  const wire = await opened(context, options);
  let greeting = answered(await readSieve(wire, replyMs), 'greeting');
  if (greeting.status !== 'ok') throw noSession(`greeted with "${greeting.text}"`);
  const asked = async (line: string): Promise<SieveAnswer> =>
    answered(await askSieve(wire, line, replyMs), line.split(' ', 1)[0] ?? 'command');
  if (options.startTls === true) {
    const agreed = await asked('STARTTLS');
    if (agreed.status !== 'ok') throw noSession(`STARTTLS answered with "${agreed.text}"`);
    await secured(context, wire);
    greeting = answered(await readSieve(wire, replyMs), 'capabilities after STARTTLS');
  }
  return { wire, capabilities: greeting.lines.map(sieveLine), ask: asked };
}

/** Capability words of an IMAP answer, from its untagged CAPABILITY line. */
export function imapCapabilities(answer: ImapAnswer): readonly string[] {
  const line = answer.untagged.find((one) => /^CAPABILITY /i.test(one)) ?? '';
  return line
    .toUpperCase()
    .split(' ')
    .slice(1)
    .filter((word) => word !== '');
}

/** `"SASL" "PLAIN LOGIN"` as `SASL PLAIN LOGIN`. */
export function sieveLine(line: string): string {
  return [...line.matchAll(/"([^"]*)"/g)].map(([, inner = '']) => inner).join(' ') || line;
}

/** A connection to the service; fails with the reason when there is none. */
export async function opened(
  context: Pick<SessionContext, 'dial'>,
  options: ProbeDialOptions = {},
): Promise<Wire> {
  const dialled = await context.dial(options);
  if (dialled.kind === 'open') return dialled.wire;
  throw noSession(`no connection: ${dialled.why}`);
}

/** What was read, or a Failure that says what was waited for. */
export function answered<T extends object>(read: T | Lost, waitingFor: string): T {
  if (!isLost(read)) return read;
  throw noSession(
    `no answer to ${latin1(Buffer.from(waitingFor)).slice(0, 80)}: ${lossText(read)}`,
  );
}

async function secured({ service }: SessionContext, wire: Wire): Promise<void> {
  const tls = await wire.startTls(service.host);
  if (tls.kind === 'tls-failed') throw noSession(`no TLS: ${tls.why}`);
}

function noSession(why: string): Failure {
  return Failure.temporary('no-session', why);
}
