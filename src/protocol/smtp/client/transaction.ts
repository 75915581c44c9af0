/** One mail transaction with a server: MAIL, RCPT, content, and what became of each recipient. */

import type { Awaitable } from '#base/brand.ts';
import { Failure } from '#base/failure.ts';
import type { Reply } from '../reply.ts';
import {
  mailCommand,
  needUtf8,
  rcptCommand,
  wireAddress,
  type OutgoingEnvelope,
  type OutgoingRecipient,
} from './commands.ts';
import { END_OF_CONTENT, sendContent, type ContentSent } from './content.ts';
import type { SmtpSession } from './session.ts';

export interface OutgoingMail {
  readonly envelope: OutgoingEnvelope;
  readonly recipients: readonly OutgoingRecipient[];
  readonly sizeBytes: number;
  readonly read: (from: number, lengthBytes: number) => Awaitable<Uint8Array>;
}

export type Outcome =
  | { readonly kind: 'delivered'; readonly reply: Reply }
  | {
      readonly kind: 'failed' | 'deferred';
      readonly reply: Reply | undefined;
      /** RFC 3463: the server's, or ours. */
      readonly status: string;
      readonly reason: string;
      /** `host`: this server is no good now, another one may be; else it is the answer. */
      readonly about: 'host' | 'message' | 'recipient';
    };

export interface TransactionResult {
  /** One for each recipient, in order. */
  readonly outcomes: readonly Outcome[];
  /** Whether the session is in step and may be used again. */
  readonly usable: boolean;
  /** RSET must come before the next transaction: the server may still hold some of this one. */
  readonly unfinished: boolean;
}

/** RCPT commands sent before an answer is read. */
const PIPELINE = 100;

/**
 * Sends one message to its recipients. Never throws for what the server or the network does:
 * that is in the outcomes. With PIPELINING commands go in groups, DATA last, and replies are
 * matched one to one (RFC 2920 3.1); in LMTP each accepted recipient has a final answer of its own
 * (RFC 2033 4.2).
 */
export function transact(session: SmtpSession, mail: OutgoingMail): Promise<TransactionResult> {
  return new Transaction(session, mail).run();
}

class Transaction {
  readonly #session: SmtpSession;
  readonly #mail: OutgoingMail;
  readonly #outcomes: (Outcome | undefined)[];
  readonly #pipelining: boolean;
  /** Addresses as they are sent; undefined: they cannot be. */
  readonly #sender: string | undefined;
  readonly #wire: readonly (string | undefined)[];
  #usable = true;
  /** A yes to the end of the content clears all that the server held (RFC 5321 4.1.1.4). */
  #finished = false;

  constructor(session: SmtpSession, mail: OutgoingMail) {
    this.#session = session;
    this.#mail = mail;
    const { reversePath } = mail.envelope;
    this.#sender = reversePath === '' ? '' : wireAddress(reversePath);
    this.#wire = mail.recipients.map(({ address }) => wireAddress(address));
    this.#outcomes = mail.recipients.map(() => undefined);
    this.#pipelining = session.capabilities.keywords.has('PIPELINING');
  }

  async run(): Promise<TransactionResult> {
    const utf8 = this.#preflight();
    const open = this.#unsettled();
    if (open.length > 0) {
      try {
        await this.#exchange(open, utf8);
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        // Replies that were miscounted belong to nobody: whoever seems refused may not be.
        if (this.#pipelining && thrown.code === 'protocol-error') this.#forget(open);
        this.#lost(thrown);
      }
    }
    const outcomes = this.#outcomes.map((outcome) => outcome ?? notAsked);
    const usable = this.#usable && this.#session.dialogue.failure === undefined;
    return { outcomes, usable, unfinished: !this.#finished };
  }

  /** What needs no dialogue to be known: answers whether SMTPUTF8 is to be asked for. */
  #preflight(): boolean {
    const { envelope, sizeBytes } = this.#mail;
    const { keywords, sizeBytes: most } = this.#session.capabilities;
    this.#wire.forEach((address, index) => {
      if (address !== undefined) return;
      this.#outcomes[index] = ours('failed', '5.1.3', 'the address cannot be sent', 'recipient');
    });
    if (this.#sender === undefined) {
      this.#settle(ours('failed', '5.1.7', 'the sender address cannot be sent', 'message'));
    }
    this.#requireTls();
    const utf8 = envelope.smtpUtf8 || needUtf8([this.#sender, ...this.#wire]);
    if (utf8 && !keywords.has('SMTPUTF8')) {
      const why = 'the message needs SMTPUTF8, which the server does not offer';
      this.#settle(ours('failed', '5.6.7', why, 'message'));
    }
    if (most !== undefined && sizeBytes > most) {
      const why = `the message has ${sizeBytes} octets, the server takes at most ${most}`;
      this.#settle(ours('failed', '5.3.4', why, 'message'));
    }
    const binary = keywords.has('BINARYMIME') && keywords.has('CHUNKING');
    if (envelope.body === 'binarymime' && !binary) {
      const why = 'the content is binary, which the server does not offer to take (BINARYMIME)';
      this.#settle(ours('failed', '5.6.3', why, 'message'));
    }
    return utf8;
  }

  /** RFC 8689 4.2.1: with REQUIRETLS or not at all; 5: but for notices, which shall not be lost. */
  #requireTls(): void {
    const { envelope } = this.#mail;
    if (envelope.tls !== 'required' || envelope.reversePath === '') return;
    const { dialogue, capabilities } = this.#session;
    if (dialogue.secure === undefined) {
      this.#settle(ours('failed', '5.7.10', 'the message requires TLS (REQUIRETLS)', 'host'));
    } else if (!capabilities.keywords.has('REQUIRETLS')) {
      const why = 'the message requires REQUIRETLS, which the server does not offer';
      this.#settle(ours('failed', '5.7.30', why, 'host'));
    }
  }

