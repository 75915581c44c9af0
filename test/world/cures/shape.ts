/** A cure that is left out: the shape of a row, and the ways of leaving one out. */

import type { Level } from '#audit/check.ts';
import type { Settings } from '#command/configuration/settings.ts';
import type { ListenerName } from '#command/serve/listeners.ts';
import type { ServiceParts } from '#command/serve/services.ts';
import type { Gate, Refusal } from '#policy/gate.ts';
import { reply } from '#protocol/smtp/reply.ts';
import type { SmtpLimits } from '#protocol/smtp/server/options.ts';
import type { SmtpListener } from '#service/smtp/listener.ts';
import type { testCertificate } from '../certificates.ts';
import type { Tap } from '../tap.ts';

export interface WithoutCure {
  /** What the server lacks then. */
  readonly name: string;
  /** The listeners that are opened: only there is it looked for. */
  readonly at: readonly ListenerName[];
  /** Checks that must be found, and beside them nothing of low or higher that is not there always. */
  readonly finds: readonly (string | RegExp)[];
  /** What may be found as well: the same thing by another road. */
  readonly also?: readonly (string | RegExp)[];
  /** Default `safe`. */
  readonly level?: Level;
  /** A setting of the operator's. */
  readonly settings?: Partial<Settings>;
  /** A listener put together otherwise. */
  readonly listener?: (listener: SmtpListener, parts: ServiceParts) => SmtpListener;
  readonly certificate?: Parameters<typeof testCertificate>[0];
  /** What the machine cannot be made to leave out is left out before it. */
  readonly tap?: Tap;
}

export const REFUSED: Refusal = {
  rule: 'test',
  reply: reply(550, '5.7.1', 'Not from you'),
  why: 'test',
};

/** SMTP: announced in EHLO, in clear or under TLS. */
export function announces(
  words: string,
  when: 'clear' | 'tls' | 'both' = 'both',
): NonNullable<Tap['said']> {
  return (text, { isSecure }) =>
    when === 'both' || (when === 'tls') === isSecure
      ? text.replace(/^250([- ])(?=(?:PIPELINING|SIZE|8BITMIME))/m, `250-${words}\r\n250$1`)
      : text;
}

/** Answers a command that starts like this, instead of the server. */
export function answers(
  pattern: RegExp,
  text: string | ((line: string) => string),
): NonNullable<Tap['line']> {
  return (line) =>
    pattern.test(line) ? (typeof text === 'string' ? text : text(line)) : undefined;
}

export function withGate(
  change: (gate: Gate) => Partial<Gate>,
): NonNullable<WithoutCure['listener']> {
  return (listener) => ({ ...listener, gate: { ...listener.gate, ...change(listener.gate) } });
}

export type Exchange = (listener: SmtpListener) => SmtpListener;

export function withMachine(more: Partial<SmtpListener['machine']>): Exchange {
  return (listener) => ({ ...listener, machine: { ...listener.machine, ...more } });
}

export function withLimits(more: Partial<SmtpLimits>): Exchange {
  return (listener) => withMachine({ limits: { ...listener.machine.limits, ...more } })(listener);
}

/** The only account of the stage, with or without its domain. */
export const known = (name: string): boolean =>
  /^<?somebody(?:@rehearsal\.test)?>?$/i.test(name.trim());
