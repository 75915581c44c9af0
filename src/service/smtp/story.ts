/** What an SMTP session did, line by line, for the ledger: capped, without secrets or bodies. */

import type { SessionId } from '#base/brand.ts';
import type { Json } from '#base/json.ts';
import { type Reply, formatReply } from '#protocol/smtp/reply.ts';

const LINES = 60;
const LINE_CHARACTERS = 300;

/** Collects one session's dialogue. */
export class Story {
  readonly session: SessionId;
  #lines: string[] = [];
  #left = 0;

  constructor(session: SessionId) {
    this.session = session;
  }

  /** One command and its answer. */
  replied(command: string, reply: Reply): void {
    if (this.#lines.length >= LINES) {
      this.#left += 1;
      return;
    }
    const count = reply.lines.length;
    const last = count === 1 ? reply : { ...reply, lines: reply.lines.slice(-1) };
    const text = `${command} -> ${count === 1 ? '' : `${count} lines: `}${formatReply(last)}`;
    this.#lines.push(text.slice(0, LINE_CHARACTERS).trimEnd());
  }

  /** The dialogue since the last call, for the message that was just accepted or refused. */
  takeDialogue(): Json {
    const lines = this.#left === 0 ? this.#lines : [...this.#lines, `(${this.#left} more)`];
    this.#lines = [];
    this.#left = 0;
    return lines;
  }
}
