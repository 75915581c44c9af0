/** Names of sessions, in logs and in the ledger. */

import type { SessionId } from '#base/brand.ts';
import type { Random } from '#base/world.ts';

const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';

/** A name for logs and the ledger: 12 letters of 5 bits. */
export function sessionId(random: Random): SessionId {
  let text = '';
  for (const octet of random.bytes(12)) text += LETTERS.charAt(octet & 31);
  return text as SessionId;
}
