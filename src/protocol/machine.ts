/** What every protocol machine is: octets in, actions out, no clock, no socket, no disk. */

import type { PlainLines } from '#base/bytes.ts';
import type { Failure } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';

/**
 * What a machine wants done, in order. After `ask`, `body` or `start-tls` the list ends: the
 * driver performs it and calls `answer`, `continue` or `secured`, which yields the next list.
 */
export type Action<Question, Fact = never> =
  /** Octets for the peer; the driver joins neighbours into one write. */
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** A question to the outside; exactly one `answer` (or `failed`) follows. */
  | { readonly kind: 'ask'; readonly question: Question }
  /** Content octets for the host's sink; `continue` follows when it has taken them. */
  | { readonly kind: 'body'; readonly bytes: Uint8Array; readonly lines?: PlainLines | undefined }
  /** Wait until the peer has taken what was sent; `continue` follows. */
  | { readonly kind: 'flush' }
  /** Negotiate TLS now; everything received in clear is gone. `secured` follows. */
  | { readonly kind: 'start-tls' }
  /** Something the host may want to know (ledger, metrics); no reply. */
  | { readonly kind: 'tell'; readonly fact: Fact }
  /** From now on `expired` is called when this much time passes; replaces the last deadline. */
  | { readonly kind: 'deadline'; readonly ms: number }
  /** Send what is queued, then close; `parted`: the peer said goodbye and sends no more. */
  | { readonly kind: 'close'; readonly parted?: boolean };

/**
 * The contract: any chunking of the same input gives the same actions, apart from how `send`
 * and `body` are cut. While the driver owes an answer it does not call `receive`; octets that
 * came before stay inside the machine, bounded by its own limits.
 */
export interface Machine<Question, Answer, Fact = never> {
  /** Once, when the connection is there. */
  start(): Action<Question, Fact>[];
  receive(bytes: Uint8Array): Action<Question, Fact>[];
  answer(answer: Answer): Action<Question, Fact>[];
  /** The question could not be answered: the world failed. */
  failed(failure: Failure): Action<Question, Fact>[];
  /** After `body` or `flush`. */
  continue(): Action<Question, Fact>[];
  secured(tls: Secure): Action<Question, Fact>[];
  /** The deadline passed. */
  expired(): Action<Question, Fact>[];
  /** The peer sends no more. */
  ended(): Action<Question, Fact>[];
  /** The server wants to end (shutdown): say so politely where the protocol can, and close. */
  stop(): Action<Question, Fact>[];
}
