/** One server over its world and its store: services, door, listeners and chores; runs anywhere. */

import type { Connection } from '#base/world.ts';
import { Door } from './door.ts';
import { keepHouse } from './housekeeping.ts';
import { introduction } from './introduction.ts';
import type { ListenerRow } from './listeners.ts';
import { listenerRows } from './listeners.ts';
import { openListeners } from './opening.ts';
import type { Opened } from './opening.ts';
import { startServices } from './services.ts';
import type { ServiceParts } from './services.ts';

/** Nothing in it says whether the world is this machine or a simulation. */
export interface HostParts extends ServiceParts {
  /** Renews certificates of our own when they near their end. */
  readonly renew: () => Promise<unknown>;
}

export interface Host {
  readonly opened: Opened;
  readonly door: Door;
  /** Takes nothing more in, then waits for sessions and attempts that are under way. */
  stop(): Promise<void>;
}

/** Opens it; what must be ended afterwards, or when this fails half way, goes to `cleanups`. */
export async function openHost(parts: HostParts, cleanups: (() => unknown)[]): Promise<Host> {
  const { settings, world, store, demo, tls, renew } = parts;
  const { clock, log, metrics } = world;
  const services = await startServices(parts);
  cleanups.push(() => services.stop());
  const door = new Door({
    accept: services.accept,
    tls,
    handshakeMs: settings.smtpd_tls_handshake_timeout,
    perClient: demo ? 0 : settings.smtpd_client_connection_count_limit,
    ...introduction(settings, clock),
    clock,
    log,
    metrics,
  });
  const rows = listenerRows(settings).filter(({ protocol }) => services.accept[protocol]);
  const admit = (connection: Connection, row: ListenerRow): void => door.admit(connection, row);
  const opened = await openListeners(world.network, rows, admit, { moving: demo });
  const { ledger_days: ledgerDays } = settings;
  cleanups.push(keepHouse({ store, clock, log, ledgerDays, renew }));
  return {
    opened,
    door,
    stop: async () => {
      await opened.close();
      await Promise.all([door.stop(settings.shutdown_timeout), services.stop()]);
    },
  };
}
