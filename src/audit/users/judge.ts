/** From answers to a judgement about one name: there, not there, or not to be told. */

import type { Answer, Signature } from './signature.ts';

/** What names that nobody has are answered with. */
export class Baseline {
  readonly keys: ReadonlySet<string>;
  /** Some controls were put off and others were not: a 4xx alone then says nothing. */
  readonly flaky: boolean;
  /** The answers have texts that never repeat: only codes are compared. */
  readonly coarse: boolean;
  readonly controls: readonly Answer[];

  /** `seenFlaky`: some name was put off once and answered another time. */
  constructor(controls: readonly Answer[], seenFlaky = false) {
    this.controls = controls;
    const put = controls.filter(({ signature }) => signature.kind === 'later');
    this.flaky = put.length < controls.length && (put.length > 0 || seenFlaky);
    const meant = this.flaky ? controls.filter((one) => !put.includes(one)) : controls;
    const codes = new Set(meant.map(({ signature }) => signature.coarse));
    const keys = new Set(meant.map(({ signature }) => signature.key));
    // As many texts as answers under one code: a clock or an id that is not a number.
    this.coarse = codes.size === 1 && keys.size > 2;
    this.keys = this.coarse ? codes : keys;
  }

  keyOf(signature: Signature): string {
    return this.coarse ? signature.coarse : signature.key;
  }

  has(signature: Signature): boolean {
    return this.keys.has(this.keyOf(signature));
  }

  /** The same, knowing what the names' own answers show: a server that puts off at random. */
  after(answers: Iterable<readonly Answer[]>): Baseline {
    if (this.flaky) return this;
    for (const one of answers) {
      const later = one.filter(({ signature }) => signature.kind === 'later').length;
      if (later > 0 && later < one.length) return new Baseline(this.controls, true);
    }
    return this;
  }

  /** All controls were answered alike. */
  get steady(): boolean {
    return this.keys.size === 1 && !this.flaky;
  }

  get first(): Signature | undefined {
    return this.controls.find(({ signature }) => this.has(signature))?.signature;
  }
}

export type Judgement =
  | { readonly kind: 'absent' }
  | { readonly kind: 'present'; readonly signature: Signature; readonly times: number }
  /** Ask once more, on another connection. */
  | { readonly kind: 'ask' }
  | { readonly kind: 'unclear'; readonly why: string };

/** The first answer and two confirmations. */
const TIMES = 3;
/** A 4xx needs more: one in three at random would pass three times too often. */
const LATER_TIMES = 6;
/** Answers to one name before it is given up. */
export const MOST_ASKED = 8;

/** Judges one name by all answers about it so far. */
export function judge(answers: readonly Answer[], baseline: Baseline): Judgement {
  const signatures = answers.map(({ signature }) => signature);
  const firm = signatures.filter(({ kind }) => kind !== 'later');
  const [first] = firm;
  const spent = answers.length >= MOST_ASKED;
  if (first === undefined) return judgePutOff(signatures, baseline);
  const strange = firm.filter((signature) => !baseline.has(signature));
  const [stranger] = strange;
  if (stranger === undefined) return { kind: 'absent' };
  const same = strange.filter((one) => baseline.keyOf(one) === baseline.keyOf(stranger));
  if (strange.length < firm.length || same.length < strange.length) {
    return spent ? { kind: 'unclear', why: 'answered differently each time' } : { kind: 'ask' };
  }
  if (same.length >= TIMES) return { kind: 'present', signature: stranger, times: same.length };
  return spent ? { kind: 'unclear', why: 'mostly put off (4xx)' } : { kind: 'ask' };
}

/** Only 4xx so far. */
function judgePutOff(signatures: readonly Signature[], baseline: Baseline): Judgement {
  const [first] = signatures;
  if (first === undefined) return { kind: 'ask' };
  if (!baseline.flaky && signatures.every((one) => baseline.has(one))) return { kind: 'absent' };
  if (signatures.length < LATER_TIMES) return { kind: 'ask' };
  const same = signatures.every((one) => baseline.keyOf(one) === baseline.keyOf(first));
  if (same && !baseline.flaky) {
    return { kind: 'present', signature: first, times: signatures.length };
  }
  if (signatures.length < MOST_ASKED) return { kind: 'ask' };
  return { kind: 'unclear', why: 'always put off (4xx)' };
}
