/** Small messages are read together, ahead of the one that is written. */

import { Failure } from '#base/failure.ts';
import type { Uid } from '#base/brand.ts';
import type { MessageDetail } from '#store/mail.ts';
import type { Session } from '../session.ts';
import { store, type Task } from '../task.ts';

/** Octets of messages; undefined for one that has to be read by itself. */
export type Wholes = ReadonlyMap<Uid, Uint8Array | undefined>;

/** Slices whose octets are read at once. */
const SLICES = 2;

/** The octets of the row at `at`, if it is small, and of small ones behind it. */
export function* readAhead(
  session: Session,
  rows: readonly MessageDetail[],
  at: number,
): Task<Wholes> {
  const { sliceBytes } = session.options;
  const small: MessageDetail[] = [];
  let left = SLICES * sliceBytes;
  for (let next = at; next < rows.length; next += 1) {
    const row = rows[next];
    if (row === undefined || row.sizeBytes > Math.min(left, sliceBytes)) break;
    left -= row.sizeBytes;
    small.push(row);
  }
  if (small.length < 2) return new Map();
  try {
    const octets = yield* store(session, (access) => access.wholes(small));
    return new Map(small.map(({ uid }, index) => [uid, octets[index]]));
  } catch (thrown) {
    // Each is read by itself then, and says itself why it cannot be.
    if (!(thrown instanceof Failure)) throw thrown;
    return new Map(small.map(({ uid }) => [uid, undefined]));
  }
}
