/** An SMTP server on octets for the auditor's tests: careful by default, lax in exactly what a test says. */

import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface LaxOptions {
  /** What ends content, at its first place. Default CRLF.CRLF. */
  readonly end?: RegExp;
  /** What stands behind an end is thrown away with the packet. */
  readonly discards?: boolean;
  /** The whole server ends itself where something stands behind an end. */
  readonly dies?: boolean;
  /** The end of the stream behind a dot ends content too. */
  readonly endsWithStream?: boolean;
  /** What ends a command. Default CRLF. */
  readonly lineEnd?: RegExp;
  /** Keywords of EHLO. */
  readonly keywords?: readonly string[];
  /** Messages in circles are refused. Default true. */
  readonly countsHops?: boolean;
  /** The answer to a whole message, without its CRLF; undefined: accepted. */
  readonly content?: (octets: string) => string | undefined;
  /** Lines are handed over as they came; a reply without CRLF, '' for none, undefined: as usual. */
  readonly hook?: (line: string, state: LaxState) => string | undefined;
  /** DATA needs no recipient of ours: the hook took one. */
  readonly relays?: boolean;
  /** Faults of BDAT. */
  readonly bdat?: 'ends-at-dot' | 'runs-refused' | 'answers-early' | 'any-size' | 'data-after';
  /** Every message accepted, with its recipients. */
  readonly deliver?: (octets: string, recipients: readonly string[]) => void;
  /** For the connection with this number, from 0. */
  readonly greeting?: (number: number) => string;
  /** Errors after which it is over. Default 20. */
  readonly errorLimit?: number;
  /** What a message says of its size is not looked at. */
  readonly ignoresSize?: boolean;
  /** A line without end is thrown away, on and on. */
  readonly swallows?: boolean;
}

export interface LaxState {
  readonly lines: string[];
  readonly recipients: string[];
  errors: number;
  end(): void;
}

export interface LaxServer {
  readonly port: number;
  readonly messages: string[];
  close(): void;
}

const KEYWORDS = ['PIPELINING', 'CHUNKING', 'SIZE 1000000', 'DSN'];
const LINE = 100_000;

type Mode = 'command' | 'content' | 'chunk' | 'over';

/** Listens on 127.0.0.1; postmaster and names at mock.test are there. */
export async function startLaxSmtp(options: LaxOptions = {}): Promise<LaxServer> {
  const sockets = new Set<Socket>();
  const messages: string[] = [];
  let connections = 0;
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const greeting = options.greeting?.(connections) ?? '220 mock.test ESMTP';
    connections += 1;
    const session = new Session(socket, options, messages, greeting, close);
    socket.on('data', (octets: Buffer) => session.received(octets.toString('latin1')));
    socket.on('end', () => session.ended());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    close,
  };
}

class Session implements LaxState {
  readonly lines: string[] = [];
  recipients: string[] = [];
  errors = 0;
  readonly #socket: Socket;
  readonly #options: LaxOptions;
  readonly #messages: string[];
  readonly #die: () => void;
  #mode: Mode = 'command';
  #rest = '';
  #content = '';
  #chunkLeft = 0;
  #isLast = false;
  #sender = false;

  constructor(
    socket: Socket,
    options: LaxOptions,
    messages: string[],
    greeting: string,
    die: () => void,
  ) {
    this.#die = die;
    this.#socket = socket;
    this.#options = options;
    this.#messages = messages;
    this.#say(greeting);
  }

  end(): void {
    this.#mode = 'over';
    this.#socket.end();
  }

