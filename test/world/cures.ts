/** Every cure of our server that can be left out, and what must be found then. */

import { PROTOCOL } from './cures/protocol.ts';
import type { WithoutCure } from './cures/shape.ts';
import { TRUST } from './cures/trust.ts';

export type { WithoutCure } from './cures/shape.ts';

/** A row a cure. */
export const WITHOUT: readonly WithoutCure[] = [...TRUST, ...PROTOCOL];
