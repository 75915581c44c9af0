/** DKIM and ARC of one message while it arrives: keys asked for at the head, one pass of the body. */

import type { Awaitable } from '#base/brand.ts';
import { type Head, readHead } from '#message/fields.ts';
import { type BodyDigests, BodyHashes, type BodyWant } from '#trust/dkim/body.ts';
import { SignedHead } from '#trust/dkim/header.ts';
import { type KeyAnswers, type KeySource, askForKeys } from '#trust/dkim/key-lookup.ts';
import type { DkimReport } from '#trust/dkim/result.ts';
import { DkimSignatures } from '#trust/dkim/verify.ts';
import { ArcChain, type ArcOptions, type ArcReport } from './verify.ts';

export interface SignatureReport {
  readonly dkim: DkimReport;
  readonly arc: ArcReport;
}

/** Everything that the verdict follows from: plain data, for another thread if need be. */
export interface SignatureEvidence {
  readonly head: Uint8Array;
  readonly body: BodyDigests;
  readonly answers: KeyAnswers;
  readonly nowMs: number;
}

export interface VerificationOptions extends ArcOptions {
  /** Where the signatures are checked; by default here, `judgeEvidence`. */
  readonly judge?: (evidence: SignatureEvidence) => Awaitable<SignatureReport>;
  /** The head as it was read already. */
  readonly read?: Head;
  /** Different keys that are asked for, DKIM's first. */
  readonly keys?: number;
  /** What else the body is hashed for in the same pass: a seal of ours. */
  readonly alsoHash?: readonly BodyWant[];
}

/**
 * Made when the head is complete (which starts the DNS questions), given the body as it passes,
 * asked for the report at its end. Keeps no octet of the body.
 */
export class SignatureVerification {
  readonly #head: Uint8Array;
  readonly #options: VerificationOptions;
  readonly #parsed: Parsed;
  readonly #hashes: BodyHashes;
  readonly #answers: Promise<KeyAnswers>;
  #digests: BodyDigests | undefined;

  constructor(head: Uint8Array, source: KeySource, options: VerificationOptions = {}) {
    this.#head = head;
    this.#options = options;
    this.#parsed = parse(head, options, options.read);
    const { dkim, arc } = this.#parsed;
    this.#hashes = new BodyHashes([...dkim.wants, ...arc.wants, ...(options.alsoHash ?? [])]);
    this.#answers = askForKeys([...dkim.keyNames, ...arc.keyNames], source, options.keys);
  }

  /** The next octets after the empty line; they are only read. */
  write(body: Uint8Array): void {
    this.#hashes.write(body);
  }

  /** Known from `finish` on. */
  get digests(): BodyDigests | undefined {
    return this.#digests;
  }

  /** Whether there is no signature or seal that arithmetic could say anything about. */
  get isTrivial(): boolean {
    const { dkim, arc } = this.#parsed;
    return dkim.wants.length === 0 && arc.wants.length === 0;
  }

  /** The body is complete. Fails only if `judge` does. */
  async finish(nowMs: number): Promise<SignatureReport> {
    const body = (this.#digests = this.#hashes.finish());
    const answers = await this.#answers;
    const { judge } = this.#options;
    if (judge !== undefined && !this.isTrivial)
      return judge({ head: this.#head, body, answers, nowMs });
    return judgeParsed(this.#parsed, body, answers, nowMs);
  }
}

/** The verdict as a function of the evidence alone. Never fails. */
export function judgeEvidence(
  evidence: SignatureEvidence,
  options: ArcOptions = {},
): SignatureReport {
  const { head, body, answers, nowMs } = evidence;
  return judgeParsed(parse(head, options), body, answers, nowMs);
}

interface Parsed {
  readonly dkim: DkimSignatures;
  readonly arc: ArcChain;
}

function parse(head: Uint8Array, options: ArcOptions, read: Head = readHead(head)): Parsed {
  const signed = new SignedHead(head, read);
  return { dkim: new DkimSignatures(signed, options), arc: new ArcChain(signed, options) };
}

function judgeParsed(
  { dkim, arc }: Parsed,
  body: BodyDigests,
  answers: KeyAnswers,
  nowMs: number,
): SignatureReport {
  return { dkim: dkim.judge(body, answers, nowMs), arc: arc.judge(body, answers, nowMs) };
}
