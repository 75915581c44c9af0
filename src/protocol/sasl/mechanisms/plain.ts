/** PLAIN (RFC 4616): authorization identity, login and password in one message. */

import { NO_BYTES, parseUtf8 } from '#base/bytes.ts';
import { Secret } from '#base/secret.ts';
import { Authenticated } from '../authenticated.ts';
import type { Mechanism, SaslInput, SaslOutcome, SaslStep } from '../mechanism.ts';
import { authorizes, prepareSasl } from '../prepare.ts';

export const plain: Mechanism = {
  name: 'PLAIN',
  preference: 20,
  available: () => true,
  *exchange(_context, initial) {
    const bytes = initial ?? (yield* response(NO_BYTES));
    const parts = parseUtf8(bytes)?.split('\0');
    const [authzid, authcid, password] = parts ?? [];
    if (parts?.length !== 3 || authzid === undefined || !authcid || password === undefined) {
      return { kind: 'malformed', why: 'not authzid NUL authcid NUL password in UTF-8' };
    }
    return yield* verifyPassword('PLAIN', authzid, authcid, password);
  },
};

/** Sends a challenge and waits for the client's response to it. */
export function* response(challenge: Uint8Array): Generator<SaslStep, Uint8Array, SaslInput> {
  const input = yield { kind: 'challenge', bytes: challenge };
  return input.kind === 'response' ? input.bytes : NO_BYTES;
}

/**
 * Asks the outside about a password. What cannot be prepared fails like a wrong password
 * (RFC 4616 2), and so does an authorization identity that is somebody else's.
 */
export function* verifyPassword(
  mechanism: string,
  authzid: string,
  authcid: string,
  password: string,
): Generator<SaslStep, SaslOutcome, SaslInput> {
  const login = prepareSasl(authcid);
  const prepared = prepareSasl(password);
  if (login === undefined) return { kind: 'malformed', why: 'the login has forbidden characters' };
  if (prepared === undefined || !authorizes(authzid, login)) return { kind: 'rejected', login };
  const input = yield {
    kind: 'ask',
    question: { kind: 'password', login, password: new Secret(prepared) },
  };
  const identity =
    input.kind === 'answer' && input.answer.kind === 'password' ? input.answer.identity : undefined;
  if (identity === undefined) return { kind: 'rejected', login };
  return {
    kind: 'authenticated',
    who: Authenticated.verified(identity, mechanism),
    final: undefined,
  };
}
