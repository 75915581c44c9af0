/** One demo server for all tests of a file: started before them, ended and removed behind them. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type Ready, type Running, type StartOptions, startPostern } from './postern.ts';

export interface Demo {
  /** The running server; only within tests: other hooks begin before it is ready. */
  readonly server: Running;
  readonly port: (listener: string) => number;
  readonly account: (index: number) => Ready['accounts'][number];
}

/** Call it once, at the top of a file that has a process of its own. */
export function demo(options?: StartOptions): Demo {
  let running: Running | undefined;
  const server = (): Running => {
    assert.ok(running !== undefined, 'not before the tests');
    return running;
  };
  before(async () => {
    running = await startPostern(options);
  });
  after(async () => {
    await server().stop();
    server().remove();
  });
  return {
    get server() {
      return server();
    },
    port: (listener) => present(server().ready.listeners[listener], listener).port,
    account: (index) => present(server().ready.accounts[index], `account ${index}`),
  };
}

function present<T>(value: T | undefined, what: string): T {
  assert.ok(value !== undefined, `there is no ${what}`);
  return value;
}
