/** One message as it is examined: its head, its hops, what is known of its body, its hash. */

import type { Field, Head } from '#message/fields.ts';
import { allFields } from '#message/fields.ts';
import { parseReceived } from './received/parse.ts';
import type { ReceivedLine } from './received/line.ts';

export interface Specimen {
  /** Where it lay: a file's name, with the number of the message in an mbox. */
  readonly name: string;
  /** Of the octets as they were found, in hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Octets of the head with CRLF: what signatures are over. */
  readonly headOctets: Uint8Array;
  readonly head: Head;
  /** The head was longer than the limit: the rest of it was hashed and not read. */
  readonly headCut: boolean;
  /** Lines ended in LF or in CR, as files on disk do: they were read as CRLF. */
  readonly unixLines: boolean;
  /** The body with CRLF, if it was small enough to be kept. */
  readonly body: Uint8Array | undefined;
  /** Whether the body was read at all; not with `--header-only`. */
  readonly bodySeen: boolean;
}

/** A Received field and what it says, newest first. */
export interface Trace {
  readonly field: Field;
  readonly line: ReceivedLine;
}

/** Received fields that are read; of more the newest, which a reader can do something with. */
export const TRACES = 500;

/** The Received fields of a head, newest first, and how many there are more. */
export function tracesOf(head: Head): { readonly traces: readonly Trace[]; readonly more: number } {
  const fields = allFields(head, 'received');
  const traces = fields
    .slice(0, TRACES)
    .map((field) => ({ field, line: parseReceived(field.value) }));
  return { traces, more: fields.length - traces.length };
}
