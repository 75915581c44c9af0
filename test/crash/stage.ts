/** The stage of a round: one data directory through many lives, its clients and its history. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { LineClient } from '../world/line-client.ts';
import type { Sink } from '../world/smtp-sink.ts';
import { type Disk, syncDisk } from './disk.ts';
import { History } from './history.ts';
import { modelOf } from './model.ts';
import type { Build } from './mutants.ts';
import type { Chance } from './chance.ts';
import { ACCOUNTS, startServer } from './server.ts';
import type { Server, Template } from './server.ts';
import { observe, type World } from './world.ts';

/** How clients reach the server: straight, or through something that watches. */
export type Connect = (listener: string) => Promise<LineClient>;

export interface Surroundings {
  readonly template: Template;
  readonly sink: Sink;
  readonly build: Build;
  /** A folder on a good disk, for configuration and records. */
  readonly folder: string;
  readonly disk: Disk;
  readonly chance: Chance;
}

const TREES = ACCOUNTS.filter((account) => !/^(?:ann|ben)@/.test(account));

/** Holds on to the server that runs now; every crash is a new life of the same directory. */
export class Stage {
  readonly surroundings: Surroundings;
  readonly folder: string;
  readonly history = new History();
  connect: Connect = (listener) => straight(this.server, listener);
  #server: Server | undefined;
  #number = 0;

  private constructor(surroundings: Surroundings, name: string) {
    this.surroundings = surroundings;
    this.folder = path.join(surroundings.folder, name);
  }

  /** A fresh copy of the template, and a server on it. */
  static async open(
    surroundings: Surroundings,
    name: string,
    options: { readonly minimumFreeMegabytes?: number } = {},
  ): Promise<Stage> {
    const stage = new Stage(surroundings, name);
    mkdirSync(stage.folder, { recursive: true });
    surroundings.template.copy(stage.place, options);
    syncDisk(stage.place.data);
    await stage.start();
    const problems = await stage.check();
    if (problems.length > 0) throw new Error(`not clean at the start: ${problems.join('; ')}`);
    return stage;
  }

  get place(): { data: string; folder: string; build: Build } {
    const data = path.join(this.surroundings.disk.folder, path.basename(this.folder), 'data');
    return { data, folder: this.folder, build: this.surroundings.build };
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error('no server runs');
    return this.#server;
  }

  set server(server: Server) {
    this.#server = server;
  }

  /** A name that nothing in this directory has borne. */
  name(what: string): string {
    this.#number += 1;
    return `${what}-${path.basename(this.folder)}-${this.history.life}-${this.#number}`;
  }

  async start(): Promise<void> {
    this.#server = await startServer(this.place);
  }

  /** kill -9, if it is not dead yet; what clients were not told stays unknown. */
  async kill(): Promise<void> {
    await this.#server?.end('SIGKILL');
    this.history.life += 1;
  }

  /** Looks at everything; what is seen is then the truth that the next steps start from. */
  async check(): Promise<string[]> {
    const world = await observe(this.server, () => this.#mine());
    const problems = this.history.check(world);
    for (const account of TREES) this.history.believe(account, treeOf(world, account));
    return problems;
  }

  async close(): Promise<void> {
    await this.#server?.end('SIGKILL');
  }

  /** The next hop is shared by all stages of a run: others' messages are not ours. */
  #mine(): Sink['messages'] {
    const ids = new Set(this.history.sent.map(({ id }) => id));
    return this.surroundings.sink.messages.filter(({ content }) =>
      ids.has(/^X-Crash-Id: (\S+)/m.exec(content)?.[1] ?? ''),
    );
  }
}

function treeOf(world: World, account: string): ReturnType<typeof modelOf> {
  return modelOf(world.boxes.filter((box) => box.account === account));
}

function straight(server: Server, listener: string): Promise<LineClient> {
  const port = server.port(listener);
  return listener === 'smtp' ? LineClient.connect(port) : LineClient.connectTls(port);
}
