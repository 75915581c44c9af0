/** The terminal as commands see it: what to print where, questions, colours; tests hand in their own. */

import { visible } from '#base/bytes.ts';

/** Streams and environment of one run. */
export interface Io {
  /** To standard output, as it is. */
  write(text: string): void;
  /** When little of what was written still waits for its reader: for more than memory holds. */
  readonly taken?: () => Promise<void>;
  /** To standard error, as it is. */
  warn(text: string): void;
  /** All of standard input, at most `maxBytes`; more is an error. */
  readAll(maxBytes: number): Promise<Uint8Array>;
  /** Standard input in pieces, for what may be larger than memory; missing: use `readAll`. */
  readonly pieces?: () => AsyncIterable<Uint8Array>;
  /** One line typed without echo; undefined when nobody sits there. */
  askSecret(prompt: string): Promise<string | undefined>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is a terminal. */
  readonly terminal: boolean;
  /** Whether colours are wanted there (https://no-color.org). */
  readonly colour: boolean;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Text in a style where colours are wanted, else as it is. */
export function styled(io: Pick<Io, 'colour'>, style: Style, text: string): string {
  if (!io.colour) return text;
  const [on, off] = CODES[style];
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

/** Whether to use colours: NO_COLOR and `TERM=dumb` forbid them, whatever their value. */
export function wantsColour(env: Io['env'], terminal: boolean): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return terminal && env['TERM'] !== 'dumb';
}

/**
 * Text from outside for a terminal: letters of all scripts stay, everything that could steer a
 * terminal or turn the reading order around (C0, C1, bidi and line separators, lone surrogates)
 * becomes `\xNN` or `\uNNNN`. At most `max` characters are shown.
 */
export function harmless(text: string, max = 2_000): string {
  if (text.length <= max && PRINTABLE.test(text)) return text;
  const shown = text.slice(0, max).replace(UNSAFE, (character) => visible(character));
  return text.length > max ? `${shown}...` : shown;
}

const PRINTABLE = /^[\x20-\x7e]*$/;
const UNSAFE =
  /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/** Rows as columns, left-aligned, two spaces between; the last column is not padded. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    }
  }
  let out = '';
  for (const row of rows) {
    const cells = row.map((cell, index) =>
      index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0),
    );
    out += `${cells.join('  ').trimEnd()}\n`;
  }
  return out;
}
