/** Logins by SASL mechanisms, for LOGIN and AUTHENTICATE alike: only under TLS. */

import { Failure, invariant } from '#base/failure.ts';
import { latin1 } from '#base/bytes.ts';
import { SASL_LINE_OCTETS, SaslDialogue, type SaslProgress } from '../sasl/dialogue.ts';
import { findMechanism, offeredMechanisms } from '../sasl/offer.ts';
import { capabilities } from './capabilities.ts';
import { Rejected, bad, no, ok, type Completion } from './completion.ts';
import type { Session } from './session.ts';
import { askNonce, askSasl, read, type Task } from './task.ts';

/**
 * Runs a mechanism to its end. Failures of any kind look alike (AUTHENTICATIONFAILED), and after
 * a few of them the connection is closed. `lines` false: LOGIN, which has no further lines.
 */
export function* logIn(
  session: Session,
  name: string,
  initial: Uint8Array | string | undefined,
  lines: boolean,
): Task<Completion> {
  const { secure } = session;
  // RFC 3501 6.2.3, RFC 5530 3.
  if (secure === undefined) throw no('PRIVACYREQUIRED', 'Logins need TLS: STARTTLS first');
  const offered = offeredMechanisms(secure, session.options.mechanisms);
  const mechanism = findMechanism(name, offered);
  if (mechanism === undefined) throw no('CANNOT', 'This mechanism is not available');
  const nonce = yield* askNonce();
  const names = offered.map((one) => one.name);
  const dialogue = new SaslDialogue(mechanism, { secure, nonce, offered: names });
  let progress = dialogue.begin(initial);
  let counted = false;
  for (;;) {
    switch (progress.kind) {
      case 'ask':
        progress = dialogue.answer(yield* askSasl(progress.question));
        break;
      case 'challenge':
        if (!lines) return fail(session, name, undefined);
        // Counted before the client has a chance to go away without the tagged answer.
        if (progress.failed !== undefined) {
          fail(session, name, progress.failed.login);
          counted = true;
        }
        progress = yield* challenge(session, dialogue, progress);
        break;
      case 'cancelled':
        throw bad('The login was cancelled');
      case 'malformed':
        countFailure(session);
        throw bad(`The login is malformed: ${progress.why}`);
      case 'rejected':
        return counted ? FAILED : fail(session, name, progress.login);
      case 'authenticated': {
        const { who } = progress;
        session.who = who;
        session.tell({ kind: 'authenticated', who });
        return ok('Logged in', `CAPABILITY ${capabilities(session)}`);
      }
    }
  }
}

const FAILED: Completion = {
  status: 'NO',
  code: 'AUTHENTICATIONFAILED',
  text: 'The login name or the password is wrong',
};

function* challenge(
  session: Session,
  dialogue: SaslDialogue,
  progress: SaslProgress,
): Task<SaslProgress> {
  invariant(progress.kind === 'challenge', 'only challenges are sent');
  session.out.text(`+ ${progress.text}\r\n`);
  const want = { kind: 'line', max: SASL_LINE_OCTETS } as const;
  const got = yield* read(want, session.options.loginMs);
  if (got.kind !== 'line') {
    session.bye(got.kind === 'bare-lf' ? 'Lines end with CR LF' : 'The line is too long');
    throw bad('The login ended');
  }
  return dialogue.line(latin1(got.bytes));
}

function fail(session: Session, mechanism: string, login: string | undefined): Completion {
  session.tell({ kind: 'login-failed', mechanism, login });
  countFailure(session);
  return FAILED;
}

function countFailure(session: Session): void {
  session.loginFailures++;
  if (session.loginFailures >= session.options.loginFailures) {
    session.bye('Too many failed logins');
  }
}

/** A login that could not be checked is no wrong password (RFC 5530 3 UNAVAILABLE). */
export function* guarded(task: Task<Completion>): Task<Completion> {
  try {
    return yield* task;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    throw new Rejected({
      status: 'NO',
      code: 'UNAVAILABLE',
      text: 'The login cannot be checked now, try later',
    });
  }
}
