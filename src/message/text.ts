/** The text of a body part, for SEARCH BODY and previews: transfer encoding and charset undone. */

import { decodeCharset } from './charset.ts';
import { parameter } from './parameters.ts';
import type { Part } from './part.ts';
import { decodeTransfer } from './transfer.ts';

export interface TextLimits {
  /** Octets of the part that are looked at; the rest is left out. */
  readonly bytes?: number;
}

const TEXT_BYTES = 4_194_304;

/**
 * A part's octets (of its body) as Unicode. Never throws: damage stays visible, unknown charsets
 * are read as UTF-8 or latin1. Any part may be asked for; only text ones make sense.
 */
export function partText(part: Part, body: Uint8Array, limits: TextLimits = {}): string {
  const max = limits.bytes ?? TEXT_BYTES;
  const octets = body.length > max ? body.subarray(0, max) : body;
  const { bytes } = decodeTransfer(part.encoding, octets);
  return decodeCharset(parameter(part.parameters, 'charset'), bytes);
}
