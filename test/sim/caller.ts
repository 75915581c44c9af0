/** A client of the simulation: says lines, hears replies, and can stop anywhere. */

import { latin1, utf8 } from '#base/bytes.ts';
import type { Connection, Network, Receiver } from '#base/world.ts';
import { MINUTE, type Owner, type Timeline } from './timeline.ts';

export interface Heard {
  readonly code: number;
  readonly text: string;
}

const PATIENCE_MS = 6 * MINUTE;

export class Caller implements Receiver {
  readonly #connection: Connection;
  readonly #timeline: Timeline;
  readonly #owner: Owner;
  #text = '';
  #replies: Heard[] = [];
  #lines: string[] = [];
  #over = false;
  #wake: (() => void) | undefined;

  private constructor(connection: Connection, timeline: Timeline, owner: Owner) {
    this.#connection = connection;
    this.#timeline = timeline;
    this.#owner = owner;
  }

  /** Undefined when nobody answers. */
  static async connect(
    network: Network,
    timeline: Timeline,
    owner: Owner,
    to: { readonly address: string; readonly port: number },
  ): Promise<Caller | undefined> {
    try {
      const connection = await network.connect({ ...to, timeoutMs: MINUTE });
      return new Caller(connection, timeline, owner);
    } catch {
      return undefined;
    }
  }

  /** Begins to read; without it the server talks to somebody who never listens. */
  listen(): void {
    this.#connection.open(this);
  }

  say(text: string): void {
    if (!this.#over) this.#connection.write(utf8(text));
  }

  /** The next reply; undefined when there will be none. */
  async hear(): Promise<Heard | undefined> {
    if (this.#replies.length === 0 && !this.#over) {
      await new Promise<void>((resolve) => {
        const late = this.#timeline.at(PATIENCE_MS, this.#owner, 'impatient', () => this.drop());
        this.#wake = () => {
          late.cancel();
          this.#wake = undefined;
          resolve();
        };
      });
    }
    return this.#replies.shift();
  }

  /** Says a line and hears the answer. */
  ask(line: string): Promise<Heard | undefined> {
    this.say(`${line}\r\n`);
    return this.hear();
  }

  async startTls(implicit: boolean): Promise<boolean> {
    try {
      const options = { side: 'client', serverName: 'x', verify: 'opportunistic' } as const;
      await this.#connection.startTls({ ...options, handshakeMs: MINUTE });
      if (implicit) this.listen();
      return true;
    } catch {
      return false;
    }
  }

  end(): void {
    this.#connection.end();
  }

  drop(): void {
    this.#over = true;
    this.#connection.destroy();
    this.#wake?.();
  }

  received(bytes: Uint8Array): void {
    this.#text += latin1(bytes);
    for (let end = this.#text.indexOf('\r\n'); end >= 0; end = this.#text.indexOf('\r\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      this.#lines.push(line);
      if (line[3] === '-') continue;
      this.#replies.push({ code: Number(line.slice(0, 3)), text: this.#lines.join('\n') });
      this.#lines = [];
      this.#wake?.();
    }
  }

  drained(): void {
    // What it says is short.
  }

  ended(): void {
    this.#finish();
    this.#connection.end();
  }

  closed(): void {
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#wake?.();
  }
}
