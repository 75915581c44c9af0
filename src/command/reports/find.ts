/** Reports in octets that came from strangers: bare, packed, or attached to a message. */

import { gunzipSync } from 'node:zlib';
import { decodeTransfer } from '#message/transfer.ts';
import { readStructure } from '#message/scanner.ts';
import { walkParts } from '#message/tree.ts';
import type { ReadReport } from './kind.ts';
import * as registry from './kinds/index.ts';

const KINDS = Object.values(registry);
/** Octets of a report when unpacked; a bomb of a thousand times that packs into a mail. */
export const UNPACKED_BYTES = 10_485_760;
const PARTS = 50;

/** The report that these octets are, or those that are attached to the message that they are. */
export function findReports(octets: Uint8Array, kind?: string): readonly ReadReport[] {
  const itself = readReport(octets, kind);
  if (itself !== undefined) return [itself];
  const found: ReadReport[] = [];
  let parts = 0;
  for (const part of walkParts(readStructure(octets).root)) {
    if (part.children.length > 0 || part.type === 'text') continue;
    if ((parts += 1) > PARTS) break;
    const body = octets.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
    const report = readReport(decodeTransfer(part.encoding, body).bytes, kind);
    if (report !== undefined) found.push(report);
  }
  return found;
}

function readReport(octets: Uint8Array, kind: string | undefined): ReadReport | undefined {
  const plain = unpacked(octets);
  if (plain === undefined) return undefined;
  for (const one of KINDS) {
    if (kind !== undefined && one.name !== kind) continue;
    const report = one.read(plain);
    if (report !== undefined) return report;
  }
  return undefined;
}

/** By what the octets are, not by what they are called. */
function unpacked(octets: Uint8Array): Uint8Array | undefined {
  if (octets.length > UNPACKED_BYTES) return undefined;
  if (octets[0] !== 0x1f || octets[1] !== 0x8b) return octets;
  try {
    return gunzipSync(octets, { maxOutputLength: UNPACKED_BYTES });
  } catch {
    return undefined;
  }
}
