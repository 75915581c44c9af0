/** A small SMTP server for the auditor's tests, with the habits that real ones have or should not. */

import net, { type AddressInfo, type Socket } from 'node:net';

export interface MockOptions {
  readonly users?: readonly string[];
  /** The domain of `users`; recipients elsewhere are relayed, or not. */
  readonly domain?: string;
  /** The answer to RCPT (and VRFY) for a name that is there, and for one that is not. */
  readonly known?: string;
  readonly unknown?: string;
  /** Replies are held back by so many ms from error number `tarpitAfter` on. */
  readonly tarpitAfter?: number;
  readonly tarpitMs?: number;
  /** Each error is held back so many times as long as the one before. Default 1. */
  readonly tarpitGrowth?: number;
  /** 421 and the end at this many errors. */
  readonly closeAfter?: number;
  /** Share of questions answered 451. */
  readonly random4xx?: number;
  /** RCPT without `<>` is refused for everybody. */
  readonly needsBrackets?: boolean;
  /** More time for a name that is there. */
  readonly leakMs?: number;
  /** Keywords of EHLO. */
  readonly keywords?: readonly string[];
  /** Answers before the usual ones: a whole reply without its CRLF, or undefined. */
  readonly hook?: (line: string, session: MockSession) => string | undefined;
}

export interface MockSession {
  readonly number: number;
  errors: number;
  readonly lines: string[];
}

export interface Mock {
  readonly port: number;
  readonly sessions: MockSession[];
  /** Message contents accepted. */
  readonly messages: string[];
  close(): void;
}

/** Listens on 127.0.0.1. */
export async function startMock(options: MockOptions = {}): Promise<Mock> {
  const sockets = new Set<Socket>();
  const sessions: MockSession[] = [];
  const messages: string[] = [];
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const session: MockSession = { number: sessions.length, errors: 0, lines: [] };
    sessions.push(session);
    // A client that breaks off ends the reading with an error.
    serve(socket, session, options, messages).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sessions,
    messages,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function serve(
  socket: Socket,
  session: MockSession,
  options: MockOptions,
  messages: string[],
): Promise<void> {
  socket.write('220 mock ESMTP\r\n');
  let rest = '';
  let content: string[] | undefined;
  for await (const octets of socket as AsyncIterable<Buffer>) {
    const lines = (rest + octets.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (socket.destroyed) return;
      if (content !== undefined) {
        if (line !== '.') content.push(line);
        else {
          messages.push(content.join('\r\n'));
          content = undefined;
          socket.write('250 2.0.0 queued as 4abc123\r\n');
        }
        continue;
      }
      session.lines.push(line);
      const answer = answerTo(line, session, options);
      const [code = ''] = answer.split(/[ -]/, 1);
      const isError = /^[45]/.test(code) && !line.startsWith('QUIT');
      if (isError) session.errors += 1;
      const { tarpitAfter = Infinity, tarpitMs = 1_000, tarpitGrowth = 1 } = options;
      const { closeAfter = Infinity } = options;
      if (isError && session.errors >= tarpitAfter) {
        await sleep(tarpitMs * tarpitGrowth ** (session.errors - tarpitAfter));
      }
      if (isError && session.errors >= closeAfter) {
        socket.end('421 4.7.0 too many errors\r\n');
        return;
      }
      if (options.leakMs !== undefined && isKnown(line, options)) await sleep(options.leakMs);
      socket.write(`${answer}\r\n`);
      if (code === '354') content = [];
      if (line.startsWith('QUIT')) socket.end();
    }
  }
}

function answerTo(line: string, session: MockSession, options: MockOptions): string {
  const hooked = options.hook?.(line, session);
  if (hooked !== undefined) return hooked;
  const verb = line.slice(0, 4).toUpperCase();
  const { known = '250 2.1.5 Ok', unknown = '550 5.1.1 User unknown in local table' } = options;
  if (verb === 'EHLO') {
    const words = ['mock', ...(options.keywords ?? ['PIPELINING', 'ENHANCEDSTATUSCODES'])];
    return words.map((word, at) => `250${at === words.length - 1 ? ' ' : '-'}${word}`).join('\r\n');
  }
  if (verb === 'HELO' || verb === 'MAIL' || verb === 'RSET') return '250 2.0.0 Ok';
  if (verb === 'NOOP') return '250 2.0.0 Ok';
  if (verb === 'QUIT') return '221 2.0.0 Bye';
  if (verb === 'DATA') return '354 go on';
  if (verb === 'RCPT' || verb === 'VRFY') {
    if (Math.random() < (options.random4xx ?? 0)) return '451 4.7.1 Greylisted, come back';
    if (verb === 'RCPT' && options.needsBrackets === true && !line.includes('<')) return unknown;
    return isKnown(line, options) ? known : unknown;
  }
  return '500 5.5.2 Error: command not recognized';
}

function isKnown(line: string, { users = [], domain = 'mock.test' }: MockOptions): boolean {
  const [, address = ''] = /^(?:RCPT TO:|VRFY ) *<?([^<> ]*)>?/i.exec(line) ?? [];
  const [local = '', at = domain] = address.toLowerCase().split('@');
  return at === domain && (local === 'postmaster' || users.includes(local));
}

/** Exact to a fraction of a millisecond: timers alone are too coarse for a timing test. */
async function sleep(ms: number): Promise<void> {
  if (ms >= 50) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return;
  }
  const until = performance.now() + ms;
  while (performance.now() < until);
}
