/** The flags of our own threads: what they must preload to load our modules as this one did. */

import { getCompileCacheDir } from 'node:module';

const PRELOAD = '--import';

/**
 * For `execArgv` of a Worker. As a package our types are stripped by a preloaded module, which each
 * thread needs. From a checkout Node strips them, and a thread does not know the cache of stripped
 * and compiled modules unless it is told: without it each would load the stripper, which is a
 * tenth of a second and 25 MiB.
 */
export function threadFlags(): string[] {
  const flags = process.execArgv.flatMap((flag, at, all) =>
    flag === PRELOAD ? [flag, all[at + 1] ?? ''] : [],
  );
  return getCompileCacheDir() === undefined ? flags : [...flags, PRELOAD, CACHE];
}

const CACHE =
  'data:text/javascript,import{enableCompileCache}from"node:module";enableCompileCache()';
