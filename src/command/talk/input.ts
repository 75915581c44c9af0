/** Standard input as lines, while they come. */

import { latin1, parseUtf8 } from '#base/bytes.ts';
import type { Io } from '../io.ts';

const LINE_BYTES = 65_536;
const ALL_BYTES = 67_108_864;

/** Lines without their ends; one longer than 64 KiB is cut in lines of that length. */
export async function* linesOf(io: Io): AsyncGenerator<string> {
  const pieces = io.pieces?.() ?? once(await io.readAll(ALL_BYTES));
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + latin1(piece)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield text(line);
    while (rest.length > LINE_BYTES) {
      yield text(rest.slice(0, LINE_BYTES));
      rest = rest.slice(LINE_BYTES);
    }
  }
  if (rest !== '') yield text(rest);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** UTF-8 where it is that; else each octet as `\xNN`, so that none is lost. */
function text(line: string): string {
  const bare = line.endsWith('\r') ? line.slice(0, -1) : line;
  const octets = Buffer.from(bare, 'latin1');
  const decoded = parseUtf8(octets);
  if (decoded !== undefined) return decoded;
  return bare.replace(/[\x80-\xff]/g, (one) => `\\x${hex(one)}`);
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0');
}
