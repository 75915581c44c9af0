/** A client for line protocols as a person at a terminal: sends octets, reads lines. */

import net from 'node:net';
import tls from 'node:tls';

/** Speaks to a server; every read has a time limit, so that no test hangs. */
export class LineClient {
  #socket: net.Socket;
  /** What TLS, if there is any, runs over. */
  readonly #tcp: net.Socket;
  #text = '';
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #timeoutMs: number;

  private constructor(socket: net.Socket, timeoutMs: number, tcp = socket) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.#timeoutMs = timeoutMs;
    this.#listen();
  }

  /** `from`: the local address, where the server tells clients apart. */
  static connect(
    port: number,
    host = '127.0.0.1',
    timeoutMs = 5_000,
    from?: string,
  ): Promise<LineClient> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host, port, ...(from && { localAddress: from }) });
      socket.once('connect', () => resolve(new LineClient(socket, timeoutMs)));
      socket.once('error', reject);
    });
  }

  /** TLS from the first octet; the certificate is not the point of most tests. */
  static connectTls(port: number, host = '127.0.0.1', ca?: string): Promise<LineClient> {
    return new Promise((resolve, reject) => {
      const tcp = net.connect({ host, port });
      const socket = tls.connect({
        socket: tcp,
        host,
        ca,
        rejectUnauthorized: ca !== undefined,
      });
      socket.once('secureConnect', () => resolve(new LineClient(socket, 5_000, tcp)));
      socket.once('error', reject);
      tcp.once('error', reject);
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(octets: string | Uint8Array): void {
    this.#socket.write(typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets);
  }

  /** Sends and waits until the system took it; false when the server took no more. */
  pour(octets: string | Uint8Array, timeoutMs = 5_000): Promise<boolean> {
    const socket = this.#socket;
    const bytes = typeof octets === 'string' ? Buffer.from(octets, 'latin1') : octets;
    if (this.#ended || socket.write(bytes)) return Promise.resolve(!this.#ended);
    return new Promise((resolve) => {
      const done = (went: boolean): void => {
        clearTimeout(timer);
        socket.off('drain', drained);
        socket.off('close', closed);
        resolve(went);
      };
      const drained = (): void => done(true);
      const closed = (): void => done(false);
      const timer = setTimeout(closed, timeoutMs);
      socket.once('drain', drained);
      socket.once('close', closed);
    });
  }

  /** Reads nothing any more: the server's octets pile up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** What a login can be bound to (RFC 9266 `tls-exporter`). */
  exporter(): Buffer {
    if (!(this.#socket instanceof tls.TLSSocket)) throw new Error('there is no TLS');
    return this.#socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  }

  /** Sends no more, still reads. */
  end(): void {
    this.#socket.end();
  }

  /** Ends with RST, under TLS too: what is under way is lost. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }

  /** Whether the system still takes octets. */
  get writable(): boolean {
    return this.#socket.writable;
  }

  /** All lines until the server closes. */
  async rest(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.line(); line !== undefined; line = await this.line()) {
      lines.push(line);
    }
    return lines;
  }

  /** Upgrades after the server agreed. */
  async startTls(ca?: string): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners('data');
    const secure = tls.connect({
      socket: plain,
      ca,
      servername: 'localhost',
      rejectUnauthorized: ca !== undefined,
    });
    await new Promise<void>((resolve, reject) => {
      secure.once('secureConnect', () => resolve());
      secure.once('error', reject);
    });
    this.#socket = secure;
    this.#listen();
  }

  /** The next line without CRLF; undefined when the server closed. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      if (this.#ended) return undefined;
      await this.#more();
    }
  }

  /** An SMTP reply: all its lines. */
  async reply(): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      if (line === undefined) return lines;
      lines.push(line);
      if (line[3] !== '-') return lines;
    }
  }

  /** Sends a line and returns the reply's last line. */
  async ask(line: string): Promise<string> {
    this.send(`${line}\r\n`);
    return (await this.reply()).at(-1) ?? '';
  }

  /** IMAP: sends a tagged command, returns everything up to and with the tagged answer. */
  async tagged(tag: string, command: string): Promise<string[]> {
    this.send(`${tag} ${command}\r\n`);
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      if (line === undefined) return lines;
      lines.push(line);
      if (line.startsWith(`${tag} `)) return lines;
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('data', (bytes: Buffer) => {
      this.#text += bytes.toString('latin1');
      this.#wake?.();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wake = undefined;
        reject(new Error(`no answer; so far: ${JSON.stringify(this.#text.slice(0, 200))}`));
      }, this.#timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
