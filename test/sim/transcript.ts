/** What two machines said to each other, read afterwards: each transaction and how it ended. */

import type { Pair, Heard } from './pair.ts';

/** One mail transaction as the network saw it. */
export interface Transaction {
  readonly pair: Pair;
  /** Empty: `<>`. */
  readonly sender: string;
  /** Those that the client heard a 250 for. */
  readonly recipients: readonly string[];
  /** The content, if all of it was read by the server; dots undone. */
  readonly content: string;
  /** The number of the event in which the server had read it all. */
  readonly readAt: number;
  /** The final answer, if the client read it. */
  readonly answer:
    | { readonly code: number; readonly text: string; readonly at: number }
    | undefined;
}

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly at: number;
}

/** Reads one connection; content that did not arrive whole is no transaction. */
export function transactionsOf(pair: Pair): Transaction[] {
  return new Reader(pair).read();
}

/** Walks the client's octets, and takes an answer for each command. */
class Reader {
  readonly #pair: Pair;
  readonly #said: string;
  readonly #answers: readonly Answer[];
  readonly #found: Transaction[] = [];
  #at = 0;
  /** The first answer is the greeting. */
  #next = 1;
  #sender = '';
  #recipients: string[] = [];
  #chunks = '';

  constructor(pair: Pair) {
    this.#pair = pair;
    this.#said = pair.heard[1].map(({ text }) => text).join('');
    this.#answers = answersOf(pair.heard[0]);
  }

  read(): Transaction[] {
    for (let line = this.#line(); line !== undefined; line = this.#line()) {
      const verb = line.slice(0, 4).toUpperCase();
      const go = verb === 'BDAT' ? this.#chunk(line) : this.#command(verb, line);
      if (!go) break;
    }
    return this.#found;
  }

  #line(): string | undefined {
    const end = this.#said.indexOf('\r\n', this.#at);
    if (end < 0) return undefined;
    const line = this.#said.slice(this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #answer(): Answer | undefined {
    const answer = this.#answers[this.#next];
    this.#next += 1;
    return answer;
  }

  #command(verb: string, line: string): boolean {
    const answer = this.#answer();
    if (verb === 'MAIL') {
      this.#sender = pathOf(line);
      this.#reset();
    } else if (verb === 'RCPT') {
      if (answer?.code === 250) this.#recipients.push(pathOf(line));
    } else if (verb === 'RSET' || verb === 'EHLO') this.#reset();
    else if (verb === 'DATA' && answer?.code === 354) return this.#data();
    return true;
  }

  #data(): boolean {
    const at = this.#at;
    const end = this.#said.startsWith('.\r\n', at) ? at : this.#said.indexOf('\r\n.\r\n', at) + 2;
    if (end < 2) return false;
    this.#at = end + 3;
    this.#take(this.#said.slice(at, end).replaceAll(/^\./gm, ''));
    return true;
  }

  #chunk(line: string): boolean {
    const [, octets = '0', last] = line.split(' ');
    const end = this.#at + Number(octets);
    if (end > this.#said.length) return false;
    this.#chunks += this.#said.slice(this.#at, end);
    this.#at = end;
    if (last === undefined) this.#answer();
    else this.#take(this.#chunks);
    return true;
  }

  #take(content: string): void {
    const answer = this.#answer();
    const { heard } = this.#pair;
    this.#found.push({
      pair: this.#pair,
      sender: this.#sender,
      recipients: [...this.#recipients],
      content,
      readAt: eventAt(heard[1], this.#at),
      answer: answer === undefined ? undefined : { ...answer },
    });
    this.#reset();
  }

  #reset(): void {
    this.#recipients = [];
    this.#chunks = '';
  }
}

function answersOf(heard: readonly Heard[]): Answer[] {
  const text = heard.map((one) => one.text).join('');
  const answers: Answer[] = [];
  let lines: string[] = [];
  let from = 0;
  for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n', from)) {
    const line = text.slice(from, end);
    from = end + 2;
    lines.push(line);
    if (line[3] === '-') continue;
    // Lines that disagree say nothing (RFC 5321 4.2.1).
    const isSound = lines.every((one) => one.slice(0, 3) === line.slice(0, 3));
    const code = isSound ? Number(line.slice(0, 3)) : Number.NaN;
    answers.push({ code, text: lines.join('\n'), at: eventAt(heard, from) });
    lines = [];
  }
  return answers;
}

/** The event in which the octet before `offset` was read. */
function eventAt(heard: readonly Heard[], offset: number): number {
  let read = 0;
  for (const { event, text } of heard) {
    read += text.length;
    if (read >= offset) return event;
  }
  return Infinity;
}

function pathOf(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? '';
}
