/** What was cut how often, and with which result. */

interface Row {
  count: number;
  steps: number;
}

/** Cases are counted one by one; rows say how many cuts of a kind there were. */
export class Report {
  readonly #rows = new Map<string, Row>();
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #isLate = false;
  readonly #limitMs: number;

  /** After so long nothing more is begun. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Whether the time is over, counted from the start of the process. */
  isOver(): boolean {
    const isOver = performance.now() > this.#limitMs;
    if (isOver && !this.#isLate) this.say('out of time: what is left is skipped');
    this.#isLate ||= isOver;
    return isOver;
  }

  /** A case that is right when there is nothing to complain of. */
  async case(name: string, task: () => Promise<readonly string[]>): Promise<boolean> {
    if (this.isOver()) {
      this.#skipped += 1;
      return true;
    }
    let problems: readonly string[];
    try {
      problems = await task();
    } catch (thrown) {
      problems = [thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)];
    }
    if (problems.length === 0) {
      this.#passed += 1;
      return true;
    }
    this.#failed += 1;
    console.log(`FAILED ${name}`);
    for (const problem of problems.slice(0, 5)) console.log(`  ${problem}`);
    if (problems.length > 5) console.log(`  and ${problems.length - 5} more`);
    return false;
  }

  skip(name: string, why: string): void {
    this.#skipped += 1;
    console.log(`skipped: ${name}: ${why}`);
  }

  /** So many cuts of a kind, after so many acknowledged steps. */
  add(kind: string, cuts: number, steps = 0): void {
    const row = this.#rows.get(kind) ?? { count: 0, steps: 0 };
    this.#rows.set(kind, { count: row.count + cuts, steps: row.steps + steps });
  }

  say(text: string): void {
    const seconds = (performance.now() / 1000).toFixed(0).padStart(4);
    console.log(`${seconds} s  ${text}`);
  }

  /** Prints the end; the exit status. */
  finish(): number {
    console.log('');
    for (const [kind, { count, steps }] of this.#rows) {
      const after = steps === 0 ? '' : `, ${steps} acknowledged steps`;
      console.log(`${String(count).padStart(6)}  ${kind}${after}`);
    }
    const seconds = (performance.now() / 1000).toFixed(1);
    console.log(`in ${seconds} s`);
    console.log(`${this.#passed} passed, ${this.#failed} failed, ${this.#skipped} skipped`);
    return this.#failed === 0 ? 0 : 1;
  }
}
