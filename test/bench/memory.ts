/** Memory before a measurement: pages that a virtual machine's host has to find first cost more. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freemem } from 'node:os';
import type { Bench } from './bench.ts';

/** More than any cell writes: the kernel keeps each file in memory until its room is needed. */
const BYTES = 2 ** 31;
/** Of what is free, so much stays untouched: nothing that others have must go for this. */
const SPARED = 0.5;

/**
 * Touches memory and gives it back at once, so that what a server or its files take next is there
 * already. A host may take away what its guest does not use; then the first write to a page costs
 * several times as much, and a cell is slow because of what was freed before it. A quick run does
 * without: it takes a second or three.
 */
export async function memoryAtHand({ quick }: Pick<Bench, 'quick'>): Promise<void> {
  if (quick) return;
  const bytes = Math.min(BYTES, Math.floor(freemem() * (1 - SPARED)));
  const child = spawn(process.execPath, ['-e', `Buffer.alloc(${bytes}, 1)`], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`touching ${bytes} octets of memory failed`);
}
