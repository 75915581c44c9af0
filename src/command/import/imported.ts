/** What comes of importing another server's configuration: settings, people, and what is left. */

import type { WeakLine } from '#audit/configuration/reader.ts';
import type { Raw } from '../configuration/declare.ts';

/** A parameter there and what it became here. */
export interface Taken {
  /** undefined: the default of the other server, written out because ours differs. */
  readonly line: number | undefined;
  readonly parameter: string;
  /** In words: `message_size_limit = 52428800`, `the domain example.org`. */
  readonly became: string;
}

/** A parameter, or a part of one, that has no counterpart here. */
export interface Left {
  readonly line: number | undefined;
  readonly parameter: string;
  /** The part that was left, or all of it. */
  readonly value: string;
  readonly why: string;
}

/** Who lives there. */
export interface People {
  readonly domains: ReadonlySet<string>;
  /** Addresses that have a mailbox; their passwords do not come along. */
  readonly accounts: ReadonlySet<string>;
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  /** Domain to the address that gets what nobody else gets. */
  readonly catchAlls: ReadonlyMap<string, string>;
}

export interface Imported {
  readonly settings: ReadonlyMap<string, Raw>;
  readonly people: People;
  readonly taken: readonly Taken[];
  readonly left: readonly Left[];
  readonly unsafe: readonly WeakLine[];
}

/** Reads the text of another file that the configuration names; undefined: not there. */
export type ReadFile = (path: string) => string | undefined;
