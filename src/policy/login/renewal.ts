/** Stored passwords that cost less to guess than new ones are hashed anew by their owner's login. */

import type { AccountId } from '#base/brand.ts';
import type { Random } from '#base/world.ts';
import { SCRAM_ITERATIONS } from '#protocol/sasl/scram.ts';
import type { Credentials } from '#store/directory.ts';
import { HASH_PARAMETERS } from './argon2.ts';
import { type PasswordOptions, hashPassword, passwordProblem } from './password.ts';
import { parsePhc } from './phc.ts';

export interface Renewal {
  /** Writes credentials, but only while the stored password is still `instead`. */
  readonly write: (
    account: AccountId,
    instead: string,
    credentials: Credentials,
  ) => Promise<unknown>;
  /** They could not be made or written: the next login tries again. */
  readonly failed: (thrown: unknown) => void;
}

/**
 * Credentials of the same password with the costs of now: undefined where the stored ones cost as
 * much already. Costs are never lowered, not even one in exchange for another.
 */
export function freshCredentials(
  stored: Credentials,
  password: string,
  random: Random,
  options: PasswordOptions,
): (() => Promise<Credentials>) | undefined {
  const { memoryKib, passes } = options.parameters ?? HASH_PARAMETERS;
  const iterations = options.scramIterations ?? SCRAM_ITERATIONS;
  const known = parsePhc(stored.password)?.parameters;
  if (known === undefined || passwordProblem(password) !== undefined) return undefined;
  const lower = memoryKib < known.memoryKib || passes < known.passes;
  const dearer = memoryKib > known.memoryKib || passes > known.passes;
  if (lower || iterations < stored.scram.iterations) return undefined;
  if (!dearer && iterations === stored.scram.iterations) return undefined;
  return () => hashPassword(password, random, options);
}
