/** The session as straight code: generators that stop where the outside has to do something. */

import type { Awaitable } from '#base/brand.ts';
import { invariant } from '#base/failure.ts';
import type { SaslAnswer, SaslQuestion } from '../sasl/mechanism.ts';
import type { Access } from './access.ts';
import type { Got, Want } from './input.ts';
import type { ImapAnswer, ImapQuestion } from './questions.ts';
import type { Session } from './session.ts';

/** Where a task stops. */
export type Step =
  | { readonly kind: 'read'; readonly want: Want; readonly deadlineMs: number }
  | { readonly kind: 'ask'; readonly question: ImapQuestion }
  | { readonly kind: 'flush' }
  | { readonly kind: 'start-tls' };

/** What it goes on with: input after `read`, an answer after `ask`, nothing after the others. */
export type Resume = Got | ImapAnswer | undefined;

export type Task<Result> = Generator<Step, Result, Resume>;

/** Waits for input. */
export function* read(want: Want, deadlineMs: number): Task<Got> {
  const got = yield { kind: 'read', want, deadlineMs };
  invariant(got !== undefined && isGot(got), 'a read goes on with input');
  return got;
}

/** Works in the store of the account that is logged in; fails with the Failure of the store. */
export function* store<Result>(
  session: Session,
  run: (access: Access) => Awaitable<Result>,
): Task<Result> {
  const { who } = session;
  invariant(who !== undefined, 'only a login reaches the store');
  const answer = yield { kind: 'ask', question: { kind: 'store', who, run } };
  invariant(answer?.kind === 'stored', 'a store question is answered by its value');
  return answer.value as Result;
}

/** Hands what was written to the peer and waits until it has taken it. */
export function* flush(): Task<void> {
  yield { kind: 'flush' };
}

/** Flushes once a slice of output has gathered: memory stays bounded, small answers join. */
export function* relieve(session: Session): Task<void> {
  if (session.out.size >= session.options.sliceBytes) yield { kind: 'flush' };
}

export function* askSasl(question: SaslQuestion): Task<SaslAnswer> {
  const answer = yield { kind: 'ask', question: { kind: 'sasl', question } };
  invariant(answer?.kind === 'sasl', 'a SASL question is answered by a SASL answer');
  return answer.answer;
}

export function* askNonce(): Task<Uint8Array> {
  const answer = yield { kind: 'ask', question: { kind: 'nonce' } };
  invariant(answer?.kind === 'nonce', 'a nonce question is answered by octets');
  return answer.bytes;
}

function isGot(value: Got | ImapAnswer): value is Got {
  return value.kind !== 'nonce' && value.kind !== 'sasl' && value.kind !== 'stored';
}
