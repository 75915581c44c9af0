/** What loading and starting left on the heap is given back before the first client comes. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What V8 has for those who start it with `--expose-gc`. */
type Collector = (how: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

/**
 * Collects everything, once: some 45 ms, and a quarter of the memory that an idle server keeps for
 * itself (63 -> 47 MiB). Loading 580 modules lets the young generation grow to its full size, and no
 * collection of the usual kind gives its pages back to the system; this flavour does. Under load it
 * grows again as it needs to. The code that was compiled stays: without it a message cost 3 to 9 %
 * more processor time, long after everything had been compiled again.
 */
export function settle(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collector;
  setFlagsFromString('--no-expose-gc');
  setFlagsFromString('--no-flush-bytecode');
  collect({ type: 'major', flavor: 'last-resort' });
  setFlagsFromString('--flush-bytecode');
}
