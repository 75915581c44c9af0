/** Disks to break: a plain directory, an ext4 file system that can lose its power, a small disk. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Disk {
  /** Where a data directory may lie. */
  readonly folder: string;
  /** Takes the file system off and puts it on again, as after a power cut. */
  remount(): Promise<void>;
  remove(): Promise<void>;
}

/** A directory below the system's one for such things. */
export function plainDisk(): Disk {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-crash-'));
  return {
    folder,
    remount: () => Promise.resolve(),
    remove: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  };
}

/** ext4 on a loop device: 0x8004587d takes its power away. Root only. */
export function ext4Disk(megabytes = 256): Disk {
  const base = mkdtempSync(path.join(tmpdir(), 'postern-crash-'));
  const image = path.join(base, 'disk');
  const folder = path.join(base, 'mount');
  mkdirSync(folder);
  const mount = (): void => run('mount', '-o', 'loop', image, folder);
  orRemove(base, () => {
    run('truncate', '-s', `${megabytes}M`, image);
    run('mkfs.ext4', '-q', '-F', image);
    mount();
  });
  return {
    folder,
    remount: async () => {
      await unmount(folder);
      mount();
    },
    remove: async () => {
      await unmount(folder);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** A disk in memory with so little room that it is soon full. Root only. */
export function smallDisk(megabytes = 40): Disk {
  const base = mkdtempSync(path.join(tmpdir(), 'postern-crash-'));
  orRemove(base, () => run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', base));
  return {
    folder: base,
    remount: () => Promise.resolve(),
    remove: async () => {
      await unmount(base);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

function orRemove(base: string, task: () => void): void {
  try {
    task();
  } catch (error) {
    rmSync(base, { recursive: true, force: true });
    throw error;
  }
}

/** All that was written is on the disk then. */
export function syncDisk(folder: string): void {
  run('sync', '-f', folder);
}

/** Whoever had files open there has just been killed: the system may need a moment. */
async function unmount(folder: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      run('umount', folder);
      return;
    } catch (error) {
      if (tries >= 100) throw error;
      await sleep(20);
    }
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
