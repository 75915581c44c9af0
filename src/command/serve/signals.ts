/** Signals: the first one to stop is a request, the second one an order; SIGHUP reloads. */

import { EXIT } from '../exit.ts';

/** What the process does when it is signalled. */
export interface SignalActions {
  reload(): void;
  /** Something was thrown that nobody caught: the last words before the end. */
  crashed(thrown: unknown): void;
}

/** Resolves with the first SIGTERM or SIGINT; until then the process stays up. */
export function untilStopped(actions: SignalActions): Promise<NodeJS.Signals> {
  // Timers of the world do not keep a process up, and a server may have no listeners.
  const awake = setInterval(() => undefined, 3_600_000);
  process.on('SIGHUP', () => actions.reload());
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (thrown: unknown) => {
      actions.crashed(thrown);
      // Everything that was promised is on disk: a fresh start is safer than going on.
      process.exit(EXIT.software);
    });
  }
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
        asked = true;
        clearInterval(awake);
        resolve(signal);
      });
    }
  });
}
