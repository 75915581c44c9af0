/** Runs every suite of vectors and prints its exact counts: `node test/vectors/run.ts [suite]`. */

import path from 'node:path';
import * as suites from './index.ts';

const VECTORS = path.join(import.meta.dirname, '../../../shared/vectors');

const [only] = process.argv.slice(2);
let failed = 0;
let ran = 0;
for (const suite of Object.values(suites)) {
  if (only !== undefined && suite.name !== only) continue;
  ran++;
  const { passed, failures, skipped } = await suite.run(VECTORS);
  if (skipped === undefined) {
    console.log(`${suite.name}: ${passed}/${passed + failures.length} (${suite.origin})`);
  } else console.log(`${suite.name}: skipped, ${skipped}`);
  for (const failure of failures) console.log(`  failed: ${failure}`);
  failed += failures.length;
}
if (ran === 0) console.log(`no suite is called ${only}`);
process.exitCode = failed > 0 || ran === 0 ? 1 : 0;
