/** Blocks of signatures: those of neighbouring messages of a mailbox in one row. */

import { checkNumber } from '../checks.ts';
import { mayHold } from './signature.ts';

/** A message of a block. */
export interface Signed {
  readonly uid: number;
  /** undefined: nothing is known of it. */
  readonly signature: Uint8Array | undefined;
}

export interface Block {
  readonly bytes: Uint8Array;
  readonly checked: number;
}

/** UID and end of the signature, four octets each. */
const ENTRY_BYTES = 8;
const COUNT_BYTES = 4;

/** A count, an entry for each message with ascending UIDs, the signatures. */
export function encodeBlock(messages: readonly Signed[]): Block {
  const start = COUNT_BYTES + messages.length * ENTRY_BYTES;
  const sizes = messages.map(({ signature }) => signature?.length ?? 0);
  const bytes = new Uint8Array(start + sizes.reduce((sum, size) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, messages.length, true);
  let end = start;
  for (const [index, { uid, signature }] of messages.entries()) {
    if (signature !== undefined) bytes.set(signature, end);
    end += signature?.length ?? 0;
    view.setUint32(COUNT_BYTES + index * ENTRY_BYTES, uid, true);
    view.setUint32(COUNT_BYTES + index * ENTRY_BYTES + 4, end, true);
  }
  return { bytes, checked: checkNumber(bytes) };
}

/**
 * Calls `excluded` with the UIDs of messages that cannot hold the needle, ascending: false, and
 * no call, when the block is not what was written.
 */
export function searchBlock(
  { bytes, checked }: Block,
  needle: Uint32Array,
  excluded: (uid: number) => void,
): boolean {
  if (bytes.length < COUNT_BYTES || checkNumber(bytes) !== checked) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0, true);
  let from = COUNT_BYTES + count * ENTRY_BYTES;
  if (from > bytes.length) return false;
  for (let index = 0; index < count; index += 1) {
    const entry = COUNT_BYTES + index * ENTRY_BYTES;
    const to = view.getUint32(entry + 4, true);
    if (to > from && !mayHold(needle, bytes, from, to)) excluded(view.getUint32(entry, true));
    from = to;
  }
  return true;
}
