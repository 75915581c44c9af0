/** What was said, both ways, for people and for the ledger: bounded, without secrets. */

import { visible } from '#base/bytes.ts';
import type { Reply } from '../reply.ts';

export interface Said {
  readonly from: 'client' | 'server' | 'note';
  /** One line without its end; control characters escaped. */
  readonly text: string;
}

export class Transcript {
  readonly #limit: number;
  readonly #listener: ((said: Said) => void) | undefined;
  readonly #said: Said[] = [];

  /** `limit`: lines kept; `listener` hears each line as it is said, also those beyond. */
  constructor(limit: number, listener?: (said: Said) => void) {
    this.#limit = limit;
    this.#listener = listener;
  }

  get said(): readonly Said[] {
    return this.#said;
  }

  client(text: string): void {
    this.#add('client', text);
  }

  server(reply: Reply): void {
    if (this.#isDeaf) return;
    for (const line of replyLines(reply)) this.#add('server', line);
  }

  note(text: string): void {
    this.#add('note', text);
  }

  /** Whether nobody would learn of what is said now. */
  get #isDeaf(): boolean {
    return this.#said.length >= this.#limit && this.#listener === undefined;
  }

  #add(from: Said['from'], text: string): void {
    if (this.#isDeaf) return;
    const said = { from, text: visible(text, 1_000) };
    if (this.#said.length < this.#limit) this.#said.push(said);
    this.#listener?.(said);
  }
}

/** A reply as its lines on the wire, without line ends. */
export function replyLines({ code, enhanced, lines }: Reply): string[] {
  const status = enhanced === undefined ? '' : `${enhanced} `;
  const last = lines.length - 1;
  return lines.map((line, index) => `${code}${index === last ? ' ' : '-'}${status}${line}`);
}
