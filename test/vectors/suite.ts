/** What a suite of vectors is: cases that somebody else wrote, and how we fare on them. */

export interface Suite {
  readonly name: string;
  /** Where the cases come from. */
  readonly origin: string;
  /** Runs all of them. `vectors` is the folder with the suites that are not ours to copy. */
  run(vectors: string): Promise<SuiteResult>;
}

export interface SuiteResult {
  readonly passed: number;
  /** One line for each case that failed. */
  readonly failures: readonly string[];
  /** Why nothing was run: a file that is not there. */
  readonly skipped?: string;
}

/** The result of a suite whose file is missing. */
export function skip(why: string): SuiteResult {
  return { passed: 0, failures: [], skipped: why };
}
