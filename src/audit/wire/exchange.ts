/** The exchange of one connection as evidence: both ways, timed, bounded, without secrets. */

import { asBuffer, concat, fromLatin1, latin1, LF, NO_BYTES, visible } from '#base/bytes.ts';
import type { Secret } from '#base/secret.ts';
import type { Endpoint } from '#base/world.ts';
import type { WireLimits } from './limits.ts';

/** What one side said before the other spoke or its line ended. */
export interface Turn {
  /** Milliseconds since the connection was asked for. */
  readonly atMs: number;
  /** `note`: what happened to the connection (TLS, closed, time out). */
  readonly from: 'client' | 'server' | 'note';
  /**
   * Octets as `\r \n \t \\ \xNN` and printable ASCII; `\{name}` stands for a secret. `unescape`
   * gives the octets back.
   */
  readonly text: string;
  /** Octets of this turn that were not kept. */
  readonly omittedBytes: number;
}

/** TLS as it was found. */
export interface ExchangeTls {
  readonly protocol: string;
  readonly cipher: string;
  /** `verified`, or why not. */
  readonly peer: string;
}

/** One connection, as JSON can hold it. */
export interface Exchange {
  readonly target: Endpoint;
  /** Where we came from; the vantage point is part of the evidence. Port 0: never connected. */
  readonly source: Endpoint | undefined;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly implicitTls: boolean;
  readonly tls: ExchangeTls | undefined;
  readonly turns: readonly Turn[];
  /** Turns in the middle that were not kept. */
  readonly omittedTurns: number;
}

interface Kept {
  readonly atMs: number;
  readonly from: Turn['from'];
  pieces: Uint8Array[];
  keptBytes: number;
  omittedBytes: number;
  /** Its last octet was a line end: the next octets begin a new turn. */
  ended: boolean;
}

/** Turns at the beginning (greeting, EHLO) that are always kept. */
const HEAD_TURNS = 12;

/** Collects turns; secrets are taken out when it is read, so however they were cut. */
export class Recorder {
  readonly #limits: WireLimits;
  readonly #kept: Kept[] = [];
  readonly #secrets: { readonly name: string; readonly octets: string }[] = [];
  #bytes = 0;
  #omitted = 0;

  constructor(limits: WireLimits) {
    this.#limits = limits;
  }

  /** From now on, and before, these octets (and their base64) are shown as `\{name}`. */
  conceal(name: string, secret: Secret<Uint8Array>): void {
    const octets = asBuffer(secret.reveal());
    if (octets.length === 0) return;
    const whole = octets.toString('base64');
    for (const text of [octets.toString('latin1'), whole, whole.replace(/=+$/, '')]) {
      this.#secrets.push({ name, octets: text });
    }
    // Longest first: a secret inside another one would leave the rest of it readable.
    this.#secrets.sort((a, b) => b.octets.length - a.octets.length);
  }

  client(atMs: number, octets: Uint8Array): void {
    this.#add(atMs, 'client', octets);
  }

  server(atMs: number, octets: Uint8Array): void {
    this.#add(atMs, 'server', octets);
  }

  note(atMs: number, text: string): void {
    this.#add(atMs, 'note', fromLatin1(`${text}\n`));
  }

  turns(): readonly Turn[] {
    return this.#kept.map((kept) => this.#render(kept));
  }

  get omittedTurns(): number {
    return this.#omitted;
  }

  #add(atMs: number, from: Turn['from'], octets: Uint8Array): void {
    if (octets.length === 0) return;
    let last = this.#kept.at(-1);
    if (last === undefined || last.from !== from || last.ended) {
      last = { atMs, from, pieces: [], keptBytes: 0, omittedBytes: 0, ended: false };
      this.#kept.push(last);
    }
    const room = Math.max(0, this.#limits.turnBytes - last.keptBytes);
    const taken = octets.slice(0, room);
    if (taken.length > 0) last.pieces.push(taken);
    if (last.pieces.length > 64) last.pieces = [concat(last.pieces)];
    last.keptBytes += taken.length;
    last.omittedBytes += octets.length - taken.length;
    last.ended = octets.at(-1) === LF;
    this.#bytes += taken.length;
    this.#evict();
  }

  /** The oldest turns behind the head go first: the end is where the finding is. */
  #evict(): void {
    const { turns, recordBytes } = this.#limits;
    while (this.#kept.length > turns || this.#bytes > recordBytes) {
      const at = this.#kept.length > HEAD_TURNS + 1 ? HEAD_TURNS : 0;
      if (this.#kept.length <= 1) return;
      const [gone] = this.#kept.splice(at, 1);
      this.#bytes -= gone?.keptBytes ?? 0;
      this.#omitted += 1;
    }
  }

  #render({ atMs, from, pieces, omittedBytes }: Kept): Turn {
    const raw = latin1(concat(pieces));
    const plain = from === 'note' ? raw.slice(0, -1) : raw;
    let shown: readonly (string | { readonly name: string })[] = [plain];
    for (const { name, octets } of this.#secrets) {
      shown = shown.flatMap((part) =>
        typeof part === 'string' ? cut(part, octets, name) : [part],
      );
    }
    const text = shown.map((part) =>
      typeof part === 'string' ? escape(part) : `\\{${part.name}}`,
    );
    return { atMs: Math.round(atMs * 1_000) / 1_000, from, text: text.join(''), omittedBytes };
  }
}

/** The octets behind a turn's text; `secrets` says what `\{name}` stands for. */
export function unescape(
  text: string,
  secrets: ReadonlyMap<string, Secret<Uint8Array>> = new Map(),
): Uint8Array {
  const pieces: Uint8Array[] = [];
  const token = /\\(?:x([0-9a-f]{2})|\{([a-z0-9-]{1,40})\}|([rnt\\]))|[^\\]+/g;
  for (const [whole, hex, name, letter] of text.matchAll(token)) {
    if (hex !== undefined) pieces.push(Uint8Array.of(Number.parseInt(hex, 16)));
    else if (name !== undefined) pieces.push(secrets.get(name)?.reveal() ?? NO_BYTES);
    else if (letter !== undefined) pieces.push(fromLatin1(LETTERS.get(letter) ?? ''));
    else pieces.push(fromLatin1(whole));
  }
  return concat(pieces);
}

const LETTERS: ReadonlyMap<string, string> = new Map([
  ['r', '\r'],
  ['n', '\n'],
  ['t', '\t'],
  ['\\', '\\'],
]);

function escape(text: string): string {
  return visible(text, text.length);
}

function cut(text: string, octets: string, name: string): (string | { name: string })[] {
  const parts = text.split(octets);
  return parts.flatMap((part, index) => (index === 0 ? [part] : [{ name }, part]));
}
