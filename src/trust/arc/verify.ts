/** Validates an Authenticated Received Chain (RFC 8617 5.2): reads the head, then judges. */

import type { Domain } from '#base/brand.ts';
import type { BodyDigests, BodyWant } from '#trust/dkim/body.ts';
import type { SignedHead } from '#trust/dkim/header.ts';
import { type KeyAnswers, judgeByKeys, lookupOf } from '#trust/dkim/key-lookup.ts';
import type { KeyLookup } from '#trust/dkim/result.ts';
import { readCoverage, readOrigin } from '#trust/dkim/signature.ts';
import type { Coverage, Origin, Reading } from '#trust/dkim/signature.ts';
import { type DkimLimits, refuseBody, refuseTime, signedData } from '#trust/dkim/verify.ts';
import { type ArcLimits, type ArcSet, type ArcSets, type ChainState, readArcSets } from './sets.ts';

export interface ArcReport {
  readonly status: 'none' | 'pass' | 'fail';
  /** Why, in words of ours. */
  readonly reason: string;
  /** A failure for want of a DNS answer: RFC 8617 5.2.1 knows no such thing, a sealer should. */
  readonly temporary: boolean;
  readonly chain: ChainState;
  /** The lowest instance whose message signature is still right; 0: all are (RFC 8617 5.2). */
  readonly oldestPass: number | undefined;
  /** With `pass`: who sealed, and what each says it saw; first to last. */
  readonly sets: readonly ArcClaim[];
  /** The newest message signature has `l=`: anybody may have added to the body. */
  readonly partial: boolean;
  readonly lookups: readonly KeyLookup[];
}

export interface ArcClaim {
  readonly instance: number;
  readonly sealer: Domain;
  readonly sealSelector: string;
  /** After `i=...;`: authserv-id and results, written by the sealer, octets as latin1. */
  readonly results: string;
}

export interface ArcOptions extends ArcLimits, DkimLimits {}

interface Sealed {
  readonly set: ArcSet;
  readonly seal: Origin;
  readonly message: Reading<Origin & Coverage>;
}

type Bad = { readonly reason: string; readonly temporary: boolean };

/**
 * The chain of one message. `wants` and `keyNames` are known as soon as the head is; `judge` takes
 * what came of them and is a function of its arguments alone: it may run in any thread.
 */
export class ArcChain {
  readonly wants: readonly BodyWant[];
  readonly keyNames: readonly string[];
  readonly #head: SignedHead;
  readonly #sets: ArcSets;
  readonly #sealed: readonly Sealed[];
  /** Known from the head alone. */
  readonly #refused: string | undefined;
  readonly #options: ArcOptions;

