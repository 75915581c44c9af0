/** Many clients at once, each with steps of its own choice, until the server is gone. */

import { type Chance, oneOf } from './chance.ts';
import { IMAP_OPERATIONS, POP3_OPERATION, SMTP_OPERATIONS, type Operation } from './operations.ts';
import { DOMAIN } from './server.ts';
import type { Stage } from './stage.ts';

export interface Load {
  /** Steps that were acknowledged. */
  acknowledged: number;
  /** Why a session gave up that should not have: only a dead server is a reason. */
  ended: string | undefined;
  /** What clients were told that were refused. */
  readonly refusals: string[];
  readonly done: Promise<void>;
  /** No further steps; those under way are finished. */
  stop(): void;
}

const SMTP_SESSIONS = 5;

/** Starts them; `done` resolves when all of them have given up. */
export function startLoad(stage: Stage, chance: Chance): Load {
  const state = { isOver: false };
  const session = async (choices: readonly Operation[], account?: string): Promise<void> => {
    try {
      while (!state.isOver && stage.server.isUp()) {
        const step = await oneOf(chance, choices).prepare(stage, account);
        const outcome = await step.take();
        step.close();
        if (outcome === 'failed') load.refusals.push(step.answer);
        if (outcome !== 'ok') throw new Error(`${outcome}: ${step.answer}`);
        load.acknowledged += 1;
      }
    } catch (thrown) {
      // Making ready needs a server too.
      if (!state.isOver) load.ended ??= String(thrown);
    }
  };
  const load: Load = {
    acknowledged: 0,
    ended: undefined,
    refusals: [],
    stop: () => {
      state.isOver = true;
    },
    done: Promise.all([
      ...Array.from({ length: SMTP_SESSIONS }, () => session(SMTP_OPERATIONS)),
      session(IMAP_OPERATIONS, `ida@${DOMAIN}`),
      session(IMAP_OPERATIONS, `ian@${DOMAIN}`),
      session([POP3_OPERATION]),
    ]).then(() => undefined),
  };
  return load;
}
