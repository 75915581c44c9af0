/** An SMTP server for tests that keeps all it is sent, and lies when a test asks it to. */

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

export interface SinkMessage {
  /** MAIL and RCPT as they came, with their parameters. */
  readonly mail: string;
  readonly recipients: readonly string[];
  /** Octets on the wire, as latin1: with doubled dots, without the end, BDAT chunks joined. */
  readonly wire: string;
  /** The same without doubled dots. */
  readonly content: string;
  readonly by: 'DATA' | 'BDAT';
  readonly tls: boolean;
}

/** What a hook may say: nothing (the usual answer), raw text, or raw text and then an end. */
export type SinkAnswer =
  | undefined
  | string
  | { readonly raw?: string; readonly end: 'close' | 'reset' | 'silence' };

export interface SinkOptions {
  /** EHLO keywords; STARTTLS comes with `tls` by itself. */
  readonly capabilities?: readonly string[];
  /** PEM; offers STARTTLS, or speaks TLS at once with `implicit`. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly implicit?: boolean;
  readonly lmtp?: boolean;
  /** `user\0password` that AUTH PLAIN takes. */
  readonly login?: string;
  /** Each answer comes that late; not together with `tls`. */
  readonly delayMs?: number;
  /** Where to listen: 127.0.0.1 and any port. */
  readonly host?: string;
  readonly port?: number;
  /**
   * Hears each command (`CONNECT` for the greeting, `EOD` after the content, one for each
   * recipient with LMTP) and may answer otherwise.
   */
  readonly hook?: (command: string, session: SinkSession) => SinkAnswer;
}

export interface SinkSession {
  readonly number: number;
  readonly tls: boolean;
  readonly commands: readonly string[];
}

export interface Sink {
  readonly address: string;
  readonly port: number;
  readonly messages: SinkMessage[];
  readonly sessions: SinkSession[];
  /** Replace it at any time. */
  hook: SinkOptions['hook'];
  close(): Promise<void>;
}

/** `250` to everything that is usual. */
export const SINK_CAPABILITIES = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE 0', 'DSN'];

