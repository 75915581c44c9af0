/** A hand session: one reader that shows every line as it comes, and knows when a reply is whole. */

import { asBuffer, latin1, parseUtf8, utf8 } from '#base/bytes.ts';
import { Secret } from '#base/secret.ts';
import type { SaslClient, SaslCredentials } from '#protocol/sasl/client-exchange.ts';
import { isLost, lossText, type Wire } from '../wire/wire.ts';

export type TalkProtocol = 'smtp' | 'imap' | 'pop3' | 'unknown';

/** What is shown: a line either way without its end, or a note; not yet safe for a terminal. */
export interface Shown {
  readonly from: 'client' | 'server' | 'note';
  readonly text: string;
}

/** The end of one reply. `good`: 2xx or 3xx, OK, +OK or a `+`. */
export interface Replied {
  readonly line: string;
  readonly lines: readonly string[];
  readonly code: number;
  readonly good: boolean;
}

/** Lines of the server between two of ours; a message to be read is seldom longer. */
const SHOWN_LINES = 20_000;
const READ_MS = 600_000;
const KEPT_LINES = 500;
const LISTINGS = /^(?:CAPA|RETR|TOP|(?:LIST|UIDL|AUTH)$)/i;
const ROUNDS = 10;

export class TalkSession {
  readonly wire: Wire;
  readonly #show: (shown: Shown) => void;
  readonly #hidden: string[] = [];
  #protocol: TalkProtocol = 'unknown';
  #lines: string[] = [];
  #replies: Replied[] = [];
  #wake: (() => void) | undefined;
  #tag = '';
  /** Lines that came since we spoke. */
  #shown = 0;
  #isListing = false;
  #tags = 0;
  #inContent = false;
  /** Why nothing more comes. */
  #over: string | undefined;

  constructor(wire: Wire, show: (shown: Shown) => void, protocol: TalkProtocol = 'unknown') {
    this.wire = wire;
    this.#show = show;
    this.#protocol = protocol;
    void this.#read();
  }

  get protocol(): TalkProtocol {
    return this.#protocol;
  }

  /** Between a 354 and the dot: lines are answered by nothing. */
  get inContent(): boolean {
    return this.#inContent;
  }

  get over(): string | undefined {
    return this.#over;
  }

  /** Sends octets; `shown` stands for them where they hold a secret. */
  send(octets: Uint8Array, shown?: string): void {
    const text = parseUtf8(octets) ?? latin1(octets);
    const line = text.replace(/[\r\n]+$/, '');
    this.#tag = /^(\S+) \S/.exec(line)?.[1] ?? this.#tag;
    this.#isListing = LISTINGS.test(line);
    this.#shown = 0;
    if (text === '.\r\n' || text.endsWith('\r\n.\r\n')) this.#inContent = false;
    this.#show({ from: 'client', text: shown ?? this.#bare(line) });
    this.wire.send(octets);
  }

  /** Sends a line of our own; under a tag in IMAP. */
  command(line: string, shown?: string): void {
    const tag = this.#protocol === 'imap' ? `p${(this.#tags += 1)} ` : '';
    this.send(utf8(`${tag}${line}\r\n`), shown === undefined ? undefined : `${tag}${shown}`);
  }

