/** How a command ends: the tagged response as a value, and the way to end one early. */

import type { Failure } from '#base/failure.ts';

export interface Completion {
  readonly status: 'OK' | 'NO' | 'BAD';
  /** Without brackets: `TRYCREATE`, `COPYUID 1 2 3`. */
  readonly code?: string | undefined;
  readonly text: string;
}

/** Thrown by parsers and commands: the command ends here with this completion. */
export class Rejected extends Error {
  readonly completion: Completion;

  constructor(completion: Completion) {
    super(completion.text);
    this.name = 'Rejected';
    this.completion = completion;
  }
}

export function ok(text: string, code?: string): Completion {
  return { status: 'OK', code, text };
}

/** A refusal with a code of RFC 5530. */
export function no(code: string, text: string): Rejected {
  return new Rejected({ status: 'NO', code, text });
}

/** The command was not understood. */
export function bad(text: string): Rejected {
  return new Rejected({ status: 'BAD', text });
}

/** The store could not (RFC 5530 3): the client may try again, and loses nothing. */
export function failedCompletion(failure: Failure): Completion {
  return failure.kind === 'temporary'
    ? { status: 'NO', code: 'UNAVAILABLE', text: 'Not now: the server has a problem, try later' }
    : { status: 'NO', code: 'CANNOT', text: 'The server cannot do this' };
}

/** `tag OK [CODE] text` and the line end. */
export function formatCompletion(tag: string, completion: Completion): string {
  const { status, code, text } = completion;
  return `${tag} ${status} ${code === undefined ? '' : `[${code}] `}${text}\r\n`;
}
