/** A server whose TLS is made by hand: it answers a ClientHello with whatever a test wants. */

import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A ClientHello as far as tests look at it. */
export interface SeenHello {
  /** 2: SSLv2's own hello; else the highest version offered. */
  readonly version: number;
  readonly suites: readonly number[];
  readonly compression: readonly number[];
  readonly extensions: ReadonlyMap<number, Buffer>;
}

export interface FlightOptions {
  readonly version: number;
  readonly suite: number;
  readonly compression?: number;
  readonly random?: Buffer;
  readonly extensions?: readonly (readonly [number, Buffer])[];
  /** DER. */
  readonly certificates?: readonly Buffer[];
  readonly keyExchange?: Buffer;
}

export interface TlsMock {
  readonly port: number;
  close(): Promise<void>;
}

export type Responder = (hello: SeenHello, socket: Socket) => Buffer | undefined;

/**
 * SMTP as far as STARTTLS; then `respond` gets each hello. Listens on 127.0.0.1.
 * With `userOnly` MAIL wants a login, as on a submission port.
 */
export async function startTlsMock(respond: Responder, userOnly = false): Promise<TlsMock> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, respond, userOnly);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function serve(socket: Socket, respond: Responder, userOnly: boolean): void {
  let rest = '';
  let tls: Buffer | undefined;
  socket.write('220 mock.test ESMTP\r\n');
  socket.on('data', (bytes: Buffer) => {
    if (tls !== undefined) {
      tls = Buffer.concat([tls, bytes]);
      const hello = parseHello(tls);
      if (hello === undefined) return;
      tls = Buffer.alloc(0);
      const answer = respond(hello, socket);
      if (answer !== undefined) socket.write(answer);
      return;
    }
    const lines = (rest + bytes.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'STARTTLS') {
        tls = Buffer.alloc(0);
        socket.write('220 2.0.0 go\r\n');
      } else if (line.startsWith('EHLO')) socket.write('250-mock.test\r\n250 STARTTLS\r\n');
      else if (line.startsWith('MAIL') && userOnly) socket.write('530 5.7.0 login first\r\n');
      else socket.write('250 2.0.0 ok\r\n');
    }
  });
}

/** Whole, or undefined while it is not. */
function parseHello(octets: Buffer): SeenHello | undefined {
  if (octets.length < 5) return undefined;
  if (octets[0] !== 22) {
    return { version: octets.readUInt16BE(3), suites: [], compression: [], extensions: new Map() };
  }
  if (octets.length < 5 + octets.readUInt16BE(3)) return undefined;
  let at = 9;
  const number = (size: number): number => {
    at += size;
    return octets.readUIntBE(at - size, size);
  };
  const take = (size: number): Buffer => {
    at += size;
    return octets.subarray(at - size, at);
  };
  let version = number(2);
  take(32);
  take(number(1));
  const suites = words(take(number(2)));
  const compression = [...take(number(1))];
  const extensions = new Map<number, Buffer>();
  if (at < octets.length) {
    const list = take(number(2));
    for (let from = 0; from + 4 <= list.length;) {
      const length = list.readUInt16BE(from + 2);
      extensions.set(list.readUInt16BE(from), list.subarray(from + 4, from + 4 + length));
      from += 4 + length;
    }
  }
  if (extensions.has(43)) version = 0x0304;
  return { version, suites, compression, extensions };
}

/** ServerHello and what follows, each in a record of its own. */
export function flight(options: FlightOptions): Buffer {
  const legacy = Math.min(options.version, 0x0303);
  const chosen = Buffer.of(options.version >> 8, options.version & 255);
  const own = options.version > 0x0303 ? [[43, chosen] as const] : [];
  const extensions = [...own, ...(options.extensions ?? [])].map(([id, content]) =>
    Buffer.concat([word(id), sized(2, content)]),
  );
  const hello = Buffer.concat([
    word(legacy),
    options.random ?? Buffer.from(crypto.getRandomValues(new Uint8Array(32))),
    Buffer.of(0),
    word(options.suite),
    Buffer.of(options.compression ?? 0),
    ...(extensions.length === 0 ? [] : [sized(2, Buffer.concat(extensions))]),
  ]);
  const messages = [message(2, hello)];
  if (options.version <= 0x0303) {
    const list = (options.certificates ?? []).map((der) => sized(3, der));
    messages.push(message(11, sized(3, Buffer.concat(list))));
    if (options.keyExchange !== undefined) messages.push(message(12, options.keyExchange));
    messages.push(message(14, Buffer.alloc(0)));
  }
  return Buffer.concat(messages.map((one) => record(22, legacy, one)));
}

/** A fatal alert. */
export function alert(description: number): Buffer {
  return record(21, 0x0303, Buffer.of(2, description));
}

export function record(type: number, version: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type), word(version), sized(2, content)]);
}

export function message(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type), sized(3, content)]);
}

/** Octets behind their count, in so many octets. */
export function sized(octets: number, content: Buffer): Buffer {
  const count = Buffer.alloc(octets);
  count.writeUIntBE(content.length, 0, octets);
  return Buffer.concat([count, content]);
}

function word(value: number): Buffer {
  return Buffer.of((value >> 8) & 255, value & 255);
}

function words(octets: Buffer): number[] {
  return Array.from({ length: octets.length / 2 }, (_, at) => octets.readUInt16BE(at * 2));
}
