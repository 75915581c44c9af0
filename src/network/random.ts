/** The system's randomness: octets that nobody can foresee. */

import { randomBytes } from 'node:crypto';
import type { Random } from '#base/world.ts';

export const systemRandom: Random = {
  bytes: (length) => randomBytes(length),
};
