/** A file system of its own for one server: Debian, the server's layer, and what the profile writes, in memory. */

import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TestCertificate, testCertificate } from '../world/certificates.ts';
import { type Finished, run } from '../interop/tools.ts';

/** People with a mailbox and a password on every server. */
export const USERS = ['alice', 'bob', 'carol'] as const;
export const PASSWORD = 'lab-Secret-1';
/** Where mail for the users goes. */
export const DOMAIN = 'lab.test';
export const HOST = 'mx.lab.test';

export class Root {
  /** Seen from outside. */
  readonly folder: string;
  readonly #children: ChildProcess[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Mounts it. `cache` holds what install.sh prepared; `run` is a folder in memory. Must be called
   * in a mount namespace of its own: nothing is unmounted one by one.
   */
  static async mount(
    cache: string,
    layer: string,
    place: string,
    certificates: ReadonlyMap<string, TestCertificate> = new Map(),
  ): Promise<Root> {
    const at = (name: string): string => path.join(place, name);
    for (const name of ['upper', 'work', 'root']) mkdirSync(at(name), { recursive: true });
    const lower = `${cache}/layers/${layer}:${cache}/base`;
    const options = `lowerdir=${lower},upperdir=${at('upper')},workdir=${at('work')}`;
    await must('mount', ['-t', 'overlay', 'overlay', '-o', options, at('root')]);
    const root = new Root(at('root'));
    for (const name of ['proc', 'dev']) {
      await must('mount', ['--rbind', `/${name}`, path.join(root.folder, name)]);
    }
    await root.#furnish();
    for (const [name, { certificate, key }] of certificates) {
      root.write(`/etc/lab/${name}.pem`, certificate);
      root.write(`/etc/lab/${name}.key`, key, 0o640);
    }
    return root;
  }

  write(file: string, text: string, mode = 0o644): void {
    const place = path.join(this.folder, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, text);
    chmodSync(place, mode);
  }

  read(file: string): string {
    const place = path.join(this.folder, file);
    return existsSync(place) ? readFileSync(place, 'utf8') : '';
  }

  copy(from: string, to: string): void {
    cpSync(path.join(this.folder, from), path.join(this.folder, to), { recursive: true });
  }

  /** A command inside, to its end; throws with its output when it fails. */
  async run(program: string, ...args: readonly string[]): Promise<Finished> {
    return must('chroot', [this.folder, program, ...args]);
  }

  /** The same with a command that may fail, and with what it reads. */
  attempt(
    program: string,
    args: readonly string[],
    options: { readonly input?: string } = {},
  ): Promise<Finished> {
    return run('chroot', [this.folder, program, ...args], { ...options, timeoutMs: 30_000 });
  }

  /** A program that stays; what it prints goes to `/var/log/lab.log` inside. */
  start(program: string, ...args: readonly string[]): ChildProcess {
    const log = openSync(path.join(this.folder, 'var/log/lab.log'), 'a');
    const child = spawn('chroot', [this.folder, program, ...args], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    child.on('error', () => undefined);
    this.#children.push(child);
    return child;
  }

  /** Ends whatever runs inside. */
  async stop(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) {
      const ids = this.#inside();
      if (ids.length === 0) return;
      for (const id of ids) kill(id);
      await sleep(20);
    }
  }

  /** Processes whose root is here. */
  #inside(): number[] {
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        return readlinkSync(`/proc/${name}/root`) === this.folder ? [Number(name)] : [];
      } catch {
        return [];
      }
    });
  }

  /** Names, people, a certificate that fits, and one that does not. */
  async #furnish(): Promise<void> {
    this.write('/etc/resolv.conf', 'nameserver 127.0.0.1\n');
    this.write('/etc/hosts', '127.0.0.1 localhost\n');
    this.write('/etc/mailname', `${DOMAIN}\n`);
    this.write('/etc/aliases', 'postmaster: root\n');
    const { output } = await must('openssl', ['passwd', '-6', '-salt', 'lab', PASSWORD]);
    const hash = output.trim();
    const rows = { passwd: '', shadow: '', group: '' };
    for (const [at, user] of USERS.entries()) {
      const id = 2_000 + at;
      rows.passwd += `${user}:x:${id}:${id}::/home/${user}:/bin/false\n`;
      rows.shadow += `${user}:${hash}:20000:0:99999:7:::\n`;
      rows.group += `${user}:x:${id}:\n`;
      const home = path.join(this.folder, 'home', user);
      mkdirSync(home, { recursive: true });
      chownSync(home, id, id);
    }
    for (const [file, text] of Object.entries(rows)) {
      appendFileSync(path.join(this.folder, 'etc', file), text);
    }
    const { certificate, key } = testCertificate({ names: [HOST, DOMAIN] });
    this.write('/etc/lab/cert.pem', certificate);
    this.write('/etc/lab/key.pem', key, 0o640);
  }
}

async function must(program: string, args: readonly string[], input?: string): Promise<Finished> {
  const done = await run(program, args, {
    ...(input === undefined ? {} : { input }),
    timeoutMs: 30_000,
  });
  if (done.code === 0) return done;
  throw new Error(`${program} ${args.join(' ')}: ${done.output.slice(-2_000)}`);
}

function kill(id: number): void {
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
