/** Why a host was no good, in the words that its recipients hear when no other one was. */

import type { Opening } from '#protocol/smtp/client/session.ts';
import { type Outcome, statusOf } from '#protocol/smtp/client/transaction.ts';
import type { RecipientResult } from './job.ts';
import type { Target } from './route.ts';

type Undelivered = Extract<RecipientResult, { kind: 'failed' | 'deferred' }>;

/** What recipients hear when no host was any good. */
export type Trouble = Omit<Undelivered, 'number'>;

/** `mx.example [192.0.2.1]:25`. */
export function hostText({ host, address, port }: Target): string {
  return `${host} [${address}]:${port}`;
}

/** The host will do later. */
export function deferred(target: Target, status: string, reason: string): Trouble {
  return { kind: 'deferred', status, reason, reply: undefined, host: hostText(target) };
}

/** Whether the server asks for another transaction (RFC 5321 4.5.3.1.10). */
export function tooMany(outcome: Extract<Outcome, { kind: 'failed' | 'deferred' }>): boolean {
  return (
    outcome.about === 'recipient' && (outcome.reply?.code === 452 || outcome.status === '4.5.3')
  );
}

/** A login that fails is our configuration's fault, and a message does not pay for it. */
export function troubleOf(opening: Exclude<Opening, { kind: 'ready' }>, target: Target): Trouble {
  const status = opening.step === 'auth' ? '4.7.8' : '4.7.10';
  if (opening.kind === 'unfit') return deferred(target, status, opening.why);
  const { reply, step } = opening;
  const host = hostText(target);
  const reason = `the server refused at ${step === 'helo' ? 'EHLO' : step.toUpperCase()}`;
  if (step === 'auth' || step === 'starttls') {
    return { kind: 'deferred', reply, status, reason, host };
  }
  const kind = reply.code >= 500 ? 'failed' : 'deferred';
  const own = kind === 'failed' ? '5.3.2' : '4.3.2';
  return {
    kind,
    reply,
    status: reply.code < 400 ? own : (reply.enhanced ?? statusOf(reply)),
    reason,
    host,
  };
}
