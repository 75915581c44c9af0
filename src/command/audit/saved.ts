/** Reports that were saved, read again. */

import { readReport } from '#audit/formats/json.ts';
import type { Report } from '#audit/report.ts';
import { CommandError, EXIT } from '../exit.ts';
import { textOf } from './options.ts';

/** The report in a file; a CommandError when it holds none. */
export function savedReport(file: string): Report {
  const read = readReport(textOf(file));
  if ('report' in read) return read.report;
  const cure = 'Name a file that `postern audit --output` or --json wrote.';
  throw new CommandError(EXIT.usage, `${file} ${read.problem}`, cure);
}
