/** Octets of a message as text for people: encoded words decoded, nothing made harmless yet. */

import { decodeWords } from '#message/words.ts';
import { firstField } from '#message/fields.ts';
import type { Head } from '#message/fields.ts';
import type { Reading } from '../input/displayed.ts';

const CHARACTERS = 1_000;

/** A quote as it may be read; control characters stay for the printer to escape. */
export function quoteText(raw: string): string {
  const cut = raw.length > CHARACTERS ? `${raw.slice(0, CHARACTERS)}…` : raw;
  return cut.includes('=?') || /[\x80-\xff]/.test(cut) ? decodeWords(cut) : cut;
}

/** `Name <address>` as a mail program shows it. */
export function readingText({ name, address }: Reading): string {
  if (address === undefined) return name === '' ? '(nobody)' : name;
  return name === '' ? address : `${name} <${address}>`;
}

export function subjectOf(head: Head): string {
  return decodeWords(firstField(head, 'subject')?.value.slice(0, CHARACTERS) ?? '');
}

export const GRADES = { P: 'proved', T: 'attested', C: 'claimed', I: 'inferred' } as const;

/** `3 s`, `12 min`, `5 h`, `2 d`, with a sign. */
export function spanText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const size = Math.abs(seconds);
  if (size < 120) return `${seconds} s`;
  if (size < 7_200) return `${Math.round(seconds / 60)} min`;
  if (size < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
