/** What a server says it can do, from its answer to EHLO (RFC 5321 4.1.1.1). */

import type { Reply } from '../reply.ts';

export interface Capabilities {
  /** Keywords in capitals with their parameters. */
  readonly keywords: ReadonlyMap<string, readonly string[]>;
  /** RFC 1870; undefined: no limit that we know of (also for SIZE 0 and nonsense). */
  readonly sizeBytes: number | undefined;
  /** SASL mechanisms, in capitals. */
  readonly mechanisms: readonly string[];
  /** RFC 9422 RCPTMAX; undefined: not said. */
  readonly maxRecipients: number | undefined;
}

/** Keywords beyond this are not looked at. */
const KEYWORDS = 100;
const MECHANISMS = 50;

export const NO_CAPABILITIES: Capabilities = {
  keywords: new Map(),
  sizeBytes: undefined,
  mechanisms: [],
  maxRecipients: undefined,
};

/** The lines behind the first one; words that are no keywords are passed over. */
export function parseCapabilities(reply: Reply): Capabilities {
  const keywords = new Map<string, string[]>();
  for (const line of reply.lines.slice(1, KEYWORDS + 1)) {
    // `AUTH=LOGIN`, as servers of the nineties say it, is AUTH as well.
    const words = line.replace(/^AUTH=/i, 'AUTH ').split(/[ \t]+/);
    const keyword = words[0]?.toUpperCase() ?? '';
    if (!/^[A-Z0-9][A-Z0-9-]{0,63}$/.test(keyword)) continue;
    keywords.set(keyword, [...(keywords.get(keyword) ?? []), ...words.slice(1)]);
  }
  const mechanisms = (keywords.get('AUTH') ?? []).map((name) => name.toUpperCase());
  return {
    keywords,
    sizeBytes: positive(keywords.get('SIZE')?.[0]),
    mechanisms: [...new Set(mechanisms)].slice(0, MECHANISMS),
    maxRecipients: recipientsMax(keywords.get('LIMITS') ?? []),
  };
}

function recipientsMax(limits: readonly string[]): number | undefined {
  const found = limits.find((limit) => /^RCPTMAX=/i.test(limit));
  return positive(found?.slice('RCPTMAX='.length));
}

/** A number above zero that fits; anything else is as if nothing was said. */
function positive(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined;
  const number = Number(text);
  return number > 0 && Number.isSafeInteger(number) ? number : undefined;
}
