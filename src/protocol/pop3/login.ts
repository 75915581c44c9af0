/** Logging in: one SASL exchange to its end, then the maildrop (RFC 1939 4, RFC 5034, RFC 3206). */

import { invariant } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import type { Authenticated } from '../sasl/authenticated.ts';
import { SaslDialogue } from '../sasl/dialogue.ts';
import type { SaslProgress } from '../sasl/dialogue.ts';
import type { Mechanism } from '../sasl/mechanism.ts';
import { offeredMechanisms } from '../sasl/offer.ts';
import type { Resumption, Session, Step, Task } from './session.ts';

/** Runs `mechanism`; ends in TRANSACTION, or with a -ERR that says what kind of failure it was. */
export function* logIn(
  session: Session,
  secure: Secure,
  mechanism: Mechanism,
  initial: string | undefined,
): Task {
  const nonce = yield* draw();
  const offered = offeredMechanisms(secure, session.options.mechanisms).map(({ name }) => name);
  const dialogue = new SaslDialogue(mechanism, { secure, nonce, offered });
  let counted = false;
  let progress = dialogue.begin(initial);
  while (progress.kind === 'challenge' || progress.kind === 'ask') {
    if (progress.kind === 'challenge' && progress.failed !== undefined) {
      countFailure(session, mechanism.name, progress.failed.login);
      counted = true;
    }
    progress = yield* carry(session, dialogue, progress);
  }
  switch (progress.kind) {
    case 'authenticated':
      session.tell({ kind: 'authenticated', who: progress.who });
      yield* open(session, progress.who);
      return;
    case 'cancelled':
      session.error('cancelled');
      return;
    case 'malformed':
      session.error(`malformed: ${progress.why}`);
      return;
    case 'rejected':
      if (!counted) countFailure(session, mechanism.name, progress.login);
      // The same words whether the login exists, is closed, or the password was wrong.
      session.error('[AUTH] login failed');
      if (session.loginFailures >= session.options.loginFailures) session.closing = true;
      return;
  }
}

/** A challenge to the client, or a question to the outside, and what came back. */
function* carry(
  session: Session,
  dialogue: SaslDialogue,
  progress: SaslProgress & { readonly kind: 'challenge' | 'ask' },
): Generator<Step, SaslProgress, Resumption> {
  if (progress.kind === 'challenge') {
    session.send(`+ ${progress.text}\r\n`);
    const resumed = yield { kind: 'line' };
    invariant(resumed.kind === 'line', 'a line was waited for');
    return dialogue.line(resumed.bytes);
  }
  const resumed = yield { kind: 'ask', question: { kind: 'sasl', question: progress.question } };
  invariant(resumed.kind === 'answer' && resumed.answer.kind === 'sasl', 'SASL was asked about');
  return dialogue.answer(resumed.answer.answer);
}

function* draw(): Generator<Step, Uint8Array, Resumption> {
  const resumed = yield { kind: 'ask', question: { kind: 'nonce' } };
  invariant(resumed.kind === 'answer' && resumed.answer.kind === 'nonce', 'a nonce was asked for');
  return resumed.answer.bytes;
}

function* open(session: Session, who: Authenticated): Task {
  const resumed = yield { kind: 'ask', question: { kind: 'open', who } };
  invariant(resumed.kind === 'answer', 'the maildrop was asked for');
  if (resumed.answer.kind === 'in-use') {
    session.error('[IN-USE] another POP3 session has this maildrop open');
    return;
  }
  invariant(resumed.answer.kind === 'opened', 'the maildrop was asked for');
  session.login = who;
  session.open(resumed.answer.maildrop);
  const { count, sizeBytes } = session.totals;
  session.ok(`${count} messages (${sizeBytes} octets)`);
}

function countFailure(session: Session, mechanism: string, login: string | undefined): void {
  session.loginFailures += 1;
  session.tell({ kind: 'login-failed', mechanism, login });
}
