/** Measures Postern beside its peers: `node test/bench/run.ts [--quick] [--only ROW]`. */

import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../interop/tools.ts';
import { ROOT } from '../laws/tree.ts';
import { makeBench } from './bench.ts';
import { OURS, type Row, short } from './figures.ts';
import { killAll } from './group.ts';
import { MEASUREMENTS } from './measurements.ts';
import { page } from './page.ts';
import { findVersions } from './versions.ts';

const USAGE = 64;
const HELP = `npm run bench -- [--quick] [--only ROW]... [--output FILE] [--no-install]
  --quick       four minutes, less exact; writes no page
  --only        rows that begin so: ${MEASUREMENTS.map(({ id }) => id).join(', ')}
  --output      a file for the page (docs/performance.md, when everything is measured)
  --no-install  without looking for the peers and installing them
`;
const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    /** Where the page goes; without --only and --quick it is docs/performance.md. */
    output: { type: 'string' },
    'no-install': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
const wanted = MEASUREMENTS.filter(
  ({ id }) => values.only === undefined || values.only.some((name) => id.startsWith(name)),
);
if (wanted.length === 0) {
  console.error(`bench: rows are ${MEASUREMENTS.map(({ id }) => id).join(', ')}`);
  process.exit(USAGE);
}
if (!values['no-install']) {
  const { output } = await run(path.join(ROOT, 'test/bench/install.sh'), [], {
    timeoutMs: 300_000,
  });
  process.stdout.write(output);
}
const bench = makeBench(values.quick);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killAll();
    bench.remove();
    process.exit(1);
  });
}
const rows: Row[] = [];
const failed: string[] = [];
const startedAt = new Date();
const loads = [loadavg()[0] ?? 0];
const { versions, skipped } = await findVersions();
try {
  for (const measurement of wanted) {
    try {
      const made = await measurement.run(bench);
      rows.push(...(Array.isArray(made) ? (made as Row[]) : [made as Row]));
    } catch (failure) {
      console.error(`bench: ${measurement.id} failed: ${String(failure)}`);
      failed.push(`${measurement.id} (${String(failure).slice(0, 100)})`);
    }
    loads.push(loadavg()[0] ?? 0);
  }
} finally {
  bench.remove();
}
const usual = values.only === undefined && !values.quick;
const output = values.output ?? (usual ? path.join(ROOT, 'docs/performance.md') : undefined);
if (output !== undefined) {
  const text = page(rows, {
    startedAt,
    minutes: (Date.now() - startedAt.getTime()) / 60_000,
    quick: values.quick,
    repetitions: bench.repetitions,
    cellSeconds: bench.cellSeconds,
    versions,
    skipped: [...skipped, ...failed],
    loads: [loads[0] ?? 0, Math.max(...loads), loads.at(-1) ?? 0],
    noise: noise(rows),
  });
  writeFileSync(output, text);
  console.log(`bench: ${output} is written`);
}
process.exit(failed.length === 0 ? 0 : 1);

/** How far the repetitions of Postern lie apart, over all rows with several. */
function noise(all: readonly Row[]): string {
  const spreads = all
    .map((row) => (row.samples.get(OURS) ?? []).map(({ value }) => value))
    .filter((samples) => samples.length > 2)
    .map((samples) => Math.max(...samples) / Math.min(...samples))
    .toSorted((a, b) => a - b);
  if (spreads.length === 0) return '';
  const middle = short(spreads[spreads.length >> 1] ?? 1);
  return `The largest of the repetitions was ${middle} times the smallest in the middle row, ${short(spreads.at(-1) ?? 1)} times in the worst.`;
}
