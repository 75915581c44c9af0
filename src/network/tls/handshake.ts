/** Waiting for a TLS handshake: done, failed with a reason, or out of time. */

import type { TLSSocket } from 'node:tls';
import { Failure } from '#base/failure.ts';
import { systemClock } from '../clock.ts';
import { tlsFailure } from '../failures.ts';

/**
 * Resolves at `event`; rejects with `tls-handshake` or `timeout`, and then the socket is
 * destroyed. The listener for `error` stays: an emitter without one would end the process.
 */
export function handshaken(
  socket: TLSSocket,
  event: 'secure' | 'secureConnect',
  handshakeMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let reason: unknown;
    const fail = (failure: Failure): void => {
      timer.cancel();
      socket.destroy();
      reject(failure);
    };
    const timer = systemClock.after(handshakeMs, () =>
      fail(Failure.temporary('timeout', `TLS handshake not finished after ${handshakeMs} ms`)),
    );
    const closed = (): void => fail(tlsFailure(reason ?? new Error('the peer closed')));
    const failed = (error: unknown): void => {
      reason ??= error;
    };
    socket.on('error', failed);
    // A failed handshake of a server is told by this event alone.
    socket.on('_tlsError', failed);
    socket.once('close', closed);
    // Half-open streams do not close at the peer's end; a handshake cannot go on without it.
    socket.once('end', closed);
    socket.once(event, () => {
      timer.cancel();
      socket.off('close', closed);
      socket.off('end', closed);
      socket.off('_tlsError', failed);
      resolve();
    });
  });
}
