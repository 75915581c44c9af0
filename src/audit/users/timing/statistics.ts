/** Statistics for small samples with outliers: by ranks, so that one slow answer decides nothing. */

/** The middle value; 0 of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
}

/** The median distance from the median. */
export function medianDeviation(values: readonly number[]): number {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
}

/** Hodges and Lehmann: the median of all differences `b - a`. At most a few hundred values. */
export function shiftBetween(a: readonly number[], b: readonly number[]): number {
  return median(b.flatMap((right) => a.map((left) => right - left)));
}

/**
 * Mann and Whitney: how probable such a difference in ranks is when both are alike; two-sided,
 * normal approximation with ties, good from about eight values on each side.
 */
export function rankProbability(a: readonly number[], b: readonly number[]): number {
  const all = [
    ...a.map((value) => ({ value, left: true })),
    ...b.map((value) => ({ value, left: false })),
  ];
  all.sort((one, other) => one.value - other.value);
  let rankSum = 0;
  let ties = 0;
  for (let from = 0; from < all.length;) {
    let to = from;
    while (to < all.length && all[to]?.value === all[from]?.value) to += 1;
    const count = to - from;
    ties += count ** 3 - count;
    const rank = (from + 1 + to) / 2;
    rankSum += rank * all.slice(from, to).filter(({ left }) => left).length;
    from = to;
  }
  const [n, m] = [a.length, b.length];
  const total = n + m;
  if (n === 0 || m === 0 || total < 3) return 1;
  const u = rankSum - (n * (n + 1)) / 2;
  const spread = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (spread <= 0) return 1;
  const distance = Math.max(0, Math.abs(u - (n * m) / 2) - 0.5);
  return Math.min(1, 2 * upperTail(distance / Math.sqrt(spread)));
}

/** Holm: probabilities corrected for how many were looked at, in the order given. */
export function corrected(probabilities: readonly number[]): number[] {
  const order = probabilities.map((p, index) => ({ p, index })).toSorted((a, b) => a.p - b.p);
  const out: number[] = probabilities.map(() => 1);
  let most = 0;
  for (const [rank, { p, index }] of order.entries()) {
    most = Math.max(most, Math.min(1, p * (order.length - rank)));
    out[index] = most;
  }
  return out;
}

/** The normal distribution above `z` (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * z);
  const terms = [0.319_381_53, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
  const sum = terms.reduceRight((inner, term) => (inner + term) * t, 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}
