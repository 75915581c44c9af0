/** The memories of policy while the server runs: read at the start, written now and then. */

import { Failure } from '#base/failure.ts';
import type { Clock, Log, Timer } from '#base/world.ts';
import { Memory } from '#policy/limits/memory.ts';
import type { MemoryKind } from '#store/memories.ts';
import type { Store } from '#store/store.ts';

export interface Memories {
  readonly greylist: Memory;
  readonly written: Memory;
  readonly open: Memory;
  /** Writes what is new and stops. */
  stop(): Promise<void>;
}

const DAY_MS = 86_400_000;
const WRITTEN_MS = 730 * DAY_MS;
/** Longer than anybody waits between two attempts. */
const OPEN_MS = 2 * DAY_MS;
const ENTRIES = 100_000;
/** What a power cut may cost: a client that has to come back once more. */
const EVERY_MS = 5_000;
/** Rows of one write, so that mail does not wait behind it. */
const ROWS = 500;

/** Opens them, `entries` of each; `greylistMs`: how long a client that came back is known. */
export async function openMemories(
  store: Store,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  greylistMs: number,
  entries = ENTRIES,
): Promise<Memories> {
  const open = async (kind: MemoryKind, keepMs: number): Promise<Memory> => {
    const known = await store.memories.list(kind, entries);
    return new Memory({ clock, keepMs, entries, known });
  };
  const memories = {
    greylist: await open('greylist', greylistMs),
    written: await open('written', WRITTEN_MS),
    open: await open('open', OPEN_MS),
  };
  const write = async (): Promise<void> => {
    for (const [kind, memory] of Object.entries(memories) as [MemoryKind, Memory][]) {
      const changes = memory.takeChanges();
      const { forgetBeforeMs } = memory;
      for (let at = 0; at < changes.length; at += ROWS) {
        const entries = changes.slice(at, at + ROWS);
        await store.write('remember', { kind, entries, forgetBeforeMs });
      }
    }
  };
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();
  const begin = (): Promise<void> =>
    (writing = writing.then(write).catch((thrown: unknown) => {
      log.event('warn', 'memories-not-written', { reason: Failure.from(thrown).message });
    }));
  const arm = (): void => {
    timer = clock.after(EVERY_MS, () => {
      void begin();
      arm();
    });
  };
  arm();
  return {
    ...memories,
    stop: () => {
      timer?.cancel();
      return begin();
    },
  };
}
