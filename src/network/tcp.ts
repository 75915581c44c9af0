/** The Network for real: TCP listeners and connections of this machine. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { Failure, invariant } from '#base/failure.ts';
import type {
  Connection,
  ConnectOptions,
  Endpoint,
  Listener,
  ListenOptions,
  Network,
} from '#base/world.ts';
import { systemClock } from './clock.ts';
import { SocketConnection, type StreamFacts } from './connection.ts';
import { endpointOf, isAddress } from './endpoint.ts';
import { connectFailure, listenFailure } from './failures.ts';
import { Admission } from './admission.ts';
import { type InheritedSockets, placeKey } from './inherited.ts';
import { Turn } from './turn.ts';

export interface TcpOptions {
  /** How long a connection that was ended may take to finish. Default 10,000. */
  readonly lingerMs?: number;
  /** Accepted connections that wait for a free place; more are closed. Default 512. */
  readonly waitingConnections?: number;
  /** Connections that the kernel holds for us, not yet accepted. Default 1,024. */
  readonly backlog?: number;
  /** Sockets that listen already; a place among them is not bound again. */
  readonly inherited?: InheritedSockets;
  /** Told when a connection could not be accepted (`EMFILE`): for the log. */
  readonly acceptFailed?: (failure: Failure) => void;
}

type Shared = Pick<StreamFacts, 'lingerMs' | 'turn'>;

const LINGER_MS = 10_000;
const WAITING = 512;
const BACKLOG = 1_024;
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** A Network on this machine's sockets. */
export function tcpNetwork(options: TcpOptions = {}): Network {
  const shared: Shared = { lingerMs: options.lingerMs ?? LINGER_MS, turn: new Turn() };
  return {
    listen: (where, accept) => listen(where, accept, options, shared),
    connect: (where) => open(where, shared),
  };
}

async function listen(
  where: ListenOptions,
  accept: (connection: Connection) => void,
  options: TcpOptions,
  shared: Shared,
): Promise<Listener> {
  const server = createServer({
    allowHalfOpen: true,
    pauseOnConnect: true,
    noDelay: true,
    keepAlive: true,
  });
  // Also listens on while listening: an accept that fails (EMFILE) must not end the process.
  server.on('error', (error) => {
    if (server.listening) options.acceptFailed?.(listenFailure(error, 'accept'));
  });
  await bound(server, where, options);
  const address = server.address();
  invariant(typeof address === 'object' && address !== null, 'a TCP server has an address');
  const local = endpointOf(address.address, address.port);
  invariant(local !== undefined, 'a bound server knows its end');
  // Bound to one address, every connection has this end: the system need not be asked again.
  const own = WILDCARDS.has(local.address) ? undefined : local;
  const admission = new Admission<Socket>(
    where.maxConnections,
    options.waitingConnections ?? WAITING,
    (socket) => admit(socket, accept, shared, own),
  );
  server.on('connection', (socket) => {
    socket.on('error', ignored);
    admission.arrived(socket);
  });
  return {
    local,
    close: () => {
      admission.close();
      return new Promise((resolve) => {
        // Resolves when no new connection can come; the open ones are their owners' to end.
        server.close();
        resolve();
      });
    },
  };
}

function bound(server: Server, where: ListenOptions, options: TcpOptions): Promise<void> {
  const { host, port } = where;
  const backlog = options.backlog ?? BACKLOG;
  const fd = options.inherited?.get(placeKey(host, port));
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(error, text(host, port))));
    if (fd !== undefined) {
      server.listen({ fd, backlog }, resolve);
      return;
    }
    // IPv6 alone: whoever wants both families listens twice, and no address comes mapped.
    server.listen({ host, port, backlog, ipv6Only: true }, resolve);
  });
}

function admit(
  socket: Socket,
  accept: (connection: Connection) => void,
  shared: Shared,
  own: Endpoint | undefined,
): void {
  const remote = endpointOf(socket.remoteAddress, socket.remotePort);
  const local = own ?? endpointOf(socket.localAddress, socket.localPort);
  // Gone between the kernel and us.
  if (remote === undefined || local === undefined) socket.destroy();
  else accept(new SocketConnection(socket, { remote, local, ...shared }));
}

function open(where: ConnectOptions, shared: Shared): Promise<Connection> {
  const name = text(where.address, where.port);
  if (!isAddress(where.address)) {
    const failure = Failure.temporary('unreachable', `${name} is not an IP address`);
    return Promise.reject(failure);
  }
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: where.address,
      port: where.port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      ...(where.source === undefined ? {} : { localAddress: where.source }),
    });
    socket.pause();
    const timer = systemClock.after(where.timeoutMs, () => {
      socket.destroy();
      const text = `${name} did not answer within ${where.timeoutMs} ms`;
      reject(Failure.temporary('timeout', text));
    });
    const refused = (error: unknown): void => {
      timer.cancel();
      reject(connectFailure(error, name));
    };
    socket.on('error', refused);
    socket.once('connect', () => {
      timer.cancel();
      const remote = endpointOf(socket.remoteAddress, socket.remotePort);
      const local = endpointOf(socket.localAddress, socket.localPort);
      if (remote === undefined || local === undefined) {
        socket.destroy();
        refused(new Error('closed at once'));
        return;
      }
      resolve(new SocketConnection(socket, { remote, local, ...shared }));
    });
  });
}

function text(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function ignored(): void {
  // The connection's own listener, or its `close`, tells the story.
}
