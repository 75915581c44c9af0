/** A dialogue with an SMTP server: read a reply, send a command, start TLS; nothing decided. */

import { utf8 } from '#base/bytes.ts';
import { Failure } from '#base/failure.ts';
import type { Secure } from '#base/secure.ts';
import type {
  Clock,
  Connection,
  Endpoint,
  Network,
  Receiver,
  Timer,
  TlsOptions,
} from '#base/world.ts';
import type { Reply } from '../reply.ts';
import { REPLY_LIMITS, ReplyParser, type ReplyLimits } from './reply-parser.ts';
import { Transcript, type Said } from './transcript.ts';

export interface DialogueOptions {
  readonly clock: Clock;
  /** For one reply; default `REPLY_LIMITS`. */
  readonly limits?: ReplyLimits;
  /** Replies that may come before they are read; more is an attack. Default 1,100. */
  readonly unreadReplies?: number;
  /** Lines of the transcript that are kept. Default 500. */
  readonly transcriptLines?: number;
  readonly listener?: (said: Said) => void;
}

export type ClientTls = Omit<Extract<TlsOptions, { side: 'client' }>, 'side'>;

interface Waiter {
  settle(): void;
}

const UNREAD = 1_100;
const TRANSCRIPT_LINES = 500;

/**
 * One dialogue over one connection. What fails is thrown as a temporary Failure: `timeout`,
 * `connection-lost`, `protocol-error` (the server broke the syntax), and after it the
 * connection is destroyed; `unsafe-command`, permanent, when a line would hold more than one.
 */
export class Dialogue implements Receiver {
  readonly transcript: Transcript;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #limits: ReplyLimits;
  readonly #maxUnread: number;
  #parser: ReplyParser;
  #replies: Reply[] = [];
  #failure: Failure | undefined;
  #full = false;
  #reader: Waiter | undefined;
  #writer: Waiter | undefined;

  constructor(connection: Connection, options: DialogueOptions) {
    this.#connection = connection;
    this.#clock = options.clock;
    this.#limits = options.limits ?? REPLY_LIMITS;
    this.#maxUnread = options.unreadReplies ?? UNREAD;
    this.#parser = new ReplyParser(this.#limits);
    this.transcript = new Transcript(options.transcriptLines ?? TRANSCRIPT_LINES, options.listener);
  }

  /** Connects; fails as `Network.connect`. With `implicit`, TLS comes before the greeting. */
  static async connect(
    network: Network,
    where: Endpoint & { readonly timeoutMs: number; readonly source?: string },
    options: DialogueOptions & { readonly implicit?: ClientTls },
  ): Promise<Dialogue> {
    const connection = await network.connect(where);
    const dialogue = new Dialogue(connection, options);
    if (options.implicit !== undefined) {
      const secure = await connection.startTls({ side: 'client', ...options.implicit });
      dialogue.#noteTls(secure);
    }
    connection.open(dialogue);
    return dialogue;
  }

  get secure(): Secure | undefined {
    return this.#connection.secure;
  }

  get remote(): Endpoint {
    return this.#connection.remote;
  }

  /** Why it is over, if it is. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Whether the server said something that nobody read yet. */
  get unread(): boolean {
    return this.#replies.length > 0 || this.#parser.partial;
  }

  /** The next reply, whole, within `timeoutMs` from now: a trickle does not prolong it. */
  async reply(timeoutMs: number, waitingFor = 'a reply'): Promise<Reply> {
    if (this.#replies.length === 0) {
      await this.#wait('reader', timeoutMs, `no ${waitingFor} within ${timeoutMs} ms`);
    }
    const reply = this.#replies.shift();
    if (reply === undefined) throw this.#failure ?? lost();
    return reply;
  }

  /** Sends one line. `shown` stands in the transcript instead of it (secrets). */
  send(line: string, shown?: string): void {
    this.sendLines([line], shown);
  }

