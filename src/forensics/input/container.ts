/** Files that hold messages in a form that is none: packed, in another encoding, a program's own. */

import { latin1 } from '#base/bytes.ts';

/** By the first octets, as latin1. */
const KINDS: readonly (readonly [start: string, what: string])[] = [
  ['\x1f\x8b', 'packed with gzip'],
  ['BZh', 'packed with bzip2'],
  ['\xfd7zXZ\0', 'packed with xz'],
  ['(\xb5/\xfd', 'packed with zstd'],
  ['PK\x03\x04', 'a zip archive'],
  ['7z\xbc\xaf', 'a 7z archive'],
  ['\xff\xfe', 'text in UTF-16'],
  ['\xfe\xff', 'text in UTF-16'],
  ['\xd0\xcf\x11\xe0', 'a document of Outlook (.msg)'],
  ['!BDN', 'a folder of Outlook (.pst)'],
  ['%PDF-', 'a PDF'],
  ['SQLite format 3\0', 'a database'],
];

/** What a file that begins so is instead of a message; undefined: it may be one. */
export function containerOf(start: Uint8Array): string | undefined {
  const text = latin1(start.subarray(0, 16));
  return KINDS.find(([kind]) => text.startsWith(kind))?.[1];
}
