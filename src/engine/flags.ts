/** Flags as rows keep them: five system flags in a mask, keywords as numbers of their mailbox. */

/** In the order of their bits. */
const SYSTEM = ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft'] as const;
const BITS: ReadonlyMap<string, number> = new Map(
  SYSTEM.map((flag, bit) => [flag.toLowerCase(), 1 << bit]),
);

export const SEEN = 1;
export const DELETED = 8;

/** Flags as they were asked for, taken apart. */
export interface SplitFlags {
  readonly mask: number;
  /** As written; each once, compared without case. */
  readonly keywords: readonly string[];
}

const NO_FLAGS: SplitFlags = { mask: 0, keywords: [] };

/** Splits a list of flags; `\Recent` and unknown system flags are nobody's to set. */
export function splitFlags(flags: readonly string[]): SplitFlags {
  if (flags.length === 0) return NO_FLAGS;
  let mask = 0;
  const keywords = new Map<string, string>();
  for (const flag of flags) {
    const folded = flag.toLowerCase();
    mask |= BITS.get(folded) ?? 0;
    if (!flag.startsWith('\\') && flag !== '' && !keywords.has(folded)) keywords.set(folded, flag);
  }
  return { mask, keywords: [...keywords.values()] };
}

/** The flags of a row; messages without keywords share one list for each mask. */
export function joinFlags(
  mask: number,
  numbers: string | null,
  names: ReadonlyMap<number, string>,
): readonly string[] {
  const system = LISTS[mask & 31] ?? [];
  if (numbers === null) return system;
  const keywords = parseNumbers(numbers).map((number) => names.get(number));
  return [...system, ...keywords.filter((name) => name !== undefined)];
}

/** Keyword numbers as a row keeps them, ascending; null for none. */
export function formatNumbers(numbers: Iterable<number>): string | null {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted.join(' ');
}

export function parseNumbers(text: string | null): number[] {
  return text === null ? [] : text.split(' ').map(Number);
}

const LISTS: readonly (readonly string[])[] = Array.from({ length: 32 }, (_, mask) =>
  Object.freeze(SYSTEM.filter((_flag, bit) => (mask & (1 << bit)) !== 0)),
);
