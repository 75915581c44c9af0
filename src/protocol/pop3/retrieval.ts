/** RETR and TOP: a message out of the store and to the client, slice by slice. */

import { NO_BYTES } from '#base/bytes.ts';
import { invariant } from '#base/failure.ts';
import { DotStuffing } from './dot-stuffing.ts';
import type { Resumption, Session, Step, Task } from './session.ts';

/** Sends a multi-line response; `bodyLines` behind the head, Infinity: the whole message. */
export function* retrieve(session: Session, index: number, bodyLines: number): Task {
  const { sliceBytes } = session.options;
  const sizeBytes = session.maildrop.sizeBytes(index);
  const headBytes = session.maildrop.headBytes(index);
  const stuffing = new DotStuffing(headBytes, bodyLines);
  const send = (piece: Uint8Array): void => session.sendBytes(piece);
  const last = bodyLines === 0 ? Math.min(headBytes, sizeBytes) : sizeBytes;
  let from = 0;
  do {
    const lengthBytes = Math.min(sliceBytes, last - from);
    const bytes = yield* octets(index, from, lengthBytes);
    if (bytes.length !== lengthBytes) return broken(session);
    // Said only now: with the first slice at hand the message is really there.
    if (!session.streaming) session.ok(`${sizeBytes} octets`);
    session.streaming = true;
    stuffing.push(bytes, send);
    yield* session.paced();
    from += lengthBytes;
  } while (from < last && !stuffing.complete);
  session.sendBytes(stuffing.end());
  session.streaming = false;
}

/** The store has less than it says: a client that thinks it has all would delete the rest. */
function broken(session: Session): void {
  if (session.streaming) session.closing = true;
  else session.error('[SYS/PERM] the message is damaged');
}

function* octets(
  index: number,
  from: number,
  lengthBytes: number,
): Generator<Step, Uint8Array, Resumption> {
  if (lengthBytes === 0) return NO_BYTES;
  const resumed = yield { kind: 'ask', question: { kind: 'octets', index, from, lengthBytes } };
  invariant(resumed.kind === 'answer' && resumed.answer.kind === 'octets', 'octets were asked for');
  return resumed.answer.bytes;
}