  constructor(head: SignedHead, options: ArcOptions = {}) {
    this.#head = head;
    this.#options = options;
    this.#sets = readArcSets(head, options);
    const sealed = this.#sets.kind === 'chain' ? readSealed(this.#sets.sets, options) : [];
    this.#sealed = typeof sealed === 'string' ? [] : sealed;
    if (this.#sets.kind === 'broken') this.#refused = this.#sets.reason;
    else if (typeof sealed === 'string') this.#refused = sealed;
    const messages = this.#sealed.flatMap(({ message }) =>
      message.kind === 'read' ? [message.value] : [],
    );
    this.wants = messages.map(({ body }) => body);
    // The newest first: should there be too many names, it is the old ones that get no answer.
    const origins = [...this.#sealed.map(({ seal }) => seal), ...messages].toReversed();
    this.keyNames = [...new Set(origins.map(({ keyName }) => keyName))];
  }

  /** Judges the chain (RFC 8617 5.2 steps 4 to 7). Never fails. */
  judge(body: BodyDigests, answers: KeyAnswers, nowMs: number): ArcReport {
    const sealed = this.#sealed;
    const newest = sealed.at(-1);
    const lookups = this.keyNames.flatMap((name) => lookupOf(name, answers) ?? []);
    const base = { chain: this.#state(), sets: [], partial: false, oldestPass: undefined, lookups };
    if (this.#refused !== undefined) {
      return { ...base, status: 'fail', reason: this.#refused, temporary: false };
    }
    if (newest === undefined) {
      return { ...base, status: 'none', reason: 'there is no chain', temporary: false };
    }
    const refuse = (one: Sealed) => this.#refuseMessage(one, body, answers, nowMs);
    const bad = refuse(newest) ?? this.#refuseSeals(answers);
    if (bad !== undefined) return { ...base, ...bad, status: 'fail' };
    const changed = sealed.slice(0, -1).findLastIndex((one) => refuse(one) !== undefined);
    return {
      ...base,
      status: 'pass',
      reason: 'every seal is right, and the newest message signature',
      temporary: false,
      oldestPass: changed === -1 ? 0 : changed + 2,
      partial: newest.message.kind === 'read' && hasLength(newest.message.value),
      sets: sealed.map(claimOf),
    };
  }

  #state(): ChainState {
    const sets = this.#sets;
    if (sets.kind === 'broken') return sets.state;
    return { highest: sets.kind === 'chain' ? sets.sets.length : 0, sealedFail: false };
  }

  #refuseMessage(
    { set, message }: Sealed,
    body: BodyDigests,
    answers: KeyAnswers,
    nowMs: number,
  ): Bad | undefined {
    const name = `the message signature ${set.instance}`;
    if (message.kind === 'refused') return lasting(`${name}: ${message.verdict.reason}`);
    const signature = message.value;
    const verdict = refuseTime(signature, nowMs, this.#options) ?? refuseBody(signature, body);
    if (verdict !== undefined) return lasting(`${name}: ${verdict.reason}`);
    const data = () => signedData(this.#head, set.message, signature);
    return this.#refuseKey(name, signature, data, answers);
  }

  /** Each seal is over all sets up to its own, in relaxed form (RFC 8617 5.1.1). */
  #refuseSeals(answers: KeyAnswers): Bad | undefined {
    const head = this.#head;
    let before = '';
    const data = this.#sealed.map(({ set, seal }) => {
      const own = [set.results, set.message].map((field) => head.canonical(field, 'relaxed'));
      before += own.join('');
      const whole = before + head.emptied(set.seal, seal.b, 'relaxed');
      before += head.canonical(set.seal, 'relaxed');
      return whole;
    });
    for (let at = this.#sealed.length - 1; at >= 0; at--) {
      const one = this.#sealed[at];
      if (one === undefined) break;
      const name = `the seal ${one.set.instance}`;
      const bad = this.#refuseKey(name, one.seal, () => data[at] ?? '', answers);
      if (bad !== undefined) return bad;
    }
    return undefined;
  }

  #refuseKey(
    name: string,
    origin: Origin,
    data: () => string,
    answers: KeyAnswers,
  ): Bad | undefined {
    const { status, reason } = judgeByKeys(origin, data, answers, this.#options);
    if (status === 'pass') return undefined;
    return { reason: `${name}: ${reason}`, temporary: status === 'temperror' };
  }
}

/** Seals that can be checked at all, or the sentence why one cannot. */
function readSealed(sets: readonly ArcSet[], options: ArcOptions): Sealed[] | string {
  const sealed: Sealed[] = [];
  for (const set of sets) {
    const seal = readOrigin(set.sealTags, options);
    if (seal.kind === 'refused') return `the seal ${set.instance}: ${seal.verdict.reason}`;
    sealed.push({ set, seal: seal.value, message: readMessageSignature(set, options) });
  }
  return sealed;
}

/**
 * RFC 8617 4.1.2: like DKIM-Signature without v=; From need not be named, seals must not be. A
 * missing c= is relaxed/relaxed, as the working group's suite has it, against RFC 6376 3.5.
 */
function readMessageSignature(set: ArcSet, options: ArcOptions): Reading<Origin & Coverage> {
  const origin = readOrigin(set.messageTags, options);
  if (origin.kind === 'refused') return origin;
  const coverage = readCoverage(set.messageTags, 'relaxed/relaxed', options);
  if (coverage.kind === 'refused') return coverage;
  if (coverage.value.fields.includes('arc-seal')) {
    return { kind: 'refused', verdict: { status: 'permerror', reason: 'h= names ARC-Seal' } };
  }
  return { kind: 'read', value: { ...origin.value, ...coverage.value } };
}

function claimOf({ set, seal }: Sealed): ArcClaim {
  const { domain: sealer, selector: sealSelector } = seal;
  return { instance: set.instance, sealer, sealSelector, results: set.resultsText };
}

function hasLength({ body }: Coverage): boolean {
  return body.lengthBytes !== undefined;
}

function lasting(reason: string): Bad {
  return { reason, temporary: false };
}
