/** Where messages lie: files, mbox files, Maildir folders, standard input; found before they are read. */

import { closeSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { looksLikeMbox } from '#forensics/input/mbox.ts';
import type { Io } from '../io.ts';

/** One file, or a pipe. */
export interface Source {
  readonly name: string;
  /** Undefined for a pipe. */
  readonly sizeBytes: number | undefined;
  pieces(): AsyncIterable<Uint8Array>;
  /** Octets at an offset, fewer at the end; undefined where nobody can jump. */
  readonly peek?: (offset: number, length: number) => Uint8Array;
}

const PIECE_BYTES = 262_144;
/** What does not tell its size, a pipe, is read in pieces of this. */
const SMALL_BYTES = 65_536;
const STDIN_BYTES = 1_073_741_824;
/** Files below one folder; a mail archive has fewer. */
const FILES = 5_000_000;

/** All sources of the paths given, in order; a folder's files by name. Fails as the disk does. */
export function sourcesOf(paths: readonly string[], io: Io): readonly Source[] {
  return paths.flatMap((path): readonly Source[] => {
    if (path === '-') return [standardInput(io)];
    const found = statSync(path);
    if (!found.isDirectory()) return [fileSource(path, found.size)];
    return filesBelow(path).flatMap((file) => {
      const found = statSync(file, { throwIfNoEntry: false });
      // Mail programs move messages while they lie there.
      return found === undefined ? [] : [fileSource(file, found.size)];
    });
  });
}

/** Whether a source that begins so holds many messages. */
export function holdsMany(start: Uint8Array): boolean {
  return looksLikeMbox(start);
}

function standardInput(io: Io): Source {
  const pieces =
    io.pieces ??
    async function* () {
      yield await io.readAll(STDIN_BYTES);
    };
  return { name: '-', sizeBytes: undefined, pieces };
}

function fileSource(path: string, sizeBytes: number): Source {
  return {
    name: path,
    sizeBytes,
    pieces: () => piecesOf(path, Math.min(Math.max(sizeBytes + 1, SMALL_BYTES), PIECE_BYTES)),
    peek: (offset, length) => {
      const bytes = new Uint8Array(length);
      const file = openSync(path, 'r');
      try {
        return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
      } finally {
        closeSync(file);
      }
    },
  };
}

/** Read without waiting: nobody else is served meanwhile, and a Maildir has thousands of files. */
async function* piecesOf(path: string, pieceBytes: number): AsyncGenerator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    const piece = new Uint8Array(pieceBytes);
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      yield piece.subarray(0, read);
    }
  } finally {
    closeSync(file);
  }
}

/** A Maildir's `cur` and `new`, its subfolders too; of another folder all its files. */
function filesBelow(folder: string): readonly string[] {
  const found: string[] = [];
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined && found.length < FILES; next = waiting.pop()) {
    const entries = readdirSync(next, { withFileTypes: true });
    const names = new Set(entries.flatMap((one) => (one.isDirectory() ? [one.name] : [])));
    const maildir = names.has('cur') && names.has('new');
    // What a Maildir keeps beside its messages: uid lists, indexes, flags.
    const mail = !maildir;
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(next, entry.name);
      if (entry.isDirectory() && entry.name !== 'tmp') waiting.push(path);
      else if (entry.isFile() && mail && !isIndex(entry.name)) found.push(path);
    }
  }
  return found.sort();
}

function isIndex(name: string): boolean {
  return /^dovecot|^courierimap|^maildirfolder$|^maildirsize$|^subscriptions$|^\./.test(
    basename(name),
  );
}
