/** How the lines of a cure are read: configuration, the place where it belongs, or a sentence. */

import type { Cure } from './check.ts';

/** Configuration that belongs into one place. */
export interface Part {
  /** Empty: the server's own main file. Else as `# place:` says it, without the marks. */
  readonly place: string;
  /** As they stand there. */
  readonly lines: readonly string[];
}

/** A cure taken apart: what can be copied, and what must be read. */
export interface CureParts {
  readonly parts: readonly Part[];
  readonly sentences: readonly string[];
}

/**
 * Takes the lines of a cure apart. A line `# place:` says where the lines behind it belong; without
 * one that is main.cf, the main part of Exim's configuration, smtpd.conf, sendmail.mc,
 * dovecot.conf or postern.toml.
 */
export function readCure({ lines }: Pick<Cure, 'lines'>): CureParts {
  const sentences: string[] = [];
  const places = new Map<string, string[]>();
  let place = '';
  for (const line of lines) {
    const named = placeOf(line);
    if (named !== undefined) place = named;
    else if (isSentence(line)) sentences.push(line);
    else places.set(place, [...(places.get(place) ?? []), line]);
  }
  const parts = [...places].map(([name, own]) => ({ place: name, lines: own }));
  return { parts, sentences };
}

/** `Update Exim.` begins with a capital, ends with a stop and has more than one word. */
export function isSentence(line: string): boolean {
  return /^[A-Z]/.test(line) && /[.!]$/.test(line) && line.includes(' ');
}

/** `main.cf` of `# main.cf:`; undefined where the line is none that names a place. */
export function placeOf(line: string): string | undefined {
  return line.startsWith('# ') && line.endsWith(':') ? line.slice(2, -1) : undefined;
}
