/** What is measured, by name and version, and what is not here. */

import { run } from '../interop/tools.ts';
import { npmVersion } from './targets/npm-peers.ts';

export interface Versions {
  readonly versions: readonly string[];
  readonly skipped: readonly string[];
}

export async function findVersions(): Promise<Versions> {
  const versions = [`Postern at ${await first('git', ['rev-parse', '--short', 'HEAD'])}`];
  const skipped: string[] = [];
  const programs = [
    ['Postfix', 'postconf', ['-h', 'mail_version']],
    ['Dovecot', 'dovecot', ['--version']],
  ] as const;
  for (const [name, program, args] of programs) {
    const version = await first(program, args);
    if (version === undefined) skipped.push(`${name} (not installed)`);
    else versions.push(`${name} ${version}`);
  }
  for (const name of ['Haraka', 'smtp-server']) {
    const version = npmVersion(name);
    if (version === undefined) skipped.push(`${name} (not installed)`);
    else versions.push(`${name} ${version}`);
  }
  versions.push(`Node ${process.version}`);
  return { versions, skipped };
}

async function first(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { code, output } = await run(program, args);
    return code === 0 ? output.trim().split('\n')[0] : undefined;
  } catch {
    return undefined;
  }
}
