/** Our own receiver: a raw SMTP sink whose mail proves that a server really relayed. */

import { asBuffer, concat, fromLatin1, latin1 } from '#base/bytes.ts';
import type { Clock, Connection, Endpoint, Receiver, Timer } from '#base/world.ts';
import type { Canary, CanaryMessage } from '../probe.ts';

export interface CanaryOptions {
  readonly clock: Clock;
  /** The domain whose mail is sent here; announced in the greeting. */
  readonly domain: string;
  readonly endpoint: Endpoint;
  /** Messages kept; older ones are forgotten. Default 200. */
  readonly messages?: number;
  /** Octets of one message; more ends the connection. Default 1,048,576. */
  readonly messageBytes?: number;
  /** Default 60,000. */
  readonly idleMs?: number;
}

interface Waiter {
  readonly token: string;
  readonly found: (message: CanaryMessage) => void;
}

const COMMAND_BYTES = 4_096;
const RECIPIENTS = 200;
const END = fromLatin1('\r\n.\r\n');

/** Takes everything; hand it each connection of a listener. */
export class CanaryReceiver implements Canary {
  readonly domain: string;
  readonly endpoint: Endpoint;
  readonly #options: CanaryOptions;
  readonly #messages: CanaryMessage[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(options: CanaryOptions) {
    this.domain = options.domain;
    this.endpoint = options.endpoint;
    this.#options = options;
  }

  /** What arrived, the oldest first. */
  get messages(): readonly CanaryMessage[] {
    return this.#messages;
  }

  readonly accept = (connection: Connection): void => {
    connection.open(new Sink(connection, this.#options, (message) => this.#take(message)));
  };

  async arrived(token: string, withinMs: number): Promise<CanaryMessage | undefined> {
    const there = this.#messages.find((message) => holds(message, token));
    if (there !== undefined || withinMs <= 0) return there;
    return new Promise((resolve) => {
      const waiter: Waiter = {
        token,
        found: (message) => {
          timer.cancel();
          this.#waiters.delete(waiter);
          resolve(message);
        },
      };
      const timer = this.#options.clock.after(withinMs, () => {
        this.#waiters.delete(waiter);
        resolve(undefined);
      });
      this.#waiters.add(waiter);
    });
  }

  #take(message: CanaryMessage): void {
    this.#messages.push(message);
    if (this.#messages.length > (this.#options.messages ?? 200)) this.#messages.shift();
    for (const waiter of this.#waiters) if (holds(message, waiter.token)) waiter.found(message);
  }
}

function holds({ octets, recipients }: CanaryMessage, token: string): boolean {
  return recipients.some((one) => one.includes(token)) || asBuffer(octets).includes(token);
}

/** One connection: only CRLF.CRLF ends content, and nothing in it is changed. */
class Sink implements Receiver {
  readonly #connection: Connection;
  readonly #options: CanaryOptions;
  readonly #deliver: (message: CanaryMessage) => void;
  #rest: Uint8Array = new Uint8Array(0);
  #content: Uint8Array[] | undefined;
  #contentBytes = 0;
  #tail: Uint8Array = fromLatin1('\r\n');
  #reversePath = '';
  #recipients: string[] = [];
  #idle: Timer;

  constructor(
    connection: Connection,
    options: CanaryOptions,
    deliver: (message: CanaryMessage) => void,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#deliver = deliver;
    this.#idle = this.#wait();
    this.#say(`220 ${options.domain} ESMTP canary`);
  }

  received(octets: Uint8Array): void {
    this.#idle.cancel();
    this.#idle = this.#wait();
    let left: Uint8Array | undefined = octets;
    while (left !== undefined && left.length > 0) {
      left = this.#content === undefined ? this.#commands(left) : this.#contents(left);
    }
  }

  drained(): void {
    // Replies are short: nothing waits.
  }

  ended(): void {
    this.#connection.end();
  }

  closed(): void {
    this.#idle.cancel();
  }

  #wait(): Timer {
    return this.#options.clock.after(this.#options.idleMs ?? 60_000, () =>
      this.#connection.destroy(),
    );
  }

  /** Lines up to DATA; what follows it is content. */
  #commands(octets: Uint8Array): Uint8Array | undefined {
    const all = concat([this.#rest, octets]);
    const at = all.indexOf(0x0a);
    if (at < 0) {
      this.#rest = all;
      if (all.length > COMMAND_BYTES) this.#connection.destroy();
      return undefined;
    }
    this.#rest = new Uint8Array(0);
    this.#command(latin1(all.subarray(0, at)).trimEnd());
    return all.subarray(at + 1);
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase();
    const path = /:\s*<?([^>]*)>?/.exec(line)?.[1] ?? '';
    if (verb === 'MAIL') {
      this.#reversePath = path;
      this.#recipients = [];
    } else if (verb === 'RCPT' && this.#recipients.length < RECIPIENTS) this.#recipients.push(path);
    if (verb === 'DATA') {
      this.#content = [];
      this.#contentBytes = 0;
      this.#tail = fromLatin1('\r\n');
      this.#say('354 go on');
    } else if (verb === 'EHLO') {
      this.#say(`250-${this.#options.domain}\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 8BITMIME`);
    } else if (verb === 'QUIT') {
      this.#say('221 2.0.0 bye');
      this.#connection.end();
    } else if (/^(?:HELO|MAIL|RCPT|RSET|NOOP)$/.test(verb)) this.#say('250 2.0.0 ok');
    else this.#say('500 5.5.1 unknown');
  }

  /** Looks for the end across chunks: the last octets of the chunk before are kept beside it. */
  #contents(octets: Uint8Array): Uint8Array | undefined {
    const window = concat([this.#tail, octets]);
    const at = asBuffer(window).indexOf(END);
    const count = at < 0 ? octets.length : at + END.length - this.#tail.length;
    const taken = octets.slice(0, count);
    this.#content?.push(taken);
    this.#contentBytes += taken.length;
    this.#tail = window.slice(-4);
    if (this.#contentBytes > (this.#options.messageBytes ?? 1_048_576)) {
      this.#connection.destroy();
      return undefined;
    }
    if (at < 0) return undefined;
    this.#finished(concat(this.#content ?? []));
    return octets.subarray(count);
  }

  #finished(content: Uint8Array): void {
    this.#content = undefined;
    this.#say('250 2.0.0 kept');
    this.#deliver({
      from: this.#connection.remote,
      reversePath: this.#reversePath,
      recipients: this.#recipients,
      // Without the dot line that ended it.
      octets: content.subarray(0, Math.max(0, content.length - 3)),
    });
  }

  #say(text: string): void {
    this.#connection.write(fromLatin1(`${text}\r\n`));
  }
}
