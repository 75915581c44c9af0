/** A notebook in a file of the data directory: written whole, for this server's eyes alone. */

import { readFileSync } from 'node:fs';
import { Failure } from '#base/failure.ts';
import type { Notebook } from '#base/notebook.ts';
import { systemCode } from '#network/failures.ts';
import { writeWhole } from './files.ts';

const MODE = 0o600;

/** The notebook `file`; who reads it checks what stands in it. */
export function fileNotebook(file: string): Notebook {
  return {
    read: () => {
      try {
        return readFileSync(file, 'utf8');
      } catch {
        return undefined;
      }
    },
    write: (text) => {
      try {
        writeWhole(file, text, MODE);
      } catch (thrown) {
        throw Failure.temporary('not-written', `${file}: ${systemCode(thrown)}`, thrown);
      }
    },
  };
}
