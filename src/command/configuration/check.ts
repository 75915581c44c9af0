/** `postern config check`: everything that is wrong with a file, also what only the disk shows. */

import type { Context } from '../command.ts';
import { EXIT, explain } from '../exit.ts';
import type { ExitStatus } from '../exit.ts';
import { harmless, styled } from '../io.ts';
import { restrictions } from './contradictions.ts';
import { inspectConfiguration } from './load.ts';
import { formatProblem } from './read.ts';
import type { Problem } from './read.ts';
import type { Settings } from './settings.ts';

/** Prints what is wrong, a line each, and returns EX_CONFIG; or says that all is well. */
export async function checkConfiguration(context: Context, file: string): Promise<ExitStatus> {
  const { io } = context;
  const outcome = inspectConfiguration(file, io.env);
  const problems =
    outcome.kind === 'bad' ? outcome.problems : await beyond(context, outcome.loaded.settings);
  if (context.json) {
    const shown = problems.map((one) => ({
      ...one,
      line: one.line ?? null,
      name: one.name ?? null,
    }));
    io.write(`${JSON.stringify({ file, good: problems.length === 0, problems: shown })}\n`);
  } else {
    for (const problem of problems) {
      io.write(`${styled(io, 'red', 'wrong')} ${harmless(formatProblem(file, problem))}\n`);
    }
    if (problems.length === 0) io.write(`${styled(io, 'green', 'good')} ${harmless(file)}\n`);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.configuration;
}

/** What the disk shows and, with `--audit`, what an attack finds. */
async function beyond(context: Context, settings: Settings): Promise<readonly Problem[]> {
  const problems = await onDisk(settings);
  if (problems.length > 0 || !context.options.has('audit')) return problems;
  const { attackedProblems } = await import('../rehearsal/entrance.ts');
  return attackedProblems(settings);
}

/** Tables that cannot be read; certificates that are missing, expired, or do not fit their keys. */
async function onDisk(settings: Settings): Promise<readonly Problem[]> {
  const { certificateFiles, loadIdentity, misnamed } = await import('../serve/certificates.ts');
  const { readableTable } = await import('../serve/tables.ts');
  const problems: Problem[] = restrictions(settings, { table: readableTable }).map((found) => ({
    ...found,
    line: undefined,
  }));
  for (const { name, files } of certificateFiles(settings)) {
    try {
      loadIdentity([files]).close();
    } catch (thrown) {
      const known = explain(thrown);
      if (known === undefined) throw thrown;
      const cure = known.cure ?? 'Put the right file there, or change the setting.';
      problems.push({ line: undefined, name, cause: `cannot be used: ${known.message}`, cure });
    }
  }
  if (problems.length > 0) return problems;
  return misnamed(settings).map(({ host, file }) => ({
    line: undefined,
    name: `tls_server_sni_maps.${host}`,
    cause: `names ${file}, a certificate for other names`,
    cure: 'Name the certificate that covers it.',
  }));
}
