/** The door for logins in every protocol: which mechanisms it names, and one SASL step at a time. */

import { latin1 } from '#base/bytes.ts';
import type { ServiceContext } from '../../probe.ts';
import {
  answered,
  imapSession,
  pop3Session,
  type SessionOptions,
  sieveSession,
  smtpSession,
} from '../../session.ts';
import { readReply, replyText } from '../../wire/smtp.ts';
import type { Wire } from '../../wire/wire.ts';

/** What a server says to a step (RFC 4422 3). */
export interface Step {
  readonly kind: 'challenge' | 'accepted' | 'refused';
  /** The challenge (base64 as it came), or the words of the verdict. */
  readonly text: string;
}

export interface LoginDoor {
  readonly wire: Wire;
  /** In upper case, in the server's order. */
  readonly mechanisms: readonly string[];
  /** Begins an exchange without an initial response. */
  begin(mechanism: string): Promise<Step>;
  /** One line of the exchange, already in base64; `*` gives up. */
  say(line: string): Promise<Step>;
}

/** Servers answer a login that failed after some seconds: Cyrus after three (`failedloginpause`). */
const CHECKED_MS = 6_000;

/** How long the answer to a login, or to a password, is waited for. */
export function checkedMs({ options }: Pick<ServiceContext, 'options'>): number {
  return Math.max(options.replyMs, CHECKED_MS);
}

/** A session up to where somebody would log in. */
export async function openDoor(
  context: ServiceContext,
  options: SessionOptions = {},
): Promise<LoginDoor> {
  switch (context.service.protocol) {
    case 'smtp':
    case 'lmtp':
      return smtpDoor(context, options);
    case 'imap':
      return imapDoor(context, options);
    case 'pop3':
      return pop3Door(context, options);
    case 'sieve':
      return sieveDoor(context, options);
  }
}

async function smtpDoor(context: ServiceContext, options: SessionOptions): Promise<LoginDoor> {
  const { wire, keywords } = await smtpSession(context, options);
  const step = async (): Promise<Step> => {
    const reply = answered(await readReply(wire, checkedMs(context)), 'AUTH');
    if (reply.code === 334) return { kind: 'challenge', text: reply.lines[0] ?? '' };
    return { kind: reply.code === 235 ? 'accepted' : 'refused', text: replyText(reply) };
  };
  return doorOf(wire, words(keywords.get('AUTH')), (name) => `AUTH ${name}`, step);
}

async function imapDoor(context: ServiceContext, options: SessionOptions): Promise<LoginDoor> {
  const { wire, capabilities } = await imapSession(context, options);
  const names = capabilities
    .filter((word) => word.startsWith('AUTH='))
    .map((word) => word.slice(5));
  let tags = 0;
  const next = (name: string): string => {
    tags += 1;
    return `x${tags} AUTHENTICATE ${name}`;
  };
  return doorOf(wire, names, next, () =>
    lineStep(context, wire, /^\+ ?([^]*)$/, /^x\d+ OK\b/i, /^x\d+ |^\* BYE/i),
  );
}

async function pop3Door(context: ServiceContext, options: SessionOptions): Promise<LoginDoor> {
  const { wire, capabilities } = await pop3Session(context, options);
  const line = capabilities.find((one) => /^SASL\b/i.test(one));
  return doorOf(
    wire,
    words(line?.slice(5)),
    (name) => `AUTH ${name}`,
    () => lineStep(context, wire, /^\+ ([^]*)$|^\+$/, /^\+OK\b/i, /^[+-]/),
  );
}

async function sieveDoor(context: ServiceContext, options: SessionOptions): Promise<LoginDoor> {
  const { wire, capabilities } = await sieveSession(context, options);
  const line = capabilities.find((one) => /^SASL\b/i.test(one));
  return doorOf(
    wire,
    words(line?.slice(5)),
    (name) => `AUTHENTICATE "${name}"`,
    () => lineStep(context, wire, /^"([^"]*)"$|^\{\d+\+?\}$/, /^OK\b/i, /^(?:OK|NO|BYE)\b/i),
  );
}

function doorOf(
  wire: Wire,
  mechanisms: readonly string[],
  command: (name: string) => string,
  step: () => Promise<Step>,
): LoginDoor {
  return {
    wire,
    mechanisms,
    begin: (name) => {
      wire.line(command(name));
      return step();
    },
    say: (line) => {
      wire.line(line);
      return step();
    },
  };
}

/** Lines up to one that is a challenge or an end; at most 50 others (untagged ones) between. */
async function lineStep(
  context: ServiceContext,
  wire: Wire,
  challenge: RegExp,
  accepted: RegExp,
  end: RegExp,
): Promise<Step> {
  let text = '';
  for (let line = 0; line < 50; line += 1) {
    text = latin1(answered(await wire.readLine(checkedMs(context)), 'login').octets);
    const asked = challenge.exec(text);
    if (asked !== null) return { kind: 'challenge', text: asked[1] ?? '' };
    if (accepted.test(text)) return { kind: 'accepted', text };
    if (end.test(text)) break;
  }
  return { kind: 'refused', text };
}

function words(line: string | undefined): readonly string[] {
  const list = (line ?? '').toUpperCase().split(/[\s=]+/);
  return [...new Set(list.filter((word) => word !== ''))];
}
