/** What strangers pack reports with: gzip and zip, by what the octets are; bombs do not go off. */

import { gunzipSync, inflateRawSync } from 'node:zlib';

/** Octets of all that is unpacked together; a thousand times that packs into a mail. */
export const UNPACKED_BYTES = 10_485_760;

const FILES = 10;
const END_RECORD = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const COMMENT_BYTES = 65_535;
const STORED = 0;
const DEFLATED = 8;

/** The files in an archive, or the octets as they are; none for what is broken or too large. */
export function unpacked(octets: Uint8Array): readonly Uint8Array[] {
  if (octets.length > UNPACKED_BYTES) return [];
  try {
    if (octets[0] === 0x1f && octets[1] === 0x8b) {
      return [gunzipSync(octets, { maxOutputLength: UNPACKED_BYTES })];
    }
    if (octets[0] === 0x50 && octets[1] === 0x4b) return unzipped(octets);
  } catch {
    return [];
  }
  return [octets];
}

/**
 * The first ten files. Sizes that the archive tells of itself are not believed, and all files
 * share one limit: entries that overlap (a bomb of many entries over one piece) gain nothing.
 * No encryption, no zip64. Throws RangeError or the inflater's error for a broken one.
 */
function unzipped(octets: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const end = endRecord(view);
  if (end === undefined) return [];
  const count = Math.min(view.getUint16(end + 10, true), FILES);
  const files: Uint8Array[] = [];
  let at = view.getUint32(end + 16, true);
  let left = UNPACKED_BYTES;
  for (let index = 0; index < count && view.getUint32(at, true) === ENTRY; index += 1) {
    const method = view.getUint16(at + 10, true);
    const packed = packedOctets(octets, view, at);
    const file = packed === undefined ? undefined : unpackedFile(packed, method, left);
    if (file !== undefined) files.push(file);
    left -= file?.length ?? 0;
    const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    at += ENTRY_BYTES + (name ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return files;
}

/** Where the end-of-directory record begins: behind it only a comment may stand. */
function endRecord(view: DataView): number | undefined {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= 0 && at >= last - COMMENT_BYTES; at -= 1) {
    if (view.getUint32(at, true) === END_RECORD) return at;
  }
  return undefined;
}

function packedOctets(octets: Uint8Array, view: DataView, entry: number): Uint8Array | undefined {
  const encrypted = (view.getUint16(entry + 8, true) & 1) !== 0;
  const local = view.getUint32(entry + 42, true);
  if (encrypted || view.getUint32(local, true) !== LOCAL) return undefined;
  const behind = view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  const from = local + LOCAL_BYTES + behind;
  return octets.subarray(from, from + view.getUint32(entry + 20, true));
}

function unpackedFile(packed: Uint8Array, method: number, most: number): Uint8Array | undefined {
  if (method === STORED) return packed.length > most ? undefined : packed;
  if (method !== DEFLATED || most <= 0) return undefined;
  return inflateRawSync(packed, { maxOutputLength: most });
}
