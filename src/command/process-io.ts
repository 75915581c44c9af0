/** The Io of the real process: its streams, and a prompt that does not show what is typed. */

import { concat } from '#base/bytes.ts';
import { CommandError, EXIT } from './exit.ts';
import type { Io } from './io.ts';
import { wantsColour } from './io.ts';

/** The process' own streams and environment. */
export function processIo(): Io {
  const terminal = process.stdout.isTTY === true;
  // `postern serve | head`: who read is gone, and a server does not end for that.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exit(EXIT.io);
  });
  process.stderr.on('error', () => undefined);
  return {
    write: (text) => void process.stdout.write(text),
    taken,
    warn: (text) => void process.stderr.write(text),
    readAll,
    pieces: () => process.stdin as AsyncIterable<Uint8Array>,
    askSecret,
    env: process.env,
    terminal,
    colour: wantsColour(process.env, terminal),
  };
}

/** A pipe takes as much as its reader, who may be slow, or gone: then nothing waits any more. */
async function taken(): Promise<void> {
  const { stdout } = process;
  if (!stdout.writableNeedDrain || stdout.destroyed) return;
  await new Promise<void>((resolve) => {
    const events = ['drain', 'close', 'error'] as const;
    const done = (): void => {
      for (const event of events) stdout.off(event, done);
      resolve();
    };
    for (const event of events) stdout.on(event, done);
  });
}

async function readAll(maxBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of process.stdin as AsyncIterable<Uint8Array>) {
    sizeBytes += piece.length;
    if (sizeBytes > maxBytes) {
      throw new CommandError(EXIT.data, `more than ${maxBytes} octets on standard input`);
    }
    pieces.push(piece);
  }
  return concat(pieces);
}

const TYPED_CHARACTERS = 1_024;

/** Raw mode: the terminal shows nothing; Enter ends, Ctrl-C gives up, Backspace takes back. */
function askSecret(prompt: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true) return Promise.resolve(undefined);
  // Silent first: a fast typist, or a script, must not be echoed.
  stdin.setRawMode(true);
  stderr.write(prompt);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed = '';
    const finish = (): void => {
      stdin.off('data', take);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
    };
    const take = (text: string): void => {
      for (const character of text) {
        if (character === '\r' || character === '\n' || character === '\x04') {
          finish();
          resolve(typed);
          return;
        }
        if (character === '\x03') {
          finish();
          reject(new CommandError(EXIT.usage, 'given up: nothing was changed'));
          return;
        }
        if (character === '\x7f' || character === '\b') typed = [...typed].slice(0, -1).join('');
        else if (typed.length < TYPED_CHARACTERS) typed += character;
      }
    };
    stdin.on('data', take);
  });
}