/** Starts it. */
export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const sockets = new Set<Socket>();
  const sink = {
    messages: [] as SinkMessage[],
    sessions: [] as SinkSession[],
    hook: options.hook,
  };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    const session = new Session(socket, options, sink);
    sink.sessions.push(session);
    session.begin();
  });
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return Object.assign(sink, {
    address,
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

interface Kept {
  readonly messages: SinkMessage[];
  readonly sessions: SinkSession[];
  hook: SinkOptions['hook'];
}

class Session implements SinkSession {
  readonly number: number;
  readonly commands: string[] = [];
  tls = false;
  readonly #options: SinkOptions;
  readonly #kept: Kept;
  #socket: Socket;
  #pending = '';
  #mode: 'commands' | 'data' | 'silence' = 'commands';
  #chunk = 0;
  #last = false;
  #mail = '';
  #recipients: string[] = [];
  #wire = '';

  constructor(socket: Socket, options: SinkOptions, kept: Kept) {
    this.#socket = socket;
    this.#options = options;
    this.#kept = kept;
    this.number = kept.sessions.length;
  }

  begin(): void {
    if (this.#options.implicit === true) {
      this.#secure(() => this.#answer('CONNECT', '220 sink.test\r\n'));
    } else {
      this.#listen();
      this.#answer('CONNECT', '220 sink.test\r\n');
    }
  }

  #listen(): void {
    this.#socket.on('data', (bytes: Buffer) => {
      this.#pending += bytes.toString('latin1');
      while (this.#step());
    });
  }

  #secure(done: () => void): void {
    const { certificate: cert, key } = this.#options.tls ?? { certificate: '', key: '' };
    this.#socket.removeAllListeners('data');
    const secureContext = createSecureContext({ cert, key });
    const socket = new TLSSocket(this.#socket, { isServer: true, secureContext });
    socket.on('error', () => {});
    this.#socket = socket;
    this.#pending = '';
    this.tls = true;
    this.#listen();
    socket.once('secure', done);
  }

  /** One step; false: more octets are needed. */
  #step(): boolean {
    if (this.#mode === 'silence') return false;
    if (this.#chunk > 0 || this.#last) return this.#readChunk();
    if (this.#mode === 'data') return this.#readData();
    const end = this.#pending.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end + 2);
    this.commands.push(line);
    this.#command(line);
    return true;
  }

  #readData(): boolean {
    const atStart = this.#pending.startsWith('.\r\n');
    const end = atStart ? 0 : this.#pending.indexOf('\r\n.\r\n') + 2;
    if (end < 2 && !atStart) return false;
    this.#wire = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end + 3);
    this.#mode = 'commands';
    this.#end('DATA');
    return true;
  }

  #readChunk(): boolean {
    if (this.#pending.length < this.#chunk) return false;
    this.#wire += this.#pending.slice(0, this.#chunk);
    this.#pending = this.#pending.slice(this.#chunk);
    this.#chunk = 0;
    if (this.#last) {
      this.#last = false;
      this.#end('BDAT');
    } else this.#answer('CHUNK', '250 2.0.0 more\r\n');
    return true;
  }

  #end(by: 'DATA' | 'BDAT'): void {
    const content = by === 'DATA' ? this.#wire.replace(/^\./gm, '') : this.#wire;
    const { tls } = this;
    const message = { mail: this.#mail, recipients: this.#recipients, wire: this.#wire, content };
    this.#kept.messages.push({ ...message, by, tls });
    const answers = this.#options.lmtp === true ? this.#recipients.length : 1;
    for (let index = 0; index < answers; index += 1) this.#answer('EOD', '250 2.0.0 kept\r\n');
    this.#reset();
  }

  #reset(): void {
    this.#mail = '';
    this.#recipients = [];
    this.#wire = '';
  }

  #command(line: string): void {
    const verb = (line.split(/[ :]/, 1)[0] ?? '').toUpperCase();
    const before = this.#hooked(line);
    if (before) return;
    switch (verb) {
      case 'EHLO':
      case 'LHLO':
        return this.#write(this.#hello());
      case 'MAIL':
        this.#mail = line;
        return this.#write('250 2.1.0 sender\r\n');
      case 'RCPT':
        this.#recipients.push(line);
        return this.#write('250 2.1.5 recipient\r\n');
      case 'DATA':
        this.#mode = 'data';
        return this.#write('354 go\r\n');
      case 'BDAT': {
        const [, octets, last] = line.split(' ');
        this.#chunk = Number(octets);
        this.#last = last?.toUpperCase() === 'LAST';
        return;
      }
      case 'STARTTLS':
        this.#write('220 2.0.0 go\r\n');
        return this.#secure(() => {});
      case 'AUTH':
        return this.#write(this.#login(line));
      case 'QUIT':
        this.#write('221 2.0.0 bye\r\n');
        return void this.#socket.end();
      case 'RSET':
        this.#reset();
        return this.#write('250 2.0.0 reset\r\n');
      default:
        return this.#write('250 2.0.0 fine\r\n');
    }
  }

  #hello(): string {
    const words = [...(this.#options.capabilities ?? SINK_CAPABILITIES)];
    if (this.#options.tls !== undefined && !this.tls) words.push('STARTTLS');
    if (this.#options.login !== undefined) words.push('AUTH PLAIN LOGIN');
    const lines = ['sink.test', ...words];
    return lines
      .map((word, index) => `250${index === lines.length - 1 ? ' ' : '-'}${word}\r\n`)
      .join('');
  }

  #login(line: string): string {
    const given = Buffer.from(line.split(' ')[2] ?? '', 'base64').toString();
    return given === `\0${this.#options.login}` ? '235 2.7.0 in\r\n' : '535 5.7.8 no\r\n';
  }

  #answer(command: string, usual: string): void {
    if (!this.#hooked(command)) this.#write(usual);
  }

  /** Whether the hook answered. */
  #hooked(command: string): boolean {
    const answer = this.#kept.hook?.(command, this);
    if (answer === undefined) return false;
    if (typeof answer === 'string') {
      this.#write(answer);
      if (command === 'DATA' && answer.startsWith('354')) this.#mode = 'data';
      if (command === 'STARTTLS' && answer.startsWith('220')) this.#secure(() => {});
      return true;
    }
    if (answer.raw !== undefined) this.#write(answer.raw);
    if (answer.end === 'close') this.#socket.end();
    if (answer.end === 'reset') this.#socket.destroy();
    this.#mode = 'silence';
    return true;
  }

  #write(text: string): void {
    const { delayMs = 0 } = this.#options;
    const send = (): void => {
      if (this.#socket.writable) this.#socket.write(text, 'latin1');
    };
    if (delayMs === 0) send();
    else setTimeout(send, delayMs).unref();
  }
}
