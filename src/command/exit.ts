/** Exit statuses of sysexits(3), and the error that a person gets: what went wrong, what cures it. */

import { Failure } from '#base/failure.ts';

/** The statuses that Postern uses, by their names in sysexits(3). */
export const EXIT = {
  ok: 0,
  usage: 64,
  data: 65,
  noUser: 67,
  unavailable: 69,
  software: 70,
  system: 71,
  cannotCreate: 73,
  io: 74,
  temporary: 75,
  noPermission: 77,
  configuration: 78,
} as const;

/** Those of `postern audit`, for scripts and CI: a verdict each, not a kind of failure. */
export const AUDIT_EXIT = {
  pass: 0,
  findings: 1,
  inconclusive: 2,
  usage: 3,
  refused: 4,
} as const;

/** Those of `postern talk`: where it failed, by the numbers that scripts know from swaks. */
export const TALK_EXIT = {
  ok: 0,
  connect: 2,
  lost: 6,
  banner: 21,
  ehlo: 22,
  mail: 23,
  rcpt: 24,
  data: 25,
  content: 26,
  auth: 28,
  tls: 29,
} as const;

export type ExitStatus =
  | (typeof EXIT)[keyof typeof EXIT]
  | (typeof AUDIT_EXIT)[keyof typeof AUDIT_EXIT]
  | (typeof TALK_EXIT)[keyof typeof TALK_EXIT];

/** Something the person at the keyboard can mend: one line, never with a stack trace. */
export class CommandError extends Error {
  readonly exit: ExitStatus;
  /** What to do about it, as a sentence. */
  readonly cure: string | undefined;

  constructor(exit: ExitStatus, message: string, cure?: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CommandError';
    this.exit = exit;
    this.cure = cure;
  }
}

/** Anything thrown, as what a person can read; `undefined` when it is a bug of ours. */
export function explain(thrown: unknown): CommandError | undefined {
  if (thrown instanceof CommandError) return thrown;
  if (thrown instanceof Failure) {
    const known = FAILURES.get(thrown.code);
    const exit = known?.exit ?? (thrown.kind === 'temporary' ? EXIT.temporary : EXIT.unavailable);
    return new CommandError(exit, thrown.message, known?.cure, thrown);
  }
  return isSystemError(thrown) ? explainSystemError(thrown) : undefined;
}

/** An error of reading a file, with its name: some errors of the system do not say which. */
export function unreadable(file: string, thrown: unknown, exit: ExitStatus): CommandError {
  const known = explain(thrown);
  const words = known?.message ?? 'cannot be read';
  const cause = words.startsWith(file) ? words : `${file}: ${words}`;
  return new CommandError(exit, cause, known?.cure, thrown);
}

interface SystemError extends Error {
  readonly code: string;
  readonly path?: string;
  readonly syscall?: string;
}

/** An error of the operating system (`ENOENT`, `EACCES` ...), which Node marks with `code`. */
export function isSystemError(thrown: unknown): thrown is SystemError {
  if (!(thrown instanceof Error) || !('code' in thrown)) return false;
  return typeof thrown.code === 'string' && /^E[A-Z0-9]+$/.test(thrown.code);
}

function explainSystemError(error: SystemError): CommandError {
  const known = SYSTEM_ERRORS.get(error.code);
  if (known === undefined) return new CommandError(EXIT.system, error.message, undefined, error);
  const where = error.path === undefined ? '' : `${error.path}: `;
  return new CommandError(known.exit, `${where}${known.text}`, known.cure, error);
}

/** Statuses for the failures of other floors by their code; a cure where they tell none. */
const FAILURES: ReadonlyMap<string, { readonly exit: ExitStatus; readonly cure?: string }> =
  new Map([
    [
      'port-in-use',
      { exit: EXIT.unavailable, cure: 'Stop the program there, or change the port.' },
    ],
    ['not-permitted', { exit: EXIT.noPermission }],
    ['no-such-address', { exit: EXIT.unavailable, cure: 'Use an address that this machine has.' }],
    ['bad-name-server', { exit: EXIT.configuration }],
    ['bad-password', { exit: EXIT.data, cure: 'Choose another one.' }],
    ['disk-full', { exit: EXIT.io }],
    [
      'writer-lost',
      { exit: EXIT.system, cure: 'The log says why: memory, open files (ulimit -n) or the disk.' },
    ],
    ['disk-error', { exit: EXIT.io, cure: 'Check the disk and its log.' }],
    ['store-busy', { exit: EXIT.temporary, cure: 'Try again in a moment.' }],
    ['store-broken', { exit: EXIT.data }],
    ['store-unreadable', { exit: EXIT.noPermission }],
    ['store-unsafe', { exit: EXIT.noPermission }],
    ['schema-newer', { exit: EXIT.data }],
    [
      'certificate-missing',
      { exit: EXIT.configuration, cure: 'Put it there, or name another file.' },
    ],
    ['certificate-expired', { exit: EXIT.configuration, cure: 'Renew it.' }],
    ['certificate-not-yet-valid', { exit: EXIT.configuration, cure: 'Check the clock.' }],
    [
      'certificate-mismatch',
      { exit: EXIT.configuration, cure: 'Name the key that belongs to it.' },
    ],
    [
      'certificate-unreadable',
      { exit: EXIT.configuration, cure: 'It must be PEM, readable by us.' },
    ],
    ['key-unreadable', { exit: EXIT.configuration, cure: 'It must be PEM without a password.' }],
  ]);

const SYSTEM_ERRORS: ReadonlyMap<
  string,
  { readonly exit: ExitStatus; readonly text: string; readonly cure: string }
> = new Map([
  [
    'ENOENT',
    { exit: EXIT.unavailable, text: 'no such file or directory', cure: 'Check the path.' },
  ],
  ['EACCES', { exit: EXIT.noPermission, text: 'permission denied', cure: 'Check owner and mode.' }],
  ['EPERM', { exit: EXIT.noPermission, text: 'not permitted', cure: 'Check owner and mode.' }],
  ['EISDIR', { exit: EXIT.data, text: 'is a directory', cure: 'Name a file.' }],
  ['ENOTDIR', { exit: EXIT.data, text: 'is not a directory', cure: 'Name a directory.' }],
  ['EEXIST', { exit: EXIT.cannotCreate, text: 'exists already', cure: 'Choose another name.' }],
  ['ENOSPC', { exit: EXIT.io, text: 'the disk is full', cure: 'Free some space.' }],
  ['EDQUOT', { exit: EXIT.io, text: 'the disk quota is used up', cure: 'Free some space.' }],
  ['EROFS', { exit: EXIT.io, text: 'the file system is read-only', cure: 'Mount it for writing.' }],
  ['EIO', { exit: EXIT.io, text: 'the disk failed', cure: 'Check the disk and its log.' }],
  [
    'EMFILE',
    { exit: EXIT.system, text: 'too many open files', cure: 'Raise the limit (ulimit -n).' },
  ],
]);
