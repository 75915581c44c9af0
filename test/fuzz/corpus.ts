/** Seeds from the repository's own tests: transcripts, and the texts that stand in them. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../laws/tree.ts';

const SPOKEN = /^\s*[CS]: (.*)$/gm;
const TEXT = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\$]|\\.)*)`/g;
const MOST = 3_000;

/** Texts of the test files of a folder (`src/protocol/smtp`), as octets in latin1; none twice. */
export function corpus(...folders: readonly string[]): readonly string[] {
  const seeds = new Set<string>();
  for (const folder of folders) {
    for (const file of readdirSync(path.join(ROOT, folder), { recursive: true })) {
      if (!String(file).endsWith('.test.ts')) continue;
      const code = readFileSync(path.join(ROOT, folder, String(file)), 'utf8');
      let dialogue = '';
      for (const [, line = ''] of code.matchAll(SPOKEN)) dialogue += `${line}\r\n`;
      if (dialogue !== '') seeds.add(dialogue);
      for (const [, line = ''] of code.matchAll(SPOKEN)) seeds.add(`${line}\r\n`);
      for (const [, one, two, three] of code.matchAll(TEXT)) {
        const text = unescaped(one ?? two ?? three ?? '');
        if (text.length > 2) seeds.add(text);
      }
    }
  }
  return [...seeds].slice(0, MOST);
}

function unescaped(source: string): string {
  const text = source.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\}|(.))/gi,
    (_, x?: string, u?: string, long?: string, one?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16) % 0x11_0000);
      return { r: '\r', n: '\n', t: '\t', 0: '\0' }[one ?? ''] ?? one ?? '';
    },
  );
  return Buffer.from(text, 'utf8').toString('latin1');
}
