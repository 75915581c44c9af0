/** A process that does what the server does each hour, two hours from now, and ends. */

import { openStore } from '#engine/store.ts';

const [directory = ''] = process.argv.slice(2);
const now = (): number => Date.now() + 2 * 3_600_000;
const store = await openStore({ directory, now, thread: false, log: { event: () => undefined } });
const { result } = await store.write('sweep', { nowMs: now(), ledgerDays: 30 });
await store.close();
process.stdout.write(`${result.contents}\n`);