  async #exchange(open: readonly number[], utf8: boolean): Promise<void> {
    const { dialogue, timeouts, capabilities } = this.#session;
    const { envelope, sizeBytes, recipients } = this.#mail;
    const { authenticated } = this.#session;
    const facts = { sizeBytes, utf8, authenticated };
    const mailLine = mailCommand(this.#sender ?? '', envelope, capabilities, facts);
    const rcptLines = open.map((index) =>
      rcptCommand(this.#wire[index] ?? '', recipients[index] ?? missing, capabilities),
    );
    if (this.#pipelining) {
      await this.#pipelined(mailLine, rcptLines, open);
      return;
    }
    const reply = await dialogue.command(mailLine, timeouts.mailMs);
    if (this.#refusedMail(reply)) return;
    for (const [at, index] of open.entries()) {
      const line = rcptLines[at] ?? '';
      if (!this.#recipient(index, await dialogue.command(line, timeouts.rcptMs))) return;
    }
    const accepted = this.#unsettled();
    if (accepted.length > 0) await this.#content(accepted);
  }

  /**
   * MAIL and RCPT in groups, DATA behind the last one. Not so BDAT: a server that does not skip
   * the chunk that it refuses would take the message, which a stranger wrote, for our commands.
   */
  async #pipelined(
    mailLine: string,
    rcptLines: readonly string[],
    open: readonly number[],
  ): Promise<void> {
    const { dialogue, timeouts, capabilities } = this.#session;
    if (dialogue.unread) throw dialogue.broken('a reply that nobody asked for');
    const end = capabilities.keywords.has('CHUNKING') ? [] : ['DATA'];
    for (let from = 0; from < rcptLines.length; from += PIPELINE) {
      const to = Math.min(from + PIPELINE, rcptLines.length);
      const first = from === 0 ? [mailLine] : [];
      const last = to === rcptLines.length ? end : [];
      dialogue.sendLines([...first, ...rcptLines.slice(from, to), ...last]);
      let mailRefused = false;
      if (from === 0) {
        mailRefused = this.#refusedMail(await dialogue.reply(timeouts.mailMs, 'answer to MAIL'));
        if (!this.#usable) return;
      }
      for (let at = from; at < to; at += 1) {
        const reply = await dialogue.reply(timeouts.rcptMs, 'answer to RCPT');
        // After a refused MAIL these are owed all the same, and mean nothing.
        if (!mailRefused && !this.#recipient(open[at] ?? -1, reply)) return;
      }
      if (last.length > 0) return this.#pipelinedData();
      if (mailRefused) return;
    }
    const accepted = this.#unsettled();
    if (accepted.length > 0) await this.#content(accepted);
  }

  /** The answer to a DATA that was sent before it was known whether anybody gets the message. */
  async #pipelinedData(): Promise<void> {
    const { dialogue, timeouts, lmtp } = this.#session;
    const go = await dialogue.reply(timeouts.dataMs, 'answer to DATA');
    const accepted = this.#unsettled();
    if (accepted.length > 0) return this.#content(accepted, go);
    if (go.code !== 354) {
      // A no, as it must be.
      this.#refusal(go, 'message', '');
      return;
    }
    // In LMTP no answer would follow the dot (RFC 2033 4.2): the connection alone can be ended.
    this.#usable = false;
    if (lmtp || dialogue.unread) return;
    // RFC 2920 3.1: a single dot. What comes of it is no delivery: nobody was accepted.
    await dialogue.write(END_OF_CONTENT, timeouts.blockMs);
    dialogue.transcript.note('no content: every recipient was refused');
    const final = await dialogue.reply(timeouts.finalMs, 'answer to the message');
    this.#usable = !isYes(final) && final.code !== 421;
  }

  /** Whether MAIL was refused: then everybody has its answer. */
  #refusedMail(reply: Reply): boolean {
    if (isYes(reply)) return false;
    this.#settle(this.#refusal(reply, 'message', 'the server refused the sender'));
    return true;
  }

  /** One answer to RCPT; false: the server goes away, nothing more is to be asked. */
  #recipient(index: number, reply: Reply): boolean {
    if (isYes(reply)) return true;
    if (reply.code === 421) {
      this.#settle(this.#refusal(reply, 'host', 'the server closes the connection'));
      return false;
    }
    const refusal = this.#refusal(reply, 'recipient', 'the server refused the recipient');
    // RFC 5321 4.5.3.1.10: old servers say 552 for "too many recipients", which is temporary.
    const tooMany = reply.code === 552 && refusal.kind === 'failed';
    this.#outcomes[index] = tooMany ? { ...refusal, kind: 'deferred', status: '4.5.3' } : refusal;
    return true;
  }

  async #content(accepted: readonly number[], go?: Reply): Promise<void> {
    const sent = await sendContent(this.#session, this.#mail, go);
    switch (sent.kind) {
      case 'refused':
        this.#settle(this.#refusal(sent.reply, 'message', 'the server refused the content'));
        this.#usable &&= sent.inStep;
        return;
      case 'lost':
        this.#settle(lostOutcome(sent));
        this.#usable = false;
        return;
      case 'sent':
        await this.#finals(accepted);
    }
  }

  /** The final answer, or one for each accepted recipient. */
  async #finals(accepted: readonly number[]): Promise<void> {
    const { dialogue, timeouts, lmtp } = this.#session;
    const groups = lmtp ? accepted.map((index) => [index]) : [accepted];
    for (const group of groups) {
      let outcome: Outcome;
      try {
        const reply = await dialogue.reply(timeouts.finalMs, 'answer to the message');
        outcome = isYes(reply)
          ? { kind: 'delivered', reply }
          : this.#refusal(reply, 'message', 'the server refused the message');
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        outcome = lostOutcome({ kind: 'lost', failure: thrown, whole: true });
      }
      for (const index of group) this.#outcomes[index] = outcome;
      this.#finished = outcome.kind === 'delivered';
    }
  }

