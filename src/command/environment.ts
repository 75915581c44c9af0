/** Which configuration and which data directory a run is about; both read only when asked for. */

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from './command.ts';
import { CommandError, EXIT } from './exit.ts';
import type { Io } from './io.ts';

/** Where a run finds its settings and its data. */
export type Environment = Pick<
  Context,
  'settings' | 'openStore' | 'configurationFile' | 'dataDirectory'
>;

/** Options and environment variables to the lazy parts of a Context. */
export function environment(
  options: ReadonlyMap<string, string | true>,
  env: Io['env'],
  exists: (path: string) => boolean,
): Environment {
  const text = (name: string): string | undefined => {
    const value = options.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  /** Absolute: it is printed for pasting, and other programs have other working directories. */
  const data = (): string | undefined => {
    const given = text('data');
    return given === undefined ? undefined : resolve(given);
  };
  const configurationFile = async (): Promise<string | undefined> => {
    if (options.has('demo')) return undefined;
    const { configurationFile: find } = await import('./configuration/load.ts');
    return find(text('config'), env, exists);
  };
  const settings: Context['settings'] = async () => {
    const file = await configurationFile();
    if (file === undefined) {
      const { demoSettings } = await import('./serve/demo.ts');
      return demoSettings(data() ?? demoDirectory(env, exists));
    }
    const { loadConfiguration } = await import('./configuration/load.ts');
    const { settings: loaded } = loadConfiguration(file, env);
    const directory = data();
    return directory === undefined ? loaded : { ...loaded, data_directory: directory };
  };
  const dataDirectory = async (): Promise<string> => data() ?? (await settings()).data_directory;
  const openStore: Context['openStore'] = async () => {
    const directory = await dataDirectory();
    if (!exists(directory)) {
      const cure = 'Start `postern serve` once, or name another one with --data or --config.';
      throw new CommandError(EXIT.unavailable, `${directory}: there is no data directory`, cure);
    }
    const { openEngine } = await import('./serve/store.ts');
    return openEngine(await settings());
  };
  return { settings, openStore, configurationFile, dataDirectory };
}

/**
 * Where the demo keeps its state: `postern-data` in a checkout (git ignores it), else
 * `postern-demo` below the XDG state directory.
 */
export function demoDirectory(env: Io['env'], exists: (path: string) => boolean): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  if (exists(join(root, '.git'))) return join(root, 'postern-data');
  const base = env['XDG_STATE_HOME'];
  const state = base?.startsWith('/') === true ? base : join(homedir(), '.local', 'state');
  return join(state, 'postern-demo');
}
