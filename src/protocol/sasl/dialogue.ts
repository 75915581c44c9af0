/** One SASL exchange in the base64 lines that SMTP, IMAP and POP3 share (RFC 4954 4, 3501, 5034). */

import { latin1 } from '#base/bytes.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import type { Mechanism, SaslAnswer, SaslContext, SaslInput } from './mechanism.ts';
import type { SaslOutcome, SaslQuestion, SaslStep } from './mechanism.ts';

/** What to do next; the last three kinds and `cancelled` end the exchange. */
export type SaslProgress =
  /** Send `334 `, `+ ` and this text (base64, may be empty), then feed the next line. */
  | {
      readonly kind: 'challenge';
      readonly text: string;
      /** The exchange has failed already and this says why: count the failure now. */
      readonly failed?: { readonly login: string | undefined };
    }
  | { readonly kind: 'ask'; readonly question: SaslQuestion }
  /** The client sent `*`. */
  | { readonly kind: 'cancelled' }
  | SaslOutcome;

/** Octets of base64 in one line from the client (RFC 4954 4 asks for 12288). */
export const SASL_LINE_OCTETS = 12_288;

/**
 * Runs a mechanism: `begin` once, then `line` after each challenge and `answer` after each
 * question. Success that carries data is sent as one last challenge, which the client answers
 * with an empty line (RFC 4422 3.6): none of the three protocols has another place for it.
 */
export class SaslDialogue {
  readonly mechanism: string;
  readonly #steps: (initial: Uint8Array | undefined) => ReturnType<Mechanism['exchange']>;
  readonly #lineOctets: number;
  #exchange: Generator<SaslStep, SaslOutcome, SaslInput> | undefined;
  #decided: SaslOutcome | undefined;

  constructor(mechanism: Mechanism, context: SaslContext, lineOctets: number = SASL_LINE_OCTETS) {
    this.mechanism = mechanism.name;
    this.#steps = (initial) => mechanism.exchange(context, initial);
    this.#lineOctets = lineOctets;
  }

  /** `initial`: what followed the mechanism's name: undefined: nothing; `=`: an empty response. */
  begin(initial: Uint8Array | string | undefined): SaslProgress {
    let decoded: Uint8Array | undefined;
    if (initial !== undefined) {
      decoded = asText(initial) === '=' ? new Uint8Array(0) : this.#decode(initial);
      if (decoded === undefined) return malformed('the initial response is no base64');
    }
    this.#exchange = this.#steps(decoded);
    return this.#progress(this.#exchange.next());
  }

  /** A line from the client, without CRLF. */
  line(line: Uint8Array | string): SaslProgress {
    const decided = this.#decided;
    // A failure stays one, however the client takes it: `*` must not make it uncounted.
    if (decided?.kind === 'rejected') return { kind: 'rejected', login: decided.login };
    if (asText(line) === '*') return { kind: 'cancelled' };
    const bytes = this.#decode(line);
    if (bytes === undefined) return malformed('the response is no base64');
    if (decided !== undefined) {
      return bytes.length === 0 ? decided : malformed('nothing was left to say');
    }
    return this.#feed({ kind: 'response', bytes });
  }

  /** The outside's answer to `ask`. */
  answer(answer: SaslAnswer): SaslProgress {
    return this.#feed({ kind: 'answer', answer });
  }

  #feed(input: SaslInput): SaslProgress {
    if (this.#exchange === undefined) return malformed('the exchange has not begun');
    return this.#progress(this.#exchange.next(input));
  }

  #progress(result: IteratorResult<SaslStep, SaslOutcome>): SaslProgress {
    const { value } = result;
    if (value.kind === 'challenge') return { kind: 'challenge', text: encodeBase64(value.bytes) };
    if (value.kind === 'ask' || value.kind === 'malformed') return value;
    if (value.final === undefined) return value;
    this.#decided = value;
    const text = encodeBase64(value.final);
    return value.kind === 'rejected'
      ? { kind: 'challenge', text, failed: { login: value.login } }
      : { kind: 'challenge', text };
  }

  #decode(line: Uint8Array | string): Uint8Array | undefined {
    return line.length > this.#lineOctets ? undefined : decodeBase64(line);
  }
}

function asText(line: Uint8Array | string): string {
  if (typeof line === 'string') return line;
  return line.length > 1 ? '' : latin1(line);
}

function malformed(why: string): SaslProgress {
  return { kind: 'malformed', why };
}
