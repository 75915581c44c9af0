/** `postern config import`: reads another server's configuration, writes ours, tells every line. */

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseUtf8, latin1 } from '#base/bytes.ts';
import { makeDirectory } from '#engine/directories.ts';
import type { Context } from '../command.ts';
import { argument, option } from '../command.ts';
import { machineFacts } from '../configuration/load.ts';
import { CommandError, EXIT, isSystemError } from '../exit.ts';
import type { Imported, ReadFile } from './imported.ts';
import { importPostfix } from './postfix.ts';
import { importReport } from './report.ts';
import { PASSWORD_FILE } from './routes.ts';
import { configurationText, peopleScript } from './write.ts';

const FILE_BYTES = 16_777_216;

/** Refuses to overwrite; writes nothing without --output. */
export async function importConfiguration(context: Context): Promise<void> {
  const file = argument(context, 'file');
  const text =
    file === '-' ? decoded(await context.io.readAll(FILE_BYTES)) : decoded(readFileSync(file));
  const imported = importPostfix(
    text,
    reader(option(context, 'root')),
    machineFacts(context.io.env),
  );
  const written = writeFiles(imported, context, file);
  if (context.json) {
    context.io.write(`${JSON.stringify({ ...plain(imported), written })}\n`);
    return;
  }
  context.io.write(importReport(imported, context.io));
  if (written.length === 0) {
    context.io.write('\nNothing was written. With --output DIR the configuration goes there.\n');
    return;
  }
  context.io.write(`\nWritten: ${written.join(', ')}\n`);
  context.io.write('Next: read them, run the script, then `postern config check` and serve.\n');
}

/** Tables are looked up below `root`, for files that were copied from another machine. */
function reader(root: string | undefined): ReadFile {
  return (path) => {
    try {
      const octets = readFileSync(root === undefined ? path : join(root, path));
      return octets.length > FILE_BYTES ? undefined : decoded(octets);
    } catch {
      return undefined;
    }
  };
}

function decoded(octets: Uint8Array): string {
  return parseUtf8(octets) ?? latin1(octets);
}

function writeFiles(
  imported: Imported & { readonly relayLogin?: { readonly password: string } | undefined },
  context: Context,
  source: string,
): string[] {
  const named = option(context, 'output');
  if (named === undefined) return [];
  const directory = resolve(named);
  const configuration = join(directory, 'postern.toml');
  const files = new Map<string, { text: string; mode: number }>();
  if (imported.relayLogin !== undefined) {
    const text = `${imported.relayLogin.password}\n`;
    files.set(join(directory, PASSWORD_FILE), { text, mode: 0o600 });
  }
  files.set(configuration, { text: configurationText(imported, source), mode: 0o644 });
  const script = join(directory, 'import-people.sh');
  files.set(script, { text: peopleScript(imported, configuration), mode: 0o755 });
  for (const path of files.keys()) {
    if (!existsSync(path)) continue;
    const cure = 'Name another directory, or move it away.';
    throw new CommandError(EXIT.cannotCreate, `${path} is there already`, cure);
  }
  makeDirectory(directory, 0o755);
  const written: string[] = [];
  try {
    for (const [path, { text: content, mode }] of files) {
      written.push(path);
      writeFileSync(path, content, { mode, flag: 'wx' });
    }
  } catch (error) {
    // Half of it would be in the way of the next try.
    for (const path of written) rmSync(path, { force: true });
    throw isSystemError(error) ? Object.assign(error, { path: written.at(-1) }) : error;
  }
  return written;
}

function plain({ settings, people, taken, left, unsafe }: Imported): object {
  return {
    settings: Object.fromEntries(settings),
    domains: [...people.domains],
    accounts: [...people.accounts],
    aliases: Object.fromEntries(people.aliases),
    catchAlls: Object.fromEntries(people.catchAlls),
    taken,
    left,
    unsafe: unsafe.map(({ check, parameter, seen, severity, line }) => ({
      id: check.id,
      severity: severity ?? check.severity,
      line: line ?? null,
      parameter,
      seen,
      cure: check.cures[0]?.lines ?? [],
    })),
  };
}
