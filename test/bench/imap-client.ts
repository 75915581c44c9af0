/** An IMAP client that does next to nothing: so that the server is what is measured. */

import net from 'node:net';
import tls from 'node:tls';

const TAIL = 4_096;
const PATIENCE_MS = 120_000;

/** One connection; commands one after another. */
export class ImapClient {
  readonly #socket: net.Socket;
  #number = 0;
  /** The last octets that came: enough to see the tagged answer. */
  #tail = '';
  #octets = 0;
  #seen: (() => void) | undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.#octets += bytes.length;
      const end = bytes.toString('latin1', Math.max(0, bytes.length - TAIL));
      this.#tail = (this.#tail + end).slice(-TAIL);
      this.#seen?.();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#seen?.());
  }

  /** Connected, in TLS if so wished, and greeted. */
  static async connect(port: number, secure: boolean): Promise<ImapClient> {
    const socket = await new Promise<net.Socket>((resolve, reject) => {
      const made: net.Socket = secure
        ? tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
        : net.connect({ host: '127.0.0.1', port });
      made.once(secure ? 'secureConnect' : 'connect', () => resolve(made));
      made.once('error', reject);
    });
    const client = new ImapClient(socket);
    await client.#until(() => client.#tail.includes('\r\n'));
    return client;
  }

  /** The octets that the answer had; throws when it is not OK. */
  async command(text: string, literal?: string): Promise<number> {
    this.#number += 1;
    const tag = `t${this.#number}`;
    const end = literal === undefined ? '' : ` {${Buffer.byteLength(literal)}+}\r\n${literal}`;
    [this.#tail, this.#octets] = ['', 0];
    this.#socket.write(`${tag} ${text}${end}\r\n`);
    let answer: string | undefined;
    await this.#until(() => (answer = taggedLine(this.#tail, tag)) !== undefined);
    if (!answer?.startsWith('OK')) throw new Error(`${text.slice(0, 60)}: ${answer}`);
    return this.#octets;
  }

  /** AUTHENTICATE with an initial response; each challenge is answered by the next of `answers`. */
  async authenticate(
    mechanism: string,
    initial: string,
    answers: readonly ((challenge: string) => string)[],
  ): Promise<void> {
    this.#number += 1;
    const tag = `t${this.#number}`;
    let line = `${tag} AUTHENTICATE ${mechanism} ${base64(initial)}`;
    for (const answer of answers) {
      this.#tail = '';
      this.#socket.write(`${line}\r\n`);
      await this.#until(() => this.#tail.endsWith('\r\n'));
      const [, challenge] = /^\+ (\S*)\r\n$/.exec(this.#tail) ?? [];
      if (challenge === undefined) throw new Error(`AUTHENTICATE: ${this.#tail}`);
      line = base64(answer(Buffer.from(challenge, 'base64').toString()));
    }
    this.#tail = '';
    this.#socket.write(`${line}\r\n`);
    await this.#until(() => taggedLine(this.#tail, tag) !== undefined);
    const said = taggedLine(this.#tail, tag);
    if (!said?.startsWith('OK')) throw new Error(`AUTHENTICATE: ${said}`);
  }

  /** Sends without waiting, for filling; then `settled` waits for the last one. */
  async commands(texts: readonly (readonly [text: string, literal: string])[]): Promise<void> {
    this.#tail = '';
    for (const [text, literal] of texts) {
      this.#number += 1;
      const size = Buffer.byteLength(literal);
      this.#socket.write(`t${this.#number} ${text} {${size}+}\r\n${literal}\r\n`);
    }
    const tag = `t${this.#number}`;
    await this.#until(() => taggedLine(this.#tail, tag) !== undefined);
  }

  /** Starts IDLE. */
  async idle(): Promise<void> {
    this.#number += 1;
    this.#tail = '';
    this.#socket.write(`t${this.#number} IDLE\r\n`);
    await this.#until(() => this.#tail.includes('+ '));
  }

  /** Resolves at the next EXISTS. */
  async exists(): Promise<void> {
    await this.#until(() => / EXISTS\r\n/.test(this.#tail));
    this.#tail = '';
  }

  close(): void {
    this.#socket.destroy();
  }

  #until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer')), PATIENCE_MS);
      this.#seen = () => {
        if (!condition() && !this.#socket.destroyed) return;
        clearTimeout(timer);
        this.#seen = undefined;
        if (condition()) resolve();
        else reject(new Error(`connection closed: ${this.#tail.slice(-200)}`));
      };
    });
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** What follows the tag on the last line, when that line is the tagged one and complete. */
function taggedLine(tail: string, tag: string): string | undefined {
  if (!tail.endsWith('\r\n')) return undefined;
  const start = tail.lastIndexOf('\n', tail.length - 3) + 1;
  const line = tail.slice(start, -2);
  return line.startsWith(`${tag} `) ? line.slice(tag.length + 1) : undefined;
}
