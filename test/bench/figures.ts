/** What a run measured: samples by row and target, medians, ranges and ratios. */

/** What one repetition of one target gave. */
export interface Sample {
  /** In the unit of the row. */
  readonly value: number;
  /**
   * Processor seconds of the server for 1,000 units of work, where that says something; with what it
   * did behind it, until it was at rest.
   */
  readonly cpu?: number;
  /** How much of that came behind the work. */
  readonly laterCpu?: number;
}

/** What the issue asks for, as factors against the peer, or as absolute limits. */
export interface Goal {
  readonly against: string;
  readonly atLeast: number;
  readonly aim: number;
  /** Factors of processor time: 7 means a seventh. */
  readonly cpuAtLeast?: number;
  readonly cpuAim?: number;
  /** What the peer did where the factors were set, in the row's unit. */
  readonly peerThen?: number;
}

export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly goals?: readonly Goal[];
  /** An absolute goal, when there is no peer. */
  readonly limit?: { readonly atLeast: number; readonly aim: number };
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

export const OURS = 'Postern';

/** How many times better we are than the peer, repetition by repetition. */
export function ratios(row: Row, peer: string, what: (sample: Sample) => number): number[] {
  const ours = row.samples.get(OURS) ?? [];
  const theirs = row.samples.get(peer) ?? [];
  return ours.flatMap((sample, index) => {
    const other = theirs[index];
    if (other === undefined) return [];
    const [mine, its] = [what(sample), what(other)];
    const isMore = what(sample) === sample.value && row.better === 'more';
    const ratio = isMore ? mine / its : its / mine;
    return Number.isFinite(ratio) ? [ratio] : [];
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? NaN;
  return ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** `1,234 (1,100-1,300)`; the range only when there is more than one. */
export function spread(values: readonly number[]): string {
  if (values.length === 0) return '';
  const middle = short(median(values));
  if (values.length === 1) return middle;
  return `${middle} (${short(Math.min(...values))}-${short(Math.max(...values))})`;
}

/** Three figures are all that such a measurement can say. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  const factor = 10 ** Math.min(digits, 4);
  const rounded =
    Math.abs(value) >= 1_000 ? Math.round(value) : Math.round(value * factor) / factor;
  return rounded.toLocaleString('en-US', { maximumFractionDigits: 4 });
}