  /** Sends several lines in one write: a pipeline (RFC 2920). */
  sendLines(lines: readonly string[], shown?: string): void {
    for (const line of lines) {
      // One line is one command: a line end in a value would be a second one.
      if (/[\r\n\0]/.test(line)) {
        throw Failure.permanent('unsafe-command', 'a value with a line end in it is never sent');
      }
      this.transcript.client(shown ?? line);
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#write(utf8(`${lines.join('\r\n')}\r\n`));
  }

  /**
   * Sends one line and reads its reply. Anything the server said before it was asked is a
   * `protocol-error`, except 421, which is returned: it is how servers say goodbye.
   */
  async command(line: string, timeoutMs: number, shown?: string): Promise<Reply> {
    const early = this.#replies[0];
    if (early?.code === 421) return this.reply(timeoutMs);
    if (this.unread) throw this.broken('a reply that nobody asked for');
    this.send(line, shown);
    return this.reply(timeoutMs, `answer to ${verbOf(line)}`);
  }

  /** Sends octets as they are; resolves when more may be sent, within `timeoutMs`. */
  async write(bytes: Uint8Array, timeoutMs: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#write(bytes);
    if (this.#full) {
      await this.#wait('writer', timeoutMs, `the server took nothing for ${timeoutMs} ms`);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * TLS, after the server agreed. Octets that came in clear behind its agreement are an attack
   * (CVE-2011-0411): `protocol-error`. Fails as `Connection.startTls`.
   */
  async startTls(options: ClientTls): Promise<Secure> {
    if (this.unread) throw this.broken('octets in clear behind the answer to STARTTLS');
    const secure = await this.#connection.startTls({ side: 'client', ...options });
    this.#parser = new ReplyParser(this.#limits);
    this.#replies = [];
    this.#noteTls(secure);
    return secure;
  }

  /** Ends the dialogue because the server broke the protocol; throw what is returned. */
  broken(why: string): Failure {
    this.#fail(Failure.temporary('protocol-error', `the server broke the protocol: ${why}`));
    return this.#failure ?? lost();
  }

  /** Fails the dialogue after so much time, whatever happens meanwhile, unless cancelled. */
  expire(ms: number, why: string): Timer {
    return this.#clock.after(ms, () => this.#fail(Failure.temporary('timeout', why)));
  }

  /** Sends what is queued, then closes. */
  end(): void {
    this.#connection.end();
  }

  destroy(): void {
    this.#fail(lost());
  }

  received(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    for (const parsed of this.#parser.push(bytes)) {
      if (parsed.kind === 'broken') {
        this.broken(parsed.why);
        return;
      }
      this.transcript.server(parsed.reply);
      if (this.#replies.push(parsed.reply) > this.#maxUnread) {
        this.broken('more replies than commands');
        return;
      }
    }
    if (this.#replies.length > 0) this.#reader?.settle();
  }

  drained(): void {
    this.#full = false;
    this.#writer?.settle();
  }

  ended(): void {
    // Whole replies that came before stay readable; nothing more can be said.
    this.#fail(lost());
  }

  closed(failure?: Failure): void {
    this.#fail(failure ?? lost());
  }

  #write(bytes: Uint8Array): void {
    if (!this.#connection.write(bytes)) this.#full = true;
  }

  #noteTls(secure: Secure): void {
    const { protocol, cipher, peer } = secure.facts;
    const how = peer.kind === 'unverified' ? `unverified: ${peer.reason}` : peer.kind;
    this.transcript.note(`${protocol} ${cipher}, certificate ${how}`);
  }

  /** Until `settle` of that side is called, the dialogue fails, or time is up, which fails it. */
  async #wait(side: 'reader' | 'writer', timeoutMs: number, late: string): Promise<void> {
    if (this.#failure !== undefined) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(timeoutMs, () =>
        this.#fail(Failure.temporary('timeout', late)),
      );
      const waiter = {
        settle: () => {
          timer.cancel();
          if (side === 'reader') this.#reader = undefined;
          else this.#writer = undefined;
          resolve();
        },
      };
      if (side === 'reader') this.#reader = waiter;
      else this.#writer = waiter;
    });
  }

  #fail(failure: Failure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.transcript.note(failure.message);
    this.#connection.destroy();
    this.#reader?.settle();
    this.#writer?.settle();
  }
}

function lost(): Failure {
  return Failure.temporary('connection-lost', 'the connection is closed');
}

function verbOf(line: string): string {
  const [verb = ''] = line.split(' ', 1);
  return /^[A-Za-z]{4,8}$/.test(verb) ? verb.toUpperCase() : 'a command';
}
