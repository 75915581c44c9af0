/** For tests of probes: a server that answers as a script says, and one run of the auditor at it. */

import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import type { Level } from '#audit/check.ts';
import type { Finding } from '#audit/finding.ts';
import type { Probe } from '#audit/probe.ts';
import type { Report } from '#audit/report.ts';
import type { AuditRequest } from '#audit/run/request.ts';
import { runAudit } from '#audit/run/run.ts';
import type { Clock, Resolver } from '#base/world.ts';
import { systemClock } from '#network/clock.ts';
import { systemRandom } from '#network/random.ts';
import { tcpNetwork } from '#network/tcp.ts';
import { testCertificate } from './certificates.ts';
import { noteShown } from './shown.ts';

export interface MockSession {
  readonly tls: boolean;
  /** Spoke before the greeting; seen with `greets` alone. */
  readonly early: boolean;
  /** Lines of this connection so far, this one included. */
  readonly lines: readonly string[];
  /** Writes at once, as latin1. */
  say(text: string): void;
  end(): void;
}

export interface MockOptions {
  /** Whole, with its line end; undefined: silence. */
  readonly greeting: string | undefined;
  /** A line without its end; the reply whole, with line ends; undefined: none. */
  readonly answer: (line: string, session: MockSession) => string | undefined;
  /** TLS at once. */
  readonly implicit?: boolean;
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Other settings of TLS: old versions, weak ciphers. */
  readonly context?: SecureContextOptions;
  /** So many connections, after the first one, hear 421 instead of a greeting. */
  readonly fullFor?: number;
  /** The greeting comes so much later; `early` is said instead of it to whoever spoke before. */
  readonly greets?: { readonly afterMs: number; readonly early?: string };
  /** Said as soon as TLS began by STARTTLS (ManageSieve). */
  readonly greetAgain?: string;
  /** What becomes of octets behind STARTTLS. Default `drop`. */
  readonly behind?: Behind;
  /** Default: a free port of 127.0.0.1. */
  readonly at?: { readonly host: string; readonly port: number };
}

/**
 * `drop` them; `refuse` by closing; `execute` them under TLS, with `late` only where they did not
 * come with the word, with `part` only an unfinished line; `silent`: executed without answers;
 * `clear`: executed and answered before TLS.
 */
export type Behind = 'drop' | 'refuse' | 'execute' | 'late' | 'part' | 'silent' | 'clear';

export interface Mock {
  readonly port: number;
  /** Lines of all connections, in order. */
  readonly lines: readonly string[];
  close(): Promise<void>;
}

/**
 * Listens. STARTTLS and STLS start TLS when `answer` agrees with 220, OK or +OK.
 * A smuggled or pipelined line is answered like any other: lines end at LF, CR taken off.
 */
export async function startMock(options: MockOptions): Promise<Mock> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const identity = options.tls ?? testCertificate({ names: ['127.0.0.1', 'mock.test'] });
  const secureContext = createSecureContext({
    cert: identity.certificate,
    key: identity.key,
    ...options.context,
  });
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    connections += 1;
    if (connections > 1 && connections <= 1 + (options.fullFor ?? 0)) {
      socket.end('421 4.3.2 too many just now\r\n');
      return;
    }
    if (options.implicit !== true) serve(socket, false, options, lines, secureContext, true);
    else {
      const secured = new TLSSocket(socket, { isServer: true, secureContext });
      secured.on('error', () => undefined);
      serve(secured, true, options, lines, secureContext, true);
    }
  });
  const { host, port } = options.at ?? { host: '127.0.0.1', port: 0 };
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    lines,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function serve(
  socket: Socket,
  tls: boolean,
  options: MockOptions,
  all: string[],
  secureContext: ReturnType<typeof createSecureContext>,
  greet: boolean,
  before: Before = { lines: [], octets: '' },
): void {
  const own: string[] = [...before.lines];
  const session: MockSession = {
    tls,
    early: before.early ?? false,
    lines: own,
    say: (text) => void socket.write(text, 'latin1'),
    end: () => void socket.end(),
  };
  if (greet && options.greets !== undefined) {
    const { afterMs, early } = options.greets;
    setTimeout(() => {
      const octets = (socket.read() as Buffer | null) ?? undefined;
      if (octets !== undefined && early !== undefined) return void socket.end(early);
      session.say(options.greeting ?? '');
      serve(socket, tls, options, all, secureContext, false, {
        lines: [],
        octets: octets?.toString('latin1') ?? '',
        early: octets !== undefined,
      });
    }, afterMs);
    return;
  }
  if (greet && options.greeting !== undefined) session.say(options.greeting);
  let rest = '';
  const heard = (bytes: Buffer): void => {
    const late = rest !== '';
    const parts = (rest + bytes.toString('latin1')).split('\n');
    rest = parts.pop() ?? '';
    for (const [at, part] of parts.entries()) {
      const line = part.endsWith('\r') ? part.slice(0, -1) : part;
      own.push(line);
      all.push(line);
      const reply = options.answer(line, session);
      // In one piece with what `clear` adds: a second write would wait until TLS has the stream.
      socket.cork();
      if (reply !== undefined) session.say(reply);
      process.nextTick(() => socket.uncork());
      if (!/(?:^|\s)(?:STARTTLS|STLS)$/i.test(line) || tls) continue;
      if (!/^(?:220|\+OK|OK|\S+ OK)/i.test(reply ?? '')) continue;
      socket.off('data', heard);
      const kept = behindTls(options, session, [...parts.slice(at + 1), rest], late);
      if (kept === undefined) return;
      const secured = new TLSSocket(socket, { isServer: true, secureContext });
      secured.on('error', () => undefined);
      // As a server does that has not heard of the other: the buffer is looked at when TLS is there.
      secured.once('secure', () => {
        if (options.greetAgain !== undefined) secured.write(options.greetAgain);
        serve(secured, true, options, all, secureContext, false, kept);
      });
      return;
    }
  };
  socket.on('data', heard);
  if (before.octets !== '') heard(Buffer.from(before.octets, 'latin1'));
}