  received(octets: string): void {
    this.#rest += octets;
    let before = -1;
    while (this.#mode !== 'over' && this.#rest.length !== before) {
      before = this.#rest.length;
      if (this.#mode === 'command') this.#command();
      else if (this.#mode === 'content') this.#contents();
      else this.#chunk();
    }
  }

  ended(): void {
    if (this.#mode === 'content' && this.#options.endsWithStream === true) this.#finish(this.#rest);
    this.#socket.end();
  }

  #say(text: string): void {
    if (text !== '') this.#socket.write(`${text}\r\n`, 'latin1');
  }

  #command(): void {
    const found = (this.#options.lineEnd ?? /\r\n/).exec(this.#rest);
    if (found === null && this.#rest.length > LINE) this.#endless();
    if (found === null) return;
    const line = this.#rest.slice(0, found.index);
    this.#rest = this.#rest.slice(found.index + found[0].length);
    this.lines.push(line);
    const reply = this.#options.hook?.(line, this) ?? this.#answer(line);
    if (/^[45]/.test(reply)) this.errors += 1;
    if (this.errors > (this.#options.errorLimit ?? 20)) {
      this.#say('421 4.7.0 too many errors');
      this.end();
      return;
    }
    this.#say(reply);
    if (reply.startsWith('354')) this.#mode = 'content';
  }

  #endless(): void {
    this.#rest = '';
    if (this.#options.swallows === true) return;
    this.#say('500 5.5.2 line too long');
    this.end();
  }

  #answer(line: string): string {
    if (/^(?:GET|POST) |^\x16/.test(line)) {
      this.end();
      return '';
    }
    if (line.length > 2_000) return '500 5.5.2 line too long';
    const verb =
      /^[A-Za-z]{4}(?= |$)(?!.*[\0-\x1f\x7f-\xff])|^(?:MAIL|RCPT)(?=.)/
        .exec(line)?.[0]
        .toUpperCase() ?? '';
    if (verb === 'EHLO') return this.#ehlo(line);
    if (verb === 'MAIL') {
      if (!/^MAIL FROM:<[!-;=?-~]*>(?: SIZE=\d+| BODY=8BITMIME)*$/.test(line))
        return '501 5.5.4 no';
      const [, size = '0'] = / SIZE=(\d+)/.exec(line) ?? [];
      if (Number(size) > 1_000_000 && this.#options.ignoresSize !== true)
        return '552 5.3.4 too large';
      if ((line.match(/ SIZE=/g) ?? []).length > 1) return '501 5.5.4 twice';
      this.#sender = true;
      return '250 2.1.0 ok';
    }
    if (verb === 'RCPT') {
      if (!this.#sender) return '503 5.5.1 MAIL first';
      if (!/^RCPT TO:<(?:postmaster|[a-z0-9+]+@mock\.test)>$/i.test(line)) return '550 5.7.1 no';
      this.recipients.push(line.slice(8));
      return '250 2.1.5 ok';
    }
    if (verb === 'DATA') {
      if (this.recipients.length === 0 && this.#options.relays !== true) return '503 5.5.1 none';
      if (this.#content !== '' && this.#options.bdat !== 'data-after') return '503 5.5.1 BDAT';
      return '354 go on';
    }
    if (verb === 'BDAT') return this.#bdat(line);
    if (verb === 'QUIT') {
      this.end();
      return '221 2.0.0 bye';
    }
    if (verb === 'RSET') this.#reset();
    return verb === 'RSET' || verb === 'NOOP' ? '250 2.0.0 ok' : '500 5.5.2 unknown';
  }

  #ehlo(line: string): string {
    if (!/^EHLO [A-Za-z0-9.:[\]-]{1,255}$/.test(line)) return '501 5.5.4 no';
    const rows = ['mock.test', ...(this.#options.keywords ?? KEYWORDS)];
    return rows.map((row, at) => `250${at === rows.length - 1 ? ' ' : '-'}${row}`).join('\r\n');
  }

  #bdat(line: string): string {
    const { bdat } = this.#options;
    const [, digits = '', last] = /^BDAT (\d{1,9})( LAST)?$/i.exec(line) ?? [];
    if (digits === '') {
      if (bdat === 'any-size') return '250 2.0.0 ok';
      this.end();
      return '501 5.5.4 size';
    }
    this.#chunkLeft = Number(digits);
    this.#isLast = last !== undefined;
    if (this.recipients.length === 0 && bdat === 'runs-refused') return '503 5.5.1 no recipients';
    this.#mode = 'chunk';
    if (bdat === 'answers-early') {
      this.#chunkLeft = Math.min(this.#chunkLeft, this.#rest.length);
      this.#chunk();
    }
    return '';
  }

  #chunk(): void {
    const dot = this.#options.bdat === 'ends-at-dot' ? this.#rest.indexOf('\r\n.\r\n') : -1;
    const taken = dot >= 0 && dot < this.#chunkLeft ? dot + 5 : this.#chunkLeft;
    const part = this.#rest.slice(0, taken);
    this.#rest = this.#rest.slice(part.length);
    this.#content += part;
    this.#chunkLeft -= part.length;
    if (this.#chunkLeft > 0 && dot < 0) return;
    this.#mode = 'command';
    if (this.recipients.length === 0) this.#say('503 5.5.1 no recipients');
    else if (this.#isLast || dot >= 0) this.#finish(this.#content);
    else this.#say('250 2.0.0 chunk');
  }

  #contents(): void {
    const found = (this.#options.end ?? /\r\n\.\r\n/).exec(this.#rest);
    if (found === null) return;
    const octets = this.#rest.slice(0, found.index + 2);
    const behind = this.#rest.slice(found.index + found[0].length);
    if (behind !== '' && this.#options.dies === true) return this.#die();
    this.#rest = this.#options.discards === true ? '' : behind;
    this.#mode = 'command';
    this.#finish(octets);
  }

  #finish(octets: string): void {
    const hops = octets.split('Received:').length - 1;
    const isLoop = this.#options.countsHops !== false && hops > 100;
    const refusal = isLoop ? '554 5.4.6 too many hops' : this.#options.content?.(octets);
    if (refusal === undefined) {
      this.#messages.push(octets);
      this.#options.deliver?.(octets, this.recipients);
    }
    this.#reset();
    this.#say(refusal ?? '250 2.0.0 queued as 4abc12');
  }

  #reset(): void {
    this.recipients = [];
    this.#content = '';
    this.#sender = false;
  }
}
