/** Opens the listeners: all of them or none; in the demo a busy port becomes the next free one. */

import { Failure } from '#base/failure.ts';
import type { Connection, Endpoint, Listener, Network } from '#base/world.ts';
import { CommandError, EXIT } from '../exit.ts';
import type { ListenerName, ListenerRow } from './listeners.ts';

/** A row whose places are bound. */
export interface OpenListener {
  readonly row: ListenerRow;
  /** One for each address, in the row's order. */
  readonly places: readonly Endpoint[];
  /** The port that was wanted and busy, if another one was taken. */
  readonly instead: number | undefined;
}

export interface Opened {
  readonly listeners: readonly OpenListener[];
  /** Stops accepting everywhere. */
  close(): Promise<void>;
}

/** Ports tried after a busy one. */
const TRIES = 100;

/**
 * Listens on every row. With `moving`, a busy port leads to the next free one that no other row
 * wants. Fails with the listener's name, the place and the cure; then nothing is left open.
 */
export async function openListeners(
  network: Network,
  rows: readonly ListenerRow[],
  admit: (connection: Connection, row: ListenerRow) => void,
  options: { readonly moving: boolean },
): Promise<Opened> {
  const opened: { readonly open: OpenListener; readonly listeners: readonly Listener[] }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.flatMap(({ listeners }) => listeners.map((one) => one.close())));
  };
  const wanted = new Set(rows.map(({ port }) => port));
  try {
    for (const row of rows) {
      let port = row.port;
      for (let tries = 0; ; tries += 1) {
        const outcome = await openRow(network, { ...row, port }, admit);
        if (outcome.kind === 'open') {
          const places = outcome.listeners.map(({ local }) => local);
          const instead = port === row.port ? undefined : row.port;
          opened.push({ open: { row, places, instead }, listeners: outcome.listeners });
          break;
        }
        if (!options.moving || outcome.failure.code !== 'port-in-use' || tries >= TRIES) {
          throw unavailable(row.name, outcome.failure);
        }
        do port += 1;
        while (wanted.has(port));
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { listeners: opened.map(({ open }) => open), close };
}

type RowOutcome =
  | { readonly kind: 'open'; readonly listeners: readonly Listener[] }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** All addresses of a row on one port; an address family that the machine lacks is left out. */
async function openRow(
  network: Network,
  row: ListenerRow,
  admit: (connection: Connection, row: ListenerRow) => void,
): Promise<RowOutcome> {
  const listeners: Listener[] = [];
  let { port } = row;
  let missing: Failure | undefined;
  for (const host of row.hosts) {
    try {
      const { maxConnections } = row;
      const listener = await network.listen({ host, port, maxConnections }, (connection) =>
        admit(connection, row),
      );
      listeners.push(listener);
      // Port 0: the first address chooses, the others follow.
      port = listener.local.port;
    } catch (thrown) {
      const failure = Failure.from(thrown);
      if (failure.code === 'no-such-address' && row.hosts.length > 1) {
        missing = failure;
        continue;
      }
      await Promise.all(listeners.map((one) => one.close()));
      return { kind: 'failed', failure };
    }
  }
  if (listeners.length > 0) return { kind: 'open', listeners };
  const failure = missing ?? Failure.permanent('no-such-address', 'there is no address to use');
  return { kind: 'failed', failure };
}

function unavailable(name: ListenerName, failure: Failure): CommandError {
  const permission = failure.code === 'not-permitted';
  const exit = permission ? EXIT.noPermission : EXIT.unavailable;
  const cure = permission
    ? `Give the process that privilege, or set ${name}_listen to a port above 1023.`
    : `Stop that program, or set ${name}_listen.`;
  const text = failure.code === 'no-such-address' ? `Correct ${name}_listen.` : cure;
  return new CommandError(exit, `${name}: ${failure.message}`, text, failure);
}
