/** What a kind of report is that other servers send us: how it is known, read and shown. */

import type { JsonObject } from '#base/json.ts';

export interface ReportKind {
  /** `tls`: the word for `--kind`. */
  readonly name: string;
  /** Reads one, unpacked; undefined when these octets are none. Never throws. */
  read(octets: Uint8Array): ReadReport | undefined;
}

export interface ReadReport {
  /** Who sent it and about what, one line. */
  readonly title: string;
  /** Rows of a table, the first one its head. */
  readonly rows: readonly (readonly string[])[];
  /** The same for programs. */
  readonly json: JsonObject;
}
