/** The store for real, opened as the settings say. */

import type { Log } from '#base/world.ts';
import type { Store } from '#store/store.ts';
import { openStore } from '#engine/store.ts';
import type { Settings } from '../configuration/settings.ts';

/** For the server: a writer thread of its own. Fails with what is wrong with the directory. */
export function openServerStore(settings: Settings, log: Log): Promise<Store> {
  return open(settings, log, true);
}

/** For one command: no thread, warnings dropped. */
export function openEngine(settings: Settings): Promise<Store> {
  return open(settings, { event: () => undefined }, false);
}

async function open(settings: Settings, log: Log, thread: boolean): Promise<Store> {
  return openStore({
    directory: settings.data_directory,
    thread,
    log,
    limits: { minimumFreeBytes: settings.queue_minfree },
  });
}
