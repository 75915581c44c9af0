/** Loaded with `--import`: changes one place of one source file as it is loaded. */

import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What to change, as JSON in the environment. */
export interface Change {
  /** From the project's root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const MUTANT = 'POSTERN_MUTANT';

const wanted = process.env[MUTANT];
if (wanted !== undefined) mutate(JSON.parse(wanted) as Change);

function mutate({ file, from, to }: Change): void {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.startsWith('file:') || !fileURLToPath(url).endsWith(`/${file}`)) return loaded;
      const source = String(loaded.source);
      if (!source.includes(from)) throw new Error(`the mutant's place is not in ${file}: ${from}`);
      return { ...loaded, source: source.replace(from, () => to) };
    },
  });
}
