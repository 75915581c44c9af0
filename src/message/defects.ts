/** What is wrong with a message, as values: a reader never throws on mail, it notes and goes on. */

export type DefectKind =
  /** CR without LF, or LF without CR (RFC 5322 2.3). */
  | 'bare-cr'
  | 'bare-lf'
  | 'nul'
  /** More than 998 octets (RFC 5322 2.1.1). */
  | 'long-line'
  /** A line of the head that is no field: not listed, but its octets stay. */
  | 'missing-colon'
  | 'bad-field-name'
  /** `From : x`, obsolete (RFC 5322 4.5); some readers see another name, so it is noted. */
  | 'space-before-colon'
  /** The head begins with white space: it would become part of a field put in front of it. */
  | 'orphan-continuation'
  | 'no-empty-line'
  /** Octets above 127 in a head: needs SMTPUTF8 when it is UTF-8, is wrong when it is not. */
  | 'eight-bit-head'
  | 'not-utf8-head'
  | 'too-many-fields'
  | 'long-head'
  | 'duplicate-content-field'
  | 'bad-content-type'
  | 'duplicate-parameter'
  | 'too-many-parameters'
  /** Of the messages inside the message: their envelopes are cut. */
  | 'too-many-addresses'
  | 'no-boundary'
  | 'long-boundary'
  | 'no-delimiter'
  | 'missing-final-boundary'
  | 'too-deep'
  | 'too-many-parts'
  /** Quoted-printable or base64 on a multipart or message: forbidden (RFC 2045 6.4). */
  | 'encoded-container';

/** One kind of defect: where it was seen first, and how often. */
export interface Defect {
  readonly kind: DefectKind;
  /** Offset of the first one, from the first octet that the reader was given. */
  readonly at: number;
  readonly count: number;
}

/** Collects defects; bounded, because each kind is kept once. */
export class Defects {
  #seen: Map<DefectKind, { kind: DefectKind; at: number; count: number }> | undefined;

  note(kind: DefectKind, at: number, count = 1): void {
    this.#seen ??= new Map();
    const old = this.#seen.get(kind);
    if (old === undefined) this.#seen.set(kind, { kind, at, count });
    else old.count += count;
  }

  /** Takes over what another reader noted, `offset` octets further on. */
  add(defects: readonly Defect[], offset: number): void {
    for (const { kind, at, count } of defects) this.note(kind, at + offset, count);
  }

  list(): readonly Defect[] {
    return this.#seen === undefined ? NONE : [...this.#seen.values()];
  }
}

const NONE: readonly Defect[] = [];

/** Whether a defect of one of these kinds was found. */
export function hasDefect(defects: readonly Defect[], ...kinds: readonly DefectKind[]): boolean {
  return defects.some((defect) => kinds.includes(defect.kind));
}
