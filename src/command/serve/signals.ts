/** Signals: the first one to stop is a request, the second one an order; SIGHUP reloads. */

import { EXIT } from '../exit.ts';

/** What the process does when it is signalled. */
export interface SignalActions {
  reload(): void;
  /** Something was thrown that nobody caught: the last words before the end. */
  crashed(thrown: unknown): void;
}

/** The request to stop, and how to let the process end without one. */
export interface Stopping {
  readonly asked: Promise<NodeJS.Signals>;
  release(): void;
}

/** `asked` resolves with the first SIGTERM or SIGINT; until `release` the process stays up. */
export function listenForSignals(actions: SignalActions): Stopping {
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
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    let before = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (before) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
        before = true;
        resolve(signal);
      });
    }
  });
  return { asked, release: () => clearInterval(awake) };
}
