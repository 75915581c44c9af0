/** A row of the command table: when a command may come, how it is read, and what it does. */

import type { Completion } from './completion.ts';
import type { Streamed } from './framing.ts';
import type { Phase, Session } from './session.ts';
import type { Cursor } from './syntax/cursor.ts';
import type { Task } from './task.ts';

export interface Command<Args> {
  /** Upper case; `UID FETCH` is a name of its own. */
  readonly name: string;
  readonly phases: readonly Phase[];
  /**
   * What may be told before the tagged response: `if-any` everything (EXPUNGE too), `always`
   * the same after a look at the store, `no-expunge` all but EXPUNGE, `none` nothing.
   */
  readonly news: 'if-any' | 'always' | 'no-expunge' | 'none';
  /** Reads the arguments, from the space before the first; throws `Rejected`. */
  parse(cursor: Cursor, session: Session): Args;
  /**
   * Does it; throws `Rejected`, and the store's Failure. undefined: it has answered already, as
   * STARTTLS must before the handshake.
   */
  run(session: Session, args: Args, tag: string): Completion | Task<Completion | undefined>;
  /** Takes a literal as a stream instead of into memory: asked at each literal. */
  stream?(session: Session, cursor: Cursor, sizeBytes: number): Task<Streamed | undefined>;
}

export const ANY: readonly Phase[] = ['unauthenticated', 'authenticated', 'selected'];
export const LOGGED_IN: readonly Phase[] = ['authenticated', 'selected'];
export const SELECTED: readonly Phase[] = ['selected'];
