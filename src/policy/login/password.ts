/** New passwords: what is allowed, and what is kept of them (argon2id and SCRAM keys). */

import { Failure } from '#base/failure.ts';
import type { Random } from '#base/world.ts';
import { prepareSasl } from '#protocol/sasl/prepare.ts';
import { SCRAM_ITERATIONS, scramKeys } from '#protocol/sasl/scram.ts';
import type { Credentials } from '#store/directory.ts';
import { HASH_BYTES, HASH_PARAMETERS, SALT_BYTES, argon2id } from './argon2.ts';
import type { HashFunction } from './argon2.ts';
import type { HashParameters } from './phc.ts';
import { formatPhc } from './phc.ts';

export const PASSWORD_LENGTH = 1024;

export interface PasswordOptions {
  readonly hash?: HashFunction | undefined;
  readonly parameters?: HashParameters | undefined;
  /** RFC 7677 4: at least 4096. */
  readonly scramIterations?: number | undefined;
}

/**
 * What a password is kept as: argon2id for password mechanisms, SCRAM-SHA-256 keys, each with a
 * fresh salt. The password is prepared as the mechanisms do it (RFC 4013). Throws a permanent
 * Failure `bad-password` when `passwordProblem` has something to say.
 */
export async function hashPassword(
  password: string,
  random: Random,
  options: PasswordOptions = {},
): Promise<Credentials> {
  const problem = passwordProblem(password);
  const prepared = prepareSasl(password);
  const iterations = options.scramIterations ?? SCRAM_ITERATIONS;
  const scram = scramKeys(password, random.bytes(SALT_BYTES), iterations);
  if (problem !== undefined || prepared === undefined || scram === undefined) {
    throw Failure.permanent('bad-password', problem ?? 'it cannot be prepared');
  }
  const parameters = options.parameters ?? HASH_PARAMETERS;
  const salt = random.bytes(SALT_BYTES);
  const hash = await (options.hash ?? argon2id)(prepared, salt, parameters, HASH_BYTES);
  return { password: formatPhc({ parameters, salt, hash }), scram };
}

/** Why a password may not be used, in words for its owner; undefined: it may. */
export function passwordProblem(password: string): string | undefined {
  if (password === '') return 'the password is empty';
  if (password.length > PASSWORD_LENGTH || Buffer.byteLength(password) > PASSWORD_LENGTH) {
    return `the password is longer than ${PASSWORD_LENGTH} octets`;
  }
  if (/\p{Cc}/u.test(password)) return 'the password contains a control character';
  if (prepareSasl(password) === undefined) {
    return 'the password contains a character that no mail program could send (RFC 4013)';
  }
  return undefined;
}
