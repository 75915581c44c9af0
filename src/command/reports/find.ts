/** Reports in octets that came from strangers: bare, packed, or attached to a message. */

import { decodeTransfer } from '#message/transfer.ts';
import { readStructure } from '#message/scanner.ts';
import { walkParts } from '#message/tree.ts';
import type { ReadReport } from './kind.ts';
import * as registry from './kinds/index.ts';
import { unpacked } from './unpack.ts';

const KINDS = Object.values(registry);
/** Names of the kinds there are. */
export const KIND_NAMES: readonly string[] = KINDS.map(({ name }) => name);
const PARTS = 50;
/** What a message says in words; some senders call the XML of a report text, too. */
const WORDS = new Set(['plain', 'html']);

/** The reports that these octets are, or those attached to the message that they are. */
export function findReports(octets: Uint8Array, kind?: string): readonly ReadReport[] {
  const themselves = readReports(octets, kind);
  if (themselves.length > 0) return themselves;
  const found: ReadReport[] = [];
  let parts = 0;
  for (const part of walkParts(readStructure(octets).root)) {
    if (part.children.length > 0 || (part.type === 'text' && WORDS.has(part.subtype))) continue;
    if ((parts += 1) > PARTS) break;
    const body = octets.subarray(part.bodyStart, part.bodyStart + part.bodyBytes);
    found.push(...readReports(decodeTransfer(part.encoding, body).bytes, kind));
  }
  return found;
}

function readReports(octets: Uint8Array, kind: string | undefined): readonly ReadReport[] {
  return unpacked(octets).flatMap((plain) => {
    for (const one of KINDS) {
      if (kind !== undefined && one.name !== kind) continue;
      const report = one.read(plain);
      if (report !== undefined) return [report];
    }
    return [];
  });
}
