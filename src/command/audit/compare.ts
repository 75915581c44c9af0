/** `postern audit compare`: two saved reports, what is new, cured, unchanged, no longer told. */

import { compareReports } from '#audit/compare.ts';
import type { Finding } from '#audit/finding.ts';
import { jsonText } from '#audit/formats/json.ts';
import { placeName } from '#audit/verdict.ts';
import type { Context } from '../command.ts';
import { argument } from '../command.ts';
import { AUDIT_EXIT, type ExitStatus } from '../exit.ts';
import { harmless } from '../io.ts';
import { savedReport } from './saved.ts';

/** 0 when nothing is new, 1 when something is, 2 when something can no longer be told. */
export function runCompare(context: Context): Promise<ExitStatus> {
  const before = savedReport(argument(context, 'before'));
  const after = savedReport(argument(context, 'after'));
  const { fresh, cured, unchanged, untold } = compareReports(before, after);
  if (context.json) {
    const value = {
      new: fresh.map(brief),
      cured: cured.map(brief),
      unchanged: unchanged.map(brief),
      untold: untold.map(brief),
    };
    context.io.write(`${jsonText(value)}\n`);
  } else {
    const rows = (word: string, findings: readonly Finding[]): string =>
      findings.map((finding) => `${word.padEnd(9)} ${line(finding)}\n`).join('');
    const text =
      rows('new', fresh) +
      rows('untold', untold) +
      rows('cured', cured) +
      rows('unchanged', unchanged);
    context.io.write(text === '' ? 'Neither report found anything.\n' : text);
  }
  if (fresh.length > 0) return Promise.resolve(AUDIT_EXIT.findings);
  return Promise.resolve(untold.length > 0 ? AUDIT_EXIT.inconclusive : AUDIT_EXIT.pass);
}

function brief({ id, severity, confidence, target, title }: Finding) {
  return { id, severity, confidence, target, title };
}

function line({ id, severity, target, title }: Finding): string {
  return harmless(`${severity.padEnd(8)} ${placeName(target)} ${id}: ${title}`);
}
