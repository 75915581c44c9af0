/** A disk that forgets what was not synced: the files of one host on tmpfs, and its power cuts. */

import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Chance } from './chance.ts';

/** What would be left of a body file if the power went now. */
interface Kept {
  /** Its octets at the last fsync of the file; undefined: never synced. */
  octets: Uint8Array | undefined;
  /** Whether its name was there when its directory was last synced. */
  named: boolean;
}

const DATABASE = 'postern.db';
const LOG = `${DATABASE}-wal`;

/**
 * What a power cut leaves, and why.
 *
 * Database: the writer runs in this thread (`thread: false`), so between two events no transaction
 * is open, and every octet in the database file and its log belongs to a commit that has returned,
 * or to a checkpoint that has. With `synchronous=FULL` SQLite syncs the log before COMMIT returns,
 * and a checkpoint syncs the log before and the database after it copies pages. So what is in the
 * files at that moment is what the disk holds: a copy of both, without the shared memory, is the
 * state after the cut, and opening it runs SQLite's recovery. Behind the log a torn beginning of a
 * next commit is put (octets without a valid checksum), which recovery must not believe.
 *
 * A connection that asked for less than FULL has promised less: then the state at the last boot is
 * kept, and a cut may fall back to it (only a control uses it).
 *
 * Body files: written by node:fs/promises, which the simulation replaces (machine.ts). Of a file
 * that was synced the octets are kept; of one that was not, a part or nothing; a name that was not
 * synced with its directory may be gone, and one that was removed may be back.
 *
 * Not covered, and therefore test/crash's job: cuts inside a commit or a checkpoint, the real
 * order of writes in a kernel, torn pages, file systems, and disks that lie about fsync.
 */
export class Disk {
  readonly #root: string;
  readonly #chance: Chance;
  readonly #files = new Map<string, Kept>();
  readonly #databases = new Set<DatabaseSync>();
  #generation = 0;
  #unsafe = false;
  #image: string | undefined;
  /** Share of writes and syncs that fail (EIO, ENOSPC). */
  troubles = 0;

  constructor(root: string, chance: Chance) {
    this.#root = root;
    this.#chance = chance;
    fs.mkdirSync(this.directory, { recursive: true, mode: 0o700 });
  }

  get directory(): string {
    return join(this.#root, String(this.#generation));
  }

  /** The power is cut: the directory is a new one, with what had reached the platters. */
  cutPower(): void {
    const old = this.directory;
    const unsafe = this.#image !== undefined && this.#chance.odds(0.7);
    const from = unsafe ? (this.#image ?? old) : old;
    this.#generation += 1;
    fs.mkdirSync(join(this.directory, 'spool'), { recursive: true, mode: 0o700 });
    this.#copyDatabase(from, this.directory);
    const torn = this.#chance.int(0, 3) === 0 ? this.#chance.skewed(9_000) : 0;
    if (torn > 0 && fs.existsSync(join(this.directory, LOG))) {
      fs.appendFileSync(join(this.directory, LOG), this.#chance.bytes(torn));
    }
    this.#keepFiles();
    this.#letGo();
    fs.rmSync(old, { recursive: true, force: true });
    if (this.#image !== undefined) fs.rmSync(this.#image, { recursive: true, force: true });
    this.#image = undefined;
  }

  /** A database of this disk was opened, or said how carefully it wants to write. */
  opened(database: DatabaseSync, sql: string): void {
    this.#databases.add(database);
    if (/synchronous\s*=\s*(?:OFF|NORMAL|0|1)\b/i.test(sql)) this.#unsafe = true;
  }

  /** The host is up: what was written until now the kernel has written back. */
  settled(): void {
    if (!this.#unsafe) return;
    this.#image = join(this.#root, 'image');
    fs.mkdirSync(this.#image, { recursive: true });
    this.#copyDatabase(this.directory, this.#image);
  }

  wrote(path: string): void {
    const known = this.#files.get(basename(path));
    if (known === undefined) this.#files.set(basename(path), { octets: undefined, named: false });
  }

  syncedFile(path: string): void {
    const kept = this.#files.get(basename(path));
    if (kept !== undefined) kept.octets = fs.readFileSync(path);
  }

  syncedNames(directory: string): void {
    for (const [name, kept] of this.#files) {
      kept.named = fs.existsSync(join(directory, name));
      if (!kept.named) this.#files.delete(name);
    }
  }

  /** Whether this write or sync fails. */
  fails(): boolean {
    return this.troubles > 0 && this.#chance.odds(this.troubles);
  }

  /** How many octets of `length` a write takes: sometimes fewer than all, as POSIX allows. */
  takes(length: number): number {
    return length > 1 && this.#chance.odds(0.1) ? this.#chance.int(1, length) : length;
  }

  remove(): void {
    this.#letGo();
    fs.rmSync(this.#root, { recursive: true, force: true });
  }

  #copyDatabase(from: string, to: string): void {
    for (const name of [DATABASE, LOG]) {
      fs.rmSync(join(to, name), { force: true });
      if (fs.existsSync(join(from, name))) fs.copyFileSync(join(from, name), join(to, name));
    }
  }

  #keepFiles(): void {
    for (const [name, kept] of this.#files) {
      if (!kept.named && this.#chance.odds(0.7)) {
        this.#files.delete(name);
        continue;
      }
      const octets = kept.octets ?? this.#chance.bytes(this.#chance.int(0, 200));
      fs.writeFileSync(join(this.directory, 'spool', name), octets, { mode: 0o600 });
      kept.octets = octets;
      kept.named = true;
    }
  }

  /** The process is gone, and so are its open files. */
  #letGo(): void {
    for (const database of this.#databases) if (database.isOpen) database.close();
    this.#databases.clear();
  }
}

/** Which disk a path lies on. */
export function diskOf(disks: ReadonlyMap<string, Disk>, path: string): Disk | undefined {
  for (let at = path; at.length > 1; at = dirname(at)) {
    const disk = disks.get(at);
    if (disk !== undefined) return disk;
  }
  return undefined;
}
