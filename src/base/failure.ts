/** Failures (thrown: the world did not do what was asked) and invariants (bugs); refusals are values. */

export type FailureKind = 'temporary' | 'permanent';

/** A failure of the world: disk, network, DNS. `cause` keeps what was thrown first. */
export class Failure extends Error {
  readonly kind: FailureKind;
  /** A short stable word for logs and tests: `disk-full`, `connection-refused`. */
  readonly code: string;

  constructor(kind: FailureKind, code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Failure';
    this.kind = kind;
    this.code = code;
  }

  static temporary(code: string, message: string, cause?: unknown): Failure {
    return new Failure('temporary', code, message, { cause });
  }

  static permanent(code: string, message: string, cause?: unknown): Failure {
    return new Failure('permanent', code, message, { cause });
  }

  /** Anything thrown, as a Failure: what nobody classified is temporary, so that mail is kept. */
  static from(thrown: unknown): Failure {
    if (thrown instanceof Failure) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new Failure('temporary', 'unclassified', message, { cause: thrown });
  }
}

/** Throws when a statement that the code relies on does not hold: a bug, never bad input. */
export function invariant(condition: unknown, statement: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${statement}`);
}

/** The end of an exhaustive switch: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