interface Before {
  readonly lines: readonly string[];
  readonly octets: string;
  readonly early?: boolean;
}

/** What a session under TLS begins with; undefined: there is none. */
function behindTls(
  { behind = 'drop', answer }: MockOptions,
  session: MockSession,
  parts: readonly string[],
  late: boolean,
): Before | undefined {
  const octets = parts.join('\n');
  const lines = parts.slice(0, -1).map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (behind === 'refuse' && octets !== '') return void session.end();
  if (behind === 'execute' || (behind === 'late' && late)) return { lines: [], octets };
  if (behind === 'part') return { lines: [], octets: parts.at(-1) ?? '' };
  if (behind === 'silent') {
    for (const line of lines) answer(line, { ...session, lines, say: () => undefined });
    return { lines, octets: '' };
  }
  if (behind === 'clear') for (const line of lines) session.say(answer(line, session) ?? '');
  return { lines: [], octets: '' };
}

/** A Resolver that knows nothing, with what a test gives instead. */
export function mockResolver(given: Partial<Resolver> = {}): Resolver {
  const empty = {
    mx: none,
    a: none,
    aaaa: none,
    txt: none,
    ptr: none,
    tlsa: none,
    srv: none,
    caa: none,
  };
  return new Proxy({ ...empty, ...given } as Resolver, {
    get: (target, name) => Reflect.get(target, name) ?? none,
  });
}

function none() {
  return Promise.resolve({ kind: 'none', why: 'nxdomain', authentic: false } as const);
}

export interface MockAudit {
  /** Another clock: for what takes minutes. */
  readonly clock?: Clock;
  readonly level?: Level;
  readonly domains?: readonly string[];
  /** Default 127.0.0.1. */
  readonly address?: string;
  readonly options?: Partial<AuditRequest['options']>;
  readonly resolver?: Partial<Resolver>;
  /** The name that was asked for. Default: the address. */
  readonly host?: string;
}

/** Audits ports of an address with these probes; throws when policy refuses. */
export async function auditPorts(
  ports: readonly number[],
  probes: readonly Probe[],
  {
    level = 'safe',
    domains = [],
    address = '127.0.0.1',
    host = address,
    options = {},
    resolver = {},
    clock = systemClock,
  }: MockAudit = {},
): Promise<Report> {
  const result = await runAudit(
    {
      target: address,
      places: [{ host, address, ports }],
      domains,
      level,
      authorisedBy: undefined,
      probes,
      version: 'test',
      options: {
        source: undefined,
        heloName: 'audit.invalid',
        names: [],
        knownUser: undefined,
        account: undefined,
        canary: undefined,
        selectors: [],
        ...options,
      },
    },
    {
      clock,
      random: systemRandom,
      network: tcpNetwork(),
      resolver: mockResolver(resolver),
    },
  );
  if (result.kind === 'refused') throw new Error(result.why);
  noteShown(result.report.findings);
  return result.report;
}

/** One mock, one run, closed again; findings by id (of the only service). */
export async function auditMock(
  mock: MockOptions,
  probes: readonly Probe[],
  options: MockAudit = {},
): Promise<ReadonlyMap<string, Finding>> {
  const server = await startMock(mock);
  try {
    const { findings } = await auditPorts([server.port], probes, options);
    return new Map(findings.map((finding) => [finding.id, finding]));
  } finally {
    await server.close();
  }
}

/** Answers of an ordinary, careful SMTP server; `more` may answer first. */
export function smtpAnswers(
  capabilities: readonly string[],
  more: MockOptions['answer'] = () => undefined,
): MockOptions['answer'] {
  return (line, session) => {
    const own = more(line, session);
    if (own !== undefined) return own;
    const [verb = ''] = line.toUpperCase().split(/[ :]/, 1);
    if (verb === 'EHLO') {
      const offered = capabilities.filter((word) => word !== 'STARTTLS' || !session.tls);
      const rows = ['mock.test', ...offered];
      return rows.map((row, i) => `250${i === rows.length - 1 ? ' ' : '-'}${row}\r\n`).join('');
    }
    if (verb === 'STARTTLS')
      return capabilities.includes(verb) ? '220 2.0.0 go\r\n' : '502 5.5.1 no\r\n';
    const fixed: Readonly<Record<string, string>> = {
      HELO: '250 mock.test',
      MAIL: '250 2.1.0 ok',
      RCPT: '550 5.7.1 relay not permitted',
      DATA: '503 5.5.1 no recipients',
      RSET: '250 2.0.0 ok',
      NOOP: '250 2.0.0 ok',
      VRFY: '252 2.5.0 cannot verify',
      EXPN: '502 5.5.1 not here',
      QUIT: '221 2.0.0 bye',
    };
    return `${fixed[verb] ?? '500 5.5.2 unknown command'}\r\n`;
  };
}