  /** The next whole reply that nobody took; undefined when time or the connection is over. */
  async replied(timeoutMs: number): Promise<Replied | undefined> {
    const untilMs = this.wire.clock.elapsed() + timeoutMs;
    while (this.#replies.length === 0 && this.#over === undefined) {
      const leftMs = untilMs - this.wire.clock.elapsed();
      if (leftMs <= 0) return undefined;
      await new Promise<void>((resolve) => {
        const timer = this.wire.clock.after(leftMs, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    return this.#replies.shift();
  }

  /** Replies that came and were read by eye alone. */
  forget(): void {
    this.#replies = [];
  }

  /** STARTTLS or STLS, and the handshake; false when it was refused or failed. */
  async startTls(serverName: string, timeoutMs: number): Promise<boolean> {
    this.forget();
    this.command(this.#protocol === 'pop3' ? 'STLS' : 'STARTTLS');
    const agreed = await this.replied(timeoutMs);
    if (agreed?.good !== true) return false;
    const result = await this.wire.startTls(serverName, timeoutMs);
    if (result.kind === 'tls-failed') {
      this.note(result.why);
      return false;
    }
    if (result.clear.length > 0) {
      this.note(`${result.clear.length} octets in clear came behind the agreement: dropped`);
    }
    const { protocol, cipher, peer } = result.secure.facts;
    const who = peer.kind === 'unverified' ? `unverified (${peer.reason})` : peer.kind;
    this.note(`${protocol} ${cipher}, certificate ${who}`);
    return true;
  }

  /** A whole SASL exchange; secrets are shown as `***` and stand nowhere in the transcript. */
  async login(
    client: SaslClient,
    credentials: SaslCredentials,
    timeoutMs: number,
  ): Promise<boolean> {
    const { login, password } = credentials;
    this.#hide(utf8(password.reveal()));
    this.#hide(utf8(`\0${login}\0${password.reveal()}`));
    const verb = this.#protocol === 'imap' ? 'AUTHENTICATE' : 'AUTH';
    this.forget();
    this.command(`${verb} ${client.mechanism}`);
    let reply = await this.replied(timeoutMs);
    for (let round = 0; round < ROUNDS && reply !== undefined; round += 1) {
      const challenge = /^(?:334|\+)(?: ([A-Za-z0-9+/=]*))?\s*$/.exec(reply.line);
      if (challenge === null) return reply.good && this.#proven(client);
      const octets = Buffer.from(challenge[1] ?? '', 'base64');
      const reaction = client.respond(octets);
      if (reaction.kind === 'abort') this.note(reaction.why);
      const text = reaction.kind === 'abort' ? '*' : asBuffer(reaction.bytes).toString('base64');
      this.send(utf8(`${text}\r\n`), reaction.kind === 'abort' ? '*' : '***');
      reply = await this.replied(timeoutMs);
    }
    return false;
  }

  #proven(client: SaslClient): boolean {
    if (!client.proven) this.note('the server did not prove that it knows the password');
    return client.proven;
  }

  #hide(octets: Uint8Array): void {
    this.wire.conceal('password', new Secret(octets));
    const base64 = asBuffer(octets).toString('base64');
    this.#hidden.push(latin1(octets), base64, base64.replace(/=+$/, ''));
    this.#hidden.sort((a, b) => b.length - a.length);
  }

  /** What a server echoes of a secret is not shown either. */
  #bare(line: string): string {
    let bare = line;
    for (const secret of this.#hidden) if (secret !== '') bare = bare.replaceAll(secret, '***');
    return bare;
  }

  /** Something of ours, beside what is said. */
  note(text: string): void {
    this.#show({ from: 'note', text });
  }

  async #read(): Promise<void> {
    for (;;) {
      const read = await this.wire.readLine(READ_MS);
      if (isLost(read)) {
        if (read.kind === 'timeout') continue;
        if (read.partial.length > 0) this.#show({ from: 'server', text: latin1(read.partial) });
        if (read.kind === 'too-long') {
          this.note('a line without end: the rest of what came is not shown');
          continue;
        }
        this.#over = lossText({ ...read, partial: new Uint8Array(0) });
        this.note(`connection ${this.#over}`);
        this.#wake?.();
        return;
      }
      const text = parseUtf8(read.octets) ?? latin1(read.octets);
      const odd = read.end === 'lf' ? ' [bare LF]' : '';
      this.#shown += 1;
      if (this.#shown === SHOWN_LINES) this.note('more lines came at once than are shown');
      if (this.#shown < SHOWN_LINES) {
        this.#show({ from: 'server', text: `${this.#bare(text)}${odd}` });
      }
      this.#heard(text);
    }
  }

  #heard(line: string): void {
    if (this.#protocol === 'unknown') this.#protocol = protocolOf(line);
    if (this.#lines.length < KEPT_LINES) this.#lines.push(line);
    const done = this.#isWhole(line);
    if (done === undefined) return;
    const code = /^\d{3}/.test(line) ? Number(line.slice(0, 3)) : 0;
    if (code === 354) this.#inContent = true;
    this.#replies.push({ line, lines: this.#lines, code, good: done });
    if (this.#replies.length > KEPT_LINES) this.#replies.shift();
    this.#lines = [];
    this.#wake?.();
  }

  /** Whether the reply ends here, and well; undefined: more comes. */
  #isWhole(line: string): boolean | undefined {
    switch (this.#protocol) {
      case 'smtp':
        return /^\d{3}-/.test(line) ? undefined : /^[23]/.test(line);
      case 'pop3': {
        if (this.#isListing && this.#lines.length > 1) return line === '.' ? true : undefined;
        const good = line.startsWith('+');
        return this.#isListing && good && !line.startsWith('+ ') ? undefined : good;
      }
      case 'imap': {
        if (line.startsWith('+')) return true;
        const isGreeting = this.#tag === '' && line.startsWith('* ');
        const [tag, status = ''] = line.split(' ', 2);
        if (!isGreeting && tag !== this.#tag) return undefined;
        return /^(?:OK|PREAUTH)$/i.test(status);
      }
      case 'unknown':
        return true;
    }
  }
}

function protocolOf(line: string): TalkProtocol {
  if (/^\d{3}[ -]/.test(line)) return 'smtp';
  if (line.startsWith('* ')) return 'imap';
  return /^(?:\+OK|-ERR)/.test(line) ? 'pop3' : 'unknown';
}
