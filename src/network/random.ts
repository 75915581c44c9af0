/** The system's randomness: octets that nobody can foresee. */

import { randomBytes, randomFillSync } from 'node:crypto';
import type { Random } from '#base/world.ts';

/** Asking the system costs the same for 7 octets as for 4,096: small wishes share one question. */
const POOL_BYTES = 4_096;
const SMALL_BYTES = 64;

export const systemRandom: Random = pooledRandom();

function pooledRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return {
    bytes: (length) => {
      if (length > SMALL_BYTES) return randomBytes(length);
      if (used + length > POOL_BYTES) {
        randomFillSync(pool);
        used = 0;
      }
      const bytes = pool.slice(used, used + length);
      // Given out once, and nowhere to be found afterwards.
      pool.fill(0, used, used + length);
      used += length;
      return bytes;
    },
  };
}
