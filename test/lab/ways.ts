/** Ways to a server: a proxy in front of it, and a slow one: each piece late, octet by octet. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import type { TestCertificate } from '../world/certificates.ts';
import { STRANGER } from './audit.ts';

/** Profiles that are tried on it, at level safe: each kind of server, weak and cured. */
export const DELAYED: ReadonlySet<string> = new Set([
  'P01',
  'P02',
  'P04',
  'P06',
  'P08',
  'P12',
  'P17b',
  'E01',
  'E08',
  'O01',
  'S01',
  'S02',
  'D01',
  'D02',
  'K01',
  'K01-cured',
]);

/** In mynetworks of the lab's servers. */
const TRUSTED = '127.88.0.1';
const PORTS = [24, 25, 110, 143, 465, 587, 993, 995, 4190];
/** Each way; there and back it is 50 to 300 ms. */
const LEAST_MS = 25;
const MOST_MS = 150;
/** Longer pieces go on whole behind these octets. */
const APART = 64;

export interface SlowWay {
  close(): void;
}

/** Listens at `address` on each port that answers at `server`. */
export async function slowWay(address: string, server: string): Promise<SlowWay> {
  const listeners: Server[] = [];
  const chance = dice();
  for (const port of PORTS) {
    if (!(await isOpen(server, port))) continue;
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      const far = connect({ host: server, port, localAddress: STRANGER, allowHalfOpen: true });
      far.setNoDelay(true);
      carry(near, far, chance);
      carry(far, near, chance);
    });
    await new Promise<void>((resolve) => listener.listen(port, address, resolve));
    listeners.push(listener);
  }
  return { close: () => void listeners.map((one) => one.close()) };
}

/**
 * A proxy as `PORT TARGET` says (`465 25 tls`: it ends TLS), that comes to the server from an
 * address of its own.
 */
export async function inFront(
  rows: readonly string[],
  address: string,
  server: string,
  { certificate, key }: TestCertificate,
): Promise<SlowWay> {
  const listeners: Server[] = [];
  for (const row of rows) {
    const [port = '', target = '', kind = ''] = row.split(' ');
    const serve = (near: Socket): void => {
      const far = connect({ host: server, port: Number(target), localAddress: TRUSTED });
      near.pipe(far).pipe(near);
      near.on('error', () => far.destroy()).on('close', () => far.destroy());
      far.on('error', () => near.destroy()).on('close', () => near.end());
    };
    const listener =
      kind === 'tls' ? createTlsServer({ cert: certificate, key }, serve) : createServer(serve);
    await new Promise<void>((resolve) => listener.listen(Number(port), address, resolve));
    listeners.push(listener);
  }
  return { close: () => void listeners.map((one) => one.close()) };
}

/** In order, each piece when its time has come; what closes one side closes the other, as late. */
function carry(from: Socket, to: Socket, chance: () => number): void {
  let before: Promise<unknown> = Promise.resolve();
  const then = (step: () => void | Promise<void>): void => {
    const due = sleep(LEAST_MS + (MOST_MS - LEAST_MS) * chance());
    before = before.then(() => due).then(step);
  };
  from.on('data', (octets: Buffer) =>
    then(async () => {
      for (let at = 0; at < Math.min(octets.length, APART); at += 1) {
        to.write(octets.subarray(at, at + 1));
        await new Promise(setImmediate);
      }
      if (octets.length > APART) to.write(octets.subarray(APART));
    }),
  );
  from.on('end', () => then(() => void to.end()));
  from.on('error', () => then(() => void to.destroy()));
  from.on('close', () => then(() => void to.end()));
}

async function isOpen(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  const open = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return open;
}

/** The same jitter in each run. */
function dice(): () => number {
  let state = 20_261_122;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