  /** A reply that is no yes as an outcome; what is neither 4xx nor 5xx breaks the protocol. */
  #refusal(
    reply: Reply,
    about: 'host' | 'message' | 'recipient',
    words: string,
  ): Extract<Outcome, { kind: 'failed' | 'deferred' }> {
    if (reply.code < 400) throw this.#session.dialogue.broken(`${reply.code} is no answer here`);
    const kind = reply.code >= 500 ? 'failed' : 'deferred';
    const leaving = reply.code === 421;
    if (leaving) this.#usable = false;
    return {
      kind,
      reply,
      status: statusOf(reply),
      reason: leaving ? 'the server closes the connection' : words,
      about: leaving ? 'host' : about,
    };
  }

  #lost(failure: Failure): void {
    this.#usable = false;
    const { message } = failure;
    if (failure.kind === 'temporary') this.#settle(ours('deferred', '4.4.2', message, 'host'));
    else this.#settle(ours('failed', '5.5.2', message, 'message'));
  }

  #forget(open: readonly number[]): void {
    for (const index of open) this.#outcomes[index] = undefined;
  }

  /** Everybody without an answer gets this one. */
  #settle(outcome: Outcome): void {
    for (const index of this.#unsettled()) this.#outcomes[index] = outcome;
  }

  #unsettled(): number[] {
    return [...this.#outcomes.keys()].filter((index) => this.#outcomes[index] === undefined);
  }
}

/** The enhanced code of a reply, or the class alone (RFC 3463 3.1). */
export function statusOf(reply: Reply): string {
  return reply.enhanced ?? `${reply.code >= 500 ? 5 : reply.code >= 400 ? 4 : 2}.0.0`;
}

const missing = { notify: undefined, originalRecipient: undefined };
const notAsked: Outcome = ours('deferred', '4.4.2', 'the server was not asked', 'host');

/**
 * Once the final dot went out, the message may have been delivered although we were not told
 * (RFC 1047): no other server is tried now, and the reason says so.
 */
function lostOutcome(lost: Extract<ContentSent, { kind: 'lost' }>): Outcome {
  if (!lost.whole) return ours('deferred', '4.4.2', lost.failure.message, 'host');
  const why =
    'the whole message was sent and its answer is missing, so it may have been delivered, ' +
    `and will be sent again (RFC 1047): ${lost.failure.message}`;
  return ours('deferred', '4.4.2', why, 'message');
}

function ours(
  kind: 'failed' | 'deferred',
  status: string,
  reason: string,
  about: 'host' | 'message' | 'recipient',
): Outcome {
  return { kind, reply: undefined, status, reason, about };
}

function isYes(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300;
}
