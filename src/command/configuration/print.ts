/** `postern config print`: the settings in force, as TOML that reads back the same. */

import type { Context } from '../command.ts';
import type { Raw } from './declare.ts';
import { formatRaw } from './toml.ts';
import { loadRaw } from './load.ts';
import { GROUPS } from './settings.ts';

/** Writes each setting; those that are defaults say so in a comment. */
export async function printConfiguration(context: Context): Promise<void> {
  const file = await context.configurationFile();
  const { values, given } = loadRaw(file, context.io.env);
  const only = context.options.has('changed');
  if (context.json) {
    const shown = [...values].filter(([name]) => !only || given.has(name));
    context.io.write(`${JSON.stringify(Object.fromEntries(shown))}\n`);
    return;
  }
  context.io.write(`# ${file ?? 'no file: the defaults, which `postern serve` runs as a demo'}\n`);
  for (const group of GROUPS) {
    const names = Object.keys(group.settings).filter((name) => !only || given.has(name));
    if (names.length > 0) context.io.write(`\n# ${group.title}\n`);
    for (const name of names) {
      const raw: Raw = values.get(name) ?? '';
      const note = given.has(name) ? '' : '  # default';
      context.io.write(`${name} = ${formatRaw(raw)}${note}\n`);
    }
  }
}
