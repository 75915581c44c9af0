/** The way out: takes jobs from the queue, finds the next host, brings back a result for each. */

import { KeptSessions } from './kept.ts';
import { Delivery } from './delivery.ts';
import type { Transfer } from './job.ts';
import type { TransferOptions } from './options.ts';

/** A Transfer; `send` may run for many jobs at the same time. */
export function transfer(options: TransferOptions): Transfer {
  const kept = new KeptSessions({
    clock: options.world.clock,
    idleMs: options.keepIdleMs ?? 5_000,
    messages: options.keepMessages ?? 100,
    sessions: options.keepSessions ?? 100,
  });
  return {
    async send(job) {
      const delivery = new Delivery(job, options, kept);
      try {
        return await delivery.run();
      } catch (bug) {
        return delivery.broken(bug);
      }
    },
    close: () => kept.close(),
  };
}
