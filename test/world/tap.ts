/** Between a listener and its clients: what is said is changed, so that a server lacks a cure. */

import { concat, latin1 } from '#base/bytes.ts';
import type { Secure } from '#base/secure.ts';
import type { Connection, Endpoint, Network, Receiver, TlsOptions } from '#base/world.ts';
import type { ListenerName } from '#command/serve/listeners.ts';

/** One connection, as a tap sees it: what is under TLS as well, in the clear. */
export interface Tapped {
  readonly listener: ListenerName;
  readonly isSecure: boolean;
  /** Lines of the client so far. */
  readonly lines: readonly string[];
  /** To the client, as if the server said it. */
  say(text: string): void;
  /** To the server, as if the client said it; the answer to it goes nowhere. */
  whisper(line: string): void;
  /** From here on the client seems to come from there. */
  from(address: string): void;
}

export interface Tap {
  /**
   * A line of the client, without its end: a text is the answer to it, which the server never
   * hears of; `forward` is what it hears instead; undefined: as it came.
   */
  line?(line: string, tapped: Tapped): string | { readonly forward: string } | undefined;
  /** All that the client sends, before it is cut into lines. */
  received?(text: string, tapped: Tapped): string;
  /** What the server says at once. */
  said?(text: string, tapped: Tapped): string;
  /** Octets behind STARTTLS are kept, and read as if they had come under TLS. */
  readonly keepsClear?: boolean;
  /** The beginning of a line that came in clear goes on under TLS; where `line` is given. */
  readonly keepsRest?: boolean;
}

/** `names`: the listeners in the order in which they are opened. */
export function tapped(network: Network, names: readonly ListenerName[], tap: Tap): Network {
  let opened = 0;
  return {
    listen: (where, accept) => {
      const name = names[opened] ?? 'smtp';
      opened += 1;
      return network.listen(where, (connection) =>
        accept(new TapConnection(connection, name, tap)),
      );
    },
    connect: (where) => network.connect(where),
  };
}

const STARTTLS = /(^|\n)(?:\S+ )?(?:STARTTLS|STLS)\r?\n/i;

class TapConnection implements Connection, Tapped {
  readonly listener: ListenerName;
  readonly lines: string[] = [];
  remote: Endpoint;
  readonly #connection: Connection;
  readonly #tap: Tap;
  #receiver: Receiver | undefined;
  /** Of the client: a line that is not whole yet. */
  #rest = '';
  /** Answers of the server that nobody asked for. */
  #unasked = 0;
  #kept = '';

  constructor(connection: Connection, listener: ListenerName, tap: Tap) {
    this.#connection = connection;
    this.remote = connection.remote;
    this.listener = listener;
    this.#tap = tap;
  }

  get local(): Endpoint {
    return this.#connection.local;
  }

  get secure(): Secure | undefined {
    return this.#connection.secure;
  }

  get isSecure(): boolean {
    return this.#connection.secure !== undefined;
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver;
    this.#connection.open({
      received: (bytes) => this.#received(bytes),
      drained: () => receiver.drained(),
      ended: () => receiver.ended(),
      closed: (failure) => receiver.closed(failure),
    });
  }

  #received(bytes: Uint8Array): void {
    let text = latin1(bytes);
    if (this.#tap.received !== undefined) text = this.#tap.received(text, this);
    if (this.#tap.keepsClear === true && this.#connection.secure === undefined) {
      const found = STARTTLS.exec(text);
      if (found !== null) {
        const end = found.index + found[0].length;
        this.#kept = text.slice(end);
        text = text.slice(0, end);
      }
    }
    if (this.#tap.line !== undefined) text = this.#cut(text);
    if (text.length > 0) this.#receiver?.received(Buffer.from(text, 'latin1'));
  }

  #cut(text: string): string {
    const parts = (this.#rest + text).split('\r\n');
    this.#rest = parts.pop() ?? '';
    // A handshake or content without line ends is not ours to hold.
    if (this.#rest.length > 4_096) {
      parts.push(this.#rest);
      this.#rest = '';
    }
    const on: string[] = [];
    for (const line of parts) {
      this.lines.push(line);
      const answer = this.#tap.line?.(line, this);
      if (answer === undefined) on.push(`${line}\r\n`);
      else if (typeof answer === 'string') this.say(answer);
      else on.push(`${answer.forward}\r\n`);
    }
    return on.join('');
  }

  write(bytes: Uint8Array): boolean {
    let text = latin1(bytes);
    while (this.#unasked > 0) {
      const line = /^(?:\d{3}-[^\n]*\n)*[^\n]*\n/.exec(text);
      if (line === null) break;
      text = text.slice(line[0].length);
      this.#unasked -= 1;
    }
    if (this.#tap.said !== undefined) text = this.#tap.said(text, this);
    return text === '' || this.#connection.write(Buffer.from(text, 'latin1'));
  }

  say(text: string): void {
    this.#connection.write(Buffer.from(text, 'latin1'));
  }

  whisper(line: string): void {
    this.#unasked += 1;
    queueMicrotask(() => this.#receiver?.received(Buffer.from(`${line}\r\n`, 'latin1')));
  }

  from(address: string): void {
    this.remote = { address, port: this.remote.port };
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  async startTls(options: TlsOptions): Promise<Secure> {
    const secure = await this.#connection.startTls(options);
    if (this.#tap.keepsRest !== true) this.#rest = '';
    if (this.#kept !== '') {
      const bytes = concat([Buffer.from(this.#kept, 'latin1')]);
      this.#kept = '';
      setImmediate(() => this.#receiver?.received(bytes));
    }
    return secure;
  }

  finish(): void {
    this.#connection.finish?.();
  }

  end(): void {
    this.#connection.end();
  }

  destroy(): void {
    this.#connection.destroy();
  }
}
