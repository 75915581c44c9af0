/** smtp-sink of Debian's Postfix: takes what is relayed, counts it, keeps nothing. */

import { spawn } from 'node:child_process';
import { freePort } from '../../world/ports.ts';
import { end } from '../processes.ts';

export interface Sink {
  readonly port: number;
  /** Messages taken so far. */
  taken(): number;
  stop(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn('smtp-sink', [...user, '-c', `127.0.0.1:${port}`, '1024'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let messages = 0;
  let rest = '';
  child.stdout.on('data', (bytes: Buffer) => {
    const text = rest + bytes.toString('latin1');
    for (const [, number] of text.matchAll(/mesg=(\d+)\s/g)) messages = Number(number);
    rest = text.slice(-60);
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { port, taken: () => messages, stop: () => end(child) };
}
