/** The known name that a mistyped one was probably meant to be. */

/** The candidate with the fewest edits, if those are at most a third of the text. */
export function nearestName(text: string, candidates: readonly string[]): string | undefined {
  const wanted = text.toLowerCase().replaceAll('-', '_').slice(0, 64);
  let best: string | undefined;
  let fewest = Math.floor(wanted.length / 3) + 1;
  for (const candidate of candidates) {
    const needed = edits(wanted, candidate);
    if (needed >= fewest) continue;
    fewest = needed;
    best = candidate;
  }
  return best;
}

/** Insertions, deletions and changes between two short texts. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const change = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
